/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hw/acpi/ on tables that are built here, field by field, in a piece of fake physical memory. The
 * one mapping that is valid at a time is moved with each call, as hw/acpi.h promises no more.
 */
#include <stdlib.h>
#include <string.h>

#include "fake/log.h"
#include "hw/acpi.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "unit.h"

#define BASE 0xE0000UL
#define SIZE 0x20000UL
#define RSDP (BASE + 0x40)
#define RSDT (BASE + 0x100)
#define XSDT (BASE + 0x200)
#define TABLES (BASE + 0x1000)
#define BDA 0x400UL

static uint8_t memory[SIZE], bda[0x100];
static hpa_t next; /* where the next table goes */
static uint8_t *mapped;
static struct acpi_info info;

static uint8_t *at(hpa_t hpa)
{
	return memory + (hpa - BASE);
}

static const void *map(hpa_t hpa, size_t size)
{
	const uint8_t *from = NULL;

	if (range_within(hpa, size, BASE, SIZE))
		from = at(hpa);
	else if (range_within(hpa, size, BDA, sizeof(bda)))
		from = bda + (hpa - BDA);
	if (from == NULL)
		return NULL;
	free(mapped);
	mapped = malloc(size);
	memcpy(mapped, from, size);
	return mapped;
}

static const struct acpi_access access = { map };

static void put(hpa_t hpa, unsigned int size, uint64_t value)
{
	memcpy(at(hpa), &value, size);
}

static void fix(hpa_t hpa, size_t size, unsigned int checksum)
{
	uint8_t sum = 0;

	*at(hpa + checksum) = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + *at(hpa + i));
	*at(hpa + checksum) = (uint8_t)-sum;
}

static size_t table_size(hpa_t hpa)
{
	uint32_t size;

	memcpy(&size, at(hpa + 4), 4);
	return size;
}

static void begin_table(hpa_t hpa, const char *signature, uint32_t size)
{
	memset(at(hpa), 0, size);
	memcpy(at(hpa), signature, 4);
	put(hpa + 4, 4, size);
	memcpy(at(hpa + 10), "TESTER", 6);
}

static void end_table(hpa_t hpa)
{
	fix(hpa, table_size(hpa), 9);
}

/* Enters a table in the root tables. */
static void add_root(hpa_t table)
{
	put(RSDT + table_size(RSDT), 4, table);
	put(RSDT + 4, 4, table_size(RSDT) + 4);
	end_table(RSDT);
	put(XSDT + table_size(XSDT), 8, table);
	put(XSDT + 4, 4, table_size(XSDT) + 8);
	end_table(XSDT);
}

static hpa_t new_table(const char *signature, uint32_t size)
{
	hpa_t hpa = next;

	next += size + 3; /* at any address */
	begin_table(hpa, signature, size);
	add_root(hpa);
	return hpa;
}

static void put_bytes(hpa_t hpa, const char *bytes, size_t size)
{
	memcpy(at(hpa), bytes, size);
}

static void put_gas(hpa_t hpa, uint8_t space, uint8_t bits, uint64_t address)
{
	put(hpa, 1, space);
	put(hpa + 1, 1, bits);
	put(hpa + 3, 1, 2);
	put(hpa + 4, 8, address);
}

static void put_rsdp(uint8_t revision)
{
	memset(at(RSDP), 0, 36);
	memcpy(at(RSDP), "RSD PTR ", 8);
	put(RSDP + 15, 1, revision);
	put(RSDP + 16, 4, RSDT);
	if (revision >= 2) {
		put(RSDP + 20, 4, 36);
		put(RSDP + 24, 8, XSDT);
	}
	fix(RSDP, 20, 8);
	if (revision >= 2)
		fix(RSDP, 36, 32);
}

