/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: one line formatted on the caller's stack, then given to every sink under a lock. The
 * lock is advice: a CPU that already holds it (a fault in a sink) or waits far too long (its holder
 * was stopped) prints without it, since a garbled last line is worth more than a silent hang.
 */
#include "lib/log.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/util.h"

#define LINE_SIZE 256U
#define MAX_SINKS 4U
#define PATIENCE 10000000U /* turns of the waiting loop */

static enum log_level threshold = LOG_INFO;
static void (*sinks[MAX_SINKS])(const char *text, size_t len);
static unsigned int sink_count;
static uint64_t (*clock_micros)(void);
static unsigned int (*clock_cpu)(void);
static uint32_t holder; /* number of the CPU that prints, plus 1 */

static const char *const level_names[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
};

/* True when the caller now holds the lock and has to give it back. */
static bool lock(uint32_t self)
{
	if (atomic_load(&holder) == self)
		return false;
	for (unsigned int i = 0; i < PATIENCE; i++) {
		if (atomic_cas(&holder, 0U, self))
			return true;
		cpu_relax();
	}
	return false;
}

void log_print(enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE];
	unsigned int cpu = clock_cpu != NULL ? clock_cpu() : 0U;
	uint64_t now;
	size_t len;
	va_list ap;
	bool locked;

	if (level < LOG_ERROR || level > threshold)
		return;
	now = clock_micros != NULL ? clock_micros() : 0U;
	len = (size_t)snprintf(line, sizeof(line), "[%5lu.%06lu] cpu%u %s: ", now / 1000000U,
			       now % 1000000U, cpu, level_names[MIN(level, LOG_DEBUG)]);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	len = MIN(len, sizeof(line) - 2U);
	line[len++] = '\n';
	line[len] = '\0';
	locked = lock(cpu + 1U);
	for (unsigned int i = 0; i < sink_count; i++)
		sinks[i](line, len);
	if (locked)
		atomic_store(&holder, 0U);
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
	if (sink_count == MAX_SINKS)
		return -ENOSPC;
	sinks[sink_count] = write;
	atomic_store(&sink_count, sink_count + 1U);
	return 0;
}

void log_set_clock(uint64_t (*micros)(void), unsigned int (*cpu)(void))
{
	clock_micros = micros;
	clock_cpu = cpu;
}
