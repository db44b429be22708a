/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One deadline a CPU, in TSC ticks, by the local APIC's timer: TSC-deadline mode where the CPU has
 * it, else one-shot with a measured rate. It raises IRQ_TIMER. It may fire early (a far deadline
 * does not fit the counter), never late: the handler compares the TSC and sets it again.
 */
#pragma once

#include "lib/types.h"

/* Measures the timer against the TSC. Once, on the boot CPU, after tsc_calibrate(). */
void lapic_timer_calibrate(void);

/* Chooses the mode on this CPU; also after lapic_set_mode(). */
void lapic_timer_init_cpu(void);

/* A deadline in the past fires at once. */
void lapic_timer_set(uint64_t tsc);
void lapic_timer_stop(void);

bool lapic_timer_is_deadline_mode(void);
uint64_t lapic_timer_hz(void); /* of the counter, 0 in TSC-deadline mode */
