/* SPDX-License-Identifier: BSD-3-Clause */
/* iommu.c above a back end that notes what it is asked: who may be where, when something is flushed, what is told. */
#include <string.h>

#include "fake/log.h"
#include "hw/pci.h"
#include "iommu/backend.h"
#include "iommu/fake_machine.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/apic.h"

static struct acpi_info acpi;
static struct iommu_domain service, user;
static unsigned int flushes, starts, sets, irqs_made, irqs_changed, faults_left;
static uint16_t last_bdf;
static const struct iommu_domain *last_domain;
static struct iommu_fault fault;

static int init(const struct acpi_info *info)
{
	return info->has_intr_remap ? 0 : -ENODEV;
}

static void start(const struct iommu_domain *d)
{
	(void)d;
	starts++;
}

static int set_device(uint16_t bdf, const struct iommu_domain *d)
{
	sets++;
	last_bdf = bdf;
	last_domain = d;
	return 0;
}

static void flush(const struct iommu_domain *d)
{
	(void)d;
	flushes++;
}

static int map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	(void)bdf;
	(void)want;
	(void)out;
	irqs_made++;
	return 0;
}

static int change_irq(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg)
{
	(void)bdf;
	(void)want;
	(void)msg;
	irqs_changed++;
	return 0;
}

static void unmap_irq(uint16_t bdf, const struct msi_msg *msg)
{
	(void)bdf;
	(void)msg;
}

static bool next_fault(struct iommu_fault *f)
{
	if (faults_left == 0)
		return false;
	faults_left--;
	*f = fault;
	return true;
}

struct iommu_backend iommu_amdvi = {
	.name = "fake",
	.format = &pgtable_amdvi,
	.init = init,
	.start = start,
	.set_device = set_device,
	.flush = flush,
	.map_irq = map_irq,
	.change_irq = change_irq,
	.unmap_irq = unmap_irq,
	.next_fault = next_fault,
	.max_leaf = 2,
	.domains = 18,
	.register_size = 0x4000,
};
struct iommu_backend iommu_vtd = { .name = "not this one", .register_size = 0x1000 };

static int setup(void **state)
{
	fake_setup(state);
	flushes = starts = sets = irqs_made = irqs_changed = faults_left = 0;
	memset(&acpi, 0, sizeof(acpi));
	acpi.iommu_count = 1;
	acpi.has_intr_remap = true;
	acpi.iommu[0].bdf = 0x10;
	acpi.iommu[0].base = 0xFED80000;
	acpi.ioapic_count = 1;
	acpi.ioapic[0].id = 7;
	iommu_amdvi.caches_absent = false;
	return 0;
}

static void begin(void)
{
	iommu_init(&acpi);
	assert_true(iommu_present());
	assert_int_equal(iommu_domain_init(&service, 0), 0);
	assert_int_equal(iommu_map(&service, 0, 0, 1UL << 30, PG_READ | PG_WRITE), 0);
	iommu_start(&service);
	assert_int_equal(iommu_domain_init(&user, 3), 0);
}

static void test_without(void **state)
{
	struct msi_route route = { .vector = 0x30 };
	struct msi_msg msg;
	hpa_t base;
	uint64_t size;

	(void)state;
	acpi.iommu_count = 0;
	fake_log_lines = 0;
	iommu_init(&acpi);
	assert_int_equal(fake_log_lines, 1);
	assert_false(iommu_present());
	assert_false(iommu_registers(0, &base, &size));
	assert_int_equal(iommu_domain_init(&user, 1), -ENODEV);
	assert_int_equal(iommu_map(&user, 0, 0, 4096, PG_READ), -ENODEV);
	assert_int_equal(iommu_unmap(&user, 0, 4096), -ENODEV);
	assert_int_equal(iommu_attach(&user, 8), -ENODEV);
	assert_int_equal(iommu_detach(8), -ENODEV);
	assert_int_equal(iommu_map_irq(8, &route, &msg), -ENODEV);
	iommu_unmap_irq(8, &msg);
	iommu_start(&user);
	iommu_poll_faults();
	iommu_domain_exit(&user);
	assert_int_equal(fake_log_lines, 1);
}

