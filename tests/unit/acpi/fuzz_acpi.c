/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input is physical memory from 0xE0000. If its first byte says so, it becomes a set of tables
 * in slots of 128 bytes: signatures, lengths and most checksums are put right, the bodies are the
 * input's. What is left after hiding tables parses again.
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

/* A table of each kind in its slot; what the input put there stays as its body. */
static void arrange(uint8_t flags)
{
	static const char signatures[][5] = { "RSDT", "XSDT", "APIC", "FACP", "MCFG", "HPET",
					      "SSDT", "DMAR", "IVRS", "DSDT" };

	for (unsigned int i = 1; i <= ARRAY_SIZE(signatures); i++) {
		uint8_t *t = memory + i * SLOT;
		unsigned int size = 36 + t[4] % (SLOT - 35);

		memcpy(t, signatures[i - 1], 4);
		put(t + 4, 4, size);
		for (unsigned int k = 0; i <= 2 && k < 8; k++)
			put(t + 36 + k * 4 * i, 4 * i, BASE + (k + 3 - (t[8] & 1)) * SLOT);
		if (i <= 2)
			put(t + 4, 4, 36 + 4 * i * (t[4] % 9));
		if ((i == 7 || i == 10) && (t[8] & 2) != 0)
			memcpy(t + 40, i == 7 ? "\x08_S3_\x12" : "\x08\\_S5_\x12", 7);
		if (i == 4)
			put(t + 40, 4, BASE + 10 * SLOT);
		memcpy(&size, t + 4, 4);
		if ((t[9] & 0xF) != 1)
			fix(t, size, 9);
	}
	memcpy(memory, "RSD PTR ", 8);
	put(memory + 16, 4, BASE + SLOT);
	put(memory + 24, 8, flags & 16 ? BASE + 2 * SLOT : 0);
	fix(memory, 20, 8);
	fix(memory, 36, 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct acpi_access access = { map };
	static const char *const hide[] = { "DMAR", "IVRS", NULL };
	struct acpi_info info, again;
	uint8_t *buf;
	int used;

	if (size < 2)
		return 0;
	memset(memory, 0, SIZE);
	memcpy(memory, data + 1, MIN(size - 1, SIZE));
	if (data[0] % 8 != 0)
		arrange(data[0]);
	acpi_find_rsdp(&access);
	if (acpi_parse(&access, BASE, &info) != 0)
		return 0;
	if (info.cpu_count == 0 || info.cpu_count > ACPI_MAX_CPUS ||
	    info.ioapic_count > ACPI_MAX_IOAPICS || info.ecam_count > ACPI_MAX_ECAM ||
	    info.override_count > ACPI_MAX_OVERRIDES || info.iommu_count > ACPI_MAX_IOMMUS ||
	    info.dma_range_count > ACPI_MAX_DMA_RANGES || info.alias_count > ACPI_MAX_ALIASES)
		abort();
	for (unsigned int i = 0; i < info.dma_range_count; i++)
		if (info.dma_range[i].base + info.dma_range[i].size - 1 < info.dma_range[i].base)
			abort();
	for (unsigned int i = 0; i < info.alias_count; i++)
		if (info.alias[i].last < info.alias[i].first)
			abort();
	buf = malloc(512);
	used = acpi_hide_tables(&access, &info, hide,
				&(struct acpi_copy){ buf, 512, BASE + SIZE - 512 });
	if (used > 512)
		abort();
	if (used > 0) {
		memcpy(memory + SIZE - 512, buf, 512);
		acpi_parse(&access, BASE + SIZE - 512, &again);
	}
	free(buf);
	return 0;
}
