/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The root of the tables (ACPI 6.5, 5.2.5): where BIOS leaves it, and which of its two root tables
 * can be used. Revision 0 has 20 bytes and an RSDT; from 2 on there are 36 and an XSDT.
 */
#include "hw/acpi/table.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"

#define RSDP_SIZE 20U
#define RSDP_SIZE_2 36U

static bool is_rsdp(const uint8_t *data)
{
	return acpi_has_signature(data, "RSD PTR ") && acpi_sum(data, RSDP_SIZE) == 0U;
}

/* The address when a root table with that signature verifies there, else 0. */
static hpa_t verified_root(const struct acpi_access *access, hpa_t address, const char *signature)
{
	struct acpi_table table;

	if (address == 0U || acpi_table_map(access, address, &table) != 0)
		return 0;
	if (acpi_has_signature(table.data, signature))
		return address;
	log_warn("acpi: what lies at %#lx is no %s", address, signature);
	return 0;
}

int acpi_parse_rsdp(const struct acpi_access *access, hpa_t rsdp, struct acpi_info *info)
{
	struct acpi_table view = { .size = RSDP_SIZE, .address = rsdp };
	hpa_t rsdt, xsdt = 0;

	view.data = rsdp == 0U ? NULL : access->map(rsdp, RSDP_SIZE);
	if (view.data == NULL || !is_rsdp(view.data)) {
		log_error("acpi: no valid RSDP at %#lx", rsdp);
		return -ENOENT;
	}
	info->rsdp = rsdp;
	rsdt = acpi_field(&view, 16, 4);
	if (acpi_field(&view, 15, 1) >= 2U) {
		view.size = RSDP_SIZE_2;
		view.data = access->map(rsdp, RSDP_SIZE_2);
		if (view.data != NULL && acpi_sum(view.data, RSDP_SIZE_2) == 0U)
			xsdt = acpi_field(&view, 24, 8);
		else
			log_warn("acpi: the RSDP's extended checksum is wrong, its XSDT unused");
	}
	info->rsdt = verified_root(access, rsdt, "RSDT");
	info->xsdt = verified_root(access, xsdt, "XSDT");
	if (info->rsdt != 0U || info->xsdt != 0U)
		return 0;
	log_error("acpi: neither RSDT nor XSDT can be used");
	return -ENOENT;
}

/* Looks on 16-byte boundaries of [start, end). */
static hpa_t scan(const struct acpi_access *access, hpa_t start, hpa_t end)
{
	for (hpa_t address = start; address + RSDP_SIZE <= end; address += 16U) {
		const uint8_t *data = access->map(address, RSDP_SIZE);

		if (data != NULL && is_rsdp(data))
			return address;
	}
	return 0;
}

hpa_t acpi_find_rsdp(const struct acpi_access *access)
{
	const uint8_t *segment = access->map(0x40E, 2);
	hpa_t ebda = segment == NULL ? 0U : ((hpa_t)segment[0] | (hpa_t)segment[1] << 8) << 4;
	hpa_t found = 0;

	if (ebda >= 0x400U && ebda < 0xA0000U)
		found = scan(access, ebda, MIN(ebda + 0x400U, 0xA0000UL));
	return found != 0U ? found : scan(access, 0xE0000, 0x100000);
}