/* A unit that cannot be used, and two kinds in one machine: none is used, and their registers are still nobody's. */
static void test_unusable(void **state)
{
	hpa_t base;
	uint64_t size;

	(void)state;
	acpi.has_intr_remap = false;
	iommu_init(&acpi);
	assert_false(iommu_present());
	assert_true(iommu_registers(0, &base, &size) && base == 0xFED80000 && size == 0x4000);
	acpi.has_intr_remap = true;
	acpi.iommu_count = 2;
	acpi.iommu[1].bdf = ACPI_NO_BDF;
	iommu_init(&acpi);
	assert_false(iommu_present());
	assert_true(iommu_registers(1, &base, &size) && size == 0x1000);
	assert_false(iommu_registers(2, &base, &size));
}

static void test_domain(void **state)
{
	struct pgtable_leaf leaf;

	(void)state;
	begin();
	assert_int_equal(service.id, 1);
	assert_int_equal(user.id, 4);
	assert_int_equal(starts, 1);
	assert_int_equal(iommu_domain_init(&(struct iommu_domain){ 0 }, 17), -ENOSPC);
	/* With the unit's largest pages; nothing was there, so nothing is flushed. */
	assert_int_equal(flushes, 0);
	assert_int_equal(iommu_map(&user, 0x200000, 0x40000000, 0x400000, PG_READ | PG_WRITE | PG_EXEC), 0);
	assert_int_equal(flushes, 0);
	assert_true(pgtable_lookup(&user.pt, 0x212345, &leaf));
	assert_true(leaf.page_size == SIZE_2M && leaf.hpa == 0x40012345 && leaf.prot == (PG_READ | PG_WRITE));
	assert_int_equal(iommu_unmap(&user, 0x201000, 0x1000), 0);
	assert_int_equal(flushes, 1);
	assert_false(pgtable_lookup(&user.pt, 0x201000, &leaf));
	assert_true(pgtable_lookup(&user.pt, 0x202000, &leaf));
	iommu_amdvi.caches_absent = true;
	assert_int_equal(iommu_map(&user, 0x201000, 0x40001000, 0x1000, PG_READ), 0);
	assert_int_equal(flushes, 2);
	assert_int_equal(iommu_map(&user, 0x201001, 0, 0x1000, PG_READ), -EINVAL);
	iommu_domain_exit(&user);
	assert_int_equal(iommu_map(&user, 0, 0, 0x1000, PG_READ), -ENODEV);
	iommu_domain_exit(&user);
}

static void test_attach(void **state)
{
	(void)state;
	begin();
	assert_int_equal(iommu_attach(&user, 0x40), 0);
	assert_true(last_bdf == 0x40 && last_domain == &user);
	expect_assert_failure(iommu_domain_exit(&user));
	assert_int_equal(iommu_detach(0x40), 0);
	assert_null(last_domain);
	assert_int_equal(iommu_attach(&service, 0x40), 0);
	assert_ptr_equal(last_domain, &service);
	iommu_domain_exit(&user);
	assert_int_equal(sets, 3);
	assert_int_equal(iommu_attach(&user, 0x40), -ENODEV);
}

static void test_refused_devices(void **state)
{
	(void)state;
	acpi.alias_count = 1;
	acpi.alias[0].first = 0x100;
	acpi.alias[0].last = 0x107;
	acpi.alias[0].alias = 0x20;
	acpi.dma_range_count = 1;
	acpi.dma_range[0].first = acpi.dma_range[0].last = 0xA0;
	begin();
	assert_int_equal(iommu_attach(&user, 0x10), -EINVAL); /* the IOMMU */
	assert_non_null(strstr(fake_log_last, "00:02.0"));
	assert_int_equal(iommu_attach(&user, 0x103), -EINVAL);
	assert_int_equal(iommu_attach(&user, 0x20), -EINVAL);
	assert_int_equal(iommu_attach(&user, 0xA0), -EINVAL);
	assert_non_null(strstr(fake_log_last, "00:14.0 cannot be given away: firmware uses it"));
	assert_int_equal(sets, 0);
	assert_int_equal(iommu_attach(&service, 0xA0), 0);
}

