/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest sees of a physical device's configuration space, and what of its writes reaches the device. */
#include <string.h>

#include "unit.h"

#include "lib/errno.h"
#include "vdev/vpci_passthru.h"

/* Capabilities of the pretended device: a chain with two that are not for guests. */
#define PM 0x40
#define VPD 0x50
#define MSI 0x60
#define MSIX 0x70
#define EXPRESS 0x80
#define VENDOR 0xE0
#define AF 0xF0
#define SERIAL 0x140

static struct device {
	uint8_t cfg[4096];
	uint32_t bar_mask[6]; /* bits of a BAR that keep what is written */
	unsigned int writes;
} device;
static struct vpci_passthru p;
static unsigned int bars, msi, msix;

static void put(unsigned int at, unsigned int size, uint32_t v)
{
	memcpy(&device.cfg[at], &v, size);
}

static uint32_t get(unsigned int at, unsigned int size)
{
	uint32_t v = 0;

	memcpy(&v, &device.cfg[at], size);
	return v;
}

static uint32_t hw_read(void *ctx, uint16_t reg, uint8_t size)
{
	assert_ptr_equal(ctx, &device);
	assert_int_equal(reg % size, 0);
	return get(reg, size);
}

static void hw_write(void *ctx, uint16_t reg, uint8_t size, uint32_t value)
{
	assert_ptr_equal(ctx, &device);
	device.writes++;
	if (reg >= 0x10 && reg < 0x28) {
		uint32_t mask = device.bar_mask[(reg - 0x10) / 4];

		assert_int_equal(size, 4);
		assert_int_equal(get(4, 2) & 3, 0); /* nothing decodes while a BAR changes */
		value = (get(reg, 4) & ~mask) | (value & mask);
	}
	put(reg, size, value);
}

static void on_bars(void *ctx)
{
	assert_ptr_equal(ctx, &device);
	bars++;
}

static void on_msi(void *ctx)
{
	assert_ptr_equal(ctx, &device);
	msi++;
}

static void on_msix(void *ctx)
{
	assert_ptr_equal(ctx, &device);
	msix++;
}

static const struct vpci_passthru_ops ops = { hw_read, hw_write, on_bars, on_msi, on_msix };

static void cap(unsigned int at, unsigned int id, unsigned int next)
{
	put(at, 1, id);
	put(at + 1, 1, next);
}

static void make_device(void)
{
	memset(&device, 0, sizeof(device));
	put(0, 4, 0x10D38086);
	put(4, 2, 0x0507);
	put(6, 2, 0x0010);
	put(8, 4, 0x02000001);
	put(0x2C, 4, 0x12345678);
	put(0x10, 4, 0xFEB00000);
	device.bar_mask[0] = 0xFFFE0000;
	put(0x14, 4, 0xC041);
	device.bar_mask[1] = 0xFFFFFFE0;
	put(0x18, 4, 0xFE00000C);
	put(0x1C, 4, 0x12);
	device.bar_mask[2] = 0xFFFFC000;
	device.bar_mask[3] = 0xFFFFFFFF;
	put(0x34, 1, PM);
	cap(PM, 0x01, VPD);
	put(PM + 2, 2, 0xC823);
	put(PM + 4, 2, 0x2000);
	cap(VPD, 0x03, MSI);
	put(VPD + 2, 2, 0x7777);
	cap(MSI, 0x05, MSIX);
	put(MSI + 2, 2, 0x018B); /* on, eight messages, 64 bits, maskable */
	cap(MSIX, 0x11, EXPRESS);
	put(MSIX + 2, 2, 0x8004);
	put(MSIX + 4, 4, 0x00000003 | 2);
	put(MSIX + 4, 4, 2);
	put(MSIX + 8, 4, 0x2002);
	cap(EXPRESS, 0x10, VENDOR);
	put(EXPRESS + 2, 2, 0x0002);
	put(EXPRESS + 4, 4, 0x10008CC1);
	put(EXPRESS + 8, 2, 0x2810);
	put(EXPRESS + 0x28, 2, 0x0400);
	cap(VENDOR, 0x09, AF);
	put(VENDOR + 2, 1, 8);
	put(VENDOR + 4, 4, 0xABCD1234);
	cap(AF, 0x13, 0);
	put(0x100, 4, 0x14010001);
	put(SERIAL, 4, 0x00010003);
	put(SERIAL + 4, 4, 0x11223344);
	put(SERIAL + 8, 4, 0x55667788);
}

