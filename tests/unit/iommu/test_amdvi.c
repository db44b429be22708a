/* SPDX-License-Identifier: BSD-3-Clause */
/* AMD's back end above a unit that is played here: it does the commands of its ring and writes events. */
#include <string.h>

#include "fake/log.h"
#include "hw/paging.h"
#include "iommu/amdvi/amdvi_unit.h"
#include "iommu/fake_machine.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/apic.h"

enum { DEVICE_TABLE = 0, COMMANDS = 8, EVENTS = 0x10, CONTROL = 0x18, FEATURES = 0x30, COMMAND_TAIL = 0x2008 };
enum { EVENT_HEAD = 0x2010, EVENT_TAIL = 0x2018, STATUS = 0x2020 };
#define ADDRESS 0xFFFFFFFFFF000UL

static uint32_t head;
static unsigned int done[16]; /* commands by their code */
static uint64_t last_command[16][2];
static bool filters;
static struct acpi_info acpi;
static struct iommu_domain service, user;

static void unit_works(void)
{
	const uint64_t(*ring)[2] = fake_memory(fake_reg(COMMANDS) & ADDRESS);

	if ((fake_reg(CONTROL) & (1U << 12 | 1U)) != (1U << 12 | 1U))
		return;
	for (; head != fake_reg(COMMAND_TAIL); head = (head + 16) % 4096) {
		const uint64_t *c = ring[head / 16];

		done[c[0] >> 60]++;
		memcpy(last_command[c[0] >> 60], c, 16);
		if (c[0] >> 60 == 1 && (c[0] & 1) != 0)
			*(uint64_t *)fake_memory(c[0] & 0xFFFFFFFFFFFF8UL) = c[1];
	}
}

static const struct amdvi_entry *entry(unsigned int bdf)
{
	return (struct amdvi_entry *)fake_memory(fake_reg(DEVICE_TABLE) & ADDRESS) + bdf;
}

static void domain(struct iommu_domain *d, uint16_t id)
{
	memset(d, 0, sizeof(*d));
	assert_int_equal(pgtable_init(&d->pt, &pgtable_amdvi, &host_pool), 0);
	d->id = id;
}

static int setup(void **state)
{
	fake_setup(state);
	memset(&acpi, 0, sizeof(acpi));
	acpi.iommu_count = 1;
	acpi.iommu[0].bdf = 2;
	memset(done, 0, sizeof(done));
	head = 0;
	filters = false;
	fake_work = unit_works;
	fake_set_reg(FEATURES, 1U << 6);
	return 0;
}

static void begin(void)
{
	assert_int_equal(iommu_amdvi.init(&acpi), 0);
	domain(&service, 1);
	domain(&user, 5);
	iommu_amdvi.filters_irqs = filters;
	iommu_amdvi.start(&service);
}

static void test_absent(void **state)
{
	(void)state;
	fake_set_reg(FEATURES, ~0UL);
	assert_int_equal(iommu_amdvi.init(&acpi), -ENODEV);
	fake_set_reg(FEATURES, 0);
	acpi.iommu[0].segment = 1;
	assert_int_equal(iommu_amdvi.init(&acpi), -ENODEV);
	acpi.iommu[0].segment = 0;
	while (page_pool_available(&host_pool) > 100)
		page_pool_alloc(&host_pool);
	assert_int_equal(iommu_amdvi.init(&acpi), -ENOMEM);
}

/* Every id there can be is guarded when the unit goes on; a V bit of 0 would let all through. */
static void test_start(void **state)
{
	const struct amdvi_entry *e;

	(void)state;
	fake_set_reg(CONTROL, 0x1F);
	assert_int_equal(iommu_amdvi.register_size, 0x4000);
	fake_set_reg(FEATURES, 1U << 6 | 1U << 9);
	begin();
	assert_int_equal(iommu_amdvi.register_size, 0x80000);
	assert_int_equal(fake_reg(DEVICE_TABLE) & 0x1FF, 511);
	assert_int_equal(fake_reg(CONTROL) & (1 | 1 << 2 | 1 << 12), 1 | 1 << 2 | 1 << 12);
	assert_int_equal(fake_reg(0x20), 0);
	for (unsigned int bdf = 0; bdf < 65536; bdf++) {
		e = entry(bdf);
		assert_true(e->q[0] == (service.pt.root_hpa | 3UL | 4UL << 9 | 3UL << 61));
		assert_true(e->q[1] == 1 && e->q[3] == 0);
		/* interrupts of modes fixed and arbitrated as they come, no others */
		assert_true(e->q[2] == (1UL | 1UL << 60));
	}
	assert_int_equal(done[2], 65536);
	assert_int_equal(done[8], 1);
	assert_int_equal(done[5] + done[3], 0);
}

