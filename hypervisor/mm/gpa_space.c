/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory through its nested table. A change locks, edits, unlocks, and only then flushes: the
 * flush waits for other CPUs, which may themselves be waiting for the lock. Tables that became empty
 * go back to the pool after the flush, since hardware or a reader here may still be inside them.
 */
#include "mm/gpa_space.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

int gpa_space_init(struct gpa_space *space, const struct pgtable_format *format,
		   struct page_pool *pool)
{
	*space = (struct gpa_space){ 0 };
	spinlock_init(&space->lock);
	int ret = pgtable_init(&space->pt, format, pool);

	space->pt.defer = true;
	return ret;
}

void gpa_space_destroy(struct gpa_space *space)
{
	pgtable_destroy(&space->pt);
}

/* The end of each change; the lock is held on entry and released. */
static void finish_change(struct gpa_space *space)
{
	void *limbo = pgtable_take_limbo(&space->pt);
	bool stale = space->pt.stale;

	space->pt.stale = false;
	atomic_store(&space->generation, space->generation + 1U);
	spinlock_unlock(&space->lock);
	if (stale && space->flush != NULL)
		space->flush(space);
	pgtable_free_limbo(&space->pt, limbo);
}

int gpa_space_map(struct gpa_space *space, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot)
{
	int ret;

	spinlock_lock(&space->lock);
	ret = pgtable_map(&space->pt, gpa, hpa, size, prot);
	finish_change(space);
	return ret;
}

int gpa_space_unmap(struct gpa_space *space, gpa_t gpa, uint64_t size)
{
	int ret;

	spinlock_lock(&space->lock);
	ret = pgtable_unmap(&space->pt, gpa, size);
	finish_change(space);
	return ret;
}

int gpa_space_protect(struct gpa_space *space, gpa_t gpa, uint64_t size, unsigned int prot)
{
	int ret;

	spinlock_lock(&space->lock);
	ret = pgtable_protect(&space->pt, gpa, size, prot);
	finish_change(space);
	return ret;
}

bool gpa_space_split(struct gpa_space *space, gpa_t gpa)
{
	struct pgtable_leaf leaf;

	if (!pgtable_lookup(&space->pt, gpa, &leaf) || (leaf.prot & PG_EXEC) == 0U ||
	    gpa_space_translate(space, gpa, PG_EXEC) != HPA_INVALID)
		return false;
	return gpa_space_protect(space, ALIGN_DOWN(gpa, PAGE_SIZE), PAGE_SIZE, leaf.prot) == 0;
}

hpa_t gpa_space_translate(struct gpa_space *space, gpa_t gpa, unsigned int prot)
{
	return likely(gpa >> 48 == 0U) ? pgtable_translate(&space->pt, gpa, prot) : HPA_INVALID;
}

bool gpa_space_is_mapped(struct gpa_space *space, gpa_t gpa, uint64_t size, unsigned int prot)
{
	struct pgtable_leaf leaf;

	if (!range_within(gpa, size, 0, 1UL << 48))
		return false;
	for (uint64_t part; size != 0U; gpa += part, size -= part) {
		if (!pgtable_lookup(&space->pt, gpa, &leaf) || (leaf.prot & prot) != prot)
			return false;
		part = MIN(size, leaf.page_size - (gpa & (leaf.page_size - 1U)));
	}
	return true;
}

/* What can be copied at once: the host's address of gpa, and *part <= size bytes of its page. */
static void *locate(struct gpa_space *space, gpa_t gpa, unsigned int prot, size_t size,
		    size_t *part)
{
	hpa_t hpa = gpa_space_translate(space, gpa, prot);

	*part = MIN(size, PAGE_SIZE - (gpa & (PAGE_SIZE - 1U)));
	return hpa == HPA_INVALID ? NULL : space->to_virt(hpa);
}

static void copy_part(struct gpa_space *space, void *dst, const void *src, size_t size)
{
	if (space->copy != NULL)
		space->copy(dst, src, size);
	else
		memcpy(dst, src, size);
}

int gpa_space_read(struct gpa_space *space, gpa_t gpa, void *buf, size_t size)
{
	uint8_t *to = buf;

	for (size_t part; size != 0U; gpa += part, to += part, size -= part) {
		const void *from = locate(space, gpa, PG_READ, size, &part);

		if (unlikely(from == NULL))
			return -EFAULT;
		copy_part(space, to, from, part);
	}
	return 0;
}

int gpa_space_write(struct gpa_space *space, gpa_t gpa, const void *buf, size_t size)
{
	const uint8_t *from = buf;

	for (size_t part; size != 0U; gpa += part, from += part, size -= part) {
		void *to = locate(space, gpa, PG_WRITE, size, &part);

		if (unlikely(to == NULL))
			return -EFAULT;
		copy_part(space, to, from, part);
	}
	return 0;
}
