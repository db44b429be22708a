/* SPDX-License-Identifier: BSD-3-Clause */
/* Formatting: %d %i %u %x %X %c %s %p %% with l, ll, z, 0, -, width, precision of %s. No floats. */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

/* As the standard's: returns the length without NUL that the whole text would have. */
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
