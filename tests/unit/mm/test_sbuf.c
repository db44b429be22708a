/* SPDX-License-Identifier: BSD-3-Clause */
/* The producer of a shared ring, against a consumer that keeps the rules and one that does not. */
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "mm/pgtable.h"
#include "mm/sbuf.h"
#include "unit.h"

#define ELEMENTS 5U

static struct acrn_sbuf *page;
static struct sbuf ring;

static int setup(void **state)
{
	(void)state;
	page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(page, 0, PAGE_SIZE);
	page->magic = ACRN_SBUF_MAGIC;
	page->ele_num = ELEMENTS;
	page->ele_size = 8;
	page->size = ELEMENTS * 8;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(page);
	return 0;
}

static uint64_t take(void)
{
	uint64_t value;

	assert_int_not_equal(page->head, page->tail);
	memcpy(&value, (uint8_t *)(page + 1) + page->head, sizeof(value));
	page->head = (page->head + 8) % (ELEMENTS * 8);
	return value;
}

static void keeps_the_order_and_wraps(void **state)
{
	uint64_t in = 0, out = 0;

	(void)state;
	assert_int_equal(sbuf_init(&ring, page, 8), 0);
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 1 + round % (ELEMENTS - 1); i++, in++)
			assert_true(sbuf_put(&ring, &in));
		while (page->head != page->tail)
			assert_int_equal(take(), out++);
	}
	assert_int_equal(in, out);
}

static void is_full_with_one_element_unused(void **state)
{
	uint64_t value = 7;

	(void)state;
	page->flags = ACRN_SBUF_COUNT_OVERRUN;
	assert_int_equal(sbuf_init(&ring, page, 8), 0);
	for (unsigned int i = 0; i < ELEMENTS - 1; i++)
		assert_true(sbuf_put(&ring, &value));
	assert_false(sbuf_put(&ring, &value));
	assert_false(sbuf_put(&ring, &value));
	assert_int_equal(page->overrun_cnt, 2);
	(void)take();
	assert_true(sbuf_put(&ring, &value));
	assert_int_equal(page->overrun_cnt, 2);
}

static void no_ring_takes_nothing(void **state)
{
	uint64_t value = 7;

	(void)state;
	ring = (struct sbuf){ 0 };
	assert_false(sbuf_put(&ring, &value));
}

/* Found by reading: geometry that is read again from shared memory at each put. */
static void geometry_is_copied_once(void **state)
{
	uint64_t value = 0x1122334455667788UL;

	(void)state;
	assert_int_equal(sbuf_init(&ring, page, 8), 0);
	page->size = 0xFFFFFFF8U;
	page->ele_size = 0x10000;
	page->ele_num = ~0U;
	page->tail = 0x100000;
	page->magic = 0;
	for (unsigned int i = 0; i < 3 * ELEMENTS; i++) {
		assert_true(sbuf_put(&ring, &value));
		page->head = page->tail;
		assert_true(page->tail < ELEMENTS * 8);
	}
}

static void a_wild_head_is_full(void **state)
{
	static const uint32_t wild[] = { ELEMENTS * 8, 0x1000, 0x80000000U, ~0U };
	uint64_t value = 7;

	(void)state;
	assert_int_equal(sbuf_init(&ring, page, 8), 0);
	for (unsigned int i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		page->head = wild[i];
		assert_false(sbuf_put(&ring, &value));
		assert_int_equal(page->tail, 0);
	}
}

static void bad_geometry_is_refused(void **state)
{
	const struct acrn_sbuf good = *page;
	struct acrn_sbuf bad[11];

	(void)state;
	for (unsigned int i = 0; i < 11; i++)
		bad[i] = good;
	bad[0].magic = 1;
	bad[1].ele_size = 4;
	bad[2].ele_num = 1, bad[2].size = 8;
	bad[3].ele_num = 505, bad[3].size = 505 * 8; /* one more than the page holds */
	bad[4].size = 8;
	bad[5].flags = ACRN_SBUF_OVERWRITE;
	bad[6].head = ELEMENTS * 8;
	bad[7].head = 4;
	bad[8].tail = ELEMENTS * 8;
	bad[9].tail = 1;
	bad[10].ele_num = 0x20000001U, bad[10].size = 8; /* the product wraps */
	for (unsigned int i = 0; i < 11; i++) {
		*page = bad[i];
		assert_int_equal(sbuf_init(&ring, page, 8), -EINVAL);
	}
	*page = good;
	page->ele_num = 504;
	page->size = 504 * 8;
	assert_int_equal(sbuf_init(&ring, page, 8), 0);
	for (unsigned int i = 0; i < 503; i++)
		assert_true(sbuf_put(&ring, &good.magic)); /* to the page's last byte and no further: ASan */
	assert_false(sbuf_put(&ring, &good.magic));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_the_order_and_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(is_full_with_one_element_unused, setup, teardown),
		cmocka_unit_test_setup_teardown(no_ring_takes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(geometry_is_copied_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wild_head_is_full, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_geometry_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
