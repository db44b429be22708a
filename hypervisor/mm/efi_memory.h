/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The firmware's memory map in its own words (UEFI 2.10, 7.2.3). Descriptors lie `descriptor_size`
 * bytes apart, which is more than sizeof(struct efi_memory_descriptor) on real firmware: never
 * index them as an array of the struct.
 */
#pragma once

#include "mm/memmap.h"

enum efi_memory_type {
	EFI_MEMORY_RESERVED = 0,
	EFI_MEMORY_LOADER_CODE = 1,
	EFI_MEMORY_LOADER_DATA = 2,
	EFI_MEMORY_BOOT_CODE = 3,
	EFI_MEMORY_BOOT_DATA = 4,
	EFI_MEMORY_RUNTIME_CODE = 5,
	EFI_MEMORY_RUNTIME_DATA = 6,
	EFI_MEMORY_CONVENTIONAL = 7,
	EFI_MEMORY_UNUSABLE = 8,
	EFI_MEMORY_ACPI_RECLAIM = 9,
	EFI_MEMORY_ACPI_NVS = 10,
	EFI_MEMORY_MMIO = 11,
	EFI_MEMORY_MMIO_PORTS = 12,
	EFI_MEMORY_PAL = 13,
	EFI_MEMORY_PERSISTENT = 14,
};

#define EFI_MEMORY_ATTRIBUTE_WB 0x8u
#define EFI_MEMORY_ATTRIBUTE_RUNTIME (1ull << 63)

struct efi_memory_descriptor {
	uint32_t type;
	uint32_t pad;
	uint64_t physical;
	uint64_t virtual;
	uint64_t pages; /* of 4096 bytes */
	uint64_t attribute;
};

_Static_assert(sizeof(struct efi_memory_descriptor) == 40, "UEFI 2.10, 7.2.3");

/* A map of `size` bytes whose descriptors lie `entry_size` bytes apart. */
struct efi_memory_map {
	const void *at;
	uint64_t size;
	uint32_t entry_size;
};

/* What the descriptor's memory is to us. RAM without write-back is reserved. */
enum memmap_type efi_memory_type(const struct efi_memory_descriptor *descriptor);

/* Room in bytes that is enough for efi_memory_filter. */
uint64_t efi_memory_filter_room(const struct efi_memory_map *from, const struct memmap *memmap);

/*
 * Writes the map as a guest shall see it to `to` and returns its size: the firmware's descriptors,
 * cut where *memmap says that RAM has another owner now. What is the hypervisor's becomes reserved,
 * what is kept for the guest (MEMMAP_MODULE) loader data, and so on: a kernel that looks for a free
 * place in this map alone must not find one of ours. 0 when `room` is too small.
 */
uint64_t efi_memory_filter(const struct efi_memory_map *from, const struct memmap *memmap, void *to, uint64_t room);
