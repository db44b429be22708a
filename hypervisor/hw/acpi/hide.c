/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of RSDP, RSDT and XSDT that leave out some tables, for a guest which otherwise uses the
 * firmware's tables where they lie. Each copy keeps its header, and gets a new length and checksum.
 */
#include "hw/acpi/table.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define PART_ALIGN 64U
#define RSDP_SIZE 20U
#define RSDP_SIZE_2 36U

/* The output and how much of it is used. */
struct output {
	uint8_t *buf;
	size_t size;
	size_t used;
};

static void put_field(uint8_t *at, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> (8U * i));
}

static uint64_t get_field(const uint8_t *at, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)at[i] << (8U * i);
	return value;
}

static void fix_checksum(uint8_t *data, size_t size, unsigned int at)
{
	data[at] = 0;
	data[at] = (uint8_t)(0U - acpi_sum(data, size));
}

static bool is_hidden(const struct acpi_access *access, hpa_t address, const char *const *hide)
{
	const void *data = address == 0U ? NULL : access->map(address, 4);

	for (; data != NULL && *hide != NULL; hide++)
		if (memcmp(data, *hide, 4) == 0)
			return true;
	return false;
}

/* Appends the copy of the root table at address; its offset in the output, or -errno. */
static int64_t copy_root(const struct acpi_access *access, hpa_t address,
			 const char *const *hide, struct output *out)
{
	size_t at = ALIGN_UP(out->used, (size_t)PART_ALIGN), kept = ACPI_HEADER_SIZE;
	unsigned int entry_size;
	struct acpi_table table;
	uint8_t *copy = out->buf + at;

	if (acpi_table_map(access, address, &table) != 0)
		return -ENOENT;
	if (at > out->size || table.size > out->size - at)
		return -ENOSPC;
	memcpy(copy, table.data, table.size);
	entry_size = acpi_has_signature(copy, "XSDT") ? 8 : 4;
	for (size_t i = ACPI_HEADER_SIZE; i + entry_size <= table.size; i += entry_size) {
		uint64_t entry = get_field(copy + i, entry_size);

		if (is_hidden(access, entry, hide))
			continue;
		put_field(copy + kept, entry_size, entry);
		kept += entry_size;
	}
	memset(copy + kept, 0, table.size - kept);
	put_field(copy + 4, 4, kept);
	fix_checksum(copy, kept, 9);
	out->used = at + kept;
	return (int64_t)at;
}

/* The new RSDP at the start of the output; addresses 0 for tables that are not there. */
static void make_rsdp(uint8_t *copy, size_t size, gpa_t rsdt, gpa_t xsdt)
{
	put_field(copy + 16, 4, rsdt);
	if (size == RSDP_SIZE_2) {
		put_field(copy + 20, 4, RSDP_SIZE_2);
		put_field(copy + 24, 8, xsdt);
	}
	fix_checksum(copy, RSDP_SIZE, 8);
	if (size == RSDP_SIZE_2)
		fix_checksum(copy, RSDP_SIZE_2, 32);
}

int acpi_hide_tables(const struct acpi_access *access, const struct acpi_info *info,
		     const char *const *hide, const struct acpi_copy *copy)
{
	struct output out = { .buf = copy->buf, .size = copy->size };
	size_t rsdp_size = info->xsdt != 0U ? RSDP_SIZE_2 : RSDP_SIZE;
	const void *rsdp = info->rsdp == 0U ? NULL : access->map(info->rsdp, rsdp_size);
	int64_t rsdt_at = 0, xsdt_at = 0;

	if (rsdp == NULL)
		return -ENOENT;
	if (out.size < RSDP_SIZE_2)
		return -ENOSPC;
	memcpy(out.buf, rsdp, rsdp_size);
	out.used = RSDP_SIZE_2;
	/* An RSDT above 4 GiB cannot be named; the XSDT then stands alone. */
	if (info->rsdt != 0U && copy->gpa + copy->size <= 1UL << 32)
		rsdt_at = copy_root(access, info->rsdt, hide, &out);
	if (info->xsdt != 0U && rsdt_at >= 0)
		xsdt_at = copy_root(access, info->xsdt, hide, &out);
	if (rsdt_at < 0 || xsdt_at < 0)
		return (int)MIN(rsdt_at, xsdt_at);
	if (rsdt_at == 0 && xsdt_at == 0)
		return -ENOENT;
	if (rsdp_size == RSDP_SIZE)
		out.buf[15] = 0; /* no XSDT: the old revision */
	make_rsdp(out.buf, rsdp_size, rsdt_at == 0 ? 0U : copy->gpa + (gpa_t)rsdt_at,
		  xsdt_at == 0 ? 0U : copy->gpa + (gpa_t)xsdt_at);
	return (int)out.used;
}
