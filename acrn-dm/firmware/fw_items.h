/* SPDX-License-Identifier: BSD-3-Clause */
/* What firmware is told about this VM through fw_cfg. */
#pragma once

#include <stdbool.h>

/* Adds every item, from config, memory and loader. Returns 0 or -errno (logged). */
int fw_items_add(void);
/* Whether the firmware has taken the ACPI tables since the last reset: it is nearly done then. */
bool fw_items_tables_taken(void);
void fw_items_reset(void);
