/* SPDX-License-Identifier: BSD-3-Clause */
/* panic() of a program without cmocka, a fuzzer or a bench: a crash that is seen. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/panic.h"

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
