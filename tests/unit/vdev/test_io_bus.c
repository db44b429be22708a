/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of who answers an access: order, overlap, edges, and the split into bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/io_bus.h"

static void *hit;
static uint8_t file[16];

static enum io_result note(void *dev, struct io_access *io)
{
	hit = dev;
	if (!io->is_write)
		io->value = 0x5A;
	return IO_DONE;
}

static enum io_result access_at(const struct io_bus *bus, enum io_space space, uint64_t addr,
				uint8_t size)
{
	static struct io_near near; /* from whatever was asked last: it must not matter */
	struct io_access io = { .space = space, .addr = addr, .size = size };

	hit = NULL;
	return io_bus_access(bus, &io, &near);
}

static void finds_the_range_that_holds_the_access(void **state)
{
	struct io_bus bus;
	int a, b, c, d;

	(void)state;
	io_bus_init(&bus);
	assert_int_equal(io_bus_add_mmio(&bus, 0xFEC00000, 0x1000, note, &c), 0);
	assert_int_equal(io_bus_add_ports(&bus, 0xA0, 2, note, &b), 0);
	assert_int_equal(io_bus_add_mmio(&bus, 0x60, 8, note, &d), 0);
	assert_int_equal(io_bus_add_ports(&bus, 0x20, 2, note, &a), 0);

	assert_int_equal(access_at(&bus, IO_PORT, 0x20, 1), IO_DONE);
	assert_ptr_equal(hit, &a);
	assert_int_equal(access_at(&bus, IO_PORT, 0x20, 2), IO_DONE);
	assert_int_equal(access_at(&bus, IO_PORT, 0xA1, 1), IO_DONE);
	assert_ptr_equal(hit, &b);
	assert_int_equal(access_at(&bus, IO_MMIO, 0x64, 4), IO_DONE);
	assert_ptr_equal(hit, &d);
	assert_int_equal(access_at(&bus, IO_MMIO, 0xFEC00FF8, 8), IO_DONE);
	assert_ptr_equal(hit, &c);
}

static void forwards_what_nobody_wholly_holds(void **state)
{
	struct io_bus bus;

	(void)state;
	io_bus_init(&bus);
	assert_int_equal(access_at(&bus, IO_PORT, 0x20, 1), IO_FORWARD);
	assert_int_equal(io_bus_add_ports(&bus, 0x20, 2, note, &bus), 0);
	assert_int_equal(io_bus_add_mmio(&bus, ~0xFFFUL, 0xFFF, note, &bus), 0);
	assert_int_equal(access_at(&bus, IO_PORT, 0x1F, 1), IO_FORWARD);
	assert_int_equal(access_at(&bus, IO_PORT, 0x1F, 2), IO_FORWARD);
	assert_int_equal(access_at(&bus, IO_PORT, 0x21, 2), IO_FORWARD);
	assert_int_equal(access_at(&bus, IO_PORT, 0x22, 1), IO_FORWARD);
	assert_int_equal(access_at(&bus, IO_MMIO, 0x20, 1), IO_FORWARD);
	assert_int_equal(access_at(&bus, IO_MMIO, ~0UL, 8), IO_FORWARD);
	assert_int_equal(access_at(&bus, IO_MMIO, ~0UL - 1, 1), IO_DONE);
	assert_int_equal(access_at(&bus, IO_MMIO, ~0xFFFUL - 1, 4), IO_FORWARD);
}

static void refuses_bad_ranges(void **state)
{
	struct io_bus bus;

	(void)state;
	io_bus_init(&bus);
	assert_int_equal(io_bus_add_ports(&bus, 0x20, 0, note, NULL), -EINVAL);
	assert_int_equal(io_bus_add_ports(&bus, 0xFFFF, 2, note, NULL), -EINVAL);
	assert_int_equal(io_bus_add_mmio(&bus, ~0UL, 2, note, NULL), -EINVAL);
	assert_int_equal(io_bus_add_ports(&bus, 0xFFFF, 1, note, NULL), 0);
	assert_int_equal(io_bus_add_ports(&bus, 0x20, 4, note, NULL), 0);
	assert_int_equal(io_bus_add_ports(&bus, 0x23, 2, note, NULL), -EEXIST);
	assert_int_equal(io_bus_add_ports(&bus, 0x1F, 2, note, NULL), -EEXIST);
	assert_int_equal(io_bus_add_mmio(&bus, 0x20, 4, note, NULL), 0);
	assert_true(io_bus_overlaps(&bus, IO_PORT, 0x10, 0x11));
	assert_false(io_bus_overlaps(&bus, IO_PORT, 0x10, 0x10));
	assert_false(io_bus_overlaps(&bus, IO_PORT, 0x24, 0x10));
}

static void holds_its_limit_in_any_order(void **state)
{
	struct io_bus bus;
	int dev[IO_BUS_MAX];

	(void)state;
	io_bus_init(&bus);
	for (unsigned int i = 0; i < IO_BUS_MAX; i++) {
		unsigned int n = (i * 37U) % IO_BUS_MAX;
		enum io_space space = n & 1U ? IO_MMIO : IO_PORT;

		assert_int_equal((space == IO_PORT ? io_bus_add_ports : io_bus_add_mmio)(
					 &bus, n * 16UL, 16, note, &dev[n]), 0);
	}
	assert_int_equal(io_bus_add_ports(&bus, 0x8000, 1, note, NULL), -ENOSPC);
	for (unsigned int n = 0; n < IO_BUS_MAX; n++) {
		enum io_space space = n & 1U ? IO_MMIO : IO_PORT;

		assert_int_equal(access_at(&bus, space, n * 16UL + 12UL, 4), IO_DONE);
		assert_ptr_equal(hit, &dev[n]);
		assert_int_equal(access_at(&bus, 1 - space, n * 16UL, 4), IO_FORWARD);
	}
}

static uint8_t file_read(void *dev, uint64_t addr)
{
	return ((uint8_t *)dev)[addr];
}

static void file_write(void *dev, uint64_t addr, uint8_t value)
{
	((uint8_t *)dev)[addr] = value;
}

static void splits_into_bytes(void **state)
{
	static const struct io_bytes ops = { file_read, file_write };
	struct io_access io = { .is_write = true, .size = 4, .addr = 3, .value = 0x44332211 };

	(void)state;
	assert_int_equal(io_bus_bytes(&ops, file, &io), IO_DONE);
	assert_int_equal(file[3], 0x11);
	assert_int_equal(file[6], 0x44);
	assert_int_equal(file[7], 0);
	io = (struct io_access){ .size = 2, .addr = 4, .value = ~0UL };
	assert_int_equal(io_bus_bytes(&ops, file, &io), IO_DONE);
	assert_int_equal(io.value, 0x3322);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_range_that_holds_the_access),
		cmocka_unit_test(forwards_what_nobody_wholly_holds),
		cmocka_unit_test(refuses_bad_ranges),
		cmocka_unit_test(holds_its_limit_in_any_order),
		cmocka_unit_test(splits_into_bytes),
	};

	return cmocka_run_group_tests_name("io_bus", tests, NULL, NULL);
}
