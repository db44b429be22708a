/* SPDX-License-Identifier: BSD-3-Clause */
/* Power management as the FADT tells it (firmware/acpi_table.c takes the numbers from here). */
#pragma once

#include <stdbool.h>

#define PM_EVENT_PORT		0x400
#define PM_CONTROL_PORT		0x404
#define PM_SMI_PORT		0xb2
#define PM_SMI_ACPI_ENABLE	0xa0
#define PM_SMI_ACPI_DISABLE	0xa1
#define PM_SCI			9
#define PM_SLP_TYP_S5		5

/* False if the guest does not listen to it (yet). */
bool pm_press_power_button(void);
