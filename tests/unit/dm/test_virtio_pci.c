/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport: identity, negotiation, interrupts, notifications, and what a hostile driver does to the registers. */
#include "unit.h"

#include <string.h>

#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "dm/fake_guest.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "dm/virtio_tests.h"
#include "virtio/virtio.h"

#define BDF	PCI_BDF(0, 3, 0)

static struct guest_dev g;

static int setup(void **state)
{
	(void)state;
	fake_hsm_reset();
	guest_memory_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_dev_drop(&g);
	assert_int_equal(fake_ioeventfd_count(), 0);
	guest_memory_drop();
	return 0;
}

static void make(const char *opts, bool modern, bool msix)
{
	assert_int_equal(guest_dev_make(&g, "virtio-rnd", opts, modern, msix), 0);
}

/* One request of 64 random bytes. */
static void ask_for_entropy(void)
{
	struct guest_seg seg = { guest_alloc(64, 64), 64 };
	struct vring_used_elem e;
	static const uint8_t zero[64];

	ring_add(&g.ring[0], &seg, 0, 1);
	guest_dev_kick(&g, 0);
	assert_true(ring_wait(&g.ring[0], &e));
	assert_int_equal(e.len, 64);
	assert_memory_not_equal(guest_at(seg.addr), zero, 64);
}

static uint64_t read_isr(void)
{
	return g.modern ? guest_load(g.modern_base + 0x1000, 1) : guest_in(g.legacy_base + 19, 1);
}

static void identity_is_the_transitional_one(void **state)
{
	(void)state;
	make("", true, true);
	assert_int_equal(pci_cfg_read(BDF, 0, 4), 0x10051af4);
	assert_int_equal(pci_cfg_read(BDF, 8, 1), 0);
	assert_int_equal(pci_cfg_read(BDF, 11, 1), 0x10);
	assert_int_equal(pci_cfg_read(BDF, 0x2c, 4), 0x00041af4);
}

static void windows_drivers_find_the_vendor_they_are_signed_for(void **state)
{
	(void)state;
	config.windows = true;
	assert_int_equal(guest_dev_make(&g, "virtio-blk", "nodisk", true, true), 0);
	assert_int_equal(pci_cfg_read(BDF, 0x2c, 2), 0x108e);
	guest_dev_drop(&g);
	make("", true, true);
	assert_int_equal(pci_cfg_read(BDF, 0x2c, 2), 0x1af4);	/* no such driver asks for another */
	config.windows = false;
}

static void entropy_comes_in_every_mode(void **state)
{
	(void)state;
	for (unsigned int mode = 0; mode < 8; mode++) {
		bool modern = mode & 1, msix = mode & 2;
		int gsi;

		fake_hsm_reset();
		fake_no_ioeventfd = mode & 4;
		make("", modern, msix);
		gsi = g.f->gsi;
		guest_dev_start(&g, modern ? ~0ull : 0, 1);
		assert_int_equal(fake_ioeventfd_count(), fake_no_ioeventfd ? 0 : 1);
		for (unsigned int i = 1; i < 100; i++) {
			ask_for_entropy();
			if (msix) {
				assert_true(fake_msi_wait(1, i));
				continue;
			}
			assert_true(BECOMES(fake_line_is_low((unsigned int)gsi)));	/* after the ring was */
			assert_int_equal(read_isr(), 1);
			assert_false(fake_line_is_low((unsigned int)gsi));
		}
		guest_dev_drop(&g);
		assert_int_equal(fake_ioeventfd_count(), 0);
	}
}

