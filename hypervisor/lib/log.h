/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log lines. Declared here, defined in lib/log.c, which formats a line and hands it to the sinks
 * that debug/console.c registers: the other inversion of the ladder. Lines end without newline.
 */
#pragma once

#include "lib/types.h"

enum log_level { LOG_ERROR = 1, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Prints "[seconds.micros] cpuN level: text" when level <= the current threshold. Any context. */
void log_print(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* A sink gets whole lines with their newline. At most four sinks. -ENOSPC when there are more. */
int log_add_sink(void (*write)(const char *text, size_t len));

/* Source of the time stamp in microseconds and of the CPU number, until set 0 and 0. */
void log_set_clock(uint64_t (*micros)(void), unsigned int (*cpu)(void));

#define log_error(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_print(LOG_WARN, __VA_ARGS__)
#define log_notice(...) log_print(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)
