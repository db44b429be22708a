/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mm/pgtable.c in every format against a model that is one word a 4 KiB page. Random changes of
 * every size; then what the table says, how it is built, and how many pages it holds are compared.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "lib/util.h"
#include "mm/pgtable.h"
#include "unit.h"

#define WINDOW (3UL << 30) /* bytes of address space that the model covers */
#define PAGES (WINDOW / PAGE_SIZE)
#define POOL_PAGES 4096U
#define PG_ACCESS (PG_READ | PG_WRITE | PG_EXEC)

static const struct subject {
	const struct pgtable_format *format;
	uint64_t base; /* of the window */
	unsigned int prots;
} subjects[] = {
	{ &pgtable_host, 0xFFFFFFFF40000000UL, PG_ACCESS | PG_USER | PG_UC | PG_GLOBAL },
	{ &pgtable_host, 0x0000007FC0000000UL, PG_ACCESS | PG_WT },
	{ &pgtable_ept, 0x0000FFFF40000000UL, PG_ACCESS | PG_WC },
	{ &pgtable_ept_split, 0, PG_READ | PG_WRITE | PG_UC },
	{ &pgtable_npt, 0, PG_ACCESS | PG_WP },
	{ &pgtable_vtd, 0x0000008000000000UL - SIZE_1G, PG_READ | PG_WRITE },
	{ &pgtable_amdvi, 0x0000010000000000UL, PG_READ | PG_WRITE },
};

/* A page: hpa with the prot in the low bits; 0 for a hole. */
static uint64_t model[PAGES];
static uint8_t *block;
static struct page_pool pool;
static struct pgtable pt;
static uint64_t seed;

static int setup(void **state)
{
	(void)state;
	block = aligned_alloc(PAGE_SIZE, POOL_PAGES * PAGE_SIZE);
	seed = 7;
	return block == NULL;
}

static int teardown(void **state)
{
	(void)state;
	free(block);
	return 0;
}

static void start(const struct subject *s, size_t pool_pages)
{
	memset(model, 0, sizeof(model));
	page_pool_init(&pool, block, 0x7000000, pool_pages);
	assert_int_equal(pgtable_init(&pt, s->format, &pool), 0);
}

static uint64_t random_below(uint64_t n)
{
	return unit_random(&seed) % n;
}

/* An offset and a size within the window, often at a place where large leaves begin or end. */
static void random_range(uint64_t *offset, uint64_t *size)
{
	static const uint64_t units[] = { PAGE_SIZE, PAGE_SIZE, SIZE_2M, SIZE_2M, SIZE_1G };
	uint64_t unit = units[random_below(ARRAY_SIZE(units))];

	*offset = ALIGN_DOWN(random_below(WINDOW), unit);
	*size = unit * (1 + random_below(unit == SIZE_1G ? 2 : 20));
	if (random_below(4) == 0)
		*size += PAGE_SIZE * random_below(600);
	if (random_below(8) == 0)
		*offset += PAGE_SIZE * random_below(600);
	*offset = MIN(*offset, WINDOW - PAGE_SIZE);
	*size = MIN(*size, WINDOW - *offset);
}

static unsigned int random_prot(const struct subject *s)
{
	return ((unsigned int)unit_random(&seed) & s->prots) | PG_READ;
}

static uint64_t expected(uint64_t old, uint64_t hpa, unsigned int prot, int kind)
{
	if (kind == 0)
		return hpa | prot;
	if (kind == 1 || old == 0)
		return 0;
	return (old & ~(uint64_t)PG_ACCESS) | (prot & PG_ACCESS);
}

static uint64_t looked_up(uint64_t va)
{
	struct pgtable_leaf leaf;

	return pgtable_lookup(&pt, va, &leaf) ? ALIGN_DOWN(leaf.hpa, PAGE_SIZE) | leaf.prot : 0;
}

/* pgtable_translate() says what the lookup says, for every set of rights. */
static void check_translate(uint64_t va, bool mapped, const struct pgtable_leaf *leaf)
{
	for (unsigned int prot = 0; prot < 8; prot++) {
		hpa_t want = mapped && (leaf->prot & prot) == prot ? leaf->hpa : HPA_INVALID;

		assert_true(pgtable_translate(&pt, va, prot) == want);
	}
}