static const struct acrn_pcidev wanted = {
	.virt_bdf = 0x28, .phys_bdf = 0x40, .intr_line = 17, .intr_pin = 1,
	.bar = { 0x80000000, 0x2000, 0x80040000, 0x40 },
};

static int setup(void **state)
{
	(void)state;
	make_device();
	bars = msi = msix = 0;
	assert_int_equal(vpci_passthru_init(&p, &ops, &device, &wanted), 0);
	return 0;
}

static uint32_t rd(unsigned int reg, unsigned int size)
{
	return vpci_passthru_read(&p, (uint16_t)reg, (uint8_t)size);
}

static void wr(unsigned int reg, unsigned int size, uint32_t value)
{
	vpci_passthru_write(&p, (uint16_t)reg, (uint8_t)size, value);
}

static void identity_is_the_devices(void **state)
{
	(void)state;
	assert_int_equal(rd(0, 4), 0x10D38086);
	assert_int_equal(rd(8, 4), 0x02000001);
	assert_int_equal(rd(0x2C, 4), 0x12345678);
	assert_int_equal(rd(0x3C, 2), 0x0111);
	assert_int_equal(rd(0x30, 4), 0);
	wr(0, 4, 0);
	wr(0x2C, 4, 0);
	assert_int_equal(rd(0, 4), 0x10D38086);
	assert_int_equal(rd(0x2C, 4), 0x12345678);
}

static void it_begins_quiet(void **state)
{
	(void)state;
	assert_int_equal(get(4, 2), 0x0403); /* it decodes, masters nothing, interrupts nobody */
	assert_int_equal(rd(4, 2), 0);
	assert_int_equal(get(MSI + 2, 2) & 1, 0);
	assert_int_equal(get(MSIX + 2, 2), 0);
}

static void bars_are_found_and_the_hardware_keeps_its_own(void **state)
{
	(void)state;
	assert_int_equal(p.bar[0].type, VPCI_BAR_MEM32);
	assert_int_equal(p.bar[0].size, 0x20000);
	assert_int_equal(p.bar[0].phys, 0xFEB00000);
	assert_int_equal(p.bar[1].type, VPCI_BAR_IO);
	assert_int_equal(p.bar[1].size, 0x20);
	assert_int_equal(p.bar[1].phys, 0xC040);
	assert_int_equal(p.bar[2].type, VPCI_BAR_MEM64);
	assert_int_equal(p.bar[2].size, 0x4000);
	assert_int_equal(p.bar[2].phys, 0x12FE000000);
	assert_int_equal(p.bar[3].type, VPCI_BAR_HIGH);
	assert_int_equal(p.bar[4].type, VPCI_BAR_NONE);
	assert_int_equal(get(0x10, 4), 0xFEB00000);
	assert_int_equal(get(0x1C, 4), 0x12);
}

