/* SPDX-License-Identifier: BSD-3-Clause */
/* Power management as the FADT tells it (firmware/acpi_table.c takes the numbers from here). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PM_EVENT_PORT		0x400
#define PM_CONTROL_PORT		0x404
#define PM_SMI_PORT		0xb2
#define PM_SMI_ACPI_ENABLE	0xa0
#define PM_SMI_ACPI_DISABLE	0xa1
#define PM_SCI			9
#define PM_SLP_TYP_S5		5

/*
 * The block as the chipset of machine q35 has it: status and enable at +0, control at +4, the timer at +8. Moves it
 * there, or takes it away. PM_CONTROL_PORT stays in any case: the hypervisor says there that a guest cannot go on.
 */
#define PM_BLOCK_SIZE		128
#define PM_BLOCK_USUAL		0x600	/* where OVMF puts it */
#define PM_BLOCK_CONTROL	4
#define PM_BLOCK_TIMER		8
void pm_move_block(uint16_t port, bool enabled);
/* Its port, 0 if it is not there. */
uint16_t pm_block(void);

/* False if the guest does not listen to it (yet). */
bool pm_press_power_button(void);
