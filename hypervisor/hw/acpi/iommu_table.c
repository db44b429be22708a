/* SPDX-License-Identifier: BSD-3-Clause */
/* What DMAR and IVRS have in common: a header of 48 bytes, then structures that tell their length in two bytes at 2. */
#include "hw/acpi/table.h"
#include "lib/log.h"

#define HEADER_SIZE 48U

void acpi_parse_iommus(const struct acpi_table *table, acpi_parse_structure *parse, struct acpi_info *info)
{
	uint32_t size;

	for (uint32_t at = HEADER_SIZE; at < table->size; at += size) {
		size = (uint32_t)acpi_field(table, at + 2U, 2);
		if (size >= 4U && size <= table->size - at && parse(table, at, size, info))
			continue;
		log_warn("acpi: table of IOMMUs at %#lx: structure at %u is bad, or there are too many: none is used",
			 table->address, at);
		info->iommu_count = 0;
		info->dma_range_count = 0;
		info->alias_count = 0;
		info->irq_source_count = 0;
		return;
	}
}

bool acpi_add_irq_source(struct acpi_info *info, uint8_t ioapic_id, uint16_t bdf)
{
	unsigned int n = info->irq_source_count;

	for (unsigned int i = 0; i < n; i++)
		if (info->irq_source[i].ioapic_id == ioapic_id)
			return true;
	if (n == ACPI_MAX_IOAPICS)
		return false;
	info->irq_source[n].ioapic_id = ioapic_id;
	info->irq_source[n].bdf = bdf;
	info->irq_source_count++;
	return true;
}
