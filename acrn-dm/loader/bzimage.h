/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the parts of a Linux kernel go, as arithmetic on the first bytes of the file: nothing is loaded here.
 * A kernel is the administrator's file, but a truncated one must end in a sentence, so every number is
 * checked.
 */
#pragma once

#include <stdint.h>

#define BZIMAGE_HEAD_SIZE	1024u	/* of the file, enough for the setup header */

/* What is to be placed, and where. */
struct bzimage_sizes {
	uint64_t kernel;	/* the whole file */
	uint64_t initrd;	/* 0: none */
	uint64_t lowmem, highmem;
};

struct bzimage_plan {
	uint64_t payload_offset;	/* in the file */
	uint64_t payload_size;
	uint64_t entry;			/* = where the payload goes */
	uint64_t initrd;		/* 0 if there is none */
	uint64_t gdt, cmdline, zeropage;	/* a page each */
	uint32_t cmdline_max;		/* bytes without the final NUL */
};

/*
 * head: the first head_len bytes of the kernel's file. Returns NULL and fills in *plan, or returns the
 * reason why the kernel cannot be started.
 */
const char *bzimage_plan(const uint8_t *head, uint64_t head_len, const struct bzimage_sizes *sizes,
			 struct bzimage_plan *plan);

/* Writes struct boot_params into the 4096 bytes at zeropage, for a plan made from the same head. */
void bzimage_fill_zeropage(uint8_t *zeropage, const uint8_t *head, const struct bzimage_plan *plan,
			   const struct bzimage_sizes *sizes);
