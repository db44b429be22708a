/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The physical I/O APICs of the MADT. The hypervisor alone writes their redirection entries (RTE);
 * what the Service VM writes into its virtual ones is mirrored by vm/ptirq. Entries start masked.
 */
#pragma once

#include "lib/types.h"
#include "x86/apic.h"

#define MAX_IOAPICS 16U

/* Finds all I/O APICs, masks every pin. Returns how many. After paging and ACPI. */
unsigned int ioapic_init(void);

unsigned int ioapic_count(void);
uint8_t ioapic_id(unsigned int ioapic);
hpa_t ioapic_base(unsigned int ioapic);
uint32_t ioapic_gsi_base(unsigned int ioapic);
unsigned int ioapic_pins(unsigned int ioapic);
uint32_t ioapic_version(unsigned int ioapic); /* the register, as read */

uint64_t ioapic_rte_read(unsigned int ioapic, unsigned int pin);

/* Writes both halves so that no half-changed entry is ever unmasked. */
void ioapic_rte_write(unsigned int ioapic, unsigned int pin, uint64_t rte);

void ioapic_mask(unsigned int ioapic, unsigned int pin);
void ioapic_unmask(unsigned int ioapic, unsigned int pin);

/* A masked level pin's interrupt is over, where no EOI of a local APIC says so. */
void ioapic_end(unsigned int ioapic, unsigned int pin);

/* The I/O APIC and pin of a GSI; false when there is none. */
bool ioapic_find_gsi(uint32_t gsi, unsigned int *ioapic, unsigned int *pin);

/* Both 8259s: vectors moved to 0x20-0x2F, everything masked, for good. */
void i8259_disable(void);