/* One random change of the table and the model. After -ENOMEM each page may be old or new. */
static int random_change(const struct subject *s)
{
	uint64_t offset, size, hpa;
	unsigned int prot = random_prot(s);
	int kind = (int)random_below(3), ret;

	random_range(&offset, &size);
	hpa = random_below(1UL << 40) * PAGE_SIZE / 2;
	hpa = ALIGN_DOWN(hpa, random_below(2) ? SIZE_1G : PAGE_SIZE) + offset % SIZE_1G;
	hpa = ALIGN_DOWN(hpa, PAGE_SIZE);
	if (kind == 0)
		ret = pgtable_map(&pt, s->base + offset, hpa, size, prot);
	else if (kind == 1)
		ret = pgtable_unmap(&pt, s->base + offset, size);
	else
		ret = pgtable_protect(&pt, s->base + offset, size, prot);
	assert_true(ret == 0 || ret == -ENOMEM);
	for (uint64_t i = 0; i < size / PAGE_SIZE; i++) {
		uint64_t *page = &model[offset / PAGE_SIZE + i];
		uint64_t want = expected(*page, hpa + i * PAGE_SIZE, prot, kind);

		if (ret != 0) {
			uint64_t now = looked_up(s->base + offset + i * PAGE_SIZE);

			assert_true(now == want || now == *page);
			want = now;
		}
		*page = want;
	}
	return ret;
}

/* Every page of the window, leaf by leaf. */
static void compare(const struct subject *s)
{
	uint64_t n = 0;

	while (n < PAGES) {
		uint64_t va = s->base + n * PAGE_SIZE;
		struct pgtable_leaf leaf;
		bool mapped = pgtable_lookup(&pt, va, &leaf);
		uint64_t here = (leaf.page_size - va % leaf.page_size) / PAGE_SIZE;

		check_translate(va, mapped, &leaf);
		for (uint64_t i = 0; i < here && n < PAGES; i++, n++)
			assert_true(model[n] ==
				    (mapped ? (leaf.hpa + i * PAGE_SIZE) | leaf.prot : 0));
	}
}

/* Pages of tables that are reachable; none but the root may be empty. */
static size_t count_tables(const uint64_t *table, unsigned int level)
{
	const struct pgtable_format *f = pt.format;
	size_t count = 1;
	bool empty = true;

	for (int i = 0; i < 512; i++) {
		if ((table[i] & f->present) == 0)
			continue;
		empty = false;
		if (level > 1 && (table[i] & f->leaf_mask) != f->leaf_value)
			count += count_tables(page_pool_to_virt(&pool, table[i] & f->address),
					      level - 1);
	}
	assert_true(!empty || level == f->levels);
	return count;
}

static void finish(const struct subject *s, size_t pool_pages)
{
	assert_int_equal(count_tables(pt.root, s->format->levels), pool.used);
	assert_int_equal(pgtable_unmap(&pt, s->base, WINDOW), 0);
	assert_int_equal(page_pool_available(&pool), pool_pages - 1);
	pgtable_destroy(&pt);
	assert_int_equal(page_pool_available(&pool), pool_pages);
}

static void test_random_changes(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(subjects); n++) {
		const struct subject *s = &subjects[n];

		start(s, POOL_PAGES);
		pt.max_leaf = 3 - (unsigned int)(n % 3);
		for (int i = 0; i < 120; i++) {
			assert_int_equal(random_change(s), 0);
			if (i % 20 == 19)
				compare(s);
			if (i % 20 == 19)
				assert_int_equal(count_tables(pt.root, 4), pool.used);
		}
		finish(s, POOL_PAGES);
	}
}

static void test_out_of_memory(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t n = 0; n < 12; n++) {
		const struct subject *s = &subjects[n % ARRAY_SIZE(subjects)];
		size_t pool_pages = 2 + random_below(12);

		start(s, pool_pages);
		for (int i = 0; i < 40; i++)
			failures += random_change(s) == -ENOMEM;
		compare(s);
		finish(s, pool_pages);
	}
	assert_in_range(failures, 50, 450);
	page_pool_init(&pool, block, 0, 0);
	assert_int_equal(pgtable_init(&pt, &pgtable_ept, &pool), -ENOMEM);
}

