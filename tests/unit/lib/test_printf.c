/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/printf.c against libc's: same text, same length, for every conversion and buffer size. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

int hv_snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char a_[128], b_[128];                                                             \
		for (size_t size_ = 0; size_ < sizeof(a_); size_++) {                              \
			memset(a_, '#', sizeof(a_));                                               \
			memset(b_, '#', sizeof(b_));                                               \
			assert_int_equal(hv_snprintf(a_, size_, __VA_ARGS__),                      \
					 snprintf(b_, size_, __VA_ARGS__));                        \
			assert_memory_equal(a_, b_, sizeof(a_));                                   \
		}                                                                                  \
	} while (0)

#pragma GCC diagnostic ignored "-Wformat-truncation"

static void test_numbers(void **state)
{
	(void)state;
	SAME("%d %i %u", 0, -1, 4000000000U);
	SAME("%d %ld %lld", INT_MIN, LONG_MIN, LLONG_MAX);
	SAME("%x %X %#x %#X %#lx", 0xbeefU, 0xBEEFU, 0x10U, 0xfaU, ULONG_MAX);
	SAME("%08x|%8x|%-8x|%016lx", 0xabcU, 0xabcU, 0xabcU, 0x123UL);
	SAME("%5d|%-5d|%05d|%5d", -42, -42, -42, 1234567);
	SAME("%zu %zx %zd", (size_t)77, (size_t)-1, (ssize_t)-5);
	SAME("%#010x %.5d %8.3u", 0x1fU, 42, 7U);
	SAME("%*d|%-*d|", 6, 42, 6, 42);
}

static void test_texts(void **state)
{
	(void)state;
	SAME("plain %% text %s", "and more");
	SAME("%10s|%-10s|%.3s|%8.2s", "abc", "abc", "abcdef", "xyz");
	SAME("%c%c%c", 'a', '%', 'z');
	SAME("%3c|%-3c|", 'a', 'b');
	SAME("%.*s", 2, "abcdef");
	SAME("%p", (void *)0x1234abcdUL);
}

static void test_unknown_conversion_is_copied(void **state)
{
	char buf[32];
	const char *volatile fmt = "%d %q %";

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_int_equal(hv_snprintf(buf, sizeof(buf), fmt, 5), 6);
#pragma GCC diagnostic pop
	assert_string_equal(buf, "5 %q %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_unknown_conversion_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
