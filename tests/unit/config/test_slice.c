/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The readers of numbers, sizes, CPU lists and PCI addresses. Every slice lies in a heap block of
 * exactly its length, so that reading one byte too far is caught by the sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/slice.h"

static char *heap_text;

/* One slice at a time: the one before is freed. */
static struct slice exact(const char *text)
{
	size_t len = strlen(text);

	free(heap_text);
	heap_text = malloc(len + (len == 0));
	memcpy(heap_text, text, len);
	return (struct slice){heap_text, len};
}

static int free_text(void **state)
{
	(void)state;
	free(heap_text);
	heap_text = NULL;
	return 0;
}

static void numbers_are_decimal_or_hexadecimal(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(slice_number(exact("115200"), UINT64_MAX, &n) && n == 115200);
	assert_true(slice_number(exact("0x3f8"), UINT64_MAX, &n) && n == 0x3f8);
	assert_true(slice_number(exact("0XFFFFFFFFFFFFFFFF"), UINT64_MAX, &n) && n == UINT64_MAX);
	assert_true(slice_number(exact("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
	assert_false(slice_number(exact("18446744073709551616"), UINT64_MAX, &n));
	assert_false(slice_number(exact("0x10000000000000000"), UINT64_MAX, &n));
	assert_false(slice_number(exact("7"), 6, &n));
	assert_true(slice_number(exact("6"), 6, &n) && n == 6);
	assert_false(slice_number(exact(""), UINT64_MAX, &n));
	assert_false(slice_number(exact("0x"), UINT64_MAX, &n));
	assert_false(slice_number(exact("12a"), UINT64_MAX, &n));
	assert_false(slice_number(exact("-1"), UINT64_MAX, &n));
	assert_false(slice_number(exact("1 2"), UINT64_MAX, &n));
}

static void sizes_take_a_unit(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(slice_size(exact("4096"), &n) && n == 4096);
	assert_true(slice_size(exact("64K"), &n) && n == 65536);
	assert_true(slice_size(exact("256M"), &n) && n == 256ull << 20);
	assert_true(slice_size(exact("3g"), &n) && n == 3ull << 30);
	assert_false(slice_size(exact("M"), &n));
	assert_false(slice_size(exact("1MM"), &n));
	assert_false(slice_size(exact("1T"), &n));
	assert_false(slice_size(exact("17179869184G"), &n));
	assert_false(slice_size(exact(""), &n));
}

static void cpu_lists_become_bit_maps(void **state)
{
	uint64_t map = 0;

	(void)state;
	assert_true(slice_cpus(exact("0"), &map) && map == 1);
	assert_true(slice_cpus(exact("0,2-3"), &map) && map == 0xd);
	assert_true(slice_cpus(exact("0 , 2 - 3"), &map) && map == 0xd);
	assert_true(slice_cpus(exact("0-63"), &map) && map == UINT64_MAX);
	assert_true(slice_cpus(exact("63"), &map) && map == 1ull << 63);
	assert_false(slice_cpus(exact(""), &map));
	assert_false(slice_cpus(exact("64"), &map));
	assert_false(slice_cpus(exact("3-2"), &map));
	assert_false(slice_cpus(exact("1,"), &map));
	assert_false(slice_cpus(exact(",1"), &map));
	assert_false(slice_cpus(exact("1-"), &map));
	assert_false(slice_cpus(exact("1-2-3"), &map));
}

static void pci_addresses_are_checked_by_part(void **state)
{
	uint16_t bdf = 0;

	(void)state;
	assert_true(slice_bdf(exact("00:1f.6"), &bdf) && bdf == 0x00fe);
	assert_true(slice_bdf(exact("ff:1f.7"), &bdf) && bdf == 0xffff);
	assert_true(slice_bdf(exact("0:2.0"), &bdf) && bdf == 0x0010);
	assert_false(slice_bdf(exact("00:20.0"), &bdf));
	assert_false(slice_bdf(exact("00:1f.8"), &bdf));
	assert_false(slice_bdf(exact("00:1f"), &bdf));
	assert_false(slice_bdf(exact("00:1f."), &bdf));
	assert_false(slice_bdf(exact("0000:00:1f.6"), &bdf));
	assert_false(slice_bdf(exact("1f.6"), &bdf));
	assert_false(slice_bdf(exact(""), &bdf));
}

static void words_and_items_are_cut_off_the_front(void **state)
{
	struct slice rest = exact(" serial  0x3f8\t115200 ");

	(void)state;
	assert_true(slice_equals(slice_take_word(&rest), "serial"));
	assert_true(slice_equals(slice_take_word(&rest), "0x3f8"));
	assert_true(slice_equals(slice_take_word(&rest), "115200"));
	assert_true(slice_equals(slice_take_word(&rest), ""));
	rest = exact("a , b,");
	assert_true(slice_equals(slice_take_item(&rest, ','), "a"));
	assert_true(slice_equals(slice_take_item(&rest, ','), "b"));
	assert_non_null(rest.at);
	assert_true(slice_equals(slice_take_item(&rest, ','), ""));
	assert_null(rest.at);
	assert_false(slice_equals(exact("serial"), "serials"));
	assert_false(slice_equals(exact("serials"), "serial"));
}

static void a_copy_fits_with_its_nul_or_is_refused(void **state)
{
	char to[4] = "xxx";

	(void)state;
	assert_false(slice_copy(exact("four"), to, sizeof(to)));
	assert_string_equal(to, "xxx");
	assert_true(slice_copy(exact("abc"), to, sizeof(to)));
	assert_string_equal(to, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(numbers_are_decimal_or_hexadecimal, free_text),
		cmocka_unit_test_teardown(sizes_take_a_unit, free_text),
		cmocka_unit_test_teardown(cpu_lists_become_bit_maps, free_text),
		cmocka_unit_test_teardown(pci_addresses_are_checked_by_part, free_text),
		cmocka_unit_test_teardown(words_and_items_are_cut_off_the_front, free_text),
		cmocka_unit_test_teardown(a_copy_fits_with_its_nul_or_is_refused, free_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
