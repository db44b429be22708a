/* SPDX-License-Identifier: BSD-3-Clause */
/* mm/memmap.c against a map of one byte for each page: random operations must agree with it. */
#include <string.h>

#include "lib/errno.h"
#include "mm/memmap.h"
#include "unit.h"

#define PAGES 64U

static struct memmap map;
static uint8_t model[PAGES]; /* the type of each page, 0: no memory */

static int start(void **state)
{
	(void)state;
	memset(&map, 0, sizeof(map));
	memset(model, 0, sizeof(model));
	return 0;
}

static void assert_sound(void)
{
	for (uint32_t i = 0; i < map.count; i++) {
		assert_true(map.ranges[i].size > 0);
		if (i == 0)
			continue;
		hpa_t end = map.ranges[i - 1].base + map.ranges[i - 1].size;

		assert_true(end <= map.ranges[i].base);
		assert_true(end < map.ranges[i].base || map.ranges[i - 1].type != map.ranges[i].type);
	}
}

static void assert_as_model(void)
{
	assert_sound();
	for (hpa_t page = 0; page < PAGES; page++) {
		const struct memmap_range *range = memmap_find(&map, page * PAGE_SIZE);

		assert_int_equal(range == NULL ? 0 : range->type, model[page]);
	}
}

static void test_random_operations_agree_with_a_page_map(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint32_t first = (uint32_t)(unit_random(&seed) % PAGES);
		uint32_t count = (uint32_t)(unit_random(&seed) % (PAGES - first + 1));
		enum memmap_type type = 1 + (enum memmap_type)(unit_random(&seed) % 8);
		int is_add = (int)(unit_random(&seed) % 2);

		if (unit_random(&seed) % 64 == 0)
			start(NULL);
		if (is_add)
			assert_int_equal(memmap_add(&map, first * PAGE_SIZE, count * PAGE_SIZE, type), 0);
		else
			assert_int_equal(memmap_override(&map, first * PAGE_SIZE, count * PAGE_SIZE, type), 0);
		for (uint32_t i = first; i < first + count; i++) {
			if (!is_add || type > model[i])
				model[i] = (uint8_t)type;
		}
		assert_as_model();
	}
}

static void test_ranges_that_wrap_are_refused(void **state)
{
	(void)state;
	assert_int_equal(memmap_add(&map, ~0UL << 12, 0x2000, MEMMAP_RAM), -EINVAL);
	assert_int_equal(memmap_override(&map, 1, ~0UL, MEMMAP_RAM), -EINVAL);
	assert_int_equal(map.count, 0);
}

static void test_a_full_map_says_so_and_stays_sound(void **state)
{
	int error = 0;

	(void)state;
	for (hpa_t i = 0; error == 0; i++) {
		error = memmap_add(&map, i * 2 * PAGE_SIZE, PAGE_SIZE, MEMMAP_RAM);
		assert_true(i < MEMMAP_MAX_RANGES);
	}
	assert_int_equal(error, -ENOSPC);
	assert_sound();
}

static void test_allocation_takes_the_highest_block_below_the_limit(void **state)
{
	(void)state;
	memmap_add(&map, 0, 0xa0000, MEMMAP_RAM);
	memmap_add(&map, 0x100000, 0x7ff00000, MEMMAP_RAM);
	memmap_add(&map, 0x100000000, 0x80000000, MEMMAP_RAM);
	assert_int_equal(memmap_allocate(&map, 0x300000, 0x200000, 1UL << 32, MEMMAP_HYPERVISOR), 0x7fc00000);
	assert_int_equal(memmap_total(&map, MEMMAP_HYPERVISOR), 0x300000);
	assert_int_equal(memmap_allocate(&map, 0x100000, 0x100000, 1UL << 32, MEMMAP_MODULE), 0x7ff00000);
	assert_int_equal(memmap_allocate(&map, 0x1000, 0x1000, 0x100000, MEMMAP_HYPERVISOR), 0x9f000);
	/* page 0 is nobody's */
	assert_int_equal(memmap_allocate(&map, 0x9f000, 0x1000, 0x9f000, MEMMAP_MODULE), (long)HPA_INVALID);
	assert_int_equal(memmap_allocate(&map, 0x9e000, 0x1000, 0x9f000, MEMMAP_MODULE), 0x1000);
	assert_int_equal(memmap_allocate(&map, 0x80000000, 0x1000, 1UL << 32, MEMMAP_MODULE), (long)HPA_INVALID);
	assert_int_equal(memmap_allocate(&map, 0, 0x1000, 1UL << 32, MEMMAP_MODULE), (long)HPA_INVALID);
	assert_sound();
}

static void test_the_lowest_free_place_is_found_and_not_taken(void **state)
{
	uint32_t before;

	(void)state;
	memmap_add(&map, 0x100000, 0xf00000, MEMMAP_RAM);
	memmap_add(&map, 0x1000000, 0x500000, MEMMAP_BOOT_SERVICES);
	memmap_add(&map, 0x1500000, 0x8000000, MEMMAP_RAM);
	before = map.count;
	assert_int_equal(memmap_find_free(&map, 0x4000000, 0x200000, 0x1000000, 1UL << 32), 0x1600000);
	assert_int_equal(memmap_find_free(&map, 0x200000, 0x200000, 0, 1UL << 32), 0x200000);
	assert_int_equal(memmap_find_free(&map, 0x9000000, 0x1000, 0, 1UL << 32), (long)HPA_INVALID);
	assert_int_equal(memmap_find_free(&map, 0x200000, 0x1000, 0x1600000, 0x1700000), (long)HPA_INVALID);
	assert_int_equal(map.count, before);
}

static void test_the_top_ignores_reserved_ranges(void **state)
{
	(void)state;
	assert_int_equal(memmap_top(&map), 0);
	memmap_add(&map, 0, 0x1000000, MEMMAP_RAM);
	memmap_add(&map, 0x1000000, 0x1000, MEMMAP_NVS);
	memmap_add(&map, 0xffc00000, 0x400000, MEMMAP_RESERVED);
	assert_int_equal(memmap_top(&map), 0x1001000);
}

static void test_types_become_those_of_e820(void **state)
{
	(void)state;
	assert_int_equal(memmap_e820_type(MEMMAP_RAM), MEMMAP_RAM);
	assert_int_equal(memmap_e820_type(MEMMAP_BOOT_SERVICES), MEMMAP_RAM);
	assert_int_equal(memmap_e820_type(MEMMAP_MODULE), MEMMAP_RAM);
	assert_int_equal(memmap_e820_type(MEMMAP_HYPERVISOR), MEMMAP_RESERVED);
	assert_int_equal(memmap_e820_type(MEMMAP_ACPI), MEMMAP_ACPI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random_operations_agree_with_a_page_map, start),
		cmocka_unit_test_setup(test_ranges_that_wrap_are_refused, start),
		cmocka_unit_test_setup(test_a_full_map_says_so_and_stays_sound, start),
		cmocka_unit_test_setup(test_allocation_takes_the_highest_block_below_the_limit, start),
		cmocka_unit_test_setup(test_the_lowest_free_place_is_found_and_not_taken, start),
		cmocka_unit_test_setup(test_the_top_ignores_reserved_ranges, start),
		cmocka_unit_test_setup(test_types_become_those_of_e820, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