/* Two CPUs, one of them twice, one off; an I/O APIC; two overrides; the LAPIC elsewhere. */
static hpa_t put_madt(void)
{
	static const char entries[] = "\x00\x08\x01\x00\x01\x00\x00\x00"
				      "\x00\x08\x02\x04\x01\x00\x00\x00"
				      "\x00\x08\x03\x05\x00\x00\x00\x00"
				      "\x04\x06\xFF\x00\x00\x01" /* NMI: not of interest */
				      "\x09\x10\0\0\x04\0\0\0\x01\0\0\0\x02\0\0\0"
				      "\x09\x10\0\0\x00\x01\0\0\x01\0\0\0\x07\0\0\0"
				      "\x01\x0C\x08\x00\x00\x00\xC0\xFE\x18\0\0\0"
				      "\x02\x0A\x00\x00\x02\0\0\0\0\0"
				      "\x02\x0A\x00\x09\x09\0\0\0\x0D\0"
				      "\x05\x0C\0\0\x00\x00\xE0\xFE\x01\0\0\0";
	hpa_t madt = new_table("APIC", 44 + sizeof(entries) - 1);

	put(madt + 36, 4, 0xFEE00000);
	put(madt + 40, 4, 1);
	put_bytes(madt + 44, entries, sizeof(entries) - 1);
	end_table(madt);
	return madt;
}

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	memset(bda, 0, sizeof(bda));
	next = TABLES;
	begin_table(RSDT, "RSDT", 36);
	begin_table(XSDT, "XSDT", 36);
	put_rsdp(2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(mapped);
	mapped = NULL;
	return 0;
}

static void test_madt(void **state)
{
	(void)state;
	put_madt();
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.rsdp == RSDP && info.xsdt == XSDT && info.rsdt == RSDT);
	assert_int_equal(info.cpu_count, 3);
	assert_int_equal(info.cpu[0].apic_id, 0);
	assert_int_equal(info.cpu[0].acpi_id, 1);
	assert_int_equal(info.cpu[1].apic_id, 4);
	assert_int_equal(info.cpu[2].apic_id, 256);
	assert_int_equal(info.cpu[2].acpi_id, 7);
	assert_int_equal(info.ioapic_count, 1);
	assert_int_equal(info.ioapic[0].id, 8);
	assert_int_equal(info.ioapic[0].base, 0xFEC00000);
	assert_int_equal(info.ioapic[0].gsi_base, 24);
	assert_int_equal(info.override_count, 2);
	assert_int_equal(info.override[0].gsi, 2);
	assert_int_equal(info.override[1].irq, 9);
	assert_int_equal(info.override[1].flags, 0xD);
	assert_true(info.lapic_base == 0x1FEE00000UL);
	assert_true(info.has_8259);
}

static void test_other_tables(void **state)
{
	hpa_t t;

	(void)state;
	put_madt();
	t = new_table("MCFG", 44 + 32);
	put(t + 44, 8, 0xB0000000);
	put(t + 55, 1, 0xFF);
	put(t + 60, 8, 0x400000000UL);
	put(t + 68, 2, 1);
	put(t + 70, 1, 0x20);
	put(t + 71, 1, 0x3F);
	end_table(t);
	t = new_table("HPET", 56);
	put_gas(t + 40, 0, 64, 0xFED00000);
	end_table(t);
	t = new_table("DMAR", 48);
	end_table(t);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.ecam_count, 2);
	assert_true(info.ecam[0].base == 0xB0000000 && info.ecam[0].bus_last == 255);
	assert_true(info.ecam[1].base == 0x400000000UL && info.ecam[1].segment == 1);
	assert_int_equal(info.ecam[1].bus_first, 0x20);
	assert_int_equal(info.hpet_base, 0xFED00000);
	assert_true(info.dmar == t && info.ivrs == 0);
	t = new_table("IVRS", 48);
	end_table(t);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.ivrs == t);
}

static hpa_t put_fadt(uint32_t size)
{
	hpa_t fadt = new_table("FACP", size);

	put(fadt + 36, 4, 0x111000);
	put(fadt + 46, 2, 9);
	put(fadt + 56, 4, 0x600);
	put(fadt + 64, 4, 0x604);
	put(fadt + 76, 4, 0x608);
	put(fadt + 88, 1, 4);
	put(fadt + 89, 1, 2);
	put(fadt + 91, 1, 4);
	return fadt;
}

