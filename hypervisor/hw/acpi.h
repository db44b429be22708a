/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the firmware's ACPI tables say about the machine. Pure: tables are read through a callback
 * that gives a pointer to size bytes of physical memory or NULL. Every length is checked against
 * its table, every checksum is verified; a bad table is skipped with its reason in the log.
 * Source: ACPI 6.5 chapter 5; PCI Firmware 3.3 4.1.2.
 */
#pragma once

#include "lib/types.h"

#define ACPI_MAX_CPUS 64U
#define ACPI_MAX_IOAPICS 16U
#define ACPI_MAX_OVERRIDES 32U
#define ACPI_MAX_ECAM 8U
#define ACPI_MAX_IOMMUS 64U
#define ACPI_MAX_DMA_RANGES 32U
#define ACPI_MAX_ALIASES 64U
#define ACPI_NO_BDF 0xFFFFU

struct acpi_access {
	/* size bytes at hpa, valid until the next call; NULL: not readable. */
	const void *(*map)(hpa_t hpa, size_t size);
};

struct acpi_gas { /* generic address structure, decoded */
	uint8_t space; /* 0 memory, 1 port */
	uint8_t bits;
	uint8_t access_size;
	uint64_t address; /* 0: absent */
};

struct acpi_info {
	hpa_t rsdp, xsdt, rsdt; /* 0 when absent */
	hpa_t lapic_base;
	bool has_8259;
	unsigned int cpu_count;
	struct {
		uint32_t apic_id, acpi_id;
	} cpu[ACPI_MAX_CPUS];
	unsigned int ioapic_count;
	struct {
		uint8_t id;
		uint32_t gsi_base;
		hpa_t base;
	} ioapic[ACPI_MAX_IOAPICS];
	unsigned int override_count;
	struct {
		uint8_t irq;
		uint32_t gsi;
		uint16_t flags;
	} override[ACPI_MAX_OVERRIDES];
	unsigned int ecam_count;
	struct {
		hpa_t base;
		uint16_t segment;
		uint8_t bus_first, bus_last;
	} ecam[ACPI_MAX_ECAM];
	struct acpi_gas reset;
	uint8_t reset_value;
	struct acpi_gas pm1a_cnt, pm1b_cnt, pm1a_evt, pm_timer;
	uint16_t sci_irq;
	hpa_t hpet_base; /* 0: none */
	hpa_t facs, dsdt;
	/* SLP_TYPa/b of \_S5 and \_S3 found in the DSDT/SSDT's AML; has_* tells. */
	bool has_s5, has_s3;
	uint8_t s5_typ[2], s3_typ[2];
	hpa_t dmar, ivrs; /* addresses of the tables, 0 when absent */
	/* IOMMUs: Intel's when there is a DMAR, else AMD's, which are PCI functions too. */
	unsigned int iommu_count;
	struct {
		hpa_t base;
		uint16_t segment;
		uint16_t bdf; /* ACPI_NO_BDF: none */
	} iommu[ACPI_MAX_IOMMUS];
	bool has_intr_remap; /* they may be used for interrupts too */
	/* As whom I/O APICs send interrupts. */
	unsigned int irq_source_count;
	struct {
		uint8_t ioapic_id;
		uint16_t bdf;
	} irq_source[ACPI_MAX_IOAPICS];
	/* Memory that firmware makes devices first..last use, whatever system runs (RMRR, IVMD). */
	unsigned int dma_range_count;
	struct {
		hpa_t base;
		uint64_t size;
		uint16_t first, last;
	} dma_range[ACPI_MAX_DMA_RANGES];
	/* Devices first..last whose requests carry the id alias. */
	unsigned int alias_count;
	struct {
		uint16_t first, last, alias;
	} alias[ACPI_MAX_ALIASES];
};

/*
 * Reads everything from the RSDP at rsdp. 0; -ENOENT: no usable RSDP, or no MADT with a CPU; -E2BIG:
 * too many CPUs.
 */
int acpi_parse(const struct acpi_access *access, hpa_t rsdp, struct acpi_info *info);

/* Looks for the RSDP where BIOS puts it (EBDA, 0xE0000-0xFFFFF). 0 when there is none. */
hpa_t acpi_find_rsdp(const struct acpi_access *access);

/* Where a copy of tables goes: size bytes at buf, which the guest will see at gpa. */
struct acpi_copy {
	void *buf;
	size_t size;
	gpa_t gpa;
};

/*
 * Makes a copy of RSDP, RSDT and XSDT without the tables whose signatures (4 letters each, NULL at
 * the end) are in hide. It begins with the new RSDP; the others follow, aligned to 64 bytes.
 * Returns bytes used, or -ENOSPC, -ENOENT.
 */
int acpi_hide_tables(const struct acpi_access *access, const struct acpi_info *info,
		     const char *const *hide, const struct acpi_copy *copy);
