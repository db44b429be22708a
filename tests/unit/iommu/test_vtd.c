/* SPDX-License-Identifier: BSD-3-Clause */
/* Intel's back end above a unit that is played here: it obeys orders, empties its queue and writes fault records. */
#include <string.h>

#include "fake/log.h"
#include "hw/paging.h"
#include "hw/tsc.h"
#include "iommu/backend.h"
#include "iommu/fake_machine.h"
#include "iommu/vtd/vtd_format.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/apic.h"

enum { CAP = 0x08, ECAP = 0x10, COMMAND = 0x18, ROOT = 0x20, FAULTS = 0x34, PROTECTED = 0x64, TAIL = 0x88 };
enum { QUEUE = 0x90, IRQ_TABLE = 0xB8, RECORDS = 0x220 };
/* 64 domains, tables of four levels, 2 MiB leaves, draining, records at 0x220; a queue, coherent, interrupts */
#define CAP_USUAL (1UL | 4UL << 8 | 0x22UL << 24 | 1UL << 34 | 1UL << 40 | 3UL << 54)
#define ECAP_USUAL 0xBUL
#define ADDRESS 0xFFFFFFFFFF000UL

static uint32_t head;
static unsigned int done[8]; /* descriptors by their type */
static struct vtd_words last[8];
static bool filters;
static struct acpi_info acpi;
static struct iommu_domain service, user;

static uint32_t *reg32(unsigned int reg)
{
	return (uint32_t *)(fake_regs + reg);
}

/* Command bits that are states show in the status; the two orders do once they were given. */
static void unit_works(void)
{
	const struct vtd_words *queue = fake_memory(fake_reg(QUEUE) & ADDRESS);
	uint32_t command = *reg32(COMMAND), *status = reg32(COMMAND + 4);

	*status = (command & 0x86800000U) | ((*status | command) & 0x41000000U);
	if ((command & 1U << 26) == 0)
		head = 0;
	for (; (command & 1U << 26) != 0 && head != fake_reg(TAIL); head = (head + 16) % 4096) {
		const struct vtd_words *w = &queue[head / 16];

		done[w->low & 0xF]++;
		last[w->low & 0xF] = *w;
		if ((w->low & 0x2F) == 0x25)
			*(uint32_t *)fake_memory(w->high) = (uint32_t)(w->low >> 32);
	}
}

static void domain(struct iommu_domain *d, uint16_t id)
{
	memset(d, 0, sizeof(*d));
	assert_int_equal(pgtable_init(&d->pt, &pgtable_vtd, &host_pool), 0);
	d->id = id;
}

static int setup(void **state)
{
	fake_setup(state);
	memset(&acpi, 0, sizeof(acpi));
	acpi.iommu_count = 1;
	acpi.iommu[0].bdf = ACPI_NO_BDF;
	acpi.has_intr_remap = true;
	memset(done, 0, sizeof(done));
	head = 0;
	filters = false;
	fake_work = unit_works;
	fake_set_reg(CAP, CAP_USUAL);
	fake_set_reg(ECAP, ECAP_USUAL);
	return 0;
}

static void begin(void)
{
	assert_int_equal(iommu_vtd.init(&acpi), 0);
	domain(&service, 1);
	domain(&user, 5);
	iommu_vtd.filters_irqs = filters;
	iommu_vtd.start(&service);
}

static const struct vtd_words *context(unsigned int bdf)
{
	const struct vtd_words *root = fake_memory(fake_reg(ROOT) & ADDRESS);

	assert_true((root[bdf >> 8].low & 0xFFF) == 1);
	return (struct vtd_words *)fake_memory(root[bdf >> 8].low & ADDRESS) + (bdf & 0xFF);
}

static void refused(uint64_t cap, uint64_t ecap)
{
	fake_set_reg(CAP, cap);
	fake_set_reg(ECAP, ecap);
	fake_log_lines = 0;
	assert_int_equal(iommu_vtd.init(&acpi), -ENODEV);
	assert_int_equal(fake_log_lines, 1);
}

