/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds \_S5_ and \_S3_ in AML without interpreting it: Name, the name, a package whose first two
 * elements are integer constants, as every firmware writes it (ACPI 6.5, 7.4.2 and 20.2). They are
 * what PM1 control registers take as SLP_TYP.
 */
#include "hw/acpi/table.h"
#include "lib/bits.h"
#include "lib/util.h"

enum {
	ZERO_OP = 0x00,
	ONE_OP = 0x01,
	NAME_OP = 0x08,
	BYTE_PREFIX = 0x0A,
	WORD_PREFIX = 0x0B,
	DWORD_PREFIX = 0x0C,
	QWORD_PREFIX = 0x0E,
	PACKAGE_OP = 0x12,
	ROOT_CHAR = 0x5C,
};

/* Takes an integer constant at *at; false when none stands there. */
static bool take_integer(const struct acpi_table *t, uint32_t *at, uint8_t *value)
{
	static const uint8_t sizes[] = { [BYTE_PREFIX] = 1, [WORD_PREFIX] = 2, [DWORD_PREFIX] = 4,
					 [QWORD_PREFIX] = 8 };
	uint8_t op;

	if (*at >= t->size)
		return false;
	op = t->data[(*at)++];
	*value = op;
	if (op == ZERO_OP || op == ONE_OP)
		return true;
	if (op >= sizeof(sizes) || sizes[op] == 0U)
		return false;
	*value = (uint8_t)acpi_field(t, *at, sizes[op]);
	*at += sizes[op];
	return *at <= t->size;
}

/* The package that begins at at, after the name. */
static bool parse_package(const struct acpi_table *t, uint32_t at, uint8_t typ[2])
{
	uint8_t types[2];

	if (acpi_field(t, at, 1) != PACKAGE_OP || at + 1U >= t->size)
		return false;
	/* PkgLength: the top two bits of its first byte count those that follow. */
	at += 2U + (t->data[at + 1U] >> 6);
	if (acpi_field(t, at, 1) < 2U) /* elements */
		return false;
	at++;
	if (!take_integer(t, &at, &types[0]) || !take_integer(t, &at, &types[1]))
		return false;
	typ[0] = types[0] & 7U;
	typ[1] = types[1] & 7U;
	return true;
}

static bool is_named(const struct acpi_table *t, uint32_t at)
{
	return t->data[at - 1U] == NAME_OP ||
	       (t->data[at - 1U] == ROOT_CHAR && t->data[at - 2U] == NAME_OP);
}

int acpi_parse_aml(const struct acpi_table *table, struct acpi_info *info)
{
	for (uint32_t at = ACPI_HEADER_SIZE + 1U; at + 4U <= table->size; at++) {
		const uint8_t *name = table->data + at;

		if (name[0] != '_' || name[1] != 'S' || name[3] != '_' || !is_named(table, at))
			continue;
		if (name[2] == '5' && !info->has_s5)
			info->has_s5 = parse_package(table, at + 4U, info->s5_typ);
		else if (name[2] == '3' && !info->has_s3)
			info->has_s3 = parse_package(table, at + 4U, info->s3_typ);
	}
	return 0;
}
