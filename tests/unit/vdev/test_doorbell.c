/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of doorbells: who is rung, who conflicts, and that a removed one is rung no more. */
#include "lib/errno.h"
#include "unit.h"
#include "vdev/doorbell.h"

static struct doorbells d;

static int setup(void **state)
{
	(void)state;
	d.count = 0;
	return 0;
}

static int add(enum io_space space, uint64_t addr, int match, uint64_t cookie)
{
	struct doorbell b = { space, match >= 0, addr, (uint64_t)match, cookie };

	return doorbell_add(&d, &b);
}

static int take_away(enum io_space space, uint64_t addr, int match)
{
	struct doorbell b = { space, match >= 0, addr, (uint64_t)match, 0 };

	return doorbell_remove(&d, &b);
}

/* The cookie that a write rings, 0 when none. */
static uint64_t rung(enum io_space space, uint64_t addr, uint8_t size, uint64_t value)
{
	struct io_access io = { space, true, size, addr, value };
	const struct doorbell *b = doorbell_find(&d, &io);

	return b == NULL ? 0 : b->cookie;
}

static void a_write_rings_its_own(void **state)
{
	(void)state;
	assert_int_equal(rung(IO_PORT, 0x2010, 2, 0), 0);
	assert_int_equal(add(IO_PORT, 0x2010, 0, 10), 0);
	assert_int_equal(add(IO_PORT, 0x2010, 1, 11), 0);
	assert_int_equal(add(IO_MMIO, 0x80003000, -1, 12), 0);
	assert_int_equal(add(IO_MMIO, 0x2010, -1, 13), 0);
	assert_int_equal(add(IO_PORT, 0x1010, -1, 14), 0);
	assert_int_equal(rung(IO_PORT, 0x2010, 2, 0), 10);
	assert_int_equal(rung(IO_PORT, 0x2010, 2, 1), 11);
	assert_int_equal(rung(IO_PORT, 0x2010, 2, 2), 0);
	assert_int_equal(rung(IO_PORT, 0x2010, 1, 0x101), 11);
	assert_int_equal(rung(IO_PORT, 0x2010, 2, 0x101), 0);
	assert_int_equal(rung(IO_MMIO, 0x80003000, 4, 99), 12);
	assert_int_equal(rung(IO_MMIO, 0x2010, 2, 1), 13);
	assert_int_equal(rung(IO_PORT, 0x1010, 4, 5), 14);
	assert_int_equal(rung(IO_PORT, 0x2011, 2, 0), 0);
	assert_int_equal(rung(IO_MMIO, 0x80003001, 4, 0), 0);
	assert_int_equal(rung(IO_MMIO, ~0UL, 4, 0), 0);
}

static void a_read_rings_none(void **state)
{
	struct io_access io = { IO_PORT, false, 2, 0x2010, 0 };

	(void)state;
	assert_int_equal(add(IO_PORT, 0x2010, -1, 10), 0);
	assert_null(doorbell_find(&d, &io));
}

static void what_could_mean_two_is_refused(void **state)
{
	(void)state;
	assert_int_equal(add(IO_PORT, 0x2010, 1, 10), 0);
	assert_int_equal(add(IO_PORT, 0x2010, 1, 11), -EEXIST);
	assert_int_equal(add(IO_PORT, 0x2010, -1, 11), -EEXIST);
	assert_int_equal(add(IO_PORT, 0x2010, 2, 11), 0);
	assert_int_equal(add(IO_MMIO, 0x2010, -1, 12), 0);
	assert_int_equal(add(IO_MMIO, 0x2010, 3, 13), -EEXIST);
	assert_int_equal(add(IO_MMIO, 0, -1, 13), -EINVAL);
	assert_int_equal(add(IO_PORT, 0x10000, -1, 13), -EINVAL);
	assert_int_equal(d.count, 3);
}

static void one_that_is_gone_rings_no_more(void **state)
{
	(void)state;
	assert_int_equal(take_away(IO_PORT, 0x2010, 1), -ENOENT);
	assert_int_equal(add(IO_PORT, 0x2010, 0, 10), 0);
	assert_int_equal(add(IO_PORT, 0x2010, 1, 11), 0);
	assert_int_equal(add(IO_PORT, 0x2012, -1, 12), 0);
	assert_int_equal(take_away(IO_PORT, 0x2010, -1), -ENOENT);
	assert_int_equal(take_away(IO_MMIO, 0x2010, 1), -ENOENT);
	assert_int_equal(take_away(IO_PORT, 0x2010, 1), 0);
	assert_int_equal(rung(IO_PORT, 0x2010, 2, 1), 0);
	assert_int_equal(rung(IO_PORT, 0x2010, 2, 0), 10);
	assert_int_equal(rung(IO_PORT, 0x2012, 2, 0), 12);
	assert_int_equal(take_away(IO_PORT, 0x2012, -1), 0);
	assert_int_equal(take_away(IO_PORT, 0x2012, -1), -ENOENT);
	assert_int_equal(d.count, 1);
}

/* Any order of coming; the full table takes no more, and every one of it is found. */
static void the_table_fills(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ACRN_ASYNCIO_MAX; i++)
		assert_int_equal(add(i % 2 ? IO_PORT : IO_MMIO, 0x100U + i * 37U % ACRN_ASYNCIO_MAX, -1, i + 1U),
				 0);
	assert_int_equal(add(IO_MMIO, 0x4000, -1, 99), -ENOSPC);
	for (unsigned int i = 0; i < ACRN_ASYNCIO_MAX; i++)
		assert_int_equal(rung(i % 2 ? IO_PORT : IO_MMIO, 0x100U + i * 37U % ACRN_ASYNCIO_MAX, 4, i), i + 1U);
	assert_int_equal(rung(IO_MMIO, 0x4000, 4, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_write_rings_its_own, setup),
		cmocka_unit_test_setup(a_read_rings_none, setup),
		cmocka_unit_test_setup(what_could_mean_two_is_refused, setup),
		cmocka_unit_test_setup(one_that_is_gone_rings_no_more, setup),
		cmocka_unit_test_setup(the_table_fills, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