static void test_fadt(void **state)
{
	hpa_t fadt;

	(void)state;
	put_madt();
	fadt = put_fadt(244);
	put_gas(fadt + 116, 1, 8, 0xCF9);
	put(fadt + 128, 1, 0x0F);
	put_gas(fadt + 172, 1, 16, 0x1804);
	put_gas(fadt + 208, 0, 32, 0xFED80000);
	end_table(fadt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.sci_irq, 9);
	assert_true(info.facs == 0x111000);
	assert_true(info.pm1a_evt.space == 1 && info.pm1a_evt.address == 0x600);
	assert_int_equal(info.pm1a_evt.bits, 32);
	assert_true(info.pm1a_cnt.space == 1 && info.pm1a_cnt.address == 0x1804);
	assert_int_equal(info.pm1a_cnt.access_size, 2);
	assert_true(info.pm1b_cnt.address == 0);
	assert_true(info.pm_timer.space == 0 && info.pm_timer.address == 0xFED80000);
	assert_true(info.reset.address == 0); /* the flag says it is not there */
	put(fadt + 112, 4, 1U << 10);
	put(fadt + 132, 8, 0x222000);
	end_table(fadt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.reset.space == 1 && info.reset.address == 0xCF9);
	assert_int_equal(info.reset_value, 0x0F);
	assert_true(info.facs == 0x222000);
}

static void test_old_fadt(void **state)
{
	(void)state;
	put_rsdp(0);
	put_madt();
	end_table(put_fadt(116));
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.xsdt == 0 && info.rsdt == RSDT);
	assert_true(info.pm1a_cnt.address == 0x604 && info.pm1a_cnt.bits == 16);
	assert_true(info.reset.address == 0);
	assert_int_equal(info.cpu_count, 3);
}

static void test_sleep_packages(void **state)
{
	static const char s5[] = "\x10\x20\x08_S5_\x12\x06\x04\x0A\x05\x0A\x07\x00\x00";
	static const char s3[] = "_S3_\x08\\_S3_\x12\x40\x06\x04\x01\x0B\x02\x00\x00\x00";
	hpa_t fadt, dsdt = BASE + 0x8000, ssdt;

	(void)state;
	put_madt();
	fadt = put_fadt(244);
	put(fadt + 40, 4, dsdt);
	end_table(fadt);
	begin_table(dsdt, "DSDT", 36 + sizeof(s5));
	put_bytes(dsdt + 36, s5, sizeof(s5));
	end_table(dsdt);
	ssdt = new_table("SSDT", 36 + sizeof(s3));
	put_bytes(ssdt + 36, s3, sizeof(s3));
	end_table(ssdt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.dsdt == dsdt);
	assert_true(info.has_s5 && info.has_s3);
	assert_true(info.s5_typ[0] == 5 && info.s5_typ[1] == 7);
	assert_true(info.s3_typ[0] == 1 && info.s3_typ[1] == 2);
	/* Cut off within the package. */
	put(dsdt + 4, 4, 36 + 11);
	end_table(dsdt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_false(info.has_s5);
}

static void test_bad_tables(void **state)
{
	hpa_t madt = put_madt(), hpet;

	(void)state;
	hpet = new_table("HPET", 56);
	put_gas(hpet + 40, 0, 64, 0xFED00000);
	end_table(hpet);
	put(hpet + 20, 1, 99);
	add_root(0xFFFF0000UL); /* nothing can be read there */
	add_root(0);
	fake_log_lines = 0;
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.hpet_base, 0);
	assert_int_equal(fake_log_lines, 2);
	end_table(hpet);
	put(hpet + 4, 4, 20);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.hpet_base, 0);
	/* An entry longer than the table ends the MADT there. */
	put(madt + 44 + 8 + 1, 1, 200);
	end_table(madt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.cpu_count, 1);
	put(madt + 44 + 1, 1, 0);
	end_table(madt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), -ENOENT);
	/* The XSDT is bad, the RSDT serves. */
	put(madt + 44 + 1, 1, 8);
	end_table(madt);
	put(XSDT + 9, 1, 1);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.xsdt == 0 && info.rsdt == RSDT);
	put(RSDT + 9, 1, 1);
	assert_int_equal(acpi_parse(&access, RSDP, &info), -ENOENT);
	put(RSDP + 8, 1, 1);
	assert_int_equal(acpi_parse(&access, RSDP, &info), -ENOENT);
	assert_int_equal(acpi_parse(&access, 0, &info), -ENOENT);
}

