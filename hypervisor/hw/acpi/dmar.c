/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMAR (VT-d 8): where Intel's IOMMUs are, as whom I/O APICs interrupt, and the memory that firmware's devices need.
 * Which devices a unit is responsible for is not kept: all units are programmed alike.
 */
#include "hw/acpi/table.h"
#include "lib/util.h"

#define DMAR_FLAGS 37U
#define DMAR_INTR_REMAP 1U

enum { DRHD = 0, RMRR = 1 };
enum { DRHD_SCOPES = 16, RMRR_SCOPES = 24, SCOPE_HEADER = 6, SCOPE_IOAPIC = 3 };

/* The ids of one scope entry. Behind a bridge, whose buses only the bridge knows, it may be any. */
static void scope_ids(const struct acpi_table *t, uint32_t at, uint32_t size, uint16_t *first, uint16_t *last)
{
	unsigned int bus = (unsigned int)acpi_field(t, at + 5U, 1);
	unsigned int device = (unsigned int)acpi_field(t, at + SCOPE_HEADER, 1) & 0x1FU;
	unsigned int function = (unsigned int)acpi_field(t, at + SCOPE_HEADER + 1U, 1) & 7U;

	*first = (uint16_t)(bus << 8 | device << 3 | function);
	*last = *first;
	if (size > SCOPE_HEADER + 2U) {
		*first = (uint16_t)(MIN(bus + 1U, 0xFFU) << 8);
		*last = 0xFFFF;
	}
}

static bool add_range(struct acpi_info *info, hpa_t base, hpa_t limit, uint16_t first, uint16_t last)
{
	if (info->dma_range_count == ACPI_MAX_DMA_RANGES)
		return false;
	info->dma_range[info->dma_range_count].base = base;
	info->dma_range[info->dma_range_count].size = limit - base + 1U;
	info->dma_range[info->dma_range_count].first = first;
	info->dma_range[info->dma_range_count++].last = last;
	return true;
}

/* The scope entry at offset s of a structure; 0: there is none that is whole. */
static uint32_t scope_length(const struct acpi_table *t, uint32_t at, uint32_t s, uint32_t size)
{
	uint32_t length = (uint32_t)acpi_field(t, at + s + 1U, 1);

	return length < SCOPE_HEADER + 2U || length > size - s ? 0 : length;
}

/* I/O APICs behind a bridge are left out: nobody knows their bus. */
static bool parse_unit(const struct acpi_table *t, uint32_t at, uint32_t size, struct acpi_info *info)
{
	uint16_t first, last;
	uint32_t length;

	if (info->iommu_count == ACPI_MAX_IOMMUS)
		return false;
	info->iommu[info->iommu_count].base = acpi_field(t, at + 8U, 8);
	info->iommu[info->iommu_count].segment = (uint16_t)acpi_field(t, at + 6U, 2);
	info->iommu[info->iommu_count++].bdf = ACPI_NO_BDF;
	for (uint32_t s = DRHD_SCOPES; s + SCOPE_HEADER + 2U <= size; s += length) {
		length = scope_length(t, at, s, size);
		if (length == 0)
			return false;
		scope_ids(t, at + s, length, &first, &last);
		if (acpi_field(t, at + s, 1) == SCOPE_IOAPIC && first == last &&
		    !acpi_add_irq_source(info, (uint8_t)acpi_field(t, at + s + 4U, 1), first))
			return false;
	}
	return true;
}

static bool parse_reserved(const struct acpi_table *t, uint32_t at, uint32_t size, struct acpi_info *info)
{
	hpa_t base = acpi_field(t, at + 8U, 8), limit = acpi_field(t, at + 16U, 8);
	uint16_t first, last;
	uint32_t length;

	if (limit < base || acpi_field(t, at + 6U, 2) != 0)
		return limit >= base;
	for (uint32_t s = RMRR_SCOPES; s + SCOPE_HEADER + 2U <= size; s += length) {
		length = scope_length(t, at, s, size);
		if (length == 0)
			return false;
		scope_ids(t, at + s, length, &first, &last);
		if (!add_range(info, base, limit, first, last))
			return false;
	}
	return true;
}

static bool parse_structure(const struct acpi_table *t, uint32_t at, uint32_t size, struct acpi_info *info)
{
	switch (acpi_field(t, at, 2)) {
	case DRHD:
		return size >= DRHD_SCOPES && parse_unit(t, at, size, info);
	case RMRR:
		return size >= RMRR_SCOPES && parse_reserved(t, at, size, info);
	default:
		return true;
	}
}

int acpi_parse_dmar(const struct acpi_table *table, struct acpi_info *info)
{
	info->dmar = table->address;
	info->has_intr_remap = (acpi_field(table, DMAR_FLAGS, 1) & DMAR_INTR_REMAP) != 0;
	acpi_parse_iommus(table, parse_structure, info);
	return 0;
}
