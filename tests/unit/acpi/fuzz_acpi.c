/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input is physical memory from 0xE0000. If its first byte says so it is arranged as tables of
 * 128 bytes whose signatures, lengths and checksums are put right where a bit in them asks for it,
 * so that the fuzzer gets past these. What is hidden then parses again.
 */
#include <stdlib.h>
#include <string.h>

#include "hw/acpi.h"
#include "lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0xE0000UL
#define SIZE 0x1000U
#define SLOT 0x80U /* a table each */

static uint8_t memory[SIZE];
static uint8_t *mapped;

static const void *map(hpa_t hpa, size_t size)
{
	if (!range_within(hpa, size, BASE, SIZE))
		return NULL;
	free(mapped);
	mapped = malloc(size);
	memcpy(mapped, memory + (hpa - BASE), size);
	return mapped;
}

static void fix(uint8_t *table, size_t size, unsigned int checksum)
{
	uint8_t sum = 0;

	table[checksum] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[checksum] = (uint8_t)-sum;
}

static void put(uint8_t *at, unsigned int size, uint64_t value)
{
	memcpy(at, &value, size);
}

/* RSDP in the first slot, root tables in the next two, tables in the others. */
static void arrange(uint8_t flags)
{
	static const char signatures[][5] = { "RSDT", "XSDT", "APIC", "FACP", "MCFG", "HPET",
					      "SSDT", "DSDT", "DMAR", "IVRS" };

	for (unsigned int i = 1; i < SIZE / SLOT; i++) {
		uint8_t *t = memory + i * SLOT;

		if (t[8] & 1)
			memcpy(t, signatures[i <= 2 ? i - 1 : t[0] % 10], 4);
		if (t[8] & 2)
			put(t + 4, 4, 36 + t[4] % (SLOT - 36));
		if (i <= 2)
			for (unsigned int k = 36; k + 8 <= SLOT; k += i == 1 ? 4 : 8)
				put(t + k, i == 1 ? 4 : 8,
				    BASE + (t[k] % (SIZE / SLOT)) * SLOT);
		if (memcmp(t, "FACP", 4) == 0)
			put(t + 40, 4, BASE + (t[40] % (SIZE / SLOT)) * SLOT);
	}
	for (unsigned int i = 1; i < SIZE / SLOT; i++) {
		uint8_t *t = memory + i * SLOT;
		uint32_t size;

		memcpy(&size, t + 4, 4);
		if ((t[8] & 4) && size >= 36 && size <= SLOT)
			fix(t, size, 9);
	}
	memcpy(memory, "RSD PTR ", 8);
	put(memory + 16, 4, BASE + SLOT);
	put(memory + 24, 8, flags & 1 ? BASE + 2 * SLOT : 0);
	fix(memory, 20, 8);
	fix(memory, 36, 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct acpi_access access = { map };
	static const char *const hide[] = { "DMAR", "IVRS" };
	struct acpi_info info, again;
	uint8_t *buf;
	int used;

	if (size < 2)
		return 0;
	memset(memory, 0, SIZE);
	memcpy(memory, data + 1, MIN(size - 1, SIZE));
	if (data[0] & 2)
		arrange(data[0]);
	acpi_find_rsdp(&access);
	if (acpi_parse(&access, BASE, &info) != 0)
		return 0;
	if (info.cpu_count == 0 || info.cpu_count > ACPI_MAX_CPUS ||
	    info.ioapic_count > ACPI_MAX_IOAPICS || info.ecam_count > ACPI_MAX_ECAM ||
	    info.override_count > ACPI_MAX_OVERRIDES)
		abort();
	buf = malloc(512);
	used = acpi_hide_tables(&access, &info, hide, 2, buf, 512, BASE + SIZE - 512);
	if (used > 512)
		abort();
	if (used > 0) {
		memcpy(memory + SIZE - 512, buf, 512);
		acpi_parse(&access, BASE + SIZE - 512, &again);
	}
	free(buf);
	return 0;
}
