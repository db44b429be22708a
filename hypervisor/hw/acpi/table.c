/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access to tables with the checks that every table needs. All fields are read byte by byte: tables
 * lie at any address, and where one ends is its own claim.
 */
#include "hw/acpi/table.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

/* No table comes near; a length beyond is garbage that could take seconds to sum. */
#define TABLE_SIZE_LIMIT (16U << 20)

bool acpi_has_signature(const void *data, const char *signature)
{
	return memcmp(data, signature, strlen(signature)) == 0;
}

uint8_t acpi_sum(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum;
}

/* The signature as text that is safe to print. */
static void printable_signature(const uint8_t *data, char text[5])
{
	for (unsigned int i = 0; i < 4U; i++)
		text[i] = data[i] > ' ' && data[i] < 0x7FU ? (char)data[i] : '?';
	text[4] = '\0';
}

int acpi_table_map(const struct acpi_access *access, hpa_t address, struct acpi_table *table)
{
	char signature[5];

	*table = (struct acpi_table){ .address = address, .size = ACPI_HEADER_SIZE };
	table->data = address == 0U ? NULL : access->map(address, ACPI_HEADER_SIZE);
	if (table->data == NULL) {
		log_warn("acpi: no table can be read at %#lx", address);
		return -EINVAL;
	}
	printable_signature(table->data, signature);
	table->size = (uint32_t)acpi_field(table, 4, 4);
	if (table->size < ACPI_HEADER_SIZE || table->size > TABLE_SIZE_LIMIT) {
		log_warn("acpi: %s at %#lx claims %u bytes, skipped", signature, address,
			 table->size);
		return -EINVAL;
	}
	table->data = access->map(address, table->size);
	if (table->data == NULL || acpi_sum(table->data, table->size) != 0U) {
		log_warn("acpi: %s at %#lx %s, skipped", signature, address,
			 table->data == NULL ? "cannot be read" : "has a wrong checksum");
		return -EINVAL;
	}
	return 0;
}

uint64_t acpi_field(const struct acpi_table *table, uint32_t offset, unsigned int size)
{
	uint64_t value = 0;

	if (offset > table->size || size > table->size - offset)
		return 0;
	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)table->data[offset + i] << (8U * i);
	return value;
}

struct acpi_gas acpi_field_gas(const struct acpi_table *table, uint32_t offset)
{
	return (struct acpi_gas){
		.space = (uint8_t)acpi_field(table, offset, 1),
		.bits = (uint8_t)acpi_field(table, offset + 1U, 1),
		.access_size = (uint8_t)acpi_field(table, offset + 3U, 1),
		.address = acpi_field(table, offset + 4U, 8),
	};
}

hpa_t acpi_root_entry(const struct acpi_table *root, uint32_t n)
{
	unsigned int size = acpi_has_signature(root->data, "XSDT") ? 8 : 4;

	return n >= (root->size - ACPI_HEADER_SIZE) / size ?
		       0U :
		       acpi_field(root, ACPI_HEADER_SIZE + n * size, size);
}
