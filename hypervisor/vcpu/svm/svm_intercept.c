/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The permission bitmaps. I/O: one bit a port, 12 KiB (the last is for accesses that run over the
 * end). MSR: two bits an MSR (read, write) in three ranges of 8192, 8 KiB; an MSR outside the ranges
 * always exits. Source: APM 2 15.10.1, 15.11.
 */
#include "vcpu/svm/svm.h"

#define IOPM_PAGES 3U
#define MSRPM_PAGES 2U
#define MSRS_PER_RANGE 0x2000U

int svm_group_init(struct vcpu_group *group)
{
	return vcpu_group_bitmaps(group, IOPM_PAGES, MSRPM_PAGES);
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
			vcpu_group_set_bit(group->io_bitmap, first + i, on);
			continue;
		}
		bit = msr_bit(first + i);
		if (bit >= 0)
			vcpu_group_set_bit(group->msr_bitmap,
					   (uint32_t)bit + (kind == INTERCEPT_MSR_WRITE ? 1U : 0U),
					   on);
	}
}
