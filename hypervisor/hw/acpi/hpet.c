/* SPDX-License-Identifier: BSD-3-Clause */
/* HPET (IA-PC HPET 1.0a, 3.2.4): its registers' address. */
#include "hw/acpi/table.h"

int acpi_parse_hpet(const struct acpi_table *table, struct acpi_info *info)
{
	struct acpi_gas gas = acpi_field_gas(table, 40);

	if (gas.space == 0U && info->hpet_base == 0U)
		info->hpet_base = gas.address;
	return 0;
}