static void test_too_many_cpus(void **state)
{
	hpa_t madt = new_table("APIC", 44 + 65 * 16);

	(void)state;
	for (unsigned int i = 0; i < 65; i++) {
		put(madt + 44 + i * 16, 2, 0x1009);
		put(madt + 44 + i * 16 + 4, 4, i * 2);
		put(madt + 44 + i * 16 + 8, 4, i < 64);
	}
	end_table(madt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.cpu_count, 64);
	put(madt + 44 + 64 * 16 + 8, 4, 1);
	end_table(madt);
	assert_int_equal(acpi_parse(&access, RSDP, &info), -E2BIG);
}

static void test_find(void **state)
{
	(void)state;
	assert_true(acpi_find_rsdp(&access) == RSDP);
	memcpy(at(BASE + 0x15550), at(RSDP), 36);
	put(RSDP + 8, 1, 1);
	assert_true(acpi_find_rsdp(&access) == BASE + 0x15550);
	put(BASE + 0x15550, 1, 0);
	assert_true(acpi_find_rsdp(&access) == 0);
}

static hpa_t put_table(const char *signature, const char *body, size_t size)
{
	hpa_t t = new_table(signature, 48 + (uint32_t)size);

	put(t + 37, 1, 1);
	put_bytes(t + 48, body, size);
	end_table(t);
	return t;
}

/* Two units, memory for a device on bus 0 and for one behind a bridge on bus 2, and a kind that is not of interest. */
static void test_dmar(void **state)
{
	static const char body[] = "\x00\x00\x10\x00\x01\x00\x00\x00\x00\x00\xD9\xFE\0\0\0\0"
				   "\x00\x00\x10\x00\x00\x00\x02\x00\x00\x10\xD9\xFE\x01\0\0\0"
				   "\x02\x00\x08\x00\0\0\0\0"
				   "\x01\x00\x2A\x00\0\0\0\0\x00\xD0\xE9\x7C\0\0\0\0\xFF\xFF\xEB\x7C\0\0\0\0"
				   "\x01\x08\0\0\0\x00\x14\x00"
				   "\x01\x0A\0\0\0\x02\x1C\x00\x00\x00";
	hpa_t t;

	(void)state;
	put_madt();
	t = put_table("DMAR", body, sizeof(body) - 1);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.dmar == t && info.has_intr_remap);
	assert_int_equal(info.iommu_count, 2);
	assert_true(info.iommu[0].base == 0xFED90000 && info.iommu[0].bdf == ACPI_NO_BDF);
	assert_true(info.iommu[1].base == 0x1FED91000UL && info.iommu[1].segment == 2);
	assert_int_equal(info.dma_range_count, 2);
	assert_true(info.dma_range[0].base == 0x7CE9D000 && info.dma_range[0].size == 0x23000);
	assert_true(info.dma_range[0].first == 0xA0 && info.dma_range[0].last == 0xA0);
	assert_true(info.dma_range[1].first == 0x300 && info.dma_range[1].last == 0xFFFF);
	for (unsigned int size = 1; size < sizeof(body) - 1; size++) {
		/* cut anywhere but between two structures, it is no table of units */
		put(t + 4, 4, 48 + size);
		end_table(t);
		assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
		assert_int_equal(info.iommu_count, size == 16 ? 1 : size == 32 || size == 40 ? 2 : 0);
	}
}

