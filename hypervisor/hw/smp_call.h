/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Having other CPUs do something. The asked CPU answers in its next interrupt window, so a caller
 * must hold no lock that a CPU may be spinning for; while it waits, it answers calls made to
 * itself. One call is under way in the machine at a time.
 */
#pragma once

#include "lib/types.h"

#define CPU_MASK_ALL (~0UL)

/* Registers the two vectors; before any CPU but the first is started. */
void smp_call_init(void);

/*
 * Runs fn(arg) on every running CPU of mask (bit n: CPU n), the caller's own included, and returns
 * when all have run it. fn runs with interrupts off and makes no smp_call.
 */
void smp_call(uint64_t mask, void (*fn)(void *arg), void *arg);

/* Does what other CPUs are waiting for this one to do; for loops that wait with interrupts off. */
void smp_call_poll(void);

/* Makes the CPU leave HLT and, by IRQ_KICK, the guest, soon; does not wait. vector: that, or IRQ_POSTED. */
void smp_kick(unsigned int cpu, uint8_t vector);
