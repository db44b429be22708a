/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernels in 32-bit ELF, as -E gives them: with a multiboot header (version 1) or without. Entered at their entry point
 * in 32-bit protected mode with flat segments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acrn_vcpu_regs;

#define ELF_SEGMENTS_MAX	16u
#define ELF_HEAD_SIZE		8192u	/* of the file: program headers and multiboot header lie in it */

struct elf_segment {
	uint64_t offset, file_size;	/* in the file */
	uint64_t gpa, size;		/* size >= file_size: the rest is zeros */
};

struct elf_plan {
	struct elf_segment segment[ELF_SEGMENTS_MAX];
	unsigned int count;
	uint32_t entry;
	bool multiboot;
};

/*
 * Reads the first head_len bytes of a file of file_size bytes, for a VM with that much low memory. Returns NULL and
 * fills in *plan, or returns the reason why the file cannot be started.
 */
const char *elf_plan(const uint8_t *head, size_t head_len, uint64_t file_size, uint64_t lowmem, struct elf_plan *plan);

/* The file that config names: each 0 or -errno (logged). */
int elf_open(void);
int elf_load(struct acrn_vcpu_regs *regs);
void elf_close(void);
