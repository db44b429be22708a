/* SPDX-License-Identifier: BSD-3-Clause */
/* MCFG (PCI Firmware 3.3, 4.1.2): where configuration space lies in memory, by segment and bus. */
#include "hw/acpi/table.h"
#include "lib/log.h"

#define MCFG_HEADER_SIZE 44U
#define MCFG_ENTRY_SIZE 16U

int acpi_parse_mcfg(const struct acpi_table *table, struct acpi_info *info)
{
	for (uint32_t at = MCFG_HEADER_SIZE; at + MCFG_ENTRY_SIZE <= table->size;
	     at += MCFG_ENTRY_SIZE) {
		uint8_t first = (uint8_t)acpi_field(table, at + 10U, 1);
		uint8_t last = (uint8_t)acpi_field(table, at + 11U, 1);

		if (info->ecam_count == ACPI_MAX_ECAM || first > last) {
			log_warn("acpi: MCFG entry for buses %u to %u left out", first, last);
			continue;
		}
		info->ecam[info->ecam_count].base = acpi_field(table, at, 8);
		info->ecam[info->ecam_count].segment = (uint16_t)acpi_field(table, at + 8U, 2);
		info->ecam[info->ecam_count].bus_first = first;
		info->ecam[info->ecam_count].bus_last = last;
		info->ecam_count++;
	}
	return 0;
}
