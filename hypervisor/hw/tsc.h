/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time is the TSC. Its rate is measured against the PM timer, the HPET or the PIT and that is
 * believed: CPUID 15H lies under some emulators and firmware.
 */
#pragma once

#include "hw/cpu.h"

/* TSC ticks a millisecond; not 0 once calibrated. */
extern uint64_t tsc_khz;

/* Panics with a sentence when no clock answers. Needs ACPI (hw/acpi.h) for the first two clocks. */
void tsc_calibrate(void);

/* Waits without letting anything else happen. Before calibration it takes the TSC for 4 GHz. */
void tsc_delay_us(uint64_t us);

static inline uint64_t tsc_from_us(uint64_t us)
{
	return us * tsc_khz / 1000UL;
}

/* Microseconds since the TSC was 0. */
uint64_t tsc_to_us(uint64_t ticks);
uint64_t tsc_now_us(void);