static void test_start_in_emulator(void **state)
{
	(void)state;
	cpu_features.hypervisor = true;
	fake_set_reg(FEATURES, 0); /* has no command to forget everything */
	begin();
	assert_true(entry(0x1234)->q[2] == 0 && (entry(0x1234)->q[0] & 3) == 3);
	assert_int_equal(done[8], 0);
	assert_int_equal(done[3], 64);
}

/* Nobody interrupts who has no entry, the Service VM's devices neither; who has one keeps to it. */
static void test_filter(void **state)
{
	struct msi_route route = { .apic_id = 3, .vector = 0x31, .mode = APIC_DM_LOWEST, .is_logical = true };
	struct msi_route level = { .apic_id = 1, .vector = 0x42, .is_level = true };
	struct msi_msg msg, pin, other;
	const uint32_t *table;

	(void)state;
	filters = true;
	cpu_features.hypervisor = true;
	begin();
	for (unsigned int bdf = 0; bdf < 65536; bdf++)
		assert_true(entry(bdf)->q[2] == 1);
	assert_int_equal(iommu_amdvi.map_irq(0x20, &route, &msg), 0);
	assert_true((entry(0x20)->q[2] & ~ADDRESS) == (1UL | 9UL << 1 | 2UL << 60));
	assert_true(entry(0x20)->q[0] == entry(0x21)->q[0] && entry(0x21)->q[2] == 1);
	assert_int_equal(last_command[2][0], 2UL << 60 | 0x20);
	table = fake_memory(entry(0x20)->q[2] & ADDRESS);
	assert_true(table[msg.data] == (1U | 1U << 2 | 1U << 6 | 3U << 8 | 0x31U << 16));
	route.vector = 0x55;
	assert_int_equal(iommu_amdvi.change_irq(0x20, &route, &msg), 0);
	assert_int_equal(table[msg.data] >> 16, 0x55);
	assert_int_equal(iommu_amdvi.change_irq(0x21, &route, &msg), -EINVAL);
	/* a pin's index ends in the vector, so there are two for each */
	assert_int_equal(iommu_amdvi.map_irq(0xA0, &level, &pin), 0);
	assert_int_equal(pin.data & 0xFF, 0x42);
	assert_int_equal(iommu_amdvi.map_irq(0xA0, &level, &other), 0);
	assert_true((other.data & 0xFF) == 0x42 && other.data != pin.data);
	assert_int_equal(iommu_amdvi.map_irq(0xA0, &level, &msg), -ENOSPC);
	level.vector = 0x43;
	assert_int_equal(iommu_amdvi.change_irq(0xA0, &level, &pin), -EINVAL);
	/* away and back: it begins with none */
	assert_int_equal(iommu_amdvi.set_device(0x20, &user), 0);
	assert_int_equal(iommu_amdvi.set_device(0x20, &service), 0);
	assert_true(entry(0x20)->q[2] == 1);
}

static void test_device(void **state)
{
	uint64_t blocked;

	(void)state;
	begin();
	assert_int_equal(iommu_amdvi.set_device(0x108, &user), 0);
	assert_true(entry(0x108)->q[0] == (user.pt.root_hpa | 3UL | 4UL << 9 | 3UL << 61));
	assert_true(entry(0x108)->q[1] == 5);
	/* interrupts through a table of 512 entries of its own: IV, length 9, remapped */
	assert_true((entry(0x108)->q[2] & ~ADDRESS) == (1UL | 9UL << 1 | 2UL << 60));
	assert_true((entry(0x108)->q[2] & ADDRESS) != 0);
	assert_true(entry(0x107)->q[1] == 1 && entry(0x109)->q[1] == 1);
	assert_int_equal(last_command[2][0], 2UL << 60 | 0x108);
	assert_int_equal(last_command[5][0], 5UL << 60 | 0x108);
	assert_int_equal(iommu_amdvi.set_device(0x108, NULL), 0);
	blocked = entry(0x108)->q[0];
	assert_true((blocked & 3) == 3 && (blocked & 3UL << 61) == 0); /* valid, neither read nor write */
	for (unsigned int i = 0; i < 512; i++)
		assert_true(((uint64_t *)fake_memory(blocked & ADDRESS))[i] == 0);
	assert_true(entry(0x108)->q[2] == 1);
	assert_int_equal(iommu_amdvi.set_device(0x108, &service), 0);
	assert_memory_equal(entry(0x108), entry(0x107), sizeof(struct amdvi_entry));
}

