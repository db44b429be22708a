/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration space through 0xCF8/0xCFC and ECAM: addresses, widths, hidden functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/vpci.h"

#define ECAM 0xE0000000UL
#define BDF(bus_, dev, fn) ((uint16_t)((bus_) << 8 | (dev) << 3 | (fn)))
#define HIDDEN BDF(0, 2, 0)

static struct io_bus bus;
static struct io_near near;
static struct vpci pci;
static uint8_t space[4096]; /* of 00:1f.3 and of 40:00.0 */
static unsigned int reads, writes;
static uint16_t last_bdf;

static bool is_present(uint16_t bdf)
{
	return bdf == BDF(0, 0x1F, 3) || bdf == BDF(0x40, 0, 0);
}

static uint32_t conf_read(void *ctx, uint16_t bdf, uint16_t reg, uint8_t size)
{
	uint32_t value = 0xFFFFFFFF; /* more than size bytes: must be cut */

	assert_ptr_equal(ctx, &pci);
	assert_int_equal(reg % size, 0);
	assert_true(reg + size <= 4096);
	assert_true(bdf != HIDDEN);
	reads++;
	last_bdf = bdf;
	if (is_present(bdf))
		memcpy(&value, &space[reg], size);
	return value;
}

static void conf_write(void *ctx, uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value)
{
	assert_ptr_equal(ctx, &pci);
	assert_int_equal(reg % size, 0);
	assert_true(size == 4 || value >> (size * 8) == 0);
	assert_true(bdf != HIDDEN);
	writes++;
	last_bdf = bdf;
	if (is_present(bdf))
		memcpy(&space[reg], &value, size);
}

static bool conf_hidden(void *ctx, uint16_t bdf)
{
	assert_ptr_equal(ctx, &pci);
	return bdf == HIDDEN;
}

static const struct vpci_ops ops = { conf_read, conf_write, conf_hidden };

static int set_up(void **state)
{
	(void)state;
	io_bus_init(&bus);
	vpci_init(&pci, &ops, &pci);
	assert_int_equal(vpci_attach_ports(&pci, &bus), 0);
	assert_int_equal(vpci_attach_ecam(&pci, &bus, ECAM, 0, 0x7F), 0);
	for (unsigned int i = 0; i < sizeof(space); i++)
		space[i] = (uint8_t)(i ^ i >> 4);
	reads = writes = 0;
	return 0;
}

static enum io_result access_of(bool is_mmio, bool is_write, uint64_t addr, uint8_t size,
				uint64_t *value)
{
	struct io_access io = { is_mmio ? IO_MMIO : IO_PORT, is_write, size, addr, *value };
	enum io_result result = io_bus_access(&bus, &io, &near);

	*value = io.value;
	return result;
}

static uint64_t in(uint64_t port, uint8_t size)
{
	uint64_t value = 0x1234;

	assert_int_equal(access_of(false, false, port, size, &value), IO_DONE);
	return value;
}

static void out(uint64_t port, uint8_t size, uint64_t value)
{
	assert_int_equal(access_of(false, true, port, size, &value), IO_DONE);
}

static uint64_t load(uint64_t addr, uint8_t size)
{
	uint64_t value = 0;

	assert_int_equal(access_of(true, false, addr, size, &value), IO_DONE);
	return value;
}

static void store(uint64_t addr, uint8_t size, uint64_t value)
{
	assert_int_equal(access_of(true, true, addr, size, &value), IO_DONE);
}

static uint64_t expected(unsigned int reg, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, &space[reg], size);
	return value;
}

static void latch_takes_dwords_only(void **state)
{
	uint64_t value = 6;

	(void)state;
	out(0xCF8, 4, 0x8000FB43);
	assert_int_equal(in(0xCF8, 4), 0x8000FB40);
	assert_int_equal(access_of(false, true, 0xCF9, 1, &value), IO_FORWARD);
	assert_int_equal(access_of(false, false, 0xCF9, 1, &value), IO_FORWARD);
	assert_int_equal(access_of(false, true, 0xCF8, 1, &value), IO_FORWARD);
	assert_int_equal(access_of(false, true, 0xCF8, 2, &value), IO_FORWARD);
	assert_int_equal(access_of(false, true, 0xCFB, 1, &value), IO_FORWARD);
	assert_int_equal(in(0xCF8, 4), 0x8000FB40);
	assert_int_equal(vpci_attach_ports(&pci, &bus), -EEXIST);
}

