/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka with what it wants included before it, and random numbers that every run repeats. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* SplitMix64: good enough to choose test cases, the same on every run for the same seed. */
static inline uint64_t unit_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15UL);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
	return z ^ (z >> 31);
}
