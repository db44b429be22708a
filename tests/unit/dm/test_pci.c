/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI functions as a guest pokes at them: sizing, moving, masking, and every wild access without an assertion.
 */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "bus/io.h"
#include "bus/pci.h"
#include "dm/fake_core.h"

#define BDF PCI_BDF(0, 3, 0)

static struct pci_func *f;
static unsigned int moves;
static uint64_t moved_to;
static bool moved_on;
static int msix_changes;

static uint64_t bar_read(struct pci_func *func, int bar, uint64_t off, unsigned int size)
{
	(void)func;
	(void)size;
	return 0xa0 + (uint64_t)bar + (off << 8);
}

static void bar_moved(struct pci_func *func, int bar, uint64_t addr, bool enabled)
{
	(void)func;
	(void)bar;
	moves++;
	moved_to = addr;
	moved_on = enabled;
}

static void msix_changed(struct pci_func *func, int vec)
{
	(void)func;
	(void)vec;
	msix_changes++;
}

static const struct pci_ops ops = { .bar_read = bar_read, .bar_moved = bar_moved, .msix_changed = msix_changed };

static int setup(void **state)
{
	(void)state;
	fake_core_reset();
	moves = 0;
	f = pci_func_create(0, 3, 0, "thing");
	pci_set_ops(f, &ops, NULL);
	pci_set_ids(f, &(struct pci_ids){ .vendor = 0x1af4, .device = 0x1000, .class = 2 });
	assert_int_equal(pci_add_bar(f, 0, PCI_BAR_IO, 24), 0);
	assert_int_equal(pci_add_msix(f, 1, 3), 0);
	assert_int_equal(pci_add_bar(f, 4, PCI_BAR_MEM64, 0x4000), 0);
	assert_int_equal(pci_add_intx(f), 0);
	pci_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pci_exit();
	io_exit();
	return 0;
}

static uint64_t access_read(enum io_space space, uint64_t addr, uint8_t size)
{
	struct io_access a = { .space = space, .addr = addr, .size = size };

	io_dispatch(&a);
	return a.value;
}

static void access_write(enum io_space space, uint64_t addr, uint8_t size, uint64_t value)
{
	struct io_access a = { .space = space, .addr = addr, .size = size, .is_write = true, .value = value };

	io_dispatch(&a);
}

static uint64_t bar_address(unsigned int idx)
{
	return pci_cfg_read(BDF, 0x10 + 4 * idx, 4) & ~15u;
}

static void bars_are_sized_as_the_manual_says(void **state)
{
	(void)state;
	pci_cfg_write(BDF, 0x10, 4, 0xffffffffu);
	assert_int_equal(pci_cfg_read(BDF, 0x10, 4), 0xffffffe1u);
	pci_cfg_write(BDF, 0x20, 4, 0xffffffffu);
	pci_cfg_write(BDF, 0x24, 4, 0xffffffffu);
	assert_int_equal(pci_cfg_read(BDF, 0x20, 4), 0xffffc004u);
	assert_int_equal(pci_cfg_read(BDF, 0x24, 4), 0xffffffffu);
	pci_cfg_write(BDF, 0x18, 4, 0xffffffffu);
	assert_int_equal(pci_cfg_read(BDF, 0x18, 4), 0);
	pci_cfg_write(BDF, 0x30, 4, 0xffffffffu);
	assert_int_equal(pci_cfg_read(BDF, 0x30, 4), 0);
}

static void bars_answer_only_while_decoding(void **state)
{
	uint64_t port = bar_address(0);

	(void)state;
	assert_int_equal(access_read(IO_PORT, port, 1), 0xff);
	pci_cfg_write(BDF, 4, 2, 1);
	assert_int_equal(access_read(IO_PORT, port, 1), 0xa0);
	assert_int_equal(moves, 1);
	assert_true(moved_on && moved_to == port);
	pci_cfg_write(BDF, 4, 2, 0);
	assert_int_equal(access_read(IO_PORT, port, 1), 0xff);
	assert_false(moved_on);
}

