/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The map of physical memory: sorted ranges that never overlap, neighbours of one type merged. What
 * lies in no range is no memory (MMIO or nothing). It is filled once at boot from the firmware's
 * map, then our own takings are written over it; the Service VM's map is what then remains.
 */
#pragma once

#include "lib/types.h"

#define MEMMAP_MAX_RANGES 256

/* The first five are the numbers of an e820 map. The last three are RAM that somebody holds. */
enum memmap_type {
	MEMMAP_RAM = 1,
	MEMMAP_RESERVED = 2,
	MEMMAP_ACPI = 3,
	MEMMAP_NVS = 4,
	MEMMAP_BAD = 5,
	MEMMAP_BOOT_SERVICES, /* held tables of the firmware: RAM for a guest, not for us */
	MEMMAP_MODULE, /* boot modules and boot information: RAM for a guest, not for us */
	MEMMAP_HYPERVISOR, /* ours for good: no guest sees it */
};

struct memmap_range {
	hpa_t base;
	uint64_t size;
	enum memmap_type type;
};

/* Some 6 KiB: keep it in static memory. An all-zero map is an empty one. */
struct memmap {
	uint32_t count;
	struct memmap_range ranges[MEMMAP_MAX_RANGES];
};

/*
 * Enters what the firmware says. Where it contradicts itself (overlapping ranges) the type that is
 * later in enum memmap_type stays. -EINVAL when the range wraps, -ENOSPC when the map is full.
 */
int memmap_add(struct memmap *map, hpa_t base, uint64_t size, enum memmap_type type);

/* Makes [base, base + size) that type, whatever it was before. Errors as memmap_add. */
int memmap_override(struct memmap *map, hpa_t base, uint64_t size, enum memmap_type type);

/*
 * Takes `size` bytes of MEMMAP_RAM, `align`ed (a power of two), that end at or below `limit`, as
 * high as possible and never page 0; they become `type`. HPA_INVALID when there is no such block.
 */
hpa_t memmap_allocate(struct memmap *map, uint64_t size, uint64_t align, hpa_t limit,
		      enum memmap_type type);

/*
 * The lowest aligned address at or above `from` where `size` bytes are all MEMMAP_RAM and end at or
 * below `limit`; nothing is taken. HPA_INVALID when there is none.
 */
hpa_t memmap_find_free(const struct memmap *map, uint64_t size, uint64_t align, hpa_t from,
		       hpa_t limit);

/* The range that holds this address, or NULL. */
const struct memmap_range *memmap_find(const struct memmap *map, hpa_t at);

/* Bytes of that type. */
uint64_t memmap_total(const struct memmap *map, enum memmap_type type);

/* The end of the highest memory of any type but MEMMAP_RESERVED (which may be MMIO). */
hpa_t memmap_top(const struct memmap *map);

/* What an e820 map calls the type: held RAM is RAM again, the hypervisor's is reserved. */
enum memmap_type memmap_e820_type(enum memmap_type type);
