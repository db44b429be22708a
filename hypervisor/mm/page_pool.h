/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hypervisor's one source of pages after start: a block of RAM taken at boot, handed out in
 * 4 KiB pages, zeroed. Pure: the pool sees memory through the virtual address of its first page.
 */
#pragma once

#include "lib/spinlock.h"
#include "lib/types.h"

struct page_pool {
	struct spinlock lock; /* innermost: nothing is taken under it */
	uint8_t *base;	      /* virtual address of the block */
	hpa_t base_hpa;
	size_t pages;	/* pages in the block */
	size_t used;	/* pages handed out now */
	size_t fresh;	/* pages [fresh, pages) were never handed out */
	void *free;	/* chain through the first word of freed pages */
};

/* The block [base_hpa, base_hpa + pages * 4096) is visible at base; all of it becomes the pool's. */
void page_pool_init(struct page_pool *pool, void *base, hpa_t base_hpa, size_t pages);

/* A zeroed page, or NULL when the pool is empty. */
void *page_pool_alloc(struct page_pool *pool);

/* count zeroed pages that lie side by side (from the never used end), or NULL. */
void *page_pool_alloc_contig(struct page_pool *pool, size_t count);

void page_pool_free(struct page_pool *pool, void *page);

/* Free pages now. */
size_t page_pool_available(struct page_pool *pool);

/* Between the two names of a byte of the block; the argument must lie in it. */
static inline hpa_t page_pool_to_hpa(const struct page_pool *pool, const void *page)
{
	return pool->base_hpa + (hpa_t)((const uint8_t *)page - pool->base);
}

static inline void *page_pool_to_virt(const struct page_pool *pool, hpa_t hpa)
{
	return pool->base + (hpa - pool->base_hpa);
}