static void data_port_in_all_widths(void **state)
{
	(void)state;
	out(0xCF8, 4, 0x80000000 | 0x1F << 11 | 3 << 8 | 0x40);
	assert_int_equal(in(0xCFC, 4), expected(0x40, 4));
	assert_int_equal(last_bdf, BDF(0, 0x1F, 3));
	assert_int_equal(in(0xCFE, 2), expected(0x42, 2));
	assert_int_equal(in(0xCFF, 1), expected(0x43, 1));
	assert_int_equal(reads, 3);
	assert_int_equal(in(0xCFD, 2), expected(0x41, 2)); /* in bytes */
	assert_int_equal(reads, 5);
	out(0xCFE, 2, 0xABCD);
	out(0xCFC, 1, 0x99);
	assert_int_equal(expected(0x40, 4), 0xABCD0099 | (uint64_t)(0x41 ^ 4) << 8);
	assert_int_equal(writes, 2);
	out(0xCF8, 4, 0x80000000 | 0x40 << 16 | 0xFC);
	assert_int_equal(in(0xCFC, 4), expected(0xFC, 4));
	assert_int_equal(last_bdf, BDF(0x40, 0, 0));
}

static void data_port_without_enable_is_open_bus(void **state)
{
	(void)state;
	out(0xCF8, 4, 0x1F << 11 | 3 << 8);
	assert_int_equal(in(0xCFC, 4), 0xFFFFFFFF);
	assert_int_equal(in(0xCFC, 1), 0xFF);
	out(0xCFC, 4, 0);
	assert_int_equal(reads + writes, 0);
}

static void hidden_functions_look_absent(void **state)
{
	(void)state;
	out(0xCF8, 4, 0x80000000 | 2 << 11);
	assert_int_equal(in(0xCFC, 2), 0xFFFF);
	out(0xCFC, 4, 0);
	assert_int_equal(load(ECAM + (HIDDEN << 12), 4), 0xFFFFFFFF);
	store(ECAM + (HIDDEN << 12), 4, 0);
	assert_int_equal(reads + writes, 0);
	out(0xCF8, 4, 0x80000000 | 3 << 11);
	assert_int_equal(in(0xCFC, 2), 0xFFFF);
}

static void ecam_in_all_widths(void **state)
{
	const uint64_t base = ECAM + (0x40UL << 20);

	(void)state;
	for (uint8_t size = 1; size <= 8; size *= 2) {
		assert_int_equal(load(base + 0x108, size), expected(0x108, size));
		assert_int_equal(load(base + 0x1000 - size, size), expected(4096U - size, size));
	}
	assert_int_equal(last_bdf, BDF(0x40, 0, 0));
	reads = 0;
	assert_int_equal(load(base + 0x10A, 4), expected(0x10A, 4));
	assert_int_equal(reads, 4);
	store(base + 0x200, 8, 0x1122334455667788);
	assert_int_equal(expected(0x200, 8), 0x1122334455667788);
	assert_int_equal(writes, 2);
	store(base + 0x301, 2, 0xBEEF);
	assert_int_equal(expected(0x301, 2), 0xBEEF);
	/* Over the end of a function: the rest belongs to the next one. */
	assert_int_equal(load(base + 0xFFE, 4), 0xFFFF0000 | expected(0xFFE, 2));
	assert_int_equal(last_bdf, BDF(0x40, 0, 1));
}

static void ecam_window_has_its_buses_only(void **state)
{
	uint64_t value = 0;

	(void)state;
	io_bus_init(&bus);
	assert_int_equal(vpci_attach_ecam(&pci, &bus, ECAM, 0x40, 0x40), 0);
	assert_int_equal(load(ECAM, 2), expected(0, 2));
	assert_int_equal(last_bdf, BDF(0x40, 0, 0));
	assert_int_equal(load(ECAM + 0xFFFFC, 4), 0xFFFFFFFF);
	assert_int_equal(last_bdf, BDF(0x40, 0x1F, 7));
	assert_int_equal(access_of(true, false, ECAM - 4, 4, &value), IO_FORWARD);
	assert_int_equal(access_of(true, false, ECAM + 0x100000, 4, &value), IO_FORWARD);
	assert_int_equal(access_of(true, false, ECAM + 0xFFFFE, 4, &value), IO_FORWARD);
	assert_int_equal(vpci_attach_ecam(&pci, &bus, ECAM, 5, 4), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(latch_takes_dwords_only, set_up),
		cmocka_unit_test_setup(data_port_in_all_widths, set_up),
		cmocka_unit_test_setup(data_port_without_enable_is_open_bus, set_up),
		cmocka_unit_test_setup(hidden_functions_look_absent, set_up),
		cmocka_unit_test_setup(ecam_in_all_widths, set_up),
		cmocka_unit_test_setup(ecam_window_has_its_buses_only, set_up),
	};

	return cmocka_run_group_tests_name("vpci", tests, NULL, NULL);
}