static void the_guest_sizes_and_moves_bars(void **state)
{
	unsigned int before;

	(void)state;
	assert_int_equal(rd(0x10, 4), 0x80000000);
	assert_int_equal(rd(0x14, 4), 0x2001);
	assert_int_equal(rd(0x18, 4), 0x8004000C);
	assert_int_equal(rd(0x1C, 4), 0x40);
	wr(0x10, 4, 0xFFFFFFFF);
	assert_int_equal(rd(0x10, 4), 0xFFFE0000);
	wr(0x18, 4, 0xFFFFFFFF);
	wr(0x1C, 4, 0xFFFFFFFF);
	assert_int_equal(rd(0x18, 4), 0xFFFFC00C);
	assert_int_equal(rd(0x1C, 4), 0xFFFFFFFF);
	assert_false(vpci_passthru_decodes(&p, 2)); /* all ones is no address */
	wr(0x10, 4, 0x90001234);
	assert_int_equal(p.bar[0].guest, 0x90000000);
	before = bars;
	wr(0x20, 4, 0xFFFFFFFF);
	assert_int_equal(rd(0x20, 4), 0);
	assert_int_equal(bars, before + 1);
	assert_int_equal(get(0x10, 4), 0xFEB00000);
}

static void decoding_is_the_guests_not_the_hardwares(void **state)
{
	(void)state;
	assert_false(vpci_passthru_decodes(&p, 0));
	wr(4, 2, 2);
	assert_true(vpci_passthru_decodes(&p, 0));
	assert_true(vpci_passthru_decodes(&p, 2));
	assert_false(vpci_passthru_decodes(&p, 1));
	assert_false(vpci_passthru_decodes(&p, 3));
	wr(4, 2, 1);
	assert_true(vpci_passthru_decodes(&p, 1));
	assert_int_equal(bars, 2);
	assert_int_equal(get(4, 2) & 3, 3);
	wr(0x14, 4, 0);
	assert_false(vpci_passthru_decodes(&p, 1)); /* address 0 */
}

static void command_lets_only_mastering_and_intx_through(void **state)
{
	(void)state;
	wr(4, 2, 0xFFFF);
	assert_int_equal(rd(4, 2), 0x0407);
	assert_int_equal(get(4, 2), 0x0407);
	vpci_passthru_set_line(&p, true);
	wr(4, 2, 4);
	assert_int_equal(get(4, 2), 0x0007);
	wr(5, 1, 4);
	assert_int_equal(get(4, 2), 0x0407);
	wr(4, 2, 0);
	assert_int_equal(get(4, 2), 0x0003);
}

static void a_line_that_is_not_the_vms_stays_off(void **state)
{
	(void)state;
	wr(4, 2, 4);
	assert_int_equal(rd(4, 2), 4);
	assert_int_equal(get(4, 2), 0x0407);
	vpci_passthru_set_line(&p, true);
	assert_int_equal(get(4, 2), 0x0007);
	vpci_passthru_set_line(&p, false);
	assert_int_equal(get(4, 2), 0x0407);
}

static void status_is_live_and_cleared_by_ones(void **state)
{
	(void)state;
	put(6, 2, 0x2010);
	assert_int_equal(rd(6, 2), 0x2010);
	wr(4, 4, 0x20070006);
	assert_int_equal(get(6, 2), 0x2000); /* what was written: the device clears by it */
	assert_int_equal(get(4, 2), 0x0407);
	put(6, 2, 0x0010);
	wr(6, 2, 0x0010);
	assert_int_equal(get(6, 2), 0x0010); /* no bit that can be cleared: nothing is written */
}

static void only_known_capabilities_are_in_the_list(void **state)
{
	static const uint8_t ids[] = { 0x01, 0x05, 0x11, 0x10, 0x09 };
	unsigned int n = 0;

	(void)state;
	for (unsigned int at = rd(0x34, 1); at != 0; at = rd(at + 1, 1))
		assert_int_equal(rd(at, 1), ids[n++]);
	assert_int_equal(n, 5);
	assert_int_equal(rd(VPD + 2, 2), 0);
	assert_int_equal(rd(AF, 1), 0);
	wr(VPD + 2, 2, 0x8000);
	assert_int_equal(get(VPD + 2, 2), 0x7777);
	assert_int_equal(rd(VENDOR + 4, 4), 0xABCD1234);
	wr(VENDOR + 4, 4, 0);
	assert_int_equal(get(VENDOR + 4, 4), 0xABCD1234);
}

