/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hw/fb.c on a screen in ordinary memory. It writes by inline assembly, which the sanitizers do
 * not see, so a guard zone around the screen shows whether it stays inside.
 */
#include <stdlib.h>
#include <string.h>

#include "hw/fb.h"
#include "unit.h"

#define GUARD 4096U
#define FILL 0xAA

static uint8_t *memory;
static size_t size;

static struct fb_mode make_screen(uint32_t width, uint32_t height, uint32_t pitch, uint32_t pixel)
{
	size = (size_t)pitch * height;
	memory = malloc(size + 2U * GUARD);
	assert_non_null(memory);
	memset(memory, FILL, size + 2U * GUARD);
	return (struct fb_mode){.base = memory + GUARD,
				.width = width,
				.height = height,
				.pitch = pitch,
				.pixel_size = pixel,
				.is_text = pixel == 2};
}

static void assert_guard_is_whole(void)
{
	for (size_t i = 0; i < GUARD; i++) {
		assert_int_equal(memory[i], FILL);
		assert_int_equal(memory[GUARD + size + i], FILL);
	}
}

static size_t count(uint8_t value)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += memory[GUARD + i] == value;
	return n;
}

static void test_stays_inside(void **state)
{
	static const struct {
		uint32_t width, height, pitch, pixel;
	} modes[] = {
		{800, 600, 3200, 4},  {800, 600, 2400, 3},  {801, 599, 3204, 4},
		{1366, 768, 5504, 4}, {1280, 800, 5120, 4}, {1023, 77, 3069, 3},
		{80, 25, 160, 2},     {640, 45, 2560, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct fb_mode mode = make_screen(modes[i].width, modes[i].height, modes[i].pitch,
						  modes[i].pixel);

		assert_true(fb_init(&mode));
		for (int line = 0; line < 300; line++) {
			fb_write("A line that is long enough to be broken at the right end of the ", 64);
			fb_write("screen, whatever the screen: 0123456789 0123456789 0123456789 012", 64);
			fb_write("\t\x80\xFF\x01\n", 5);
		}
		assert_guard_is_whole();
		fb_disable();
		free(memory);
	}
}

static void test_draws(void **state)
{
	struct fb_mode mode = make_screen(800, 600, 3200, 4);

	(void)state;
	assert_true(fb_init(&mode));
	assert_int_equal(count(0), size);
	fb_write("|", 1);
	/* Seven dots of one pixel: three colours each, the fourth byte stays 0. */
	assert_int_equal(count(0xC0), 7 * 3);
	free(memory);

	mode = make_screen(1280, 800, 5120, 4);
	assert_true(fb_init(&mode));
	fb_write("|", 1);
	assert_int_equal(count(0xC0), 4 * 7 * 3);
	fb_hand_over();
	fb_write("|", 1);
	assert_int_equal(count(0xC0), 4 * 7 * 3);
	fb_take_back();
	fb_write("|", 1);
	assert_int_equal(count(0xC0), 2 * 4 * 7 * 3);
	fb_disable();
	fb_write("|", 1);
	assert_int_equal(count(0xC0), 2 * 4 * 7 * 3);
	free(memory);
}

static void test_goes_round(void **state)
{
	struct fb_mode mode = make_screen(80, 25, 160, 2);
	const uint8_t *screen = memory + GUARD;

	(void)state;
	assert_true(fb_init(&mode));
	for (char c = 'a'; c < 'a' + 26; c++) {
		fb_write(&c, 1);
		fb_write("\n", 1);
	}
	/* 26 lines on 25: 'z' is on top, below it the cursor's line and a blank one, then 'd'. */
	screen = memory + GUARD;
	assert_int_equal(screen[0], 'z');
	assert_int_equal(screen[160], ' ');
	assert_int_equal(screen[2 * 160], ' ');
	assert_int_equal(screen[3 * 160], 'd');
	assert_int_equal(screen[24 * 160], 'y');
	free(memory);
}

static void test_refuses_small_screens(void **state)
{
	struct fb_mode mode = make_screen(100, 20, 400, 4);

	(void)state;
	assert_false(fb_init(&mode));
	mode.width = 800;
	mode.height = 600;
	mode.pixel_size = 1;
	assert_false(fb_init(&mode));
	mode.pixel_size = 4;
	mode.base = NULL;
	assert_false(fb_init(&mode));
	fb_write("nothing\n", 8);
	assert_int_equal(count(FILL), size);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stays_inside),
		cmocka_unit_test(test_draws),
		cmocka_unit_test(test_goes_round),
		cmocka_unit_test(test_refuses_small_screens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
