/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's ACPI tables, made in this process: no compiler, no temporary file. They lie from ACPI_BASE on,
 * below 1 MiB, in memory that the memory map leaves out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ACPI_BASE	0xf2400u
#define ACPI_END	0x100000u

/* What the tables depend on. */
struct acpi_machine {
	unsigned int cpu_count;
	uint32_t apic_id[64];
	struct {
		uint16_t port;
		uint8_t irq;
		uint8_t number;	/* of com1.. */
	} uart[5];
	unsigned int uart_count;
	struct {
		uint8_t dev;
		uint8_t pin;	/* 0: A */
		uint8_t gsi;
	} intx[32];
	unsigned int intx_count;
	uint8_t lpc_dev;
	uint16_t pm_event, pm_control;	/* ports */
	uint16_t pm_timer;		/* 0: none */
	uint64_t ecam_base, ecam_size;
	struct {
		uint64_t first, last;	/* addresses that BARs may have, both included */
	} window[4];
	unsigned int window_count;
};

/*
 * Writes all tables for addresses from base on into buf[room]; the RSDP comes first. Returns the bytes used,
 * or 0 if the room is too small.
 */
size_t acpi_build(const struct acpi_machine *m, uint32_t base, uint8_t *buf, size_t room);

/* The machine as it is now: config, vCPUs, where PCI functions and power management are. */
void acpi_describe(struct acpi_machine *m);
/* Builds the tables of this VM in its memory. Returns 0 or -errno. */
int acpi_install(void);

/* --- the parts -------------------------------------------------------------------------------------- */

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");

void acpi_fill_header(void *table, const char *signature, uint8_t revision, uint32_t length);
uint8_t acpi_checksum(const void *data, size_t len);	/* what makes the sum 0 */

/* Each writes one table at buf[room] and returns its length, 0 if it does not fit. */
size_t acpi_build_madt(const struct acpi_machine *m, uint8_t *buf, size_t room);
size_t acpi_build_fadt(const struct acpi_machine *m, uint32_t facs, uint32_t dsdt, uint8_t *buf, size_t room);
size_t acpi_build_facs(uint8_t *buf, size_t room);
size_t acpi_build_hpet(uint8_t *buf, size_t room);
size_t acpi_build_mcfg(const struct acpi_machine *m, uint8_t *buf, size_t room);
size_t acpi_build_dsdt(const struct acpi_machine *m, uint8_t *buf, size_t room);
