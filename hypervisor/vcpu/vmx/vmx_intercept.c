/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The permission bitmaps. I/O: one bit a port, two pages. MSR: one page, a kilobyte each for reads of
 * 0 to 1FFFH, reads of C0000000H to C0001FFFH, and the same for writes; an MSR outside the ranges
 * always exits. Source: SDM 3C 25.6.4, 25.6.9.
 *
 * An x2APIC's MSR that does not exit is the virtual one's only while the VMCS says so; else it is the
 * machine's own. So there are two pages, alike but for these, and each VMCS has the one that fits it.
 */
#include "hw/paging.h"
#include "lib/errno.h"
#include "vcpu/vmx/vmx.h"

#define IO_PAGES 2U
#define MSR_PAGES 2U /* the second one for vCPUs whose x2APIC the CPU is */
#define MSRS_PER_RANGE 0x2000U
#define RANGE_HIGH 0x2000U /* in bits */
#define RANGE_WRITE 0x4000U
#define BITS_PER_PAGE (8U * PAGE_SIZE)

/* What the CPU answers from the virtual-APIC page (SDM 3C 30.5), of what a local APIC has. */
static const struct {
	uint16_t first, last; /* offsets of registers */
	bool is_write;
} x2apic_own[] = {
	{ APIC_ID, APIC_VERSION, false },
	{ APIC_TPR, APIC_TPR, false },
	{ APIC_PPR, APIC_PPR, false },
	{ APIC_LDR, APIC_LDR, false },
	{ APIC_SVR, APIC_SVR, false },
	{ APIC_ISR, APIC_ESR, false }, /* TMR and IRR too */
	{ APIC_LVT_CMCI, APIC_ICR, false },
	{ APIC_LVT_TIMER, APIC_TIMER_INIT, false },
	{ APIC_TIMER_DIVIDE, APIC_TIMER_DIVIDE, false },
	{ APIC_TPR, APIC_TPR, true },
	{ APIC_EOI, APIC_EOI, true },
	{ APIC_SELF_IPI, APIC_SELF_IPI, true },
};

static void open_x2apic(struct vcpu_group *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(x2apic_own); i++)
		for (uint32_t offset = x2apic_own[i].first; offset <= x2apic_own[i].last; offset += 16U)
			vcpu_group_set_bit(group->msr_bitmap,
					   BITS_PER_PAGE + X2APIC_MSR(offset) +
						   (x2apic_own[i].is_write ? RANGE_WRITE : 0U),
					   false);
}

int vmx_group_init(struct vcpu_group *group)
{
	int err = vcpu_group_bitmaps(group, IO_PAGES, MSR_PAGES);

	if (err != 0)
		return err;
	open_x2apic(group);
	if (vmx_features.xapic == 0)
		return 0;
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

hpa_t vmx_msr_bitmap(const struct vcpu_group *group, bool is_x2apic)
{
	return group->msr_bitmap_hpa + (is_x2apic ? PAGE_SIZE : 0U);
}

static void intercept_msr(struct vcpu_group *group, uint32_t msr, bool is_write, bool on)
{
	int64_t bit = msr_bit(msr);

	for (uint32_t page = 0; bit >= 0 && page < MSR_PAGES; page++)
		vcpu_group_set_bit(group->msr_bitmap,
				   page * BITS_PER_PAGE + (uint32_t)bit + (is_write ? RANGE_WRITE : 0U), on);
}

void vmx_intercept(struct vcpu_group *group, enum intercept_kind kind, uint32_t first,
		   uint32_t count, bool on)
{
	for (uint32_t i = 0; i < count; i++) {
		if (kind == INTERCEPT_PORT)
			vcpu_group_set_bit(group->io_bitmap, first + i, on);
		else
			intercept_msr(group, first + i, kind == INTERCEPT_MSR_WRITE, on);
	}
}
