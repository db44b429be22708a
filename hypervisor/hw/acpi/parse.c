/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads all tables that we know, each by its parser. The XSDT is preferred, and of two tables with
 * one signature the first counts, but for SSDTs, which are all looked at.
 */
#include "hw/acpi/table.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"

static const struct known_table {
	const char *signature;
	int (*parse)(const struct acpi_table *table, struct acpi_info *info);
} known[] = {
	{ "FACP", acpi_parse_fadt }, { "APIC", acpi_parse_madt }, { "MCFG", acpi_parse_mcfg },
	{ "HPET", acpi_parse_hpet }, { "DMAR", acpi_parse_dmar }, { "IVRS", acpi_parse_ivrs },
	{ "SSDT", acpi_parse_aml },
};

enum { KNOWN_FADT = 0, KNOWN_MADT = 1, KNOWN_SSDT = 6 };

/* Parses the table at address if it is a known one that was not seen. */
static int parse_table(const struct acpi_access *access, hpa_t address, struct acpi_info *info,
		       uint32_t *seen)
{
	struct acpi_table table;

	if (address == 0U || acpi_table_map(access, address, &table) != 0)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
		if (!acpi_has_signature(table.data, known[i].signature))
			continue;
		if ((*seen & (1U << i)) != 0U && i != KNOWN_SSDT) {
			log_warn("acpi: a second %s at %#lx, skipped", known[i].signature, address);
			return 0;
		}
		*seen |= 1U << i;
		return known[i].parse(&table, info);
	}
	return 0;
}

int acpi_parse(const struct acpi_access *access, hpa_t rsdp, struct acpi_info *info)
{
	struct acpi_table table;
	uint32_t seen = 0, count;
	hpa_t root;
	int ret;

	*info = (struct acpi_info){ 0 };
	ret = acpi_parse_rsdp(access, rsdp, info);
	if (ret != 0)
		return ret;
	root = info->xsdt != 0U ? info->xsdt : info->rsdt;
	ret = acpi_table_map(access, root, &table);
	if (ret != 0)
		return -ENOENT;
	count = (table.size - ACPI_HEADER_SIZE) / (info->xsdt != 0U ? 8U : 4U);
	for (uint32_t n = 0; n < count; n++) {
		/* Mapped anew each time: it is valid only until the next table is. */
		table.data = access->map(root, table.size);
		if (table.data == NULL)
			return -ENOENT;
		ret = parse_table(access, acpi_root_entry(&table, n), info, &seen);
		if (ret != 0)
			return ret;
	}
	if (info->dsdt != 0U && acpi_table_map(access, info->dsdt, &table) == 0)
		acpi_parse_aml(&table, info);
	if ((seen & (1U << KNOWN_MADT)) != 0U && info->cpu_count != 0U)
		return 0;
	log_error("acpi: no MADT with a CPU in it");
	return -ENOENT;
}
