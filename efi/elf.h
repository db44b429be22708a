/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The hypervisor's image: a static 64-bit ELF file for x86 whose segments' physical addresses only
 * say how they lie to each other, as the hypervisor runs from any 2 MiB boundary. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct elf_layout {
	uint64_t base; /* the lowest physical address the file names, rounded down to `align` */
	uint64_t size; /* from there to the highest, with what starts as zeroes */
	uint64_t align; /* 2 MiB */
	uint64_t entry; /* the 64-bit entry, counted from `base` */
};

/* Checks the file and fills *layout. NULL, or what is wrong with it. */
const char *elf_read(const void *file, size_t size, struct elf_layout *layout);

/* Copies the segments of a file that elf_read has accepted to `to`, layout->size bytes. */
void elf_place(const void *file, const struct elf_layout *layout, void *to);
