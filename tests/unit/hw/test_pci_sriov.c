/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual functions of a fake card at 01:00.0: a BAR of 16 KiB in 64 bits, one of 4 KiB in 32; the first one is
 * 01:10.0.
 */
#include <string.h>

#include "unit.h"

#include "hw/pci.h"
#include "hw/pci_sriov.h"

#define CARD 0x100
#define CAP 0x160
#define FIRST 0x180
#define STRIDE 2

static uint8_t cfg[4096];
static bool touched_while_on;

static uint32_t get(unsigned int reg)
{
	uint32_t v;

	memcpy(&v, &cfg[reg], 4);
	return v;
}

static void set(unsigned int reg, uint32_t value)
{
	memcpy(&cfg[reg], &value, 4);
}

uint32_t pci_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	uint32_t v = 0;

	if (bdf != CARD)
		return 0xFFFFFFFFU >> (32U - size * 8U);
	memcpy(&v, &cfg[reg], size);
	return v;
}

void pci_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value)
{
	assert_int_equal(bdf, CARD);
	assert_int_equal(size, 4);
	assert_in_range(reg, CAP + 0x24, CAP + 0x38);
	touched_while_on |= (cfg[CAP + 8] & 1) != 0;
	if (reg == CAP + 0x24)
		set(reg, (value & 0xFFFFC000U) | 0xC);
	else if (reg == CAP + 0x28)
		set(reg, value);
	else if (reg == CAP + 0x30)
		set(reg, value & 0xFFFFF000U);
}

static int setup(void **state)
{
	(void)state;
	memset(cfg, 0, sizeof(cfg));
	touched_while_on = false;
	set(0, 0x10C98086);
	set(0x100, 0x00010001 | 0x150U << 20);
	set(0x150, 0x0001000E | (uint32_t)CAP << 20);
	set(CAP, 0x00010010);
	set(CAP + 0x14, (FIRST - CARD) | STRIDE << 16);
	set(CAP + 0x18, 0x10CA0000);
	set(CAP + 0x24, 0x4000000C);
	set(CAP + 0x28, 0x12);
	set(CAP + 0x30, 0xFEB00000);
	return 0;
}

static void switch_on(unsigned int count)
{
	cfg[CAP + 0x10] = (uint8_t)count;
	cfg[CAP + 8] = 1;
}

/* The functions it found stay known, so the tests go on from each other. */
static void one_is_described_as_a_function_of_its_own(void **state)
{
	struct pci_vf vf;

	(void)state;
	pci_sriov_init();
	assert_false(pci_has_vfs(CARD));
	assert_false(pci_vf_find(FIRST, &vf));
	assert_int_equal(get(CAP + 0x24), 0x4000000C);
	assert_int_equal(get(CAP + 0x30), 0xFEB00000);
	switch_on(3);
	assert_true(pci_has_vfs(CARD));
	assert_true(pci_vf_find(FIRST + 2 * STRIDE, &vf));
	assert_int_equal(vf.pf, CARD);
	assert_int_equal(vf.vendor, 0x8086);
	assert_int_equal(vf.device, 0x10CA);
	assert_int_equal(vf.bar[0], 0x4000800C);
	assert_int_equal(vf.bar[1], 0x12);
	assert_int_equal(vf.mask[0], 0xFFFFC00C);
	assert_int_equal(vf.mask[1], 0xFFFFFFFF);
	assert_int_equal(vf.bar[2] | vf.mask[2], 0);
	assert_int_equal(vf.bar[3], 0xFEB02000);
	assert_int_equal(vf.mask[3], 0xFFFFF000);
	assert_false(touched_while_on);
}

static void others_are_not_virtual_functions(void **state)
{
	static const uint16_t others[] = { CARD, FIRST + 1, FIRST + 3 * STRIDE, FIRST - STRIDE, 0, 0xFFFF };
	struct pci_vf vf;

	(void)state;
	switch_on(3);
	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(pci_vf_find(others[i], &vf));
	cfg[CAP + 8] = 0;
	assert_false(pci_vf_find(FIRST, &vf));
	switch_on(0);
	assert_false(pci_vf_find(FIRST, &vf));
}

static void a_stride_of_none_is_one_function(void **state)
{
	struct pci_vf vf;

	(void)state;
	set(CAP + 0x14, FIRST - CARD);
	switch_on(1);
	assert_true(pci_vf_find(FIRST, &vf));
	assert_false(pci_vf_find(FIRST + 1, &vf));
}

static void a_list_that_bites_its_tail_ends(void **state)
{
	(void)state;
	set(0x150, 0x0001000E | 0x100U << 20);
	assert_false(pci_has_vfs(CARD));
	set(0x100, 0xFFFFFFFF);
	assert_false(pci_has_vfs(CARD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_is_described_as_a_function_of_its_own, setup),
		cmocka_unit_test_setup(others_are_not_virtual_functions, setup),
		cmocka_unit_test_setup(a_stride_of_none_is_one_function, setup),
		cmocka_unit_test_setup(a_list_that_bites_its_tail_ends, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
