/* SPDX-License-Identifier: BSD-3-Clause */
/* The words that live in headers: bits, bitmap, list, util, spinlock. */
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "unit.h"

static void test_bits(void **state)
{
	(void)state;
	assert_int_equal(bits_get(0x12345678, 15, 8), 0x56);
	assert_true(bits_get(~0UL, 63, 0) == ~0UL);
	assert_int_equal(bits_lowest(0x50), 4);
	assert_int_equal(bits_highest(0x50), 6);
	assert_int_equal(bytes_mask(1), 0xFF);
	assert_int_equal(bytes_mask(4), 0xFFFFFFFF);
	assert_true(bytes_mask(8) == ~0UL);
}

static void test_bitmap(void **state)
{
	uint64_t map[BITMAP_WORDS(130)] = { 0 };

	(void)state;
	assert_int_equal(ARRAY_SIZE(map), 3);
	assert_false(bitmap_test_and_set(map, 129));
	assert_true(bitmap_test_and_set(map, 129));
	assert_true(bitmap_test(map, 129));
	assert_false(bitmap_test(map, 128));
	assert_true(bitmap_test_and_clear(map, 129));
	assert_false(bitmap_test(map, 129));
	bitmap_set(map, 63);
	assert_true(map[0] == 1UL << 63);
	bitmap_clear(map, 63);
	assert_true(map[0] == 0);
}

struct item {
	int number;
	struct list link;
};

static void test_list(void **state)
{
	struct list head, *pos;
	struct item items[3];
	int sum = 0;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	for (int i = 0; i < 3; i++) {
		items[i].number = i;
		list_insert_before(&head, &items[i].link);
	}
	list_remove(&items[1].link);
	list_remove(&items[1].link);
	list_for_each(pos, &head)
		sum = sum * 10 + list_entry(pos, struct item, link)->number + 1;
	assert_int_equal(sum, 13);
}

static void test_ranges(void **state)
{
	(void)state;
	assert_true(range_within(10, 5, 10, 5));
	assert_false(range_within(10, 6, 10, 5));
	assert_false(range_within(9, 1, 10, 5));
	assert_false(range_within(~0UL, 2, 0, ~0UL));
	assert_true(ranges_overlap(0, 10, 9, 1));
	assert_false(ranges_overlap(0, 10, 10, 1));
	assert_false(ranges_overlap(0, 10, 5, 0));
	assert_int_equal(ALIGN_UP(0x1001, 0x1000), 0x2000);
	assert_int_equal(ALIGN_DOWN(0x1fff, 0x1000), 0x1000);
	assert_true(IS_ALIGNED(0x2000UL, PAGE_SIZE));
}

static void test_spinlock(void **state)
{
	struct spinlock lock;

	(void)state;
	spinlock_init(&lock);
	for (int i = 0; i < 3; i++) {
		spinlock_lock(&lock);
		spinlock_unlock(&lock);
	}
	assert_int_equal(lock.next, lock.owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits),   cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_list),   cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_spinlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
