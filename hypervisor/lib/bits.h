/* SPDX-License-Identifier: BSD-3-Clause */
/* Single bits and fields of machine words. */
#pragma once

#include "lib/types.h"

#define BIT32(n) (1U << (n))
#define BIT64(n) (1UL << (n))

/* Bits [hi:lo] of v, shifted down. */
static inline uint64_t bits_get(uint64_t v, unsigned int hi, unsigned int lo)
{
	return (v >> lo) & ((hi - lo == 63U) ? ~0UL : ((1UL << (hi - lo + 1U)) - 1UL));
}

/* Index of the lowest set bit; v must not be 0. */
static inline unsigned int bits_lowest(uint64_t v)
{
	return (unsigned int)__builtin_ctzl(v);
}

/* Index of the highest set bit; v must not be 0. */
static inline unsigned int bits_highest(uint64_t v)
{
	return 63U - (unsigned int)__builtin_clzl(v);
}

/* How many bits are set. */
static inline unsigned int bits_count(uint64_t v)
{
	unsigned int n = 0;

	for (; v != 0; v &= v - 1UL)
		n++;
	return n;
}

/* A mask of the low size bytes, size 1, 2, 4 or 8. */
static inline uint64_t bytes_mask(unsigned int size)
{
	return size >= 8U ? ~0UL : (1UL << (size * 8U)) - 1UL;
}