static void power_states_are_pretended(void **state)
{
	(void)state;
	assert_int_equal(rd(PM + 2, 2), 0x0023); /* no PME */
	wr(PM + 4, 2, 0xFFFF);
	assert_int_equal(rd(PM + 4, 2), 0x000B);
	assert_int_equal(get(PM + 4, 2), 0x2000);
}

static void msi_shows_one_message_and_is_not_the_hardwares(void **state)
{
	uint64_t address, real = 0xFEE12345678;
	uint32_t data;

	(void)state;
	assert_int_equal(rd(MSI + 2, 2), 0x0080);
	wr(MSI + 4, 4, 0xFEE01003);
	wr(MSI + 8, 4, 1);
	wr(MSI + 12, 2, 0x4041);
	assert_false(vpci_passthru_msi(&p, &address, &data));
	wr(MSI + 2, 2, 0xFFFF);
	assert_int_equal(msi, 4);
	assert_int_equal(rd(MSI + 2, 2), 0x0081);
	assert_true(vpci_passthru_msi(&p, &address, &data));
	assert_int_equal(address, 0x1FEE01000);
	assert_int_equal(data, 0x4041);
	assert_int_equal(get(MSI + 4, 4), 0);
	put(MSI + 2, 2, 0x01F1);
	vpci_passthru_program_msi(&p, &real, 0x77);
	assert_int_equal(get(MSI + 4, 4), 0x12345678);
	assert_int_equal(get(MSI + 8, 4), 0xFEE);
	assert_int_equal(get(MSI + 12, 2), 0x77);
	assert_int_equal(get(MSI + 2, 2), 0x0181); /* on, one message */
	assert_int_equal(rd(MSI + 4, 4), 0xFEE01000);
	vpci_passthru_program_msi(&p, NULL, 0);
	assert_int_equal(get(MSI + 2, 2) & 1, 0);
}

static void msix_tells_its_table_and_keeps_its_control(void **state)
{
	unsigned int bar;
	uint32_t offset;

	(void)state;
	assert_int_equal(vpci_passthru_msix_table(&p, &bar, &offset), 5);
	assert_int_equal(bar, 2);
	assert_int_equal(offset, 0);
	assert_int_equal(rd(MSIX + 2, 2), 4);
	wr(MSIX + 2, 2, 0xFFFF);
	assert_int_equal(msix, 1);
	assert_int_equal(vpci_passthru_msix_control(&p), 0xC004);
	assert_int_equal(get(MSIX + 2, 2), 0);
	wr(MSIX + 4, 4, 0);
	assert_int_equal(rd(MSIX + 4, 4), 2);
	vpci_passthru_program_msix(&p, true, false);
	assert_int_equal(get(MSIX + 2, 2), 0x8000);
}

static void a_large_msix_table_is_cut(void **state)
{
	unsigned int bar;
	uint32_t offset;

	(void)state;
	make_device();
	put(MSIX + 2, 2, 0x07FF);
	assert_int_equal(vpci_passthru_init(&p, &ops, &device, &wanted), 0);
	assert_int_equal(vpci_passthru_msix_table(&p, &bar, &offset), VPCI_MSIX_MAX);
	assert_int_equal(rd(MSIX + 2, 2), VPCI_MSIX_MAX - 1);
}

static void express_passes_three_fields(void **state)
{
	(void)state;
	assert_int_equal(rd(EXPRESS + 4, 4), 0x00008CC1); /* no function level reset */
	assert_int_equal(rd(EXPRESS + 0x28, 2), 0);
	wr(EXPRESS + 8, 2, 0xFFFF);
	assert_int_equal(get(EXPRESS + 8, 2), 0x7810);
	put(EXPRESS + 8, 2, 0x20EF);
	wr(EXPRESS + 8, 2, 0);
	assert_int_equal(get(EXPRESS + 8, 2), 0x00EF);
	put(EXPRESS + 10, 2, 0);
	wr(EXPRESS + 8, 4, 0xFFFF5000);
	assert_int_equal(get(EXPRESS + 10, 2), 0x000F);
	wr(EXPRESS + 0x10, 2, 3);
	assert_int_equal(get(EXPRESS + 0x10, 2), 0);
}

