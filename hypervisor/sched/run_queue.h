/* SPDX-License-Identifier: BSD-3-Clause */
/* The run queue of each physical CPU. */
#pragma once

#include "hw/percpu.h"
#include "sched/sched.h"

DECLARE_PERCPU(struct sched_cpu, sched);

/* Prepares this CPU's. After tsc_calibrate(). */
void run_queue_init_cpu(void);
