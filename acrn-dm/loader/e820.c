/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *   0          RAM
 *   0xA0000    not listed: the ACPI tables from 0xF2400
 *   1 MiB      RAM, up to lowmem; then the hole with the 32-bit BARs
 *   0xE0000000 reserved: ECAM, I/O APIC, HPET, LAPIC
 *   4 GiB      RAM, highmem bytes
 */
#include "loader/e820.h"

unsigned int e820_build(struct e820_entry e[E820_MAX], uint64_t lowmem, uint64_t highmem)
{
	unsigned int n = 0;

	e[n++] = (struct e820_entry){ 0, 0xa0000, E820_RAM };
	e[n++] = (struct e820_entry){ 0x100000, lowmem - 0x100000, E820_RAM };
	e[n++] = (struct e820_entry){ 0xe0000000u, 0x20000000u, E820_RESERVED };
	if (highmem)
		e[n++] = (struct e820_entry){ 1ull << 32, highmem, E820_RAM };
	return n;
}

unsigned int e820_ram(struct e820_entry e[E820_MAX], uint64_t lowmem, uint64_t highmem)
{
	unsigned int n = 0;

	e[n++] = (struct e820_entry){ 0, lowmem, E820_RAM };
	if (highmem)
		e[n++] = (struct e820_entry){ 1ull << 32, highmem, E820_RAM };
	return n;
}
