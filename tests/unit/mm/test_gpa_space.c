/* SPDX-License-Identifier: BSD-3-Clause */
/* mm/gpa_space.c: copies across pages and holes, and what a flush finds when it is called. */
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "lib/util.h"
#include "mm/gpa_space.h"
#include "unit.h"

#define POOL_PAGES 64U
#define RAM_HPA 0x40000000UL
#define RAM_SIZE (16 * PAGE_SIZE)
#define RW (PG_READ | PG_WRITE)

static struct page_pool pool;
static struct gpa_space space;
static uint8_t *block, *ram;
static unsigned int flushes;
static size_t available_in_flush;

static void *to_virt(hpa_t hpa)
{
	return hpa >= RAM_HPA && hpa < RAM_HPA + RAM_SIZE ? ram + (hpa - RAM_HPA) : NULL;
}

/* A flush waits for CPUs that may want the lock, and comes before tables are used again. */
static void flush(struct gpa_space *s)
{
	assert_int_equal(s->lock.next, s->lock.owner);
	flushes++;
	available_in_flush = page_pool_available(&pool);
}

static int setup(void **state)
{
	(void)state;
	block = aligned_alloc(PAGE_SIZE, POOL_PAGES * PAGE_SIZE);
	ram = aligned_alloc(PAGE_SIZE, RAM_SIZE);
	for (size_t i = 0; i < RAM_SIZE; i++)
		ram[i] = (uint8_t)(i * 7 + i / 256);
	page_pool_init(&pool, block, 0x1000, POOL_PAGES);
	assert_int_equal(gpa_space_init(&space, &pgtable_npt, &pool), 0);
	space.flush = flush;
	space.to_virt = to_virt;
	flushes = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gpa_space_destroy(&space);
	assert_int_equal(page_pool_available(&pool), POOL_PAGES);
	free(block);
	free(ram);
	return 0;
}

static void test_copy_across_pages(void **state)
{
	uint8_t buf[2 * PAGE_SIZE + 100], zero[64] = { 0 };

	(void)state;
	/* Three pages in the opposite order of the host's. */
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(gpa_space_map(&space, 0x10000 + i * PAGE_SIZE,
					       RAM_HPA + (3 - i) * PAGE_SIZE, PAGE_SIZE, RW), 0);
	assert_int_equal(gpa_space_read(&space, 0x10000 + 50, buf, sizeof(buf)), 0);
	assert_memory_equal(buf, ram + 3 * PAGE_SIZE + 50, PAGE_SIZE - 50);
	assert_memory_equal(buf + PAGE_SIZE - 50, ram + 2 * PAGE_SIZE, PAGE_SIZE);
	assert_memory_equal(buf + 2 * PAGE_SIZE - 50, ram + PAGE_SIZE, 150);
	assert_int_equal(gpa_space_write(&space, 0x11000 - 32, zero, 64), 0);
	assert_memory_equal(ram + 4 * PAGE_SIZE - 32, zero, 32);
	assert_memory_equal(ram + 2 * PAGE_SIZE, zero, 32);
	assert_int_equal(ram[2 * PAGE_SIZE + 32], (uint8_t)((2 * PAGE_SIZE + 32) * 7 + 32));
	assert_int_equal(gpa_space_read(&space, 0x10000, buf, 0), 0);
}

static void test_faults(void **state)
{
	uint8_t buf[64];

	(void)state;
	assert_int_equal(gpa_space_map(&space, 0, RAM_HPA, PAGE_SIZE, RW), 0);
	assert_int_equal(gpa_space_map(&space, 0x2000, RAM_HPA, PAGE_SIZE, PG_READ), 0);
	assert_int_equal(gpa_space_map(&space, 0x4000, 0xFEE00000, PAGE_SIZE, RW | PG_UC), 0);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(gpa_space_read(&space, PAGE_SIZE - 8, buf, 16), -EFAULT);
	assert_memory_equal(buf, ram + PAGE_SIZE - 8, 8);
	assert_int_equal(buf[8], 0);
	assert_int_equal(gpa_space_write(&space, 0x2000, buf, 1), -EFAULT);
	assert_int_equal(gpa_space_read(&space, 0x2000, buf, 1), 0);
	assert_int_equal(gpa_space_read(&space, 0x4000, buf, 1), -EFAULT);
	assert_int_equal(gpa_space_read(&space, 1UL << 48, buf, 1), -EFAULT);
	assert_int_equal(gpa_space_write(&space, ~0UL, buf, 2), -EFAULT);
}

