/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log that outlives a reset: the same place in memory at each start, where the last run's is looked for before
 * this run's begins. It is shown when that run ended badly, which it said in its last moments; a power cycle, or a
 * firmware that clears memory, loses it.
 */
#pragma once

#include "lib/types.h"

#define LAST_LOG_SIZE (16U * 1024U)

/* Whether a run left its log at hpa, which is mapped. */
bool last_log_is_at(hpa_t hpa);

/* Shows what the last run left at hpa, and keeps this run's log there from now on. */
void last_log_init(hpa_t hpa);

/* This run ends badly. Nothing happens before last_log_init(). */
void last_log_want(void);
