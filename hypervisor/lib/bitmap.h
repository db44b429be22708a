/* SPDX-License-Identifier: BSD-3-Clause */
/* Bitmaps of 64-bit words, shared between CPUs: set, clear and test-and-x are atomic. */
#pragma once

#include "lib/atomic.h"
#include "lib/bits.h"

#define BITMAP_WORDS(bits) (((bits) + 63U) / 64U)

static inline bool bitmap_test(const uint64_t *map, unsigned int n)
{
	return ((atomic_load_relaxed(&map[n / 64U]) >> (n % 64U)) & 1UL) != 0;
}

/* Sets bit n and tells whether it was set before. */
static inline bool bitmap_test_and_set(uint64_t *map, unsigned int n)
{
	return (atomic_fetch_or(&map[n / 64U], BIT64(n % 64U)) & BIT64(n % 64U)) != 0;
}

/* Clears bit n and tells whether it was set before. */
static inline bool bitmap_test_and_clear(uint64_t *map, unsigned int n)
{
	return (atomic_fetch_and(&map[n / 64U], ~BIT64(n % 64U)) & BIT64(n % 64U)) != 0;
}

static inline void bitmap_set(uint64_t *map, unsigned int n)
{
	(void)bitmap_test_and_set(map, n);
}

static inline void bitmap_clear(uint64_t *map, unsigned int n)
{
	(void)bitmap_test_and_clear(map, n);
}
