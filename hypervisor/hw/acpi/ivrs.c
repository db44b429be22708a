/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IVRS (AMD I/O Virtualization 5.2): where AMD's IOMMUs are, which devices speak with another's id, as whom I/O APICs
 * interrupt, and the memory that firmware's devices need. Firmware describes one unit up to three times, for readers of
 * different age.
 */
#include "hw/acpi/table.h"

enum { IVHD_10 = 0x10, IVHD_11 = 0x11, IVHD_40 = 0x40, IVMD_ALL = 0x20, IVMD_ONE = 0x21, IVMD_RANGE = 0x22 };
enum { IVHD_ENTRIES = 24, IVHD_ENTRIES_11 = 40, IVMD_SIZE = 32 };
enum { ENTRY_END = 4, ENTRY_ALIAS = 0x42, ENTRY_ALIAS_RANGE = 0x43, ENTRY_SPECIAL = 0x48, ENTRY_ACPI = 0xF0 };
enum { ENTRY_ACPI_SIZE = 22, SPECIAL_IOAPIC = 1 };

static bool add_unit(const struct acpi_table *t, uint32_t at, struct acpi_info *info)
{
	hpa_t base = acpi_field(t, at + 8U, 8);
	unsigned int n = info->iommu_count;

	for (unsigned int i = 0; i < n; i++)
		if (info->iommu[i].base == base)
			return true;
	if (n == ACPI_MAX_IOMMUS)
		return false;
	info->iommu[n].base = base;
	info->iommu[n].segment = (uint16_t)acpi_field(t, at + 16U, 2);
	info->iommu[n].bdf = (uint16_t)acpi_field(t, at + 4U, 2);
	info->iommu_count++;
	return true;
}

static bool add_alias(struct acpi_info *info, uint16_t first, uint16_t last, uint16_t alias)
{
	unsigned int n = info->alias_count;

	for (unsigned int i = 0; i < n; i++)
		if (info->alias[i].first == first && info->alias[i].last == last && info->alias[i].alias == alias)
			return true;
	if (n == ACPI_MAX_ALIASES)
		return false;
	info->alias[n].first = first;
	info->alias[n].last = last;
	info->alias[n].alias = alias;
	info->alias_count++;
	return true;
}

/* Bytes of a device entry: the two top bits of its type tell, but for the kind that names a device by ACPI's name. */
static uint32_t entry_size(const struct acpi_table *t, uint32_t at)
{
	uint32_t type = (uint32_t)acpi_field(t, at, 1);

	if (type == ENTRY_ACPI)
		return ENTRY_ACPI_SIZE + (uint32_t)acpi_field(t, at + ENTRY_ACPI_SIZE - 1U, 1);
	return 4U << (type >> 6);
}

static bool parse_entries(const struct acpi_table *t, uint32_t at, uint32_t end, struct acpi_info *info)
{
	bool in_range = false;
	uint16_t first = 0, alias = 0;
	uint32_t size;

	for (; at < end; at += size) {
		uint16_t id = (uint16_t)acpi_field(t, at + 1U, 2);

		size = entry_size(t, at);
		if (size > end - at)
			return false;
		switch (acpi_field(t, at, 1)) {
		case ENTRY_ALIAS:
			if (!add_alias(info, id, id, (uint16_t)acpi_field(t, at + 5U, 2)))
				return false;
			break;
		case ENTRY_ALIAS_RANGE:
			in_range = true;
			first = id;
			alias = (uint16_t)acpi_field(t, at + 5U, 2);
			break;
		case ENTRY_SPECIAL:
			if (acpi_field(t, at + 7U, 1) == SPECIAL_IOAPIC &&
			    !acpi_add_irq_source(info, (uint8_t)acpi_field(t, at + 4U, 1),
						 (uint16_t)acpi_field(t, at + 5U, 2)))
				return false;
			break;
		case ENTRY_END:
			if (in_range && (id < first || !add_alias(info, first, id, alias)))
				return false;
			in_range = false;
			break;
		default:
			break;
		}
	}
	return !in_range;
}

static bool parse_unit(const struct acpi_table *t, uint32_t at, uint32_t size, struct acpi_info *info)
{
	uint32_t entries = acpi_field(t, at, 1) == IVHD_10 ? IVHD_ENTRIES : IVHD_ENTRIES_11;

	return size >= entries && add_unit(t, at, info) && parse_entries(t, at + entries, at + size, info);
}

static bool parse_memory(const struct acpi_table *t, uint32_t at, uint32_t size, struct acpi_info *info)
{
	hpa_t base = acpi_field(t, at + 16U, 8);
	uint64_t length = acpi_field(t, at + 24U, 8), kind = acpi_field(t, at, 1);
	uint16_t first = (uint16_t)acpi_field(t, at + 4U, 2);
	unsigned int n = info->dma_range_count;

	if (size < IVMD_SIZE || length == 0 || base + length - 1U < base || n == ACPI_MAX_DMA_RANGES)
		return false;
	info->dma_range[n].base = base;
	info->dma_range[n].size = length;
	info->dma_range[n].first = kind == IVMD_ALL ? 0 : first;
	info->dma_range[n].last = kind == IVMD_ALL ? 0xFFFFU : first;
	if (kind == IVMD_RANGE)
		info->dma_range[n].last = (uint16_t)acpi_field(t, at + 6U, 2);
	info->dma_range_count++;
	return true;
}

static bool parse_block(const struct acpi_table *t, uint32_t at, uint32_t size, struct acpi_info *info)
{
	switch (acpi_field(t, at, 1)) {
	case IVHD_10:
	case IVHD_11:
	case IVHD_40:
		return parse_unit(t, at, size, info);
	case IVMD_ALL:
	case IVMD_ONE:
	case IVMD_RANGE:
		return parse_memory(t, at, size, info);
	default:
		return true;
	}
}

int acpi_parse_ivrs(const struct acpi_table *table, struct acpi_info *info)
{
	info->ivrs = table->address;
	info->has_intr_remap = true;
	acpi_parse_iommus(table, parse_block, info);
	return 0;
}