static void test_large_leaves(void **state)
{
	struct pgtable_leaf leaf;

	(void)state;
	start(&subjects[3], 16);
	assert_false(pgtable_lookup(&pt, 0x1234, &leaf));
	assert_true(leaf.page_size == 1UL << 39);
	/* 1 GiB + 2 MiB + 4 KiB from a 1 GiB boundary: one leaf of each size. */
	assert_int_equal(pgtable_map(&pt, SIZE_1G, 4 * SIZE_1G, SIZE_1G + SIZE_2M + PAGE_SIZE,
				     PG_READ), 0);
	assert_true(pgtable_lookup(&pt, SIZE_1G + 0x12345, &leaf));
	assert_true(leaf.hpa == 4 * SIZE_1G + 0x12345 && leaf.page_size == SIZE_1G);
	assert_true(pgtable_lookup(&pt, 2 * SIZE_1G + 0x12345, &leaf));
	assert_true(leaf.hpa == 5 * SIZE_1G + 0x12345 && leaf.page_size == SIZE_2M);
	assert_true(pgtable_lookup(&pt, 2 * SIZE_1G + SIZE_2M + 5, &leaf));
	assert_true(leaf.hpa == 5 * SIZE_1G + SIZE_2M + 5 && leaf.page_size == PAGE_SIZE);
	assert_false(pgtable_lookup(&pt, 2 * SIZE_1G + SIZE_2M + PAGE_SIZE, &leaf));
	assert_int_equal(pool.used, 4);
	assert_false(pt.stale);
	/* One page out of the 1 GiB leaf: two tables more. */
	assert_int_equal(pgtable_unmap(&pt, SIZE_1G + 5 * PAGE_SIZE, PAGE_SIZE), 0);
	assert_int_equal(pool.used, 6);
	assert_true(pt.stale);
	pgtable_destroy(&pt);
	assert_int_equal(pool.used, 0);
}

static void test_bad_arguments(void **state)
{
	const uint64_t top = 1UL << 48;

	(void)state;
	start(&subjects[2], 16);
	assert_int_equal(pgtable_map(&pt, 1, 0, PAGE_SIZE, PG_READ), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 8, PAGE_SIZE, PG_READ), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, 100, PG_READ), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, 0, PG_READ), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, PAGE_SIZE, PG_WRITE), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 1UL << 52, PAGE_SIZE, PG_READ), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, (1UL << 52) - PAGE_SIZE, 2 * PAGE_SIZE, PG_READ),
			 -EINVAL);
	assert_int_equal(pgtable_map(&pt, top - PAGE_SIZE, 0, 2 * PAGE_SIZE, PG_READ), -EINVAL);
	assert_int_equal(pgtable_map(&pt, -PAGE_SIZE, 0, PAGE_SIZE, PG_READ), -EINVAL);
	assert_int_equal(pgtable_unmap(&pt, -PAGE_SIZE, 2 * PAGE_SIZE), -EINVAL);
	assert_int_equal(pgtable_protect(&pt, 0, PAGE_SIZE, PG_WRITE), -EINVAL);
	assert_int_equal(pool.used, 1);
	pgtable_destroy(&pt);
	start(&subjects[0], 16);
	assert_int_equal(pgtable_map(&pt, top / 2, 0, PAGE_SIZE, PG_READ), -EINVAL);
	assert_int_equal(pgtable_map(&pt, top / 2 - PAGE_SIZE, 0, PAGE_SIZE, PG_READ), 0);
	assert_int_equal(pgtable_map(&pt, -(top / 2), 0, PAGE_SIZE, PG_READ), 0);
	assert_int_equal(pgtable_map(&pt, -PAGE_SIZE, 0, PAGE_SIZE, PG_READ), 0);
	pgtable_destroy(&pt);
}

static void test_worst_case(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		uint64_t size = PAGE_SIZE * (1 + random_below(2000));
		uint64_t va = PAGE_SIZE * random_below(1UL << 35);

		start(&subjects[2], POOL_PAGES);
		pt.max_leaf = 1;
		assert_int_equal(pgtable_map(&pt, va, 0, size, PG_READ), 0);
		assert_true(pool.used - 1 <= pgtable_worst_case(size));
		pgtable_destroy(&pt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worst_case, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