static void features_ok_is_refused_for_unknown_bits(void **state)
{
	(void)state;
	make("", true, true);
	guest_dev_set_status(&g, 3);
	guest_dev_accept(&g, VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(40));
	guest_dev_set_status(&g, 11);
	assert_int_equal(guest_dev_status(&g), 3);
	guest_dev_accept(&g, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	guest_dev_set_status(&g, 11);
	assert_int_equal(guest_dev_status(&g), 11);
}

static void disable_modern_leaves_only_the_legacy_interface(void **state)
{
	(void)state;
	make("disable-modern", false, true);
	assert_int_equal(pci_cfg_read(BDF, 0x20, 4), 0);
	guest_dev_start(&g, 0, 1);
	ask_for_entropy();
}

static void vector_can_move_while_the_queue_runs(void **state)
{
	(void)state;
	make("", true, true);
	guest_dev_start(&g, ~0ull, 1);
	ask_for_entropy();
	assert_true(fake_msi_wait(1, 1));
	guest_store(g.modern_base + 22, 2, 0);
	guest_store(g.modern_base + 26, 2, 0);	/* queue 0 now has vector 0 */
	ask_for_entropy();
	assert_true(fake_msi_wait(0, 1));
	assert_int_equal(fake_msi_count(1), 1);
	guest_store(g.modern_base + 26, 2, 77);
	assert_int_equal(guest_load(g.modern_base + 26, 2), VIRTIO_NO_VECTOR);
}

static void single_msi_serves_queues_and_configuration(void **state)
{
	unsigned int cap;

	(void)state;
	config.virtio_msi = true;
	make("", false, false);
	config.virtio_msi = false;
	for (cap = pci_cfg_read(BDF, 0x34, 1); cap; cap = pci_cfg_read(BDF, cap + 1, 1)) {
		assert_int_not_equal(pci_cfg_read(BDF, cap, 1), 0x11);
		if (pci_cfg_read(BDF, cap, 1) == 5)
			break;
	}
	assert_int_not_equal(cap, 0);
	pci_cfg_write(BDF, cap + 4, 4, FAKE_MSI_ADDR);
	pci_cfg_write(BDF, cap + 12, 2, 9);
	pci_cfg_write(BDF, cap + 2, 2, 1);
	guest_dev_start(&g, 0, 1);
	ask_for_entropy();
	assert_true(fake_msi_wait(9, 1));
	assert_int_equal(guest_in(g.legacy_base + 19, 1), 1);
}

static void notification_follows_a_bar_that_moves(void **state)
{
	(void)state;
	make("", true, true);
	guest_dev_start(&g, ~0ull, 1);
	pci_cfg_write(BDF, 4, 2, 5);
	assert_int_equal(fake_ioeventfd_count(), 0);
	pci_cfg_write(BDF, 0x24, 4, 0x50);
	pci_cfg_write(BDF, 0x20, 4, 0x10000);
	pci_cfg_write(BDF, 4, 2, 7);
	assert_int_equal(fake_ioeventfd_count(), 1);
	g.modern_base = 0x5000010000ull;
	ask_for_entropy();
}

static void window_capability_reaches_the_registers(void **state)
{
	unsigned int at, last = 0;

	(void)state;
	make("", true, true);
	for (at = pci_cfg_read(BDF, 0x34, 1); at; at = pci_cfg_read(BDF, at + 1, 1))
		if (pci_cfg_read(BDF, at, 1) == 9 && pci_cfg_read(BDF, at + 3, 1) == 5)
			last = at;
	assert_int_not_equal(last, 0);
	pci_cfg_write(BDF, last + 4, 1, 4);
	pci_cfg_write(BDF, last + 8, 4, 20);
	pci_cfg_write(BDF, last + 12, 4, 1);
	pci_cfg_write(BDF, last + 16, 1, 3);
	assert_int_equal(guest_dev_status(&g), 3);
	assert_int_equal(pci_cfg_read(BDF, last + 16, 1), 3);
	pci_cfg_write(BDF, last + 8, 4, 0xfffffff0);
	assert_int_equal(pci_cfg_read(BDF, last + 16, 1), 0);
}

static void cve_2021_36143_kick_before_setup_is_harmless(void **state)
{
	(void)state;
	for (unsigned int modern = 0; modern < 2; modern++) {
		make("", modern, true);
		for (unsigned int i = 0; i < 4; i++)
			guest_dev_kick(&g, i);
		guest_dev_set_status(&g, 0xbf);	/* every bit, with no queue set up */
		for (unsigned int i = 0; i < 4; i++)
			guest_dev_kick(&g, i);
		guest_dev_reset(&g);
		guest_dev_start(&g, modern ? ~0ull : 0, 1);
		ask_for_entropy();
		guest_dev_drop(&g);
	}
}

static void bad_ring_asks_for_a_reset_and_recovers(void **state)
{
	(void)state;
	make("", true, true);
	guest_dev_start(&g, ~0ull, 1);
	guest_store(g.modern_base + 16, 2, 0);	/* configuration changes: vector 0 */
	ring_offer(&g.ring[0], 1000);
	guest_dev_kick(&g, 0);
	assert_true(fake_msi_wait(0, 1));
	assert_int_equal(guest_dev_status(&g), 15 | VIRTIO_STATUS_NEEDS_RESET);
	guest_dev_start(&g, ~0ull, 1);
	ask_for_entropy();
}

static void cve_2020_28346_ring_outside_of_memory_fails_the_device(void **state)
{
	(void)state;
	make("", false, true);
	guest_dev_set_status(&g, 3);
	guest_out(g.legacy_base + 14, 2, 0);
	guest_out(g.legacy_base + 8, 4, 0xfffffff0);
	assert_true(guest_dev_status(&g) & VIRTIO_STATUS_NEEDS_RESET);
	guest_dev_kick(&g, 0);
	guest_dev_start(&g, 0, 1);
	ask_for_entropy();
}

static void cve_2019_18844_no_access_reaches_an_assertion(void **state)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8 };
	uint64_t seed = 18844;

	(void)state;
	for (unsigned int modern = 0; modern < 2; modern++) {
		make("", modern, modern);
		for (unsigned int i = 0; i < 200000; i++) {
			unsigned int size = sizes[unit_random(&seed) & 3];
			uint64_t value = unit_random(&seed) >> (unit_random(&seed) & 63);
			uint64_t off = unit_random(&seed);

			off = unit_random(&seed) & 1 ? off % 64 : off % (modern ? 0x4000 : 32);
			if (modern && unit_random(&seed) & 1)
				guest_store(g.modern_base + off, size, value);
			else if (modern)
				(void)guest_load(g.modern_base + off, size);
			else if (unit_random(&seed) & 1)
				guest_out(g.legacy_base + off, size & 7, value);
			else
				(void)guest_in(g.legacy_base + off, size & 7);
			if (i % 64 == 0)
				pci_cfg_write(BDF, (unsigned int)(off & 0xfc), 4, (uint32_t)value);
			if (i % 64 == 1)
				(void)pci_cfg_read(BDF, (unsigned int)(off & 0xff), size);
		}
		guest_dev_drop(&g);
	}
}

