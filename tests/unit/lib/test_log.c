/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/log.c: what a sink sees. */
#include <string.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "unit.h"

static char seen[1024];
static bool nest;

static void sink(const char *text, size_t len)
{
	assert_int_equal(strlen(text), len);
	strncat(seen, text, sizeof(seen) - strlen(seen) - 1);
	if (nest) {
		nest = false;
		log_error("from within");
	}
}

static uint64_t micros(void)
{
	return 12345678;
}

static unsigned int cpu(void)
{
	return 3;
}

static int setup(void **state)
{
	(void)state;
	seen[0] = '\0';
	return 0;
}

static void test_line(void **state)
{
	(void)state;
	log_info("nobody listens");
	assert_int_equal(log_add_sink(sink), 0);
	log_warn("vm%d says %s", 1, "hello");
	assert_string_equal(seen, "[    0.000000] cpu0 warning: vm1 says hello\n");
	log_set_clock(micros, cpu);
	seen[0] = '\0';
	log_error("x");
	assert_string_equal(seen, "[   12.345678] cpu3 error: x\n");
}

static void test_threshold(void **state)
{
	(void)state;
	log_debug("hidden");
	assert_string_equal(seen, "");
	log_set_level(LOG_DEBUG);
	assert_int_equal(log_get_level(), LOG_DEBUG);
	log_debug("shown");
	assert_non_null(strstr(seen, "debug: shown\n"));
}

static void test_long_line_is_cut(void **state)
{
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_int_equal(strlen(seen), 255);
	assert_int_equal(seen[254], '\n');
}

static void test_fault_in_a_sink(void **state)
{
	(void)state;
	nest = true;
	log_info("outer");
	assert_non_null(strstr(seen, "outer\n"));
	assert_non_null(strstr(seen, "from within\n"));
}

static void test_too_many_sinks(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(log_add_sink(sink), 0);
	assert_int_equal(log_add_sink(sink), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_line, setup),
		cmocka_unit_test_setup(test_threshold, setup),
		cmocka_unit_test_setup(test_long_line_is_cut, setup),
		cmocka_unit_test_setup(test_fault_in_a_sink, setup),
		cmocka_unit_test_setup(test_too_many_sinks, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
