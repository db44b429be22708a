/* SPDX-License-Identifier: BSD-3-Clause */
/* mm/page_pool.c: every page once, zeroed, and back. */
#include <stdlib.h>
#include <string.h>

#include "mm/page_pool.h"
#include "unit.h"

#define PAGES 32U
#define BASE_HPA 0x12345000UL

static struct page_pool pool;
static uint8_t *block;

static int setup(void **state)
{
	(void)state;
	block = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	memset(block, 0xAA, PAGES * PAGE_SIZE);
	page_pool_init(&pool, block, BASE_HPA, PAGES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(block);
	return 0;
}

static void assert_zeroed(const uint8_t *page, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(page[i], 0);
}

static void test_every_page_once(void **state)
{
	uint64_t seen = 0;

	(void)state;
	assert_int_equal(page_pool_available(&pool), PAGES);
	for (unsigned int i = 0; i < PAGES; i++) {
		uint8_t *page = page_pool_alloc(&pool);
		size_t n = (size_t)(page - block) / PAGE_SIZE;

		assert_in_range(n, 0, PAGES - 1);
		assert_true((seen >> n & 1) == 0);
		seen |= 1UL << n;
		assert_zeroed(page, PAGE_SIZE);
		assert_true(page_pool_to_hpa(&pool, page) == BASE_HPA + n * PAGE_SIZE);
		assert_ptr_equal(page_pool_to_virt(&pool, BASE_HPA + n * PAGE_SIZE), page);
	}
	assert_null(page_pool_alloc(&pool));
	assert_int_equal(page_pool_available(&pool), 0);
}

static void test_freed_pages_come_back_zeroed(void **state)
{
	uint8_t *pages[PAGES];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < PAGES; i++) {
			pages[i] = page_pool_alloc(&pool);
			assert_non_null(pages[i]);
			assert_zeroed(pages[i], PAGE_SIZE);
			memset(pages[i], 0x55, PAGE_SIZE);
		}
		for (unsigned int i = 0; i < PAGES; i++)
			page_pool_free(&pool, pages[i]);
		assert_int_equal(page_pool_available(&pool), PAGES);
	}
}

static void test_contiguous(void **state)
{
	uint8_t *run;

	(void)state;
	assert_null(page_pool_alloc_contig(&pool, 0));
	assert_null(page_pool_alloc_contig(&pool, PAGES + 1));
	page_pool_free(&pool, page_pool_alloc(&pool));
	assert_null(page_pool_alloc_contig(&pool, PAGES));
	run = page_pool_alloc_contig(&pool, PAGES - 1);
	assert_ptr_equal(run, block + PAGE_SIZE);
	assert_zeroed(run, (PAGES - 1) * PAGE_SIZE);
	assert_int_equal(page_pool_available(&pool), 1);
	assert_non_null(page_pool_alloc(&pool));
	assert_null(page_pool_alloc(&pool));
}

static void test_bad_free_panics(void **state)
{
	uint8_t *page = page_pool_alloc(&pool);

	(void)state;
	expect_assert_failure(page_pool_free(&pool, page + 8));
	expect_assert_failure(page_pool_free(&pool, page + PAGE_SIZE));
	expect_assert_failure(page_pool_free(&pool, block - PAGE_SIZE));
	page_pool_free(&pool, page);
	expect_assert_failure(page_pool_free(&pool, page));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_page_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_pages_come_back_zeroed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contiguous, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_free_panics, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
