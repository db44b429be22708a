/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of the machine's useful life. Declared here, defined in hw/panic.c (and in a fake for
 * unit tests): one of the two inversions of the ladder. For our own faults only, never a guest's.
 */
#pragma once

#include <stdnoreturn.h>

noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(cond)                                                                               \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0))                                                  \
			panic("%s:%d: assertion '%s' failed", __FILE__, __LINE__, #cond);          \
	} while (0)