/* A unit told twice, aliases of one device and of a range, memory for all devices and for a range. */
static void test_ivrs(void **state)
{
	static const char body[] = "\x10\x00\x28\x00\x02\x00\x40\x00\x00\x00\xD8\xFE\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x42\x18\x00\0\0\x20\x00\0"
				   "\x02\x10\x00\0\0\0\0\0"
				   "\x11\x00\x45\x00\x02\x00\x40\x00\x00\x00\xD8\xFE\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x43\x00\x01\0\0\x28\x00\0\x04\xFF\x01\x00"
				   "\xF0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x20\x08\x20\x00\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x00\x00\xE0\x7C\0\0\0\0\x00\x10\0\0\0\0\0\0"
				   "\x22\x08\x20\x00\x10\0\x17\0\0\0\0\0\0\0\0\0"
				   "\x00\x00\xF0\x7C\0\0\0\0\x00\x20\0\0\0\0\0\0";
	hpa_t t;

	(void)state;
	put_madt();
	t = put_table("IVRS", body, sizeof(body) - 1);
	/* the entry with a name has the rest of its block */
	put(t + 48 + 40 + 2, 2, 40 + 12 + 22);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.iommu_count, 0); /* whose end is not where the next block begins */
	put(t + 48 + 40 + 2, 2, 40 + 12);
	put_bytes(t + 48 + 40 + 40 + 12, body + sizeof(body) - 1 - 64, 64);
	put(t + 4, 4, 48 + 40 + 52 + 64);
	end_table(t);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.ivrs == t && info.has_intr_remap);
	assert_int_equal(info.iommu_count, 1);
	assert_true(info.iommu[0].base == 0xFED80000 && info.iommu[0].bdf == 2 && info.iommu[0].segment == 0);
	assert_int_equal(info.alias_count, 2);
	assert_true(info.alias[0].first == 0x18 && info.alias[0].last == 0x18 && info.alias[0].alias == 0x20);
	assert_true(info.alias[1].first == 0x100 && info.alias[1].last == 0x1FF && info.alias[1].alias == 0x28);
	assert_int_equal(info.dma_range_count, 2);
	assert_true(info.dma_range[0].first == 0 && info.dma_range[0].last == 0xFFFF);
	assert_true(info.dma_range[1].base == 0x7CF00000 && info.dma_range[1].size == 0x2000);
	assert_true(info.dma_range[1].first == 0x10 && info.dma_range[1].last == 0x17);
	for (unsigned int size = 1; size < 40 + 52 + 64; size++) {
		put(t + 4, 4, 48 + size);
		end_table(t);
		assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
		assert_int_equal(info.iommu_count, size == 40 || size == 92 || size == 124 ? 1 : 0);
	}
}

/* An I/O APIC on bus 0xFF, one behind a bridge, a timer, the first said twice; AMD's way of saying one, and a timer. */
static void test_irq_sources(void **state)
{
	static const char dmar[] = "\x00\x00\x2A\x00\x01\x00\x00\x00\x00\x00\xD9\xFE\0\0\0\0"
				   "\x03\x08\0\0\x05\xFF\x1F\x07"
				   "\x03\x0A\0\0\x06\x02\x1C\x00\x00\x00\x04\x08\0\0\x00\xFF\x0F\x00"
				   "\x00\x00\x18\x00\x00\x00\x00\x00\x00\x10\xD9\xFE\0\0\0\0"
				   "\x03\x08\0\0\x05\x00\x01\x00";
	static const char ivrs[] = "\x10\x00\x28\x00\x02\x00\x40\x00\x00\x00\xD8\xFE\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x48\0\0\xD7\x05\xA0\x00\x01\x48\0\0\x00\x00\xA0\x00\x02";
	hpa_t t;

	(void)state;
	put_madt();
	t = put_table("DMAR", dmar, sizeof(dmar) - 1);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.iommu_count == 2 && info.irq_source_count == 1);
	assert_true(info.irq_source[0].ioapic_id == 5 && info.irq_source[0].bdf == 0xFFFF);
	put(t + 48 + 17, 1, 7); /* the first scope has no whole path */
	end_table(t);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.iommu_count == 0 && info.irq_source_count == 0);
	(void)put_table("IVRS", ivrs, sizeof(ivrs) - 1);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.irq_source_count == 1 && info.irq_source[0].ioapic_id == 5 && info.irq_source[0].bdf == 0xA0);
}

