/* SPDX-License-Identifier: BSD-3-Clause */
/* A log that keeps its last line; UNIT_LOG=1 in the environment also prints the lines. */
#include "fake/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

unsigned int fake_log_lines;
char fake_log_last[256];
static enum log_level threshold = LOG_DEBUG;

void log_print(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_log_last, sizeof(fake_log_last), fmt, ap);
	va_end(ap);
	fake_log_lines++;
	if (getenv("UNIT_LOG") != NULL)
		fprintf(stderr, "log %d: %s\n", level, fake_log_last);
}

void log_set_level(enum log_level level)
{
	threshold = level;
}

enum log_level log_get_level(void)
{
	return threshold;
}

int log_add_sink(void (*write)(const char *text, size_t len))
{
	(void)write;
	return 0;
}

void log_set_clock(uint64_t (*micros)(void), unsigned int (*cpu)(void))
{
	(void)micros;
	(void)cpu;
}
