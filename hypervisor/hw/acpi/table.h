/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One ACPI table, mapped and verified, and the parsers of each kind, which put what they find into
 * struct acpi_info. Private to hw/acpi/. A table is valid until the next is mapped: a parser copies
 * what it keeps.
 */
#pragma once

#include "hw/acpi.h"

#define ACPI_HEADER_SIZE 36U

struct acpi_table {
	const uint8_t *data; /* header included */
	uint32_t size;
	hpa_t address;
};

/* 0; -EINVAL, and a line in the log, when the table is unreadable or its checksum is wrong. */
int acpi_table_map(const struct acpi_access *access, hpa_t address, struct acpi_table *table);

/* A little-endian field of size bytes (1, 2, 4, 8) at offset; 0 where the table has ended. */
uint64_t acpi_field(const struct acpi_table *table, uint32_t offset, unsigned int size);

/* The generic address structure at offset; address 0 where the table has ended. */
struct acpi_gas acpi_field_gas(const struct acpi_table *table, uint32_t offset);

/*
 * A table that describes IOMMUs: parse is called for each structure after the header, until it says false. A table with
 * one that cannot be right describes no unit at all, since half of them would be no protection.
 */
typedef bool acpi_parse_structure(const struct acpi_table *table, uint32_t at, uint32_t size, struct acpi_info *info);
void acpi_parse_iommus(const struct acpi_table *table, acpi_parse_structure *parse, struct acpi_info *info);

/* Said twice is said once. False: there is no room. */
bool acpi_add_irq_source(struct acpi_info *info, uint8_t ioapic_id, uint16_t bdf);

bool acpi_has_signature(const void *data, const char *signature);
uint8_t acpi_sum(const uint8_t *data, size_t size);

/* Each adds to info what its table says. 0, or -E2BIG: more CPUs than we have room for. */
int acpi_parse_madt(const struct acpi_table *table, struct acpi_info *info);
int acpi_parse_mcfg(const struct acpi_table *table, struct acpi_info *info);
int acpi_parse_fadt(const struct acpi_table *table, struct acpi_info *info);
int acpi_parse_hpet(const struct acpi_table *table, struct acpi_info *info);
int acpi_parse_dmar(const struct acpi_table *table, struct acpi_info *info);
int acpi_parse_ivrs(const struct acpi_table *table, struct acpi_info *info);
/* A DSDT or SSDT: looks for the sleep packages in its byte code. */
int acpi_parse_aml(const struct acpi_table *table, struct acpi_info *info);

/* The root table is RSDT or XSDT; entry n as an address, 0 past the end. */
hpa_t acpi_root_entry(const struct acpi_table *root, uint32_t n);

/* Reads and verifies the RSDP; of the root tables, only those that verify are kept in info. */
int acpi_parse_rsdp(const struct acpi_access *access, hpa_t rsdp, struct acpi_info *info);
