/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/string.c against libc on random blocks that overlap and lie anywhere. */
#include <string.h>

#include "unit.h"

void *hv_memcpy(void *dst, const void *src, size_t n);
void *hv_memmove(void *dst, const void *src, size_t n);
void *hv_memset(void *dst, int c, size_t n);
int hv_memcmp(const void *a, const void *b, size_t n);
size_t hv_strlen(const char *s);
size_t hv_strnlen(const char *s, size_t max);
int hv_strcmp(const char *a, const char *b);
int hv_strncmp(const char *a, const char *b, size_t n);
char *hv_strchr(const char *s, int c);
_Bool hv_str_copy(char *dst, const char *src, size_t size);

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_blocks(void **state)
{
	uint64_t seed = 1;
	uint8_t ours[256], theirs[256];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t n = unit_random(&seed) % 100, a = unit_random(&seed) % 156;
		size_t b = unit_random(&seed) % 156;
		int c = (int)unit_random(&seed);

		for (size_t k = 0; k < sizeof(ours); k++)
			ours[k] = theirs[k] = (uint8_t)unit_random(&seed);
		assert_ptr_equal(hv_memmove(ours + a, ours + b, n), ours + a);
		memmove(theirs + a, theirs + b, n);
		assert_memory_equal(ours, theirs, sizeof(ours));
		assert_ptr_equal(hv_memset(ours + a, c, n), ours + a);
		memset(theirs + a, c, n);
		assert_memory_equal(ours, theirs, sizeof(ours));
		if (a + n <= b || b + n <= a) {
			assert_ptr_equal(hv_memcpy(ours + a, ours + b, n), ours + a);
			memcpy(theirs + a, theirs + b, n);
			assert_memory_equal(ours, theirs, sizeof(ours));
		}
		assert_int_equal(sign(hv_memcmp(ours + a, ours + b, n)),
				 sign(memcmp(theirs + a, theirs + b, n)));
	}
}

static void test_strings(void **state)
{
	uint64_t seed = 2;
	char a[12], b[12];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t n = unit_random(&seed) % 14;
		int c = (int)(unit_random(&seed) % 4) + 'a' - 1;

		for (size_t k = 0; k < sizeof(a) - 1; k++) {
			a[k] = (char)(unit_random(&seed) % 8 ? 'a' + unit_random(&seed) % 2 : 0);
			b[k] = (char)(unit_random(&seed) % 8 ? a[k] : -3);
		}
		a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
		assert_int_equal(hv_strlen(a), strlen(a));
		assert_int_equal(hv_strnlen(a, n), strnlen(a, n));
		assert_int_equal(sign(hv_strcmp(a, b)), sign(strcmp(a, b)));
		assert_int_equal(sign(hv_strncmp(a, b, n)), sign(strncmp(a, b, n)));
		assert_ptr_equal(hv_strchr(a, c), strchr(a, c));
		assert_ptr_equal(hv_strchr(a, 0), strchr(a, 0));
	}
}

static void test_str_copy(void **state)
{
	char buf[4] = "zzz";

	(void)state;
	assert_false(hv_str_copy(buf, "abc", 0));
	assert_string_equal(buf, "zzz");
	assert_true(hv_str_copy(buf, "abc", 4));
	assert_string_equal(buf, "abc");
	assert_false(hv_str_copy(buf, "wxyz", 4));
	assert_string_equal(buf, "wxy");
	assert_true(hv_str_copy(buf, "", 1));
	assert_string_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_str_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
