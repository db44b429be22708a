/* SPDX-License-Identifier: BSD-3-Clause */
/* Each CPU's run queue lives in its per-CPU area; the slice is what a person does not notice. */
#include "sched/run_queue.h"

#include "hw/tsc.h"

#define SLICE_US 4000U

DEFINE_PERCPU(struct sched_cpu, sched);

void run_queue_init_cpu(void)
{
	sched_cpu_init(&this_cpu(sched), tsc_from_us(SLICE_US));
}
