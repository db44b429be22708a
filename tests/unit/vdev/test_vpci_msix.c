/* SPDX-License-Identifier: BSD-3-Clause */
/* The MSI-X table in guest words: who is told what, and when. */
#include "unit.h"

#include "vdev/vpci_msix.h"

#define COUNT 4U

static struct vpci_msix m;
static struct vpci_msix_entry entry[COUNT + 1];
static unsigned int told[COUNT];

static void changed(void *ctx, unsigned int n)
{
	assert_ptr_equal(ctx, &m);
	assert_true(n < COUNT);
	told[n]++;
}

static int setup(void **state)
{
	(void)state;
	m.changed = changed;
	m.ctx = &m;
	entry[COUNT].data = 0x5A5A;
	vpci_msix_init(&m, entry, COUNT);
	for (unsigned int i = 0; i < COUNT; i++)
		told[i] = 0;
	return 0;
}

static void it_begins_masked(void **state)
{
	(void)state;
	assert_int_equal(vpci_msix_read(&m, 12, 4), 1);
	assert_int_equal(vpci_msix_read(&m, 0, 8), 0);
	assert_false(vpci_msix_is_live(&m, 0));
}

static void entries_are_kept_as_written(void **state)
{
	(void)state;
	vpci_msix_write(&m, 16, 8, 0x1FEE0100FUL);
	vpci_msix_write(&m, 24, 4, 0x41);
	assert_int_equal(vpci_msix_read(&m, 16, 4), 0xFEE0100C);
	assert_int_equal(vpci_msix_read(&m, 20, 4), 1);
	assert_int_equal(vpci_msix_read(&m, 24, 8), 0x100000041UL);
	vpci_msix_write(&m, 28, 4, 0xFFFFFFFE);
	assert_int_equal(vpci_msix_read(&m, 28, 4), 0);
	assert_int_equal(told[1], 0); /* the function is off */
}

static void masks_tell(void **state)
{
	(void)state;
	vpci_msix_control(&m, true, false);
	for (unsigned int i = 0; i < COUNT; i++)
		assert_int_equal(told[i], 1);
	vpci_msix_write(&m, 12, 4, 0);
	assert_true(vpci_msix_is_live(&m, 0));
	assert_int_equal(told[0], 2);
	vpci_msix_write(&m, 12, 4, 0);
	assert_int_equal(told[0], 2);
	vpci_msix_control(&m, true, true);
	assert_false(vpci_msix_is_live(&m, 0));
	assert_int_equal(told[0], 3);
	vpci_msix_control(&m, true, true);
	assert_int_equal(told[0], 3);
	vpci_msix_control(&m, false, false);
	assert_false(vpci_msix_is_live(&m, 0));
}

static void a_change_of_a_live_entry_tells(void **state)
{
	(void)state;
	vpci_msix_control(&m, true, false);
	vpci_msix_write(&m, 12, 4, 0);
	told[0] = 0;
	vpci_msix_write(&m, 8, 4, 0x55);
	assert_int_equal(told[0], 1);
	vpci_msix_write(&m, 8, 4, 0x55);
	assert_int_equal(told[0], 1);
	vpci_msix_write(&m, 16 + 8, 4, 0x55);
	assert_int_equal(told[1], 1); /* masked: only the control's message of before */
}

static void what_is_no_access_is_none(void **state)
{
	(void)state;
	vpci_msix_control(&m, true, false);
	vpci_msix_write(&m, 12, 1, 0);
	vpci_msix_write(&m, 14, 2, 0);
	vpci_msix_write(&m, 10, 4, 0);
	vpci_msix_write(&m, COUNT * 16 - 4, 8, 0);
	vpci_msix_write(&m, COUNT * 16, 4, 0);
	vpci_msix_write(&m, COUNT * 16 + 8, 4, 0);
	assert_int_equal(vpci_msix_read(&m, 12, 4), 1);
	assert_int_equal(vpci_msix_read(&m, COUNT * 16, 4), 0xFFFFFFFF);
	assert_int_equal(vpci_msix_read(&m, 12, 2), 0xFFFF);
	assert_int_equal(entry[COUNT].data, 0x5A5A);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_begins_masked),
		TEST(entries_are_kept_as_written),
		TEST(masks_tell),
		TEST(a_change_of_a_live_entry_tells),
		TEST(what_is_no_access_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
