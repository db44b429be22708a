/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/kept_log.c: what is written is read back after a reset, and garbage is not. */
#include <stdio.h>
#include <string.h>

#include "lib/kept_log.h"
#include "unit.h"

static struct kept_log k;

static int setup(void **state)
{
	(void)state;
	memset(&k, 0xA5, sizeof(k)); /* as the memory comes */
	return 0;
}

static void write_line(unsigned int n)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "line %u of the log\n", n);

	kept_log_write(&k, line, (size_t)len);
}

static void what_is_written_is_read(void **state)
{
	char line[64];
	uint32_t at = 0;

	(void)state;
	kept_log_start(&k);
	assert_false(kept_log_line(&k, &at, line, sizeof(line)));
	write_line(1);
	write_line(2);
	kept_log_write(&k, "no end\t\x80", 8);
	assert_false(kept_log_is_wanted(&k));
	assert_true(kept_log_is_whole(&k));
	kept_log_want(&k);
	assert_true(kept_log_is_wanted(&k));
	at = 0;
	assert_true(kept_log_line(&k, &at, line, sizeof(line)));
	assert_string_equal(line, "line 1 of the log");
	assert_true(kept_log_line(&k, &at, line, 7));
	assert_string_equal(line, "line 2");
	assert_true(kept_log_line(&k, &at, line, sizeof(line)));
	assert_string_equal(line, "no end..");
	assert_false(kept_log_line(&k, &at, line, sizeof(line)));
}

/* After any number of lines the last ones are there, in order, the first of them whole. */
static void the_end_of_a_long_log_is_kept(void **state)
{
	static const unsigned int counts[] = { 2000, 4000, 20001 };
	char line[64], want[64];

	(void)state;
	for (unsigned int c = 0; c < 3; c++) {
		unsigned int n = 0, seen = 0;
		uint32_t at = 0;

		kept_log_start(&k);
		for (unsigned int i = 0; i < counts[c]; i++)
			write_line(i);
		kept_log_want(&k);
		assert_true(kept_log_is_wanted(&k));
		while (kept_log_line(&k, &at, line, sizeof(line))) {
			assert_int_equal(sscanf(line, "line %u", &n), 1);
			snprintf(want, sizeof(want), "line %u of the log", n);
			assert_string_equal(line, want);
			seen++;
		}
		assert_int_equal(n, counts[c] - 1);
		assert_in_range(seen, KEPT_LOG_TEXT / 24 - 1, KEPT_LOG_TEXT / 20);
	}
}

static void garbage_is_not_shown(void **state)
{
	uint64_t seed = 7;

	(void)state;
	assert_false(kept_log_is_wanted(&k));
	memset(&k, 0, sizeof(k));
	assert_false(kept_log_is_wanted(&k));
	for (unsigned int i = 0; i < 400; i++) {
		unsigned int at = (unsigned int)(unit_random(&seed) % sizeof(k));

		kept_log_start(&k);
		for (unsigned int n = 0; n < i * 5; n++)
			write_line(n);
		kept_log_want(&k);
		((uint8_t *)&k)[at] ^= (uint8_t)(1U << i % 8);
		assert_false(kept_log_is_wanted(&k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_written_is_read, setup),
		cmocka_unit_test_setup(the_end_of_a_long_log_is_kept, setup),
		cmocka_unit_test_setup(garbage_is_not_shown, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
