/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * What the boot loader told us, checked and out of its format. Addresses are physical; the two
 * memory maps and the RSDP stay inside the loader's block, which is kept as MEMMAP_MODULE.
 */
#pragma once

#include "lib/framebuffer.h"
#include "lib/types.h"

#define BOOT_CMDLINE_SIZE 512
#define BOOT_LOADER_SIZE 64
#define BOOT_NAME_SIZE 16
#define BOOT_MAX_MODULES 8

struct boot_module {
	hpa_t base;
	uint64_t size;
	char name[BOOT_NAME_SIZE]; /* the first word of its string */
};

/* Entries lie entry_size bytes apart, which may be more than the structs we know. */
struct boot_table {
	hpa_t base; /* 0: not given */
	uint32_t size;
	uint32_t entry_size;
};

struct boot_info {
	hpa_t base; /* of the loader's block */
	uint32_t size;
	char cmdline[BOOT_CMDLINE_SIZE];
	char loader[BOOT_LOADER_SIZE];
	uint32_t num_modules;
	struct boot_module modules[BOOT_MAX_MODULES];
	struct boot_table mmap; /* of struct mb2_mmap_entry */
	struct boot_table efi_mmap; /* of struct efi_memory_descriptor */
	uint32_t efi_mmap_version;
	hpa_t efi_systab; /* 0: not started by 64-bit EFI */
	hpa_t rsdp; /* a copy of it; 0: search for it */
	struct boot_framebuffer framebuffer;
};

/* The module with that name, or NULL. */
const struct boot_module *boot_info_module(const struct boot_info *info, const char *name);