static void test_probe(void **state)
{
	(void)state;
	refused(~0UL, ~0UL);
	refused(CAP_USUAL, ECAP_USUAL & ~2UL);
	refused(CAP_USUAL & ~(4UL << 8), ECAP_USUAL);
	refused(CAP_USUAL | 0x3FFUL << 24, ECAP_USUAL);
	acpi.iommu[0].segment = 1;
	refused(CAP_USUAL, ECAP_USUAL);
	acpi.iommu[0].segment = 0;
	fake_set_reg(CAP, CAP_USUAL | 1UL << 7 | 1UL << 35);
	assert_int_equal(iommu_vtd.init(&acpi), 0);
	assert_true(iommu_vtd.caches_absent && iommu_vtd.max_leaf == 3 && iommu_vtd.domains == 64);
	assert_non_null(iommu_vtd.map_irq);
	fake_set_reg(CAP, (CAP_USUAL & ~(1UL << 34)) + 1UL);
	acpi.has_intr_remap = false;
	assert_int_equal(iommu_vtd.init(&acpi), 0);
	assert_true(!iommu_vtd.caches_absent && iommu_vtd.max_leaf == 1 && iommu_vtd.domains == 256);
	assert_null(iommu_vtd.map_irq);
}

static void test_start(void **state)
{
	(void)state;
	fake_set_reg(CAP, CAP_USUAL | 1UL << 5);
	*reg32(PROTECTED) = 1U << 31;
	begin();
	for (unsigned int bdf = 0; bdf < 65536; bdf++) {
		assert_true(context(bdf)->low == (service.pt.root_hpa | 1UL));
		assert_true(context(bdf)->high == (1UL << 8 | 2UL));
	}
	(void)tsc_now_us();
	assert_int_equal(*reg32(COMMAND + 4), 0xC7800000U);
	assert_true((fake_reg(IRQ_TABLE) & 0xFFF) == 11); /* 2^12 entries */
	assert_true(done[1] == 1 && done[2] == 1 && done[4] == 1);
	assert_true(last[1].low == (1UL | 1UL << 4));
	assert_true(last[2].low == (2UL | 1UL << 4 | 3UL << 6));
	assert_int_equal(*reg32(PROTECTED), 0);
}

/* The bit that lets the old format pass is off, even where firmware left it on. */
static void test_filter(void **state)
{
	struct msi_route route = { .apic_id = 3, .vector = 0x31, .is_logical = true, .is_level = true };
	const struct vtd_words *table;
	struct msi_msg msg;
	uint64_t high;

	(void)state;
	filters = true;
	*reg32(COMMAND + 4) = 1U << 23;
	begin();
	(void)tsc_now_us();
	assert_int_equal(*reg32(COMMAND + 4), 0xC7000000U);
	table = fake_memory(fake_reg(IRQ_TABLE) & ADDRESS);
	assert_int_equal(iommu_vtd.map_irq(0x20, &route, &msg), 0);
	assert_true(table[0].low == (1UL | 1UL << 2 | 1UL << 4 | 0x31UL << 16 | 0x300UL << 32));
	high = table[0].high;
	route.vector = 0x55;
	assert_int_equal(iommu_vtd.change_irq(0x20, &route, &msg), 0);
	assert_true((table[0].low >> 16 & 0xFF) == 0x55 && table[0].high == high);
	assert_int_equal(iommu_vtd.change_irq(0x21, &route, &msg), -EINVAL);
}

static void test_no_irqs(void **state)
{
	(void)state;
	fake_set_reg(ECAP, ECAP_USUAL & ~8UL);
	begin();
	assert_null(iommu_vtd.map_irq);
	assert_int_equal(*reg32(COMMAND + 4), 0xC4000000U);
	assert_int_equal(iommu_vtd.set_device(0x310, &user), 0);
	assert_int_equal(done[4], 0);
}

static void test_device(void **state)
{
	(void)state;
	begin();
	assert_int_equal(iommu_vtd.set_device(0x310, &user), 0);
	assert_true(context(0x310)->low == (user.pt.root_hpa | 1UL) && context(0x310)->high == (5UL << 8 | 2UL));
	assert_true(context(0x311)->high == (1UL << 8 | 2UL));
	assert_ptr_not_equal(context(0x300), context(0x200));
	assert_ptr_equal(context(0x400), context(0x200));
	assert_true(done[1] == 3 && done[2] == 3);
	assert_int_equal(iommu_vtd.set_device(0x310, NULL), 0);
	assert_int_equal(context(0x310)->low & 1, 0);
	assert_int_equal(iommu_vtd.set_device(0x310, &service), 0);
	assert_memory_equal(context(0x310), context(0x210), sizeof(struct vtd_words));
	while (page_pool_alloc(&host_pool) != NULL)
		;
	assert_int_equal(iommu_vtd.set_device(0x400, &user), -ENOMEM);
	assert_true(context(0x400)->high == (1UL << 8 | 2UL));
}

