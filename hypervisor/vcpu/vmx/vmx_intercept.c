/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The permission bitmaps. I/O: one bit a port, two pages. MSR: one page, a kilobyte each for reads of
 * 0 to 1FFFH, reads of C0000000H to C0001FFFH, and the same for writes; an MSR outside the ranges
 * always exits. Source: SDM 3C 25.6.4, 25.6.9.
 */
#include "hw/paging.h"
#include "lib/errno.h"
#include "vcpu/vmx/vmx.h"

#define IO_PAGES 2U
#define MSR_PAGES 1U
#define MSRS_PER_RANGE 0x2000U
#define RANGE_HIGH 0x2000U /* in bits */
#define RANGE_WRITE 0x4000U

int vmx_group_init(struct vcpu_group *group)
{
	int err = vcpu_group_bitmaps(group, IO_PAGES, MSR_PAGES);

	if (err != 0 || !vmx_features.has_apic)
		return err;
	group->apic_page = page_pool_alloc(&host_pool);
	if (group->apic_page == NULL) {
		vcpu_group_free_bitmaps(group);
		return -ENOMEM;
	}
	group->apic_page_hpa = page_pool_to_hpa(&host_pool, group->apic_page);
	return 0;
}

void vmx_group_free(struct vcpu_group *group)
{
	vcpu_group_free_bitmaps(group);
	if (group->apic_page != NULL)
		page_pool_free(&host_pool, group->apic_page);
	group->apic_page = NULL;
}

/* Bit number of an MSR's read intercept, or -1 when it has none. */
static int64_t msr_bit(uint32_t msr)
{
	if (msr < MSRS_PER_RANGE)
		return msr;
	if (msr - 0xC0000000U < MSRS_PER_RANGE)
		return RANGE_HIGH + (msr - 0xC0000000U);
	return -1;
}

void vmx_intercept(struct vcpu_group *group, enum intercept_kind kind, uint32_t first,
		   uint32_t count, bool on)
{
	for (uint32_t i = 0; i < count; i++) {
		int64_t bit;

		if (kind == INTERCEPT_PORT) {
			vcpu_group_set_bit(group->io_bitmap, first + i, on);
			continue;
		}
		bit = msr_bit(first + i);
		if (bit >= 0)
			vcpu_group_set_bit(group->msr_bitmap,
					   (uint32_t)bit +
						   (kind == INTERCEPT_MSR_WRITE ? RANGE_WRITE : 0U),
					   on);
	}
}
