/* SPDX-License-Identifier: BSD-3-Clause */
/* Joins the pure ACPI parser with the machine's memory. */
#include "hw/platform.h"
#include "hw/paging.h"
#include "hw/panic.h"
#include "lib/log.h"

struct acpi_info platform_acpi;

static const void *map(hpa_t hpa, size_t size)
{
	return paging_map_firmware(hpa, size);
}

const struct acpi_access platform_acpi_access = {.map = map};

void platform_discover(hpa_t rsdp)
{
	int err;

	if (rsdp == 0)
		rsdp = acpi_find_rsdp(&platform_acpi_access);
	if (rsdp == 0)
		panic_refuse("no ACPI tables found: neither the loader nor the BIOS area names them");
	err = acpi_parse(&platform_acpi_access, rsdp, &platform_acpi);
	if (err != 0)
		panic_refuse("the ACPI tables at 0x%lx are unusable (error %d)", rsdp, -err);
	log_info("acpi: %u CPUs, %u I/O APICs, %u ECAM windows", platform_acpi.cpu_count,
		 platform_acpi.ioapic_count, platform_acpi.ecam_count);
}
