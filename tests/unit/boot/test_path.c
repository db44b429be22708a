/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/path.c and efi/options.c: names as people and firmwares write them. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "path.h"
#include "unit.h"

static void assert_join(const char *folder, const char *name, const char *expected)
{
	char to[64];

	assert_true(path_join(folder, name, to, sizeof(to)));
	assert_string_equal(to, expected);
}

static void test_names_are_found_beside_or_from_the_root(void **state)
{
	(void)state;
	assert_join("\\EFI\\acrn\\", "vmlinuz", "\\EFI\\acrn\\vmlinuz");
	assert_join("\\EFI\\acrn\\", "/boot/vmlinuz", "\\boot\\vmlinuz");
	assert_join("\\EFI\\acrn\\", "\\vmlinuz", "\\vmlinuz");
	assert_join("\\EFI\\acrn\\", "a//b\\\\c", "\\EFI\\acrn\\a\\b\\c");
	assert_join("\\", "x", "\\x");
}

static void test_a_path_that_does_not_fit_is_refused(void **state)
{
	char to[8];

	(void)state;
	assert_true(path_join("\\a\\", "bcde", to, sizeof(to)));
	assert_false(path_join("\\a\\", "bcdef", to, sizeof(to)));
	assert_int_equal(to[7], '\0');
	strcpy(to, "\\abc");
	assert_true(path_append(to, sizeof(to), "de"));
	assert_string_equal(to, "\\abc\\de");
	assert_false(path_append(to, sizeof(to), "f"));
}

static void test_the_last_name_is_cut_off(void **state)
{
	char path[] = "\\EFI\\acrn\\acrn.efi";
	char bare[] = "acrn.efi";

	(void)state;
	path_cut_name(path);
	assert_string_equal(path, "\\EFI\\acrn\\");
	path_cut_name(bare);
	assert_string_equal(bare, "");
}

static void test_utf_16_there_and_back(void **state)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\\z"; /* é and the euro sign */
	uint16_t wide[8];
	char back[16];

	(void)state;
	assert_true(path_to_utf16(text, wide, 6));
	assert_int_equal(wide[1], 0xe9);
	assert_int_equal(wide[2], 0x20ac);
	assert_int_equal(wide[5], 0);
	assert_false(path_to_utf16(text, wide, 5));
	assert_true(path_from_utf16(wide, 0, back, sizeof(back)));
	assert_string_equal(back, "");
	assert_true(path_to_utf16(text, wide, 8));
	assert_true(path_from_utf16(wide, 8, back, sizeof(back)));
	assert_string_equal(back, text);
	assert_false(path_from_utf16(wide, 8, back, 6));
	assert_false(path_to_utf16("\xff", wide, 8));
	assert_false(path_to_utf16("\xc3", wide, 8));
	assert_false(path_to_utf16("\xe2\x82", wide, 8));
	wide[0] = 0xd83d;
	assert_false(path_from_utf16(wide, 8, back, sizeof(back)));
}

/* The options lie in a heap block of exactly their size. */
static unsigned int options(const void *bytes, size_t size, char *path)
{
	void *copy = malloc(size + (size == 0));
	unsigned int words;

	memcpy(copy, bytes, size);
	words = options_path(copy, size, path, PATH_SIZE);
	free(copy);
	return words;
}

static void test_load_options_hold_a_path_or_nothing(void **state)
{
	static const uint16_t shell[] = u"FS0:\\acrn.efi  \\other.conf";
	static const uint16_t only_name[] = u"ACRN.EFI";
	static const uint16_t two[] = u"one.conf two";
	static const uint8_t noise[16] = {0x12, 0x34, 0xab, 0xcd, 0xef};
	char path[PATH_SIZE];

	(void)state;
	assert_int_equal(options(shell, sizeof(shell), path), 1);
	assert_string_equal(path, "\\other.conf");
	assert_int_equal(options(shell, sizeof(shell) - 2, path), 1); /* no NUL */
	assert_string_equal(path, "\\other.conf");
	assert_int_equal(options("test/acrn.conf", 14, path), 1);
	assert_string_equal(path, "test/acrn.conf");
	assert_int_equal(options(only_name, sizeof(only_name), path), 0);
	assert_int_equal(options(two, sizeof(two), path), 2);
	assert_int_equal(options(noise, sizeof(noise), path), 0);
	assert_int_equal(options("", 0, path), 0);
	assert_int_equal(options("", 1, path), 0);
	assert_string_equal(path, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_found_beside_or_from_the_root),
		cmocka_unit_test(test_a_path_that_does_not_fit_is_refused),
		cmocka_unit_test(test_the_last_name_is_cut_off),
		cmocka_unit_test(test_utf_16_there_and_back),
		cmocka_unit_test(test_load_options_hold_a_path_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
