/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The PE headers at the start of the image: DOS header, offset of the others at 0x3c, COFF header,
 * optional header, section table (PE format 3 and 4).
 */
#include "section.h"

#define DOS_PE_OFFSET 0x3c
#define COFF_SIZE 24 /* with the signature "PE\0\0" */
#define COFF_SECTIONS 6
#define COFF_OPTIONAL_SIZE 20
#define ENTRY_SIZE 40
#define ENTRY_VIRTUAL_SIZE 8
#define ENTRY_ADDRESS 12
#define NAME_SIZE 8

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | get16(p + 2) << 16;
}

static bool is_named(const uint8_t *entry, const char *name)
{
	size_t i;

	for (i = 0; i < NAME_SIZE && name[i] != '\0'; i++) {
		if (entry[i] != (uint8_t)name[i])
			return false;
	}
	return i == NAME_SIZE || entry[i] == 0;
}

bool section_find(const uint8_t *image, size_t size, const char *name, const uint8_t **at, size_t *length)
{
	size_t pe, table, count, i;

	if (size < DOS_PE_OFFSET + 4)
		return false;
	pe = get32(image + DOS_PE_OFFSET);
	if (pe > size || size - pe < COFF_SIZE || get32(image + pe) != 0x4550)
		return false;
	count = get16(image + pe + COFF_SECTIONS);
	table = pe + COFF_SIZE + get16(image + pe + COFF_OPTIONAL_SIZE);
	if (table > size || (size - table) / ENTRY_SIZE < count)
		return false;
	for (i = 0; i < count; i++) {
		const uint8_t *entry = image + table + i * ENTRY_SIZE;
		size_t address = get32(entry + ENTRY_ADDRESS);

		if (!is_named(entry, name))
			continue;
		*length = get32(entry + ENTRY_VIRTUAL_SIZE);
		*at = image + address;
		return address <= size && *length <= size - address;
	}
	return false;
}
