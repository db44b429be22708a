/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MADT (ACPI 6.5, 5.2.12): CPUs, I/O APICs, interrupt source overrides. Only CPUs that are enabled
 * now count, not those that could be plugged in; firmware may list one twice, as types 0 and 9.
 */
#include "hw/acpi/table.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"

#define MADT_HEADER_SIZE 44U
#define MADT_PCAT_COMPAT BIT32(0)
#define CPU_ENABLED BIT32(0)

enum {
	ENTRY_LAPIC = 0,
	ENTRY_IOAPIC = 1,
	ENTRY_OVERRIDE = 2,
	ENTRY_LAPIC_ADDRESS = 5,
	ENTRY_X2APIC = 9,
};

static int add_cpu(struct acpi_info *info, uint32_t apic_id, uint32_t acpi_id, uint32_t flags)
{
	if ((flags & CPU_ENABLED) == 0U)
		return 0;
	for (unsigned int i = 0; i < info->cpu_count; i++)
		if (info->cpu[i].apic_id == apic_id)
			return 0;
	if (info->cpu_count == ACPI_MAX_CPUS) {
		log_error("acpi: more than %u CPUs", ACPI_MAX_CPUS);
		return -E2BIG;
	}
	info->cpu[info->cpu_count].apic_id = apic_id;
	info->cpu[info->cpu_count].acpi_id = acpi_id;
	info->cpu_count++;
	return 0;
}

static void add_ioapic(struct acpi_info *info, const struct acpi_table *t, uint32_t at)
{
	if (info->ioapic_count == ACPI_MAX_IOAPICS) {
		log_warn("acpi: more than %u I/O APICs, one left out", ACPI_MAX_IOAPICS);
		return;
	}
	info->ioapic[info->ioapic_count].id = (uint8_t)acpi_field(t, at + 2U, 1);
	info->ioapic[info->ioapic_count].base = acpi_field(t, at + 4U, 4);
	info->ioapic[info->ioapic_count].gsi_base = (uint32_t)acpi_field(t, at + 8U, 4);
	info->ioapic_count++;
}

static void add_override(struct acpi_info *info, const struct acpi_table *t, uint32_t at)
{
	if (info->override_count == ACPI_MAX_OVERRIDES) {
		log_warn("acpi: more than %u interrupt overrides, one left out",
			 ACPI_MAX_OVERRIDES);
		return;
	}
	info->override[info->override_count].irq = (uint8_t)acpi_field(t, at + 3U, 1);
	info->override[info->override_count].gsi = (uint32_t)acpi_field(t, at + 4U, 4);
	info->override[info->override_count].flags = (uint16_t)acpi_field(t, at + 8U, 2);
	info->override_count++;
}

/* One entry, its length checked to lie in the table. */
static int add_entry(struct acpi_info *info, const struct acpi_table *t, uint32_t at)
{
	/* Bytes that we read of each type: a shorter entry is not one. */
	static const uint8_t sizes[] = { [ENTRY_LAPIC] = 8, [ENTRY_IOAPIC] = 12,
					 [ENTRY_OVERRIDE] = 10, [ENTRY_LAPIC_ADDRESS] = 12,
					 [ENTRY_X2APIC] = 16 };
	unsigned int type = t->data[at], size = t->data[at + 1U];

	if (type >= sizeof(sizes) || sizes[type] == 0U)
		return 0;
	if (size < sizes[type]) {
		log_warn("acpi: MADT entry of type %u with %u bytes, skipped", type, size);
		return 0;
	}
	switch (type) {
	case ENTRY_LAPIC:
		return add_cpu(info, (uint32_t)acpi_field(t, at + 3U, 1),
			       (uint32_t)acpi_field(t, at + 2U, 1),
			       (uint32_t)acpi_field(t, at + 4U, 4));
	case ENTRY_X2APIC:
		return add_cpu(info, (uint32_t)acpi_field(t, at + 4U, 4),
			       (uint32_t)acpi_field(t, at + 12U, 4),
			       (uint32_t)acpi_field(t, at + 8U, 4));
	case ENTRY_IOAPIC:
		add_ioapic(info, t, at);
		break;
	case ENTRY_OVERRIDE:
		add_override(info, t, at);
		break;
	default: /* ENTRY_LAPIC_ADDRESS */
		info->lapic_base = acpi_field(t, at + 4U, 8);
		break;
	}
	return 0;
}

int acpi_parse_madt(const struct acpi_table *table, struct acpi_info *info)
{
	info->lapic_base = acpi_field(table, 36, 4);
	info->has_8259 = (acpi_field(table, 40, 4) & MADT_PCAT_COMPAT) != 0U;
	for (uint32_t at = MADT_HEADER_SIZE; at < table->size; at += table->data[at + 1U]) {
		uint32_t left = table->size - at;
		int ret;

		if (left < 2U || table->data[at + 1U] < 2U || table->data[at + 1U] > left) {
			log_warn("acpi: the MADT's entry at offset %u has a bad length", at);
			break;
		}
		ret = add_entry(info, table, at);
		if (ret != 0)
			return ret;
	}
	return 0;
}
