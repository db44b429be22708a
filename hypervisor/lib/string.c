/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory and strings. GCC turns loops that copy or fill into calls of memcpy and memset, which here
 * would be calls of themselves: LOOPS keeps the loops.
 */
#include "lib/string.h"

#define LOOPS __attribute__((optimize("no-tree-loop-distribute-patterns")))

/* A machine word that may lie anywhere and alias anything. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

static LOOPS void copy_up(uint8_t *d, const uint8_t *s, size_t n)
{
	for (; n >= 8U; n -= 8U, d += 8, s += 8)
		*(word_t *)d = *(const word_t *)s;
	for (; n != 0U; n--)
		*d++ = *s++;
}

static LOOPS void copy_down(uint8_t *d, const uint8_t *s, size_t n)
{
	for (; n >= 8U; n -= 8U)
		*(word_t *)(d + n - 8U) = *(const word_t *)(s + n - 8U);
	for (; n != 0U; n--)
		d[n - 1U] = s[n - 1U];
}

void *memcpy(void *dst, const void *src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		copy_up(dst, src, n);
	else
		copy_down(dst, src, n);
	return dst;
}

LOOPS void *memset(void *dst, int c, size_t n)
{
	uint8_t *d = dst;
	uint64_t word = (uint8_t)c * 0x0101010101010101UL;

	for (; n >= 8U; n -= 8U, d += 8)
		*(word_t *)d = word;
	for (; n != 0U; n--)
		*d++ = (uint8_t)c;
	return dst;
}

LOOPS int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n != 0U; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

LOOPS size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

LOOPS size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n != 0U; n--, a++, b++)
		if (*a != *b || *a == '\0')
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (*s == '\0')
			return NULL;
	return (char *)s;
}

LOOPS bool str_copy(char *dst, const char *src, size_t size)
{
	size_t n = 0;

	if (size == 0U)
		return false;
	for (; n + 1U < size && src[n] != '\0'; n++)
		dst[n] = src[n];
	dst[n] = '\0';
	return src[n] == '\0';
}
