/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walks the tables from the RSDP as a guest would, and writes down each pointer on the way. A table with pointers in it
 * gets its checksum from the firmware, after those have become addresses.
 */
#include "firmware/acpi_loader.h"

#include <stdbool.h>
#include <string.h>

enum { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };
#define FILE_NAME	56

struct script {
	uint8_t *out;
	size_t len;
	uint8_t *tables;
	size_t size;
	bool bad;
};

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint8_t *command(struct script *s, uint32_t what)
{
	static uint8_t nowhere[ACPI_LOADER_COMMAND];
	uint8_t *p = s->out + s->len;

	if (s->len + ACPI_LOADER_COMMAND > ACPI_LOADER_MAX) {
		s->bad = true;
		return nowhere;
	}
	s->len += ACPI_LOADER_COMMAND;
	memset(p, 0, ACPI_LOADER_COMMAND);
	put32(p, what);
	return p + 4;
}

static void allocate(struct script *s, const char *file, uint32_t align, uint8_t zone)
{
	uint8_t *p = command(s, ALLOCATE);

	strncpy((char *)p, file, FILE_NAME - 1);
	put32(p + FILE_NAME, align);
	p[FILE_NAME + 4] = zone;
}

/* size bytes at offset of the file hold an offset in the tables. */
static void add_pointer(struct script *s, const char *file, size_t offset, uint8_t size)
{
	uint8_t *p = command(s, ADD_POINTER);

	strncpy((char *)p, file, FILE_NAME - 1);
	strncpy((char *)p + FILE_NAME, ACPI_LOADER_TABLES, FILE_NAME - 1);
	put32(p + 2 * FILE_NAME, (uint32_t)offset);
	p[2 * FILE_NAME + 4] = size;
}

static void add_checksum(struct script *s, const char *file, size_t at, size_t start, size_t len)
{
	uint8_t *p = command(s, ADD_CHECKSUM);

	strncpy((char *)p, file, FILE_NAME - 1);
	put32(p + FILE_NAME, (uint32_t)at);
	put32(p + FILE_NAME + 4, (uint32_t)start);
	put32(p + FILE_NAME + 8, (uint32_t)len);
}

/* The length of the table at that offset, 0 (and s->bad) if it is none. */
static uint32_t table_length(struct script *s, uint32_t at)
{
	uint32_t len = at < s->size && s->size - at >= 36 ? get32(s->tables + at + 4) : 0;

	if (len < 36 || len > s->size - at) {
		s->bad = true;
		return 0;
	}
	return len;
}

static void checksum(struct script *s, uint32_t at, uint32_t len)
{
	s->tables[at + 9] = 0;
	add_checksum(s, ACPI_LOADER_TABLES, at + 9, at, len);
}

static void fadt(struct script *s, uint32_t at)
{
	uint32_t len = table_length(s, at);

	if (len < 148)
		return;
	add_pointer(s, ACPI_LOADER_TABLES, at + 36, 4);	/* FACS and DSDT, short and long */
	add_pointer(s, ACPI_LOADER_TABLES, at + 40, 4);
	add_pointer(s, ACPI_LOADER_TABLES, at + 132, 8);
	add_pointer(s, ACPI_LOADER_TABLES, at + 140, 8);
	checksum(s, at, len);
}

/* RSDT or XSDT; the tables below it are walked once, from the XSDT. */
static void root(struct script *s, uint32_t at, uint8_t size)
{
	uint32_t len = table_length(s, at);

	for (uint32_t p = at + 36; len && p + size <= at + len; p += size) {
		uint32_t table = get32(s->tables + p);

		add_pointer(s, ACPI_LOADER_TABLES, p, size);
		if (size == 8 && table_length(s, table) && memcmp(s->tables + table, "FACP", 4) == 0)
			fadt(s, table);
	}
	if (len)
		checksum(s, at, len);
}

size_t acpi_loader_script(uint8_t *tables, size_t size, uint8_t rsdp[ACPI_RSDP_SIZE], uint8_t script[ACPI_LOADER_MAX])
{
	struct script s = { .out = script, .tables = tables, .size = size };

	if (size < ACPI_RSDP_SIZE || memcmp(tables, "RSD PTR ", 8) != 0)
		return 0;
	memcpy(rsdp, tables, ACPI_RSDP_SIZE);
	rsdp[8] = rsdp[32] = 0;
	allocate(&s, ACPI_LOADER_RSDP, 16, ZONE_FSEG);
	allocate(&s, ACPI_LOADER_TABLES, 64, ZONE_HIGH);
	root(&s, get32(rsdp + 16), 4);
	root(&s, get32(rsdp + 24), 8);
	add_pointer(&s, ACPI_LOADER_RSDP, 16, 4);
	add_pointer(&s, ACPI_LOADER_RSDP, 24, 8);
	add_checksum(&s, ACPI_LOADER_RSDP, 8, 0, 20);
	add_checksum(&s, ACPI_LOADER_RSDP, 32, 0, ACPI_RSDP_SIZE);
	return s.bad ? 0 : s.len;
}