static void bars_move(void **state)
{
	uint64_t old = bar_address(4);

	(void)state;
	pci_cfg_write(BDF, 4, 2, 2);
	assert_int_equal(access_read(IO_MMIO, old + 8, 4), 0x8a4);
	pci_cfg_write(BDF, 0x24, 4, 0x41);	/* now at 260 GiB and something */
	assert_int_equal(access_read(IO_MMIO, old, 4), 0xffffffffu);
	assert_int_equal(access_read(IO_MMIO, (0x41ull << 32) + old, 4), 0xa4);
	assert_int_equal(moved_to, (0x41ull << 32) + old);
}

static void bar_on_a_taken_place_does_not_answer(void **state)
{
	uint64_t other = bar_address(1);

	(void)state;
	pci_cfg_write(BDF, 0x20, 4, (uint32_t)other & ~0x3fffu);
	pci_cfg_write(BDF, 4, 2, 2);
	/* one of the two got the place, and neither is lost when they part again */
	pci_cfg_write(BDF, 0x20, 4, 0xd0000000u);
	assert_int_equal(access_read(IO_MMIO, 0xd0000000u, 4), 0xa4);
	pci_cfg_write(BDF, 4, 2, 0);
}

static void cve_2019_18844_wild_accesses_do_nothing(void **state)
{
	uint64_t seed = 7;

	(void)state;
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 9, 0), 0, 4), 0xffffffffu);
	assert_int_equal(pci_cfg_read(PCI_BDF(1, 3, 0), 0, 2), 0xffffu);
	assert_int_equal(pci_cfg_read(BDF, 256, 4), 0xffffffffu);
	assert_int_equal(pci_cfg_read(BDF, 1, 4), 0xffffffffu);
	for (unsigned int i = 0; i < 100000; i++) {
		uint32_t value = (uint32_t)unit_random(&seed);
		unsigned int reg = (unsigned int)unit_random(&seed) % 4200;

		pci_cfg_write(BDF, reg, 1u << unit_random(&seed) % 4, value);
		access_write(IO_MMIO, bar_address(1) + unit_random(&seed) % 0x2000,
			     (uint8_t)(1u << unit_random(&seed) % 4), value);
		pci_msix_post(f, (unsigned int)unit_random(&seed) % 5);
		pci_intx_set(f, unit_random(&seed) & 1);
	}
	assert_int_equal(pci_cfg_read(BDF, 0, 4), 0x10001af4u);
}

static void enable_msix(void)
{
	uint64_t table = bar_address(1);

	pci_cfg_write(BDF, 4, 2, 6);
	for (unsigned int i = 0; i < 3; i++) {
		access_write(IO_MMIO, table + 16 * i, 8, 0xfee01000ull);
		access_write(IO_MMIO, table + 16 * i + 8, 4, 0x40 + i);
		access_write(IO_MMIO, table + 16 * i + 12, 4, 0);
	}
	pci_cfg_write(BDF, f->msix_cap + 2, 2, 0x8000);
}

static void msix_sends_its_message(void **state)
{
	(void)state;
	pci_msix_post(f, 1);
	assert_int_equal(fake_core.msis, 0);
	enable_msix();
	pci_msix_post(f, 1);
	assert_int_equal(fake_core.msis, 1);
	assert_int_equal(fake_core.msi_data, 0x41);
	assert_int_equal(fake_core.msi_addr, 0xfee01000u);
	pci_msix_post(f, 3);
	pci_msix_post(f, 0xffffffffu);
	assert_int_equal(fake_core.msis, 1);
	assert_true(msix_changes > 0);
}

