/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Free pages form a chain through their first words; pages never handed out need no chain, so that
 * a pool of gigabytes is ready at once. Pages are cleared when they leave, outside the lock.
 */
#include "mm/page_pool.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "lib/util.h"

void page_pool_init(struct page_pool *pool, void *base, hpa_t base_hpa, size_t pages)
{
	ASSERT(IS_ALIGNED((uintptr_t)base, PAGE_SIZE) && IS_ALIGNED(base_hpa, PAGE_SIZE));
	*pool = (struct page_pool){ .base = base, .base_hpa = base_hpa, .pages = pages };
	spinlock_init(&pool->lock);
}

void *page_pool_alloc(struct page_pool *pool)
{
	void *page = NULL;

	spinlock_lock(&pool->lock);
	if (pool->free != NULL) {
		page = pool->free;
		pool->free = *(void **)page;
	} else if (pool->fresh < pool->pages) {
		page = pool->base + pool->fresh++ * PAGE_SIZE;
	}
	if (page != NULL)
		pool->used++;
	spinlock_unlock(&pool->lock);
	if (page != NULL)
		memset(page, 0, PAGE_SIZE);
	return page;
}

void *page_pool_alloc_contig(struct page_pool *pool, size_t count)
{
	void *first = NULL;

	spinlock_lock(&pool->lock);
	if (count != 0U && count <= pool->pages - pool->fresh) {
		first = pool->base + pool->fresh * PAGE_SIZE;
		pool->fresh += count;
		pool->used += count;
	}
	spinlock_unlock(&pool->lock);
	if (first != NULL)
		memset(first, 0, count * PAGE_SIZE);
	return first;
}

void page_pool_free(struct page_pool *pool, void *page)
{
	size_t offset = (size_t)((uint8_t *)page - pool->base);

	ASSERT(IS_ALIGNED(offset, PAGE_SIZE) && offset / PAGE_SIZE < pool->fresh);
	spinlock_lock(&pool->lock);
	ASSERT(pool->used != 0U && page != pool->free);
	*(void **)page = pool->free;
	pool->free = page;
	pool->used--;
	spinlock_unlock(&pool->lock);
}

size_t page_pool_available(struct page_pool *pool)
{
	size_t available;

	spinlock_lock(&pool->lock);
	available = pool->pages - pool->used;
	spinlock_unlock(&pool->lock);
	return available;
}
