/* SPDX-License-Identifier: BSD-3-Clause */
/* Small arithmetic that every room needs. Alignments are powers of two. */
#pragma once

#include "lib/types.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define ALIGN_UP(x, a) (((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* True when [base, base + size) does not wrap and lies within [lo, lo + len). */
static inline bool range_within(uint64_t base, uint64_t size, uint64_t lo, uint64_t len)
{
	return base >= lo && size <= len && base - lo <= len - size;
}

/* True when the two ranges share a byte; neither may wrap. */
static inline bool ranges_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return alen != 0 && blen != 0 && a < b + blen && b < a + alen;
}