static void masked_vector_waits(void **state)
{
	uint64_t table = bar_address(1), addr;
	uint32_t data;

	(void)state;
	enable_msix();
	access_write(IO_MMIO, table + 16 * 2 + 12, 4, 1);
	assert_false(pci_msix_get(f, 2, &addr, &data));
	pci_msix_post(f, 2);
	assert_int_equal(fake_core.msis, 0);
	assert_int_equal(access_read(IO_MMIO, table + 0x1000, 4), 4);
	access_write(IO_MMIO, table + 16 * 2 + 12, 4, 0);
	assert_int_equal(fake_core.msis, 1);
	assert_int_equal(access_read(IO_MMIO, table + 0x1000, 4), 0);
	pci_cfg_write(BDF, f->msix_cap + 2, 2, 0xc000);
	pci_msix_post(f, 0);
	assert_int_equal(fake_core.msis, 1);
	pci_cfg_write(BDF, f->msix_cap + 2, 2, 0x8000);
	assert_int_equal(fake_core.msis, 2);
}

static void no_message_without_bus_mastering(void **state)
{
	(void)state;
	enable_msix();
	pci_cfg_write(BDF, 4, 2, 2);
	pci_msix_post(f, 0);
	assert_int_equal(fake_core.msis, 0);
}

static void intx_is_low_when_asserted(void **state)
{
	(void)state;
	assert_int_equal(fake_core.line[16], 0);	/* HIGH from the start */
	pci_intx_set(f, true);
	assert_int_equal(fake_core.line[16], 1);
	assert_true(pci_cfg_read(BDF, 6, 2) & 8);
	pci_cfg_write(BDF, 4, 2, 0x400);
	assert_int_equal(fake_core.line[16], 0);
	pci_cfg_write(BDF, 4, 2, 0);
	assert_int_equal(fake_core.line[16], 1);
	pci_intx_set(f, false);
	assert_int_equal(fake_core.line[16], 0);
}

static void reset_puts_everything_back(void **state)
{
	uint64_t old = bar_address(4);

	(void)state;
	enable_msix();
	pci_cfg_write(BDF, 0x20, 4, 0xd0000000u);
	pci_intx_set(f, true);
	pci_func_reset(f);
	assert_int_equal(bar_address(4), old);
	assert_int_equal(pci_cfg_read(BDF, 4, 2), 0);
	assert_int_equal(access_read(IO_MMIO, 0xd0000000u, 4), 0xffffffffu);
	assert_int_equal(fake_core.line[16], 0);
	assert_false(pci_msix_enabled(f));
}

static void capabilities_form_a_list(void **state)
{
	unsigned int p = pci_cfg_read(BDF, 0x34, 1), n = 0;
	uint8_t body[300] = { 0 };

	(void)state;
	assert_true(pci_cfg_read(BDF, 6, 2) & 0x10);
	while (p && n < 10) {
		p = pci_cfg_read(BDF, p + 1, 1);
		n++;
	}
	assert_int_equal(n, 1);
	assert_true(pci_add_cap(f, 9, body, sizeof(body)) < 0);
	assert_true(pci_add_cap(f, 9, body, 200) < 0);
}

static void bad_bars_are_refused(void **state)
{
	(void)state;
	assert_int_not_equal(pci_add_bar(f, 0, PCI_BAR_IO, 8), 0);
	assert_int_not_equal(pci_add_bar(f, 5, PCI_BAR_MEM32, 8), 0);
	assert_int_not_equal(pci_add_bar(f, 6, PCI_BAR_MEM32, 8), 0);
	assert_int_not_equal(pci_add_bar(f, 2, PCI_BAR_MEM32, 1ull << 33), 0);
	assert_int_not_equal(pci_add_bar(f, 2, PCI_BAR_IO, 1ull << 16), 0);
	assert_null(pci_func_create(0, 3, 0, "again"));
	assert_null(pci_func_create(0, 32, 0, "far"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bars_are_sized_as_the_manual_says),
		TEST(bars_answer_only_while_decoding),
		TEST(bars_move),
		TEST(bar_on_a_taken_place_does_not_answer),
		TEST(cve_2019_18844_wild_accesses_do_nothing),
		TEST(msix_sends_its_message),
		TEST(masked_vector_waits),
		TEST(no_message_without_bus_mastering),
		TEST(intx_is_low_when_asserted),
		TEST(reset_puts_everything_back),
		TEST(capabilities_form_a_list),
		TEST(bad_bars_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