static void test_flush(void **state)
{
	(void)state;
	begin();
	for (unsigned int i = 0; i < 600; i++)
		iommu_vtd.flush(&user);
	assert_int_equal(done[2], 601);
	assert_true(last[2].low == (2UL | 2UL << 4 | 3UL << 6 | 5UL << 16) && last[2].high == 0);
}

static void test_silence(void **state)
{
	(void)state;
	begin();
	fake_work = NULL;
	expect_assert_failure(iommu_vtd.flush(&user));
	fake_teardown(NULL);
	setup(NULL);
	begin();
	fake_work = NULL;
	*reg32(FAULTS) = 1U << 4; /* the queue has an error */
	fake_now = 1;
	expect_assert_failure(iommu_vtd.flush(&user));
	assert_true(fake_now < 100);
}

static void cve_2021_36148_vtd_frees_only_an_entry_of_its_own(void **state)
{
	struct msi_route route = { .apic_id = 0x42, .vector = 0x99, .mode = APIC_DM_LOWEST };
	const struct vtd_words *table;
	struct msi_msg msg, first, forged;
	unsigned int index;

	(void)state;
	begin();
	table = fake_memory(fake_reg(IRQ_TABLE) & ADDRESS);
	assert_int_equal(iommu_vtd.map_irq(0x310, &route, &first), 0);
	assert_true(first.data == 0 && first.address == (0xFEE00000UL | 1UL << 4));
	assert_true(table[0].low == (1UL | 1UL << 5 | 0x99UL << 16 | 0x4200UL << 32));
	assert_true(table[0].high == (0x310UL | 1UL << 18));
	for (unsigned int i = 1; i < 4096; i++) {
		assert_int_equal(iommu_vtd.map_irq(0x310, &route, &msg), 0);
		assert_true(vtd_irq_index(&msg, &index) && index == i);
	}
	assert_int_equal(iommu_vtd.map_irq(0x318, &route, &msg), -ENOSPC);
	/* neither another's, nor beyond the table, nor what was never ours */
	iommu_vtd.unmap_irq(0x318, &first);
	forged = vtd_irq_message(4096);
	iommu_vtd.unmap_irq(0x310, &forged);
	forged = vtd_irq_message(0xFFFF);
	assert_true(vtd_irq_index(&forged, &index) && index == 0xFFFF);
	iommu_vtd.unmap_irq(0x310, &forged);
	forged = (struct msi_msg){ .address = 0xFEE00000, .data = 0 };
	iommu_vtd.unmap_irq(0x310, &forged);
	for (unsigned int i = 0; i < 4096; i++)
		assert_true(table[i].low != 0);
	iommu_vtd.unmap_irq(0x310, &first);
	assert_int_equal(table[0].low, 0);
	assert_int_equal(iommu_vtd.map_irq(0x318, &route, &msg), 0);
	/* a device that changes hands loses its entries, others do not */
	assert_int_equal(iommu_vtd.set_device(0x310, &service), 0);
	assert_true(table[0].low != 0 && table[1].low == 0 && table[4095].low == 0);
}

static void put_record(unsigned int n, uint64_t low, uint64_t high)
{
	fake_set_reg(RECORDS + n * 16, low);
	fake_set_reg(RECORDS + n * 16 + 8, high | 1UL << 63);
	*reg32(FAULTS) |= 2;
}

static void test_faults(void **state)
{
	struct iommu_fault f;

	(void)state;
	begin();
	assert_false(iommu_vtd.next_fault(&f));
	put_record(1, 0xABC000, 0x5UL << 32 | 0x310);
	assert_true(iommu_vtd.next_fault(&f));
	assert_true(f.bdf == 0x310 && f.address == 0xABC000);
	assert_string_equal(f.why, "it may not write that");
	/* it was taken by a write of its last word alone */
	assert_int_equal(*reg32(RECORDS + 16 + 12), 1U << 31);
	*reg32(RECORDS + 16 + 12) = 0;
	*reg32(FAULTS) = 0;
	assert_false(iommu_vtd.next_fault(&f));
	for (unsigned int reason = 0; reason < 256; reason++) {
		f = vtd_fault(0, (uint64_t)reason << 32);
		assert_non_null(f.why);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_probe),   TEST(test_start),  TEST(test_no_irqs), TEST(test_filter),
		TEST(test_device),  TEST(test_flush),
		TEST(test_silence), TEST(test_faults), TEST(cve_2021_36148_vtd_frees_only_an_entry_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
