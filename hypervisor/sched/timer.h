/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One-shot timers of a CPU in TSC ticks: a short sorted list in front of the one hardware timer.
 * Set, cancelled and run on the owning CPU only, so no lock. A callback may set its timer again.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

struct timer {
	struct list node;
	uint64_t deadline;
	void (*expired)(void *ctx);
	void *ctx;
};

void timer_init(struct timer *t, void (*expired)(void *ctx), void *ctx);

/* Before any other call on this CPU. */
void timer_cpu_init(void);

void timer_set(struct timer *t, uint64_t deadline);
void timer_cancel(struct timer *t);

/* Runs what is due and programs the hardware for the next. */
void timer_run(void);