static void test_too_many_iommus(void **state)
{
	hpa_t t = new_table("DMAR", 48 + 65 * 16);

	(void)state;
	put_madt();
	for (unsigned int i = 0; i < 65; i++) {
		put(t + 48 + i * 16 + 2, 2, i < 64 ? 16 : 0);
		put(t + 48 + i * 16 + 8, 8, 0x1000 * i);
	}
	put(t + 4, 4, 48 + 64 * 16);
	end_table(t);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.iommu_count, 64);
	put(t + 48 + 64 * 16 + 2, 2, 16);
	put(t + 4, 4, 48 + 65 * 16);
	end_table(t);
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_int_equal(info.iommu_count, 0);
}

static int copy_tables(const char *const *hide, void *buf, size_t size, gpa_t gpa)
{
	return acpi_hide_tables(&access, &info, hide, &(struct acpi_copy){ buf, size, gpa });
}

static void test_hide(void **state)
{
	static const char *const hide[] = { "DMAR", "IVRS", NULL };
	uint8_t buf[1024];
	int used;

	(void)state;
	end_table(new_table("DMAR", 48));
	put_madt();
	end_table(new_table("IVRS", 48));
	end_table(new_table("HPET", 56));
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	assert_true(info.dmar != 0 && info.ivrs != 0);
	used = copy_tables(hide, buf, sizeof(buf), BASE + 0x10000);
	assert_in_range(used, 64 + 44, sizeof(buf));
	memcpy(at(BASE + 0x10000), buf, (size_t)used);
	assert_int_equal(acpi_parse(&access, BASE + 0x10000, &info), 0);
	assert_true(info.dmar == 0 && info.ivrs == 0);
	assert_int_equal(info.cpu_count, 3);
	assert_true(info.xsdt > BASE + 0x10000 && info.rsdt > BASE + 0x10000);
	assert_int_equal(table_size(info.xsdt), 36 + 16);
	assert_int_equal(table_size(info.rsdt), 36 + 8);
	assert_memory_equal(at(info.xsdt + 10), "TESTER", 6);
	/* What was copied can be used in place of the first: the RSDT alone too. */
	put(info.xsdt + 9, 1, 77);
	assert_int_equal(acpi_parse(&access, BASE + 0x10000, &info), 0);
	assert_true(info.xsdt == 0 && info.dmar == 0);
}

static void test_hide_room(void **state)
{
	static const char *const hide[] = { "DMAR", NULL };
	uint8_t buf[512];
	int used, ret;

	(void)state;
	put_madt();
	assert_int_equal(acpi_parse(&access, RSDP, &info), 0);
	used = copy_tables(hide, buf, sizeof(buf), 0x1000);
	for (int size = 0; size < used; size++) {
		uint8_t *exact = malloc((size_t)size + 1);

		ret = copy_tables(hide, exact, (size_t)size, 0x1000);
		assert_int_equal(ret, -ENOSPC);
		free(exact);
	}
	assert_int_equal(copy_tables(hide, buf, (size_t)used, 0x1000), used);
	/* Above 4 GiB there is only an XSDT. */
	ret = copy_tables(hide, buf, sizeof(buf), 1UL << 32);
	assert_in_range(ret, 64, used - 1);
	info.xsdt = 0;
	ret = copy_tables(hide, buf, sizeof(buf), 1UL << 32);
	assert_int_equal(ret, -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_madt),	   TEST(test_other_tables), TEST(test_fadt),
		TEST(test_old_fadt),	   TEST(test_sleep_packages), TEST(test_bad_tables),
		TEST(test_too_many_cpus), TEST(test_find),	    TEST(test_hide),
		TEST(test_hide_room),	   TEST(test_dmar), TEST(test_irq_sources),	    TEST(test_ivrs),
		TEST(test_too_many_iommus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
