/* SPDX-License-Identifier: BSD-3-Clause */
/* The bridges of machine q35, programmed as OVMF does it: ECAM and power management follow their registers. */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "bus/io.h"
#include "bus/pci.h"
#include "config.h"
#include "dev/pm.h"
#include "dev/q35.h"
#include "dm/fake_core.h"
#include "firmware/fw_items.h"
#include "vm.h"

#define HOST	PCI_BDF(0, 0, 0)
#define LPC	PCI_BDF(0, Q35_LPC_SLOT, 0)

static enum vm_request wanted;
static bool taken;
static struct pci_func *host, *lpc;

void vm_request(enum vm_request what)
{
	wanted = what;
}

bool fw_items_tables_taken(void)
{
	return taken;
}

static int setup(void **state)
{
	(void)state;
	fake_core_reset();
	config.machine = MACHINE_Q35;
	wanted = VM_NONE;
	taken = false;
	host = pci_func_create(0, 0, 0, "hostbridge");
	lpc = pci_func_create(0, Q35_LPC_SLOT, 0, "lpc");
	q35_hostbridge_init(host);
	q35_lpc_init(lpc);
	pci_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pm_move_block(0, false);
	pci_exit();
	io_exit();
	return 0;
}

static uint64_t port(uint16_t addr, uint8_t size, bool is_write, uint64_t value)
{
	struct io_access a = { IO_PORT, is_write, size, addr, value };

	io_dispatch(&a);
	return a.value;
}

static void ecam_follows_pciexbar(void **state)
{
	static const struct {
		uint32_t low, high;
		uint64_t base, size;
	} cases[] = {
		{ 0xb0000001, 0, 0xb0000000, 256 << 20 },
		{ 0xe0000003, 0, 0xe0000000, 128 << 20 },
		{ 0xe4000005, 1, 0x1e4000000, 64 << 20 },
		{ 0xb0000000, 0, 0xb0000000, 0 },	/* off */
		{ 0xb0000007, 0, 0, 0 },		/* reserved size */
	};
	uint64_t off;

	(void)state;
	assert_false(pci_ecam_holds(PCI_ECAM_BASE, &off));	/* nothing is there after RESET */
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pci_cfg_write(HOST, 0x60, 4, 0);
		pci_cfg_write(HOST, 0x64, 4, cases[i].high);
		pci_cfg_write(HOST, 0x60, 4, cases[i].low);
		assert_int_equal(pci_ecam_size(), cases[i].size);
		if (!cases[i].size)
			continue;
		assert_true(pci_ecam_holds(cases[i].base + cases[i].size - 1, &off));
		assert_int_equal(off, cases[i].size - 1);
		assert_false(pci_ecam_holds(cases[i].base + cases[i].size, &off));
		assert_false(pci_ecam_holds(cases[i].base - 1, &off));
	}
	pci_cfg_write(HOST, 0x60, 4, 0xb0000001);
	pci_func_reset(host);
	q35_hostbridge_reset(host);
	assert_int_equal(pci_ecam_size(), 0);
}

static void firmware_that_wants_smm_is_refused(void **state)
{
	(void)state;
	pci_cfg_read(HOST, 0x9c, 4);
	assert_int_equal(wanted, VM_NONE);
	taken = true;
	pci_cfg_read(HOST, 0x9e, 1);
	assert_int_equal(wanted, VM_NONE);
	taken = false;
	pci_cfg_read(HOST, 0x9e, 1);
	assert_int_equal(wanted, VM_FAILED);
}

static void power_management_follows_pmbase(void **state)
{
	(void)state;
	assert_int_equal(port(0x608, 4, false, 0), 0xffffffff);
	pci_cfg_write(LPC, 0x40, 4, 0x600);
	assert_int_equal(pci_cfg_read(LPC, 0x40, 4), 0x601);
	assert_int_equal(port(0x608, 4, false, 0), 0xffffffff);	/* not enabled */
	pci_cfg_write(LPC, 0x44, 1, 0x80);
	assert_int_equal(pm_block(), 0x600);
	assert_true(port(0x608, 4, false, 0) <= 0xffffff);
	port(0x600, 4, true, 0x0100u << 16);			/* status and enable at once */
	assert_int_equal(port(0x600, 4, false, 0), 0x0100u << 16);
	assert_int_equal(port(0x602, 2, false, 0), 0x0100);
	assert_int_equal(port(0x603, 1, false, 0), 0x01);
	assert_int_equal(port(0x620, 4, false, 0), 0);
	pci_cfg_write(LPC, 0x40, 4, 0x700);
	assert_int_equal(port(0x608, 4, false, 0), 0xffffffff);
	assert_int_equal(port(0x702, 2, false, 0), 0x0100);
	port(0x704, 2, true, PM_SLP_TYP_S5 << 10 | 1u << 13);
	assert_int_equal(wanted, VM_POWEROFF);
	port(0x704, 4, true, 0);
	pci_func_reset(lpc);
	q35_lpc_reset(lpc);
	assert_int_equal(pm_block(), 0);
}

static void the_timer_runs_on(void **state)
{
	uint64_t before, after = 0;

	(void)state;
	pci_cfg_write(LPC, 0x40, 4, 0x600);
	pci_cfg_write(LPC, 0x44, 1, 0x80);
	before = port(0x608, 4, false, 0);
	for (unsigned int i = 0; i < 100000000 && after == 0; i++)
		after = (port(0x608, 4, false, 0) - before) & 0xffffff;
	assert_in_range(after, 1, 0x7fffff);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ecam_follows_pciexbar),
		TEST(firmware_that_wants_smm_is_refused),
		TEST(power_management_follows_pmbase),
		TEST(the_timer_runs_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