static void test_translate(void **state)
{
	(void)state;
	assert_int_equal(gpa_space_map(&space, SIZE_2M, SIZE_1G, 2 * SIZE_2M, RW), 0);
	assert_int_equal(gpa_space_protect(&space, SIZE_2M + PAGE_SIZE, PAGE_SIZE, PG_READ), 0);
	assert_true(gpa_space_translate(&space, SIZE_2M + 5, RW) == SIZE_1G + 5);
	assert_true(gpa_space_translate(&space, SIZE_2M + PAGE_SIZE, PG_READ) ==
		    SIZE_1G + PAGE_SIZE);
	assert_true(gpa_space_translate(&space, SIZE_2M + PAGE_SIZE, RW) == HPA_INVALID);
	assert_true(gpa_space_translate(&space, SIZE_2M - 1, 0) == HPA_INVALID);
	assert_true(gpa_space_translate(&space, (1UL << 48) + SIZE_2M, 0) == HPA_INVALID);
	assert_true(gpa_space_is_mapped(&space, SIZE_2M, 2 * SIZE_2M, PG_READ));
	assert_false(gpa_space_is_mapped(&space, SIZE_2M, 2 * SIZE_2M, RW));
	assert_true(gpa_space_is_mapped(&space, 2 * SIZE_2M, SIZE_2M, RW));
	assert_false(gpa_space_is_mapped(&space, 2 * SIZE_2M, SIZE_2M + 1, RW));
	assert_false(gpa_space_is_mapped(&space, 5, ~0UL, PG_READ));
}

static void test_flush(void **state)
{
	uint32_t generation = space.generation;

	(void)state;
	/* What was not present needs no flush, but cached holes are to be forgotten. */
	assert_int_equal(gpa_space_map(&space, 0, RAM_HPA, PAGE_SIZE, RW), 0);
	assert_int_equal(flushes, 0);
	assert_int_not_equal(space.generation, generation);
	assert_int_equal(page_pool_available(&pool), POOL_PAGES - 4);
	assert_int_equal(gpa_space_protect(&space, 0, PAGE_SIZE, PG_READ), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(gpa_space_unmap(&space, 0, PAGE_SIZE), 0);
	assert_int_equal(flushes, 2);
	assert_int_equal(available_in_flush, POOL_PAGES - 4);
	assert_int_equal(page_pool_available(&pool), POOL_PAGES - 1);
	assert_int_equal(gpa_space_unmap(&space, 0, PAGE_SIZE), 0);
	assert_int_equal(flushes, 2);
	assert_int_equal(gpa_space_unmap(&space, 1, PAGE_SIZE), -EINVAL);
}

static unsigned int copies;

static void copy(void *dst, const void *src, size_t size)
{
	copies++;
	memcpy(dst, src, size);
}

static void test_copy_function(void **state)
{
	uint32_t word = 5;

	(void)state;
	space.copy = copy;
	assert_int_equal(gpa_space_map(&space, 0, RAM_HPA, 2 * PAGE_SIZE, RW), 0);
	assert_int_equal(gpa_space_write(&space, PAGE_SIZE - 2, &word, 4), 0);
	assert_int_equal(copies, 2);
	word = 0;
	assert_int_equal(gpa_space_read(&space, PAGE_SIZE - 2, &word, 4), 0);
	assert_int_equal(word, 5);
}

/* A large page becomes executable in pieces, and only when that is all that was in the way. */
static void test_split(void **state)
{
	struct pgtable_leaf leaf;

	(void)state;
	gpa_space_destroy(&space);
	assert_int_equal(gpa_space_init(&space, &pgtable_ept_split, &pool), 0);
	assert_int_equal(gpa_space_map(&space, SIZE_2M, 4 * SIZE_2M, SIZE_2M, RW | PG_EXEC), 0);
	assert_int_equal(gpa_space_map(&space, 2 * SIZE_2M, 8 * SIZE_2M, SIZE_2M, RW), 0);
	assert_true(gpa_space_translate(&space, SIZE_2M, PG_EXEC) == HPA_INVALID);

	assert_true(gpa_space_split(&space, SIZE_2M + 0x5123));
	assert_true(gpa_space_translate(&space, SIZE_2M + 0x5123, RW) == 4 * SIZE_2M + 0x5123);
	assert_true(gpa_space_translate(&space, SIZE_2M, PG_EXEC) == 4 * SIZE_2M);
	assert_true(pgtable_lookup(&space.pt, SIZE_2M + 0x5123, &leaf));
	assert_int_equal(leaf.page_size, PAGE_SIZE);
	/* done already; never meant to be; not there */
	assert_false(gpa_space_split(&space, SIZE_2M + 0x5123));
	assert_false(gpa_space_split(&space, 2 * SIZE_2M));
	assert_false(gpa_space_split(&space, 5 * SIZE_2M));
	assert_true(pgtable_lookup(&space.pt, 2 * SIZE_2M, &leaf));
	assert_int_equal(leaf.page_size, SIZE_2M);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copy_across_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_translate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flush, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_function, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
