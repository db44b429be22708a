/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of timers of acrnd: one for each VM at most, in a file of lines "NAME<TAB>SECONDS-SINCE-1970". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMERS_FILE	"/var/lib/acrnd/timer_list"
#define TIMERS_NAME_MAX	15

/* Takes up what the file holds, and keeps it there. A missing file is an empty one. 0 or -errno (logged). */
int timers_read(const char *path);
/* A VM's timer; an earlier one of it is forgotten. 0 or -errno: -ENOSPC, -EINVAL before 1970, or the file's. */
int timers_set(const char *name, int64_t at);
/* When the next one is due, -1: none. */
int64_t timers_next(void);
/* Takes one that is due off the list; false: none. */
bool timers_take(int64_t now, char *name);
