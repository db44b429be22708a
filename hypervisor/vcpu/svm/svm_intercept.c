/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The permission bitmaps. I/O: one bit a port, 12 KiB (the last is for accesses that run over the
 * end). MSR: two bits an MSR (read, write) in three ranges of 8192, 8 KiB; an MSR outside the ranges
 * always exits. Source: APM 2 15.10.1, 15.11.
 */
#include "hw/paging.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vcpu/svm/svm.h"

#define IOPM_PAGES 3U
#define MSRPM_PAGES 2U
#define MSRS_PER_RANGE 0x2000U

/*
 * Bitmaps are contiguous, which the pool gives from its fresh end only: a destroyed VM's pair waits
 * here for the next VM.
 */
static struct spinlock spare_lock; /* below a VM's lock, above the page pool's */
static uint8_t *spare;

int svm_group_init(struct vcpu_group *group)
{
	uint8_t *pages;

	spinlock_lock(&spare_lock);
	pages = spare;
	if (pages != NULL)
		spare = *(uint8_t **)pages;
	spinlock_unlock(&spare_lock);
	if (pages == NULL)
		pages = page_pool_alloc_contig(&host_pool, IOPM_PAGES + MSRPM_PAGES);
	if (pages == NULL)
		return -ENOMEM;
	memset(pages, 0xFF, (IOPM_PAGES + MSRPM_PAGES) * PAGE_SIZE);
	group->io_bitmap = pages;
	group->msr_bitmap = pages + IOPM_PAGES * PAGE_SIZE;
	group->io_bitmap_hpa = page_pool_to_hpa(&host_pool, group->io_bitmap);
	group->msr_bitmap_hpa = page_pool_to_hpa(&host_pool, group->msr_bitmap);
	return 0;
}

void svm_group_free(struct vcpu_group *group)
{
	spinlock_lock(&spare_lock);
	*(uint8_t **)group->io_bitmap = spare;
	spare = group->io_bitmap;
	spinlock_unlock(&spare_lock);
	group->io_bitmap = NULL;
	group->msr_bitmap = NULL;
}

static void set_bit(uint8_t *map, uint32_t bit, bool on)
{
	uint8_t mask = (uint8_t)(1U << (bit % 8U));

	map[bit / 8U] = (uint8_t)(on ? map[bit / 8U] | mask : map[bit / 8U] & ~mask);
}

/* Bit number of an MSR's read intercept, or -1 when it has none. */
static int64_t msr_bit(uint32_t msr)
{
	static const uint32_t base[] = { 0, 0xC0000000U, 0xC0010000U };

	for (uint32_t i = 0; i < ARRAY_SIZE(base); i++)
		if (msr - base[i] < MSRS_PER_RANGE)
			return (int64_t)(i * MSRS_PER_RANGE + (msr - base[i])) * 2;
	return -1;
}

void svm_intercept(struct vcpu_group *group, enum intercept_kind kind, uint32_t first,
		   uint32_t count, bool on)
{
	for (uint32_t i = 0; i < count; i++) {
		int64_t bit;

		if (kind == INTERCEPT_PORT) {
			set_bit(group->io_bitmap, first + i, on);
			continue;
		}
		bit = msr_bit(first + i);
		if (bit >= 0)
			set_bit(group->msr_bitmap,
				(uint32_t)bit + (kind == INTERCEPT_MSR_WRITE ? 1U : 0U), on);
	}
}
