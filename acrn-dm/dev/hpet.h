/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The HPET: where it is, what its capability register says (for the ACPI table), and whether it owns the old
 * lines.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HPET_BASE	0xfed00000ull
#define HPET_TIMERS	4u
#define HPET_BLOCK_ID	(0x80860000u | 1u << 15 | (HPET_TIMERS - 1) << 8 | 1u)	/* legacy capable, revision 1 */

/* While true, its timer 0 is IRQ 0 and its timer 1 is IRQ 8, instead of PIT and RTC. */
bool hpet_has_legacy_lines(void);
