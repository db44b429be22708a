/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory map that guests get: see loader/e820.c for the picture. */
#pragma once

#include <stdint.h>

#define E820_MAX	8
#define E820_RAM	1u
#define E820_RESERVED	2u

struct e820_entry {
	uint64_t base, size;
	uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct e820_entry) == 20, "as in struct boot_params");

/* Fills in entries for a VM of that much low and high memory; returns how many. */
unsigned int e820_build(struct e820_entry e[E820_MAX], uint64_t lowmem, uint64_t highmem);
/* The same for firmware, which makes the guest's map itself: only what is RAM. */
unsigned int e820_ram(struct e820_entry e[E820_MAX], uint64_t lowmem, uint64_t highmem);
