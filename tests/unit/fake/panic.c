/* SPDX-License-Identifier: BSD-3-Clause */
/* panic() of a test program: fails the test, unless it stands in expect_assert_failure(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/panic.h"

void panic(const char *fmt, ...)
{
	va_list ap;
	char text[256];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mock_assert(0, text, "panic", 0);
	abort();
}
