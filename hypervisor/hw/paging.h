/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hypervisor's own address space. Never map a page executable and writable.
 *
 *   0xFFFF800000000000  direct map of physical memory, NX: RAM that is not ours with the user bit
 *                       (so SMAP guards it), ours and firmware's tables supervisor, MMIO when
 *                       it is asked for
 *   0xFFFFFFFF80000000  the image: text R-X, rodata R--, data RW-
 *   0xFFFFFFFFC0000000  stacks of CPUs 1 and up, 32 KiB apart, the lower half of each not mapped
 */
#pragma once

#include "mm/pgtable.h"

#define DIRECT_MAP_BASE 0xFFFF800000000000UL
#define DIRECT_MAP_SIZE (1UL << 46)
#define IMAGE_BASE 0xFFFFFFFF80000000UL
#define STACK_WINDOW_BASE 0xFFFFFFFFC0000000UL

/* Where the image really lies: physical address of IMAGE_BASE. Set by entry.S. */
extern uint64_t image_load_base;

/* The pool that every page of the hypervisor's comes from. */
extern struct page_pool host_pool;

/* Address in the direct map. Whether it is mapped is another question: all RAM is. */
static inline void *phys_to_virt(hpa_t hpa)
{
	return (void *)(DIRECT_MAP_BASE + hpa);
}

/* Of an address in the direct map or in the image (not of a stack in the stack window). */
static inline hpa_t virt_to_phys(const void *p)
{
	uint64_t va = (uint64_t)p;

	return va >= IMAGE_BASE ? va - IMAGE_BASE + image_load_base : va - DIRECT_MAP_BASE;
}

/* What paging_init() maps besides the image; sorted or not, no overlaps. */
struct paging_range {
	hpa_t base;
	uint64_t size;
	bool is_guest; /* RAM that a guest may own: user bit */
};

/*
 * Builds the tables from the pool at [pool, pool + pool_size) and switches to them. Ranges are cut
 * to whole pages inwards. Panics when the pool is too small.
 */
void paging_init(const struct paging_range *ranges, size_t count, hpa_t pool, uint64_t pool_size);

/* Loads the same tables on another CPU. */
void paging_init_cpu(void);

/* Maps the pages of a device, PG_UC or PG_WC, and returns where. Panics when no page is left. */
void *paging_map_mmio(hpa_t hpa, uint64_t size, unsigned int cache);

/* Maps memory of firmware's (ACPI tables) for reading. As above. */
const void *paging_map_firmware(hpa_t hpa, uint64_t size);

/* Maps the stack of a CPU and returns its lowest address. Panics when no page is left. */
void *paging_map_stack(unsigned int cpu);

/* The tables, for the self-test and for dumps. */
const struct pgtable *paging_tables(void);

/* Physical range of the image, whole pages. */
hpa_t paging_image_start(void);
hpa_t paging_image_end(void);
