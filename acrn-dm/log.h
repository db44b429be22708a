/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log of acrn-dm: five levels, three channels (console, kernel log, disk) set by --logger_setting.
 * A message is one line without a newline at its end, and never repeats at a rate a guest chooses:
 * what a guest can provoke is logged with log_guest(), which is silent after the first hundred.
 */
#pragma once

enum log_level {
	LOG_LEVEL_ERROR = 1,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/*
 * Reads a --logger_setting text ("console,level=4;kmsg,level=3;disk,level=5") and opens the channels
 * named there. vm_name names the files on disk. Returns 0, or -EINVAL / -errno after saying why on stderr.
 */
int log_configure(const char *setting, const char *vm_name);
/* Closes what log_configure() opened. */
void log_exit(void);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_guest(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define log_err(...)	log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
