/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer of a virtual local APIC: one-shot, periodic, TSC-deadline. Its bus frequency is the TSC
 * frequency, so a count is "divisor" TSC ticks and every mode is one deadline in guest TSC ticks.
 */
#pragma once

#include "vdev/vlapic.h"

/*
 * Expiries of a periodic timer are at least so many ticks (tens of microseconds) apart: it re-arms
 * itself, so a shorter period would take time of others that share the CPU.
 */
#define VLAPIC_TIMER_MIN_PERIOD 65536U

/* Stopped, all registers 0 (the LVT entry is the caller's). */
void vlapic_timer_reset(struct vlapic *v);

uint32_t vlapic_timer_current(const struct vlapic *v);
void vlapic_timer_write_initial(struct vlapic *v, uint32_t count);
void vlapic_timer_write_divide(struct vlapic *v, uint32_t divide);

/* A new LVT entry; it may start, stop or re-time what runs. */
void vlapic_timer_write_lvt(struct vlapic *v, uint32_t lvt);

/* IA32_TSC_DEADLINE: outside its mode reads as 0 and ignores writes. */
uint64_t vlapic_timer_read_deadline(const struct vlapic *v);
void vlapic_timer_write_deadline(struct vlapic *v, uint64_t deadline);