/* A bridge at 00:1c.0 to bus 2, with an Express capability of that type, or none. */
static void add_bridge(int type)
{
	uint8_t config[0x50] = { [0] = 0x86, [1] = 0x80, [0x0E] = 1, [0x19] = 2 };

	if (type >= 0) {
		config[6] = 0x10;
		config[0x34] = 0x40;
		config[0x40] = 0x10;
		config[0x42] = (uint8_t)(type << 4);
	}
	fake_pci_add(PCI_BDF(0, 0x1C, 0), config, sizeof(config));
}

static void test_bridges(void **state)
{
	(void)state;
	add_bridge(4); /* a root port */
	begin();
	assert_int_equal(iommu_attach(&user, 0x200), 0);
	assert_int_equal(iommu_attach(&service, 0x200), 0);
	fake_teardown(NULL);
	setup(NULL);
	add_bridge(7); /* Express to PCI */
	begin();
	assert_int_equal(iommu_attach(&user, 0x200), -EINVAL);
	fake_teardown(NULL);
	setup(NULL);
	add_bridge(-1);
	begin();
	assert_int_equal(iommu_attach(&user, 0x200), -EINVAL);
	assert_non_null(strstr(fake_log_last, "02:00.0"));
}

static void test_many_devices(void **state)
{
	(void)state;
	begin();
	for (uint16_t bdf = 0x20; bdf < 0x20 + 64; bdf++)
		assert_int_equal(iommu_attach(&user, bdf), 0);
	assert_int_equal(iommu_attach(&user, 0x60), -ENOSPC);
	assert_int_equal(iommu_attach(&service, 0x20), 0);
	assert_int_equal(iommu_attach(&user, 0x60), 0);
	assert_int_equal(iommu_attach(&user, 0x61), -ENOSPC);
}

/* A bridge from its own bus to the next, with or without access control services; other functions likewise. */
static void add_function(uint16_t bdf, bool several, unsigned int behind, bool isolates)
{
	uint8_t config[0x110] = { [0] = 0x86, [1] = 0x80, [6] = 0x10, [0x34] = 0x40, [0x40] = 0x10 };

	config[0x0E] = (uint8_t)((several ? 0x80 : 0) | (behind != 0 ? 1 : 0));
	config[0x19] = (uint8_t)behind;
	if (isolates) {
		config[0x100] = 0x0D;
		config[0x102] = 1;
		config[0x106] = 0x1D;
	}
	fake_pci_add(bdf, config, sizeof(config));
}

/* Functions of one device, and what is behind two ports of a switch: one VM's, unless both ports keep them apart. */
static void test_groups(void **state)
{
	static struct iommu_domain third;

	(void)state;
	begin();
	assert_int_equal(iommu_domain_init(&third, 4), 0);
	add_function(0x20, true, 0, false); /* 00:04.0 and 00:04.1 */
	add_function(0x21, true, 0, true);
	add_function(0x28, false, 0, false);
	add_function(0x30, false, 1, false); /* a root port, the switch 01:00.0, two ports, 03:00.0 and 04:00.0 */
	add_function(0x100, false, 2, false);
	add_function(0x200, false, 3, true);
	add_function(0x208, false, 4, false);
	assert_int_equal(iommu_attach(&user, 0x20), 0);
	fake_log_lines = 0;
	assert_int_equal(iommu_attach(&third, 0x21), -EBUSY);
	assert_int_equal(fake_log_lines, 1);
	assert_int_equal(iommu_attach(&third, 0x28), 0); /* another device of the root bus */
	assert_int_equal(iommu_attach(&user, 0x21), 0);
	assert_int_equal(iommu_attach(&user, 0x300), 0);
	assert_int_equal(iommu_attach(&third, 0x400), -EBUSY);
	assert_int_equal(iommu_attach(&third, 0x388), 0); /* a virtual function of 03:00.0 */
	assert_int_equal(iommu_attach(&service, 0x388), 0);
	assert_int_equal(iommu_attach(&service, 0x300), 0);
	assert_int_equal(iommu_attach(&third, 0x400), 0);
	assert_int_equal(iommu_attach(&user, 0x300), -EBUSY);
	assert_int_equal(iommu_detach(0x400), 0);
	assert_int_equal(iommu_attach(&user, 0x300), 0);
	/* with a second port that does what the first does they are apart */
	fake_teardown(NULL);
	setup(NULL);
	begin();
	add_function(0x30, false, 1, false);
	add_function(0x100, false, 2, false);
	add_function(0x200, false, 3, true);
	add_function(0x208, false, 4, true);
	assert_int_equal(iommu_domain_init(&third, 4), 0);
	assert_int_equal(iommu_attach(&user, 0x300), 0);
	assert_int_equal(iommu_attach(&third, 0x400), 0);
}

