/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/section.c on a PE image made here: files in sections are found, and lies in the headers are not believed. */
#include <string.h>

#include "section.h"
#include "unit.h"

#define PE 0x80
#define OPTIONAL_SIZE 0xf0
#define TABLE (PE + 24 + OPTIONAL_SIZE)

static uint8_t image[0x3000];

static void put32(size_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		image[at + (size_t)i] = (uint8_t)(value >> 8 * i);
}

static void put_section(size_t n, const char *name, uint32_t size, uint32_t address)
{
	memset(image + TABLE + 40 * n, 0, 40);
	memcpy(image + TABLE + 40 * n, name, strlen(name));
	put32(TABLE + 40 * n + 8, size);
	put32(TABLE + 40 * n + 12, address);
}

static void make_image(void)
{
	memset(image, 0, sizeof(image));
	put32(0x3c, PE);
	memcpy(image + PE, "PE\0\0", 4);
	image[PE + 6] = 3;
	image[PE + 20] = OPTIONAL_SIZE;
	put_section(0, ".conf2", 8, 0x1000);
	put_section(1, ".conf", 5, 0x1100);
	put_section(2, ".initrd", 0x1000, 0x2000);
	memcpy(image + 0x1100, "hello", 5);
}

static bool find(const char *name, const uint8_t **at, size_t *length)
{
	return section_find(image, sizeof(image), name, at, length);
}

static void test_a_section_is_found_by_its_whole_name(void **state)
{
	const uint8_t *at;
	size_t length;

	(void)state;
	make_image();
	assert_true(find(".conf", &at, &length));
	assert_int_equal(length, 5);
	assert_memory_equal(at, "hello", 5);
	assert_true(find(".initrd", &at, &length));
	assert_ptr_equal(at, image + 0x2000);
	assert_false(find(".con", &at, &length));
	assert_false(find(".linux", &at, &length));
}

static void test_a_section_outside_the_image_is_refused(void **state)
{
	const uint8_t *at;
	size_t length;

	(void)state;
	make_image();
	put_section(1, ".conf", 5, 0x2ffc);
	assert_false(find(".conf", &at, &length));
	put_section(1, ".conf", 5, 0xfffffffe);
	assert_false(find(".conf", &at, &length));
	put_section(1, ".conf", 0xffffffff, 0x1000);
	assert_false(find(".conf", &at, &length));
}

static void test_headers_that_lie_are_refused(void **state)
{
	const uint8_t *at;
	size_t length;

	(void)state;
	make_image();
	assert_false(section_find(image, 0x20, ".conf", &at, &length));
	assert_false(section_find(image, TABLE + 60, ".conf", &at, &length));
	put32(0x3c, 0xfffffff0);
	assert_false(find(".conf", &at, &length));
	make_image();
	put32(0x3c, sizeof(image) - 10);
	assert_false(find(".conf", &at, &length));
	make_image();
	image[PE] = 'X';
	assert_false(find(".conf", &at, &length));
	make_image();
	image[PE + 7] = 0xff;
	assert_false(find(".conf", &at, &length));
	make_image();
	image[PE + 21] = 0xff;
	assert_false(find(".conf", &at, &length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_section_is_found_by_its_whole_name),
		cmocka_unit_test(test_a_section_outside_the_image_is_refused),
		cmocka_unit_test(test_headers_that_lie_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