static void machine_reset_returns_to_the_start(void **state)
{
	(void)state;
	make("", true, true);
	guest_dev_start(&g, ~0ull, 1);
	ask_for_entropy();
	device_reset_all();
	assert_int_equal(fake_ioeventfd_count(), 0);
	guest_dev_attach(&g, g.f, true, true);
	assert_int_equal(guest_dev_status(&g), 0);
	guest_dev_start(&g, ~0ull, 1);
	ask_for_entropy();
}

struct test_list virtio_pci_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(identity_is_the_transitional_one),
		TEST(windows_drivers_find_the_vendor_they_are_signed_for),
		TEST(entropy_comes_in_every_mode),
		TEST(features_ok_is_refused_for_unknown_bits),
		TEST(disable_modern_leaves_only_the_legacy_interface),
		TEST(vector_can_move_while_the_queue_runs),
		TEST(single_msi_serves_queues_and_configuration),
		TEST(notification_follows_a_bar_that_moves),
		TEST(window_capability_reaches_the_registers),
		TEST(cve_2021_36143_kick_before_setup_is_harmless),
		TEST(bad_ring_asks_for_a_reset_and_recovers),
		TEST(cve_2020_28346_ring_outside_of_memory_fails_the_device),
		TEST(cve_2019_18844_no_access_reaches_an_assertion),
		TEST(machine_reset_returns_to_the_start),
	};

	return (struct test_list){ tests, sizeof(tests) / sizeof(tests[0]) };
}