/* Where firmware says as whom each I/O APIC interrupts, nobody interrupts without an entry. */
static void test_filter(void **state)
{
	struct msi_route route = { .apic_id = 0xFF, .vector = 0x30, .mode = APIC_DM_FIXED, .is_logical = true };
	struct msi_msg msg;
	uint16_t bdf;

	(void)state;
	begin();
	assert_false(iommu_filters_irqs() || iommu_amdvi.filters_irqs);
	assert_int_equal(iommu_ioapic_bdf(7, &bdf), -ENODEV);
	acpi.irq_source_count = 1;
	acpi.irq_source[0].ioapic_id = 7;
	acpi.irq_source[0].bdf = 0xA0;
	begin();
	assert_true(iommu_filters_irqs() && iommu_amdvi.filters_irqs);
	assert_int_equal(iommu_ioapic_bdf(7, &bdf), 0);
	assert_int_equal(bdf, 0xA0);
	assert_int_equal(iommu_ioapic_bdf(8, &bdf), -ENODEV);
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), 0); /* the Service VM's */
	assert_int_equal(iommu_change_irq(0x40, &route, &msg), 0);
	route.is_logical = false; /* everybody */
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), -EINVAL);
	assert_int_equal(iommu_change_irq(0x40, &route, &msg), -EINVAL);
	assert_int_equal(iommu_detach(0x40), 0);
	route.apic_id = 1;
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), -EINVAL);
	assert_int_equal(iommu_change_irq(0x40, &route, &msg), -EINVAL);
	assert_true(irqs_made == 1 && irqs_changed == 1);
	acpi.ioapic[acpi.ioapic_count++].id = 9;
	begin();
	assert_false(iommu_filters_irqs());
}

static void test_irqs(void **state)
{
	struct msi_route route = { .apic_id = 1, .vector = 0x30, .mode = APIC_DM_FIXED };
	struct msi_msg msg;

	(void)state;
	begin();
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), -EINVAL); /* the Service VM's */
	assert_int_equal(iommu_attach(&user, 0x40), 0);
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), 0);
	route.mode = APIC_DM_NMI;
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), -EINVAL);
	route.mode = APIC_DM_LOWEST;
	route.vector = 0x1F;
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), -EINVAL);
	route.vector = 0x20;
	route.apic_id = 0xFF;
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), -EINVAL);
	assert_int_equal(iommu_detach(0x40), 0);
	route.apic_id = 0;
	assert_int_equal(iommu_map_irq(0x40, &route, &msg), -EINVAL);
	assert_int_equal(irqs_made, 1);
}

static void test_faults(void **state)
{
	unsigned int lines;

	(void)state;
	begin();
	fake_now = 100000000;
	fault = (struct iommu_fault){ .bdf = 0x80, .address = 0x12345678, .why = "because" };
	faults_left = 3; /* of one page: a line */
	lines = fake_log_lines;
	iommu_poll_faults();
	assert_int_equal(fake_log_lines, lines + 1);
	assert_non_null(strstr(fake_log_last, "00:10.0 was refused address 0x12345678: because (refusal 1)"));
	for (unsigned int i = 0; i < 100; i++) {
		fault.address += 0x1000;
		faults_left = 1;
		iommu_poll_faults();
	}
	assert_int_equal(fake_log_lines, lines + 20);
	/* The time of those lines is over: what was not told is counted. */
	fake_now += 10000001;
	iommu_poll_faults();
	assert_int_equal(fake_log_lines, lines + 21);
	assert_non_null(strstr(fake_log_last, "83 more refusals, 103 in all"));
	/* A device that never stops does not keep us here. */
	faults_left = 1000000;
	iommu_poll_faults();
	assert_true(faults_left > 990000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without), TEST(test_unusable), TEST(test_domain),
		TEST(test_attach),  TEST(test_bridges),	 TEST(test_refused_devices),
		TEST(test_irqs),    TEST(test_filter),	 TEST(test_groups),
		TEST(test_faults),  TEST(test_many_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
