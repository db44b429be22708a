/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages of permission bitmaps. They are contiguous, which the pool gives from its fresh end only:
 * a destroyed VM's wait here for the next VM. All groups of one machine have the same number.
 */
#include "vcpu/vcpu_group.h"

#include "hw/paging.h"
#include "lib/errno.h"
#include "lib/string.h"

static struct spinlock spare_lock; /* below a VM's lock, above the page pool's */
static uint8_t *spare;

int vcpu_group_bitmaps(struct vcpu_group *group, unsigned int io_pages, unsigned int msr_pages)
{
	uint8_t *pages;

	spinlock_lock(&spare_lock);
	pages = spare;
	if (pages != NULL)
		spare = *(uint8_t **)pages;
	spinlock_unlock(&spare_lock);
	if (pages == NULL)
		pages = page_pool_alloc_contig(&host_pool, io_pages + msr_pages);
	if (pages == NULL)
		return -ENOMEM;
	memset(pages, 0xFF, (io_pages + msr_pages) * PAGE_SIZE);
	group->io_bitmap = pages;
	group->msr_bitmap = pages + io_pages * PAGE_SIZE;
	group->io_bitmap_hpa = page_pool_to_hpa(&host_pool, group->io_bitmap);
	group->msr_bitmap_hpa = page_pool_to_hpa(&host_pool, group->msr_bitmap);
	return 0;
}

void vcpu_group_free_bitmaps(struct vcpu_group *group)
{
	spinlock_lock(&spare_lock);
	*(uint8_t **)group->io_bitmap = spare;
	spare = group->io_bitmap;
	spinlock_unlock(&spare_lock);
	group->io_bitmap = NULL;
	group->msr_bitmap = NULL;
}

void vcpu_group_set_bit(uint8_t *map, uint32_t bit, bool on)
{
	uint8_t mask = (uint8_t)(1U << (bit % 8U));

	map[bit / 8U] = (uint8_t)(on ? map[bit / 8U] | mask : map[bit / 8U] & ~mask);
}
