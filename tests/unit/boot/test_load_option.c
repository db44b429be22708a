/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/load_option.c: an entry is what the firmware expects byte by byte, and broken device paths are not followed. */
#include <string.h>

#include "load_option.h"
#include "unit.h"

static const uint8_t device[] = {2, 1, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 1, 5, 0, 9, 0x7f, 0xff, 4, 0};
static const uint8_t file[] = {4, 4, 8, 0, 'a', 0, 0, 0, 0x7f, 0xff, 4, 0};
static const struct load_option option = {9, "Hi", device, file, "x"};

static void an_entry_is_laid_out_as_uefi_says(void **state)
{
	static const uint8_t want[] = {
		9, 0, 0, 0, 29, 0, 'H', 0, 'i', 0, 0, 0,
		2, 1, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 1, 5, 0, 9,
		4, 4, 8, 0, 'a', 0, 0, 0, 0x7f, 0xff, 4, 0,
		'x', 0, 0, 0,
	};
	uint8_t got[64];

	(void)state;
	assert_int_equal(load_option_write(&option, got, sizeof(got)), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(load_option_write(&option, got, sizeof(want)), sizeof(want));
	for (size_t size = 0; size < sizeof(want); size++)
		assert_int_equal(load_option_write(&option, got, size), 0);
}

static void an_entry_is_known_by_its_description(void **state)
{
	uint8_t bytes[64];
	size_t size = load_option_write(&option, bytes, sizeof(bytes));

	(void)state;
	assert_true(load_option_is(bytes, size, "Hi"));
	assert_false(load_option_is(bytes, size, "H"));
	assert_false(load_option_is(bytes, size, "Hi!"));
	assert_false(load_option_is(bytes, size, "Ho"));
	for (size_t cut = 0; cut < 12; cut++)
		assert_false(load_option_is(bytes, cut, "Hi"));
}

static void a_broken_path_has_no_size(void **state)
{
	static const uint8_t shorter[] = {4, 4, 3, 0, 'a', 0, 0, 0, 0x7f, 0xff, 4, 0};
	static const uint8_t longer[] = {4, 4, 0xff, 0, 'a', 0, 0, 0, 0x7f, 0xff, 4, 0};

	(void)state;
	assert_int_equal(load_option_path_size(device, sizeof(device)), 17);
	assert_int_equal(load_option_path_size(device, sizeof(device) - 1), 0);
	assert_int_equal(load_option_path_size(shorter, sizeof(shorter)), 0);
	assert_int_equal(load_option_path_size(longer, sizeof(longer)), 0);
	assert_int_equal(load_option_path_size(device + 17, 4), 0); /* an end and no more */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_laid_out_as_uefi_says),
		cmocka_unit_test(an_entry_is_known_by_its_description),
		cmocka_unit_test(a_broken_path_has_no_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