static void of_the_extended_space_only_the_serial_number_is_there(void **state)
{
	(void)state;
	assert_int_equal(rd(0x100, 4), 0x00010003);
	assert_int_equal(rd(0x104, 4), 0x11223344);
	assert_int_equal(rd(0x10A, 2), 0x5566);
	assert_int_equal(rd(0x10C, 4), 0);
	assert_int_equal(rd(SERIAL, 4), 0);
	device.writes = 0;
	wr(0x100, 4, 0);
	wr(0xFFC, 4, 0xFFFFFFFF);
	assert_int_equal(device.writes, 0);
}

static void what_is_no_device_is_refused(void **state)
{
	(void)state;
	make_device();
	put(0, 4, 0xFFFFFFFF);
	assert_int_equal(vpci_passthru_init(&p, &ops, &device, &wanted), -ENODEV);
	make_device();
	put(0x0E, 1, 0x81);
	assert_int_equal(vpci_passthru_init(&p, &ops, &device, &wanted), -ENODEV);
	make_device();
	put(0x0B, 1, 6);
	device.writes = 0;
	assert_int_equal(vpci_passthru_init(&p, &ops, &device, &wanted), -ENODEV);
	assert_int_equal(device.writes, 0);
}

static void bars_askew_are_refused(void **state)
{
	struct acrn_pcidev askew = wanted;

	(void)state;
	make_device();
	askew.bar[0] += 0x1000;
	assert_int_equal(vpci_passthru_init(&p, &ops, &device, &askew), -EINVAL);
}

/* The device may be somebody's who wishes us ill, and so may the guest: nothing outside cfg[] is touched. */
static void nonsense_does_no_harm(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		struct acrn_pcidev any = { .intr_pin = 1 };

		make_device();
		for (unsigned int i = 0x40; i < 0x200; i++)
			device.cfg[i] = (uint8_t)(unit_random(&seed) >> (unit_random(&seed) % 3 == 0 ? 59 : 0));
		device.cfg[0x34] = (uint8_t)unit_random(&seed);
		if (vpci_passthru_init(&p, &ops, &device, &any) != 0)
			continue;
		for (unsigned int n = 0; n < 64; n++) {
			uint8_t size = (uint8_t)(1U << unit_random(&seed) % 3);
			uint16_t reg = (uint16_t)(unit_random(&seed) % 0x200 & ~(size - 1U));

			wr(reg, size, (uint32_t)unit_random(&seed));
			(void)rd(reg, size);
			assert_int_equal(get(4, 2) & ~0x0407U, 0);
		}
	}
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity_is_the_devices),
		TEST(it_begins_quiet),
		TEST(bars_are_found_and_the_hardware_keeps_its_own),
		TEST(the_guest_sizes_and_moves_bars),
		TEST(decoding_is_the_guests_not_the_hardwares),
		TEST(command_lets_only_mastering_and_intx_through),
		TEST(a_line_that_is_not_the_vms_stays_off),
		TEST(status_is_live_and_cleared_by_ones),
		TEST(only_known_capabilities_are_in_the_list),
		TEST(power_states_are_pretended),
		TEST(msi_shows_one_message_and_is_not_the_hardwares),
		TEST(msix_tells_its_table_and_keeps_its_control),
		TEST(a_large_msix_table_is_cut),
		TEST(express_passes_three_fields),
		TEST(of_the_extended_space_only_the_serial_number_is_there),
		TEST(what_is_no_device_is_refused),
		TEST(bars_askew_are_refused),
		TEST(nonsense_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