static void test_flush(void **state)
{
	unsigned int waits;

	(void)state;
	begin();
	waits = done[1];
	/* round the ring more than once */
	for (unsigned int i = 0; i < 600; i++)
		iommu_amdvi.flush(&user);
	assert_int_equal(done[3], 600);
	assert_int_equal(done[1], waits + 600);
	assert_true(last_command[3][0] == (3UL << 60 | 5UL << 32));
	assert_true(last_command[3][1] == (0x7FFFFFFFFFFFF000UL | 3));
}

static void test_silence(void **state)
{
	(void)state;
	begin();
	fake_work = NULL;
	expect_assert_failure(iommu_amdvi.flush(&user));
	assert_true(fake_now > IOMMU_PATIENCE_US);
}

static void cve_2021_36148_amdvi_frees_only_an_entry_of_its_own(void **state)
{
	struct msi_route route = { .apic_id = 0x42, .vector = 0x99, .mode = APIC_DM_LOWEST };
	struct msi_msg first, msg, other;
	const uint32_t *table;

	(void)state;
	begin();
	assert_int_equal(iommu_amdvi.set_device(0x108, &user), 0);
	assert_int_equal(iommu_amdvi.set_device(0x110, &user), 0);
	assert_int_equal(iommu_amdvi.map_irq(0x108, &route, &first), 0);
	table = fake_memory(entry(0x108)->q[2] & ADDRESS);
	assert_true(first.address == 0xFEE00000UL && first.data < 512);
	assert_true(table[first.data] == (1U | 1U << 2 | 0x42U << 8 | 0x99U << 16));
	for (unsigned int i = 1; i < 512; i++) {
		assert_int_equal(iommu_amdvi.map_irq(0x108, &route, &msg), 0);
		assert_true(msg.data < 512 && msg.data != first.data);
	}
	assert_int_equal(iommu_amdvi.map_irq(0x108, &route, &other), -ENOSPC);
	/* neither what is another's, nor what is outside */
	iommu_amdvi.unmap_irq(0x110, &first);
	assert_true(table[first.data] != 0);
	msg.data = 512;
	iommu_amdvi.unmap_irq(0x108, &msg);
	msg.data = 0xFFFFFFFF;
	iommu_amdvi.unmap_irq(0x108, &msg);
	iommu_amdvi.unmap_irq(0x108, &first);
	assert_int_equal(table[first.data], 0);
	assert_int_equal(iommu_amdvi.map_irq(0x108, &route, &other), 0);
	assert_int_equal(other.data, first.data);
	/* back and away again: nothing is left of the former owner's */
	assert_int_equal(iommu_amdvi.set_device(0x108, &service), 0);
	assert_int_equal(iommu_amdvi.set_device(0x108, &user), 0);
	table = fake_memory(entry(0x108)->q[2] & ADDRESS);
	for (unsigned int i = 0; i < 512; i++)
		assert_int_equal(table[i], 0);
}

static void put_event(uint32_t at, uint64_t low, uint64_t high)
{
	uint64_t *e = (uint64_t *)fake_memory(fake_reg(EVENTS) & ADDRESS) + at / 8;

	e[0] = low;
	e[1] = high;
	fake_set_reg(EVENT_TAIL, (at + 16) % 4096);
}

static void test_events(void **state)
{
	struct iommu_fault f;

	(void)state;
	begin();
	assert_false(iommu_amdvi.next_fault(&f));
	for (uint32_t i = 0; i < 700; i++) {
		put_event(i * 16 % 4096, 2UL << 60 | 0x1234, 0xABC000 + i);
		assert_true(iommu_amdvi.next_fault(&f));
		assert_true(f.bdf == 0x1234 && f.address == 0xABC000 + i && f.why != NULL);
		assert_true(fake_reg(EVENT_HEAD) == fake_reg(EVENT_TAIL));
		assert_false(iommu_amdvi.next_fault(&f));
	}
	/* the tail can be there before the words */
	put_event(700 * 16 % 4096, 0, 0);
	assert_false(iommu_amdvi.next_fault(&f));
	put_event(700 * 16 % 4096, 0xFUL << 60, 1);
	assert_true(iommu_amdvi.next_fault(&f));
	assert_non_null(f.why);
	/* a ring that was full goes on */
	fake_set_reg(STATUS, 1);
	assert_false(iommu_amdvi.next_fault(&f));
	assert_int_equal(fake_reg(CONTROL) & 4, 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_absent), TEST(test_start), TEST(test_start_in_emulator), TEST(test_filter), TEST(test_device),
		TEST(test_flush),  TEST(test_silence), TEST(test_events),
		TEST(cve_2021_36148_amdvi_frees_only_an_entry_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
