/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Starts a Linux kernel in a VM whose guest-physical addresses are host-physical ones (the Service
 * VM), by the 32-bit boot protocol (Documentation/arch/x86/boot.rst). Pure: it chooses places in
 * the memory map and writes one block of parameters; the caller does the copies and sets the
 * registers.
 *
 *   parameter block:  zero page | GDT, command line | EFI memory map as the guest shall see it
 */
#pragma once

#include "lib/framebuffer.h"
#include "lib/types.h"
#include "mm/efi_memory.h"
#include "mm/memmap.h"

struct bzimage_source {
	hpa_t kernel; /* the file, and where it can be read */
	const uint8_t *kernel_data;
	uint64_t kernel_size;
	hpa_t initrd; /* size 0: none */
	uint64_t initrd_size;
	const char *cmdline;
	hpa_t rsdp; /* that the kernel shall use; 0: it searches */
	hpa_t efi_systab; /* 0: no EFI, and efi_map is not used */
	struct efi_memory_map efi_map;
	uint32_t efi_map_version;
	struct boot_framebuffer framebuffer;
};

struct bzimage_copy {
	hpa_t to;
	hpa_t from;
	uint64_t size; /* 0: nothing to copy */
};

/*
 * How the boot CPU starts: protected mode, paging off, interrupts off; CS 0x10 and DS, ES, SS 0x18
 * are flat 4 GiB segments of 32 bits; EBP, EDI, EBX are 0.
 */
struct bzimage_plan {
	struct bzimage_copy kernel;
	struct bzimage_copy initrd; /* only if it does not lie where the kernel can use it */
	hpa_t initrd_at;
	hpa_t params;
	uint64_t params_size;
	uint32_t eip;
	uint32_t esi; /* the zero page */
	hpa_t gdt;
	uint16_t gdt_limit;
};

#define BZIMAGE_CODE_SELECTOR 0x10
#define BZIMAGE_DATA_SELECTOR 0x18

/*
 * Checks the kernel and fills *plan. Takes the parameter block (and a new place for the initrd)
 * from *memmap as MEMMAP_MODULE: after this no more of it may become the hypervisor's. On error
 * (-EINVAL not a kernel we can start, -ENOMEM, -E2BIG the command line) *error is a sentence.
 */
int bzimage_plan(const struct bzimage_source *source, struct memmap *memmap,
		 struct bzimage_plan *plan, const char **error);

/*
 * Writes the parameter block to `params`, where plan->params_size bytes at plan->params can be
 * written. -E2BIG when the memory map has more ranges than a zero page holds (128).
 */
int bzimage_fill(const struct bzimage_source *source, const struct memmap *memmap,
		 const struct bzimage_plan *plan, void *params, const char **error);
