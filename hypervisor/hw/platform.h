/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine as its ACPI tables describe it: read once, then constant. */
#pragma once

#include "hw/acpi.h"

extern struct acpi_info platform_acpi;

/* How the tables are read after paging_init(). */
extern const struct acpi_access platform_acpi_access;

/* rsdp 0: looks where BIOS puts it. Panics when the machine has no usable ACPI. */
void platform_discover(hpa_t rsdp);
