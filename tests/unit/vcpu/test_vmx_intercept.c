/* SPDX-License-Identifier: BSD-3-Clause */
/* Which ports and MSRs a VMX guest has without an exit; no MSR of the machine's own x2APIC is among them. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "hw/paging.h"
#include "lib/errno.h"
#include "vcpu/vmx/vmx.h"
#include "x86/msr.h"

#define PAGES 4U

struct vmx_features vmx_features;
struct page_pool host_pool;

static uint8_t bitmaps[PAGES * PAGE_SIZE];
static uint8_t apic_page[PAGE_SIZE];
static struct vcpu_group group;
static bool is_full;
static unsigned int freed;

int vcpu_group_bitmaps(struct vcpu_group *g, unsigned int io_pages, unsigned int msr_pages)
{
	assert_true(io_pages + msr_pages <= PAGES);
	memset(bitmaps, 0xFF, sizeof(bitmaps));
	g->io_bitmap = bitmaps;
	g->msr_bitmap = bitmaps + io_pages * PAGE_SIZE;
	g->msr_bitmap_hpa = 0x42000;
	return 0;
}

void vcpu_group_free_bitmaps(struct vcpu_group *g)
{
	assert_ptr_equal(g, &group);
	freed++;
}

void vcpu_group_set_bit(uint8_t *map, uint32_t bit, bool on)
{
	uint8_t mask = (uint8_t)(1U << (bit % 8U));

	assert_true(map + bit / 8U < bitmaps + sizeof(bitmaps));
	map[bit / 8U] = (uint8_t)(on ? map[bit / 8U] | mask : map[bit / 8U] & ~mask);
}

void *page_pool_alloc(struct page_pool *pool)
{
	assert_ptr_equal(pool, &host_pool);
	return is_full ? NULL : apic_page;
}

void page_pool_free(struct page_pool *pool, void *page)
{
	assert_ptr_equal(pool, &host_pool);
	assert_ptr_equal(page, apic_page);
	freed++;
}

static int fresh(void **state)
{
	(void)state;
	memset(&group, 0, sizeof(group));
	vmx_features.xapic = VMX_CPU2_XAPIC;
	is_full = false;
	freed = 0;
	assert_int_equal(vmx_group_init(&group), 0);
	return 0;
}

/* Which bit belongs to an MSR: SDM 3C 25.6.9. */
static bool exits(bool is_x2apic, uint32_t msr, bool is_write)
{
	const uint8_t *map = group.msr_bitmap + (vmx_msr_bitmap(&group, is_x2apic) - group.msr_bitmap_hpa);
	uint32_t bit = (msr & 0x1FFF) + (msr >= 0xC0000000U ? 8192U : 0U) + (is_write ? 16384U : 0U);

	return (map[bit / 8] >> (bit % 8) & 1) != 0;
}

static void all_exits_but_what_the_cpu_keeps_of_an_x2apic(void **state)
{
	static const uint16_t read[] = { 0x802, 0x803, 0x808, 0x80A, 0x80D, 0x80F, 0x828, 0x82F, 0x830,
					 0x832, 0x833, 0x834, 0x835, 0x836, 0x837, 0x838, 0x83E };
	unsigned int open_reads = 0, open_writes = 0;

	(void)state;
	for (uint32_t i = 0; i < 0x4000; i++) {
		uint32_t msr = i < 0x2000 ? i : 0xC0000000U + i - 0x2000U;

		assert_true(exits(false, msr, false));
		assert_true(exits(false, msr, true));
		open_reads += !exits(true, msr, false);
		open_writes += !exits(true, msr, true);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(read); i++)
		assert_false(exits(true, read[i], false));
	for (uint32_t msr = 0x810; msr < 0x828; msr++)
		assert_false(exits(true, msr, false));
	assert_int_equal(open_reads, ARRAY_SIZE(read) + 24);
	assert_false(exits(true, 0x808, true));
	assert_false(exits(true, 0x80B, true));
	assert_false(exits(true, 0x83F, true));
	assert_int_equal(open_writes, 3);
	assert_true(bitmaps[0] == 0xFF && bitmaps[2 * PAGE_SIZE - 1] == 0xFF);
}

static void what_is_opened_is_open_in_either_mode(void **state)
{
	(void)state;
	vmx_intercept(&group, INTERCEPT_MSR_READ, MSR_KERNEL_GS_BASE, 1, false);
	vmx_intercept(&group, INTERCEPT_MSR_WRITE, MSR_IA32_SYSENTER_CS, 3, false);
	for (int mode = 0; mode < 2; mode++) {
		assert_false(exits(mode, MSR_KERNEL_GS_BASE, false));
		assert_true(exits(mode, MSR_KERNEL_GS_BASE, true));
		assert_true(exits(mode, MSR_IA32_SYSENTER_CS, false));
		for (uint32_t i = 0; i < 3; i++)
			assert_false(exits(mode, MSR_IA32_SYSENTER_CS + i, true));
	}
	vmx_intercept(&group, INTERCEPT_MSR_READ, MSR_KERNEL_GS_BASE, 1, true);
	assert_true(exits(false, MSR_KERNEL_GS_BASE, false));
	assert_true(exits(true, MSR_KERNEL_GS_BASE, false));
	/* no bit: it always exits, and nothing else opens */
	vmx_intercept(&group, INTERCEPT_MSR_READ, 0x40000000, 1, false);
	assert_true(exits(false, 0, false));
}

static void ports_have_a_bit_each(void **state)
{
	(void)state;
	vmx_intercept(&group, INTERCEPT_PORT, 0x3F8, 8, false);
	vmx_intercept(&group, INTERCEPT_PORT, 0xFFFF, 1, false);
	assert_int_equal(bitmaps[0x3F8 / 8], 0);
	assert_int_equal(bitmaps[0x3F8 / 8 + 1], 0xFF);
	assert_int_equal(bitmaps[2 * PAGE_SIZE - 1], 0x7F);
	assert_int_equal(bitmaps[2 * PAGE_SIZE], 0xFF);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	is_full = true;
	memset(&group, 0, sizeof(group));
	assert_int_equal(vmx_group_init(&group), -ENOMEM);
	assert_int_equal(freed, 1);
	vmx_features.xapic = 0; /* none is wanted */
	assert_int_equal(vmx_group_init(&group), 0);
	assert_null(group.apic_page);
}

static void what_was_taken_is_given_back(void **state)
{
	(void)state;
	assert_true(group.apic_page == apic_page && group.apic_page_hpa == page_pool_to_hpa(&host_pool, apic_page));
	vmx_group_free(&group);
	assert_int_equal(freed, 2);
	assert_null(group.apic_page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_exits_but_what_the_cpu_keeps_of_an_x2apic, fresh),
		cmocka_unit_test_setup(what_is_opened_is_open_in_either_mode, fresh),
		cmocka_unit_test_setup(ports_have_a_bit_each, fresh),
		cmocka_unit_test_setup(memory_may_run_out, fresh),
		cmocka_unit_test_setup(what_was_taken_is_given_back, fresh),
	};

	return cmocka_run_group_tests_name("vmx_intercept", tests, NULL, NULL);
}
