/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FADT (ACPI 6.5, 5.2.9): the fixed power registers. Each has an old form, a port in 4 bytes, and a
 * new one that counts when its address is not 0. Old tables end before the new fields, which then
 * read as 0.
 */
#include "hw/acpi/table.h"
#include "lib/bits.h"

#define FADT_RESET_SUPPORTED BIT32(10)

enum { SPACE_PORT = 1 };

/* Offset of the port, of its length in bytes, and of the generic address. */
static struct acpi_gas power_register(const struct acpi_table *t, uint32_t port, uint32_t length,
				      uint32_t extended)
{
	struct acpi_gas gas = acpi_field_gas(t, extended);

	if (gas.address != 0U)
		return gas;
	return (struct acpi_gas){
		.space = SPACE_PORT,
		.bits = (uint8_t)(acpi_field(t, length, 1) * 8U),
		.address = acpi_field(t, port, 4),
	};
}

int acpi_parse_fadt(const struct acpi_table *table, struct acpi_info *info)
{
	uint64_t facs = acpi_field(table, 132, 8), dsdt = acpi_field(table, 140, 8);

	info->facs = facs != 0U ? facs : acpi_field(table, 36, 4);
	info->dsdt = dsdt != 0U ? dsdt : acpi_field(table, 40, 4);
	info->sci_irq = (uint16_t)acpi_field(table, 46, 2);
	info->pm1a_evt = power_register(table, 56, 88, 148);
	info->pm1a_cnt = power_register(table, 64, 89, 172);
	info->pm1b_cnt = power_register(table, 68, 89, 184);
	info->pm_timer = power_register(table, 76, 91, 208);
	if ((acpi_field(table, 112, 4) & FADT_RESET_SUPPORTED) != 0U) {
		info->reset = acpi_field_gas(table, 116);
		info->reset_value = (uint8_t)acpi_field(table, 128, 1);
	}
	return 0;
}
