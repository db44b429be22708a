/* SPDX-License-Identifier: BSD-3-Clause */
/* That IOMMUs are described, by DMAR (VT-d 8.1) or IVRS (AMD-Vi 5.2): the addresses alone. */
#include "hw/acpi/table.h"

int acpi_parse_dmar(const struct acpi_table *table, struct acpi_info *info)
{
	info->dmar = table->address;
	return 0;
}

int acpi_parse_ivrs(const struct acpi_table *table, struct acpi_info *info)
{
	info->ivrs = table->address;
	return 0;
}
