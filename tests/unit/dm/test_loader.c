/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel headers of all sorts: what is accepted lies inside of the guest's memory, and nothing overlaps. */
#include "unit.h"

#include <string.h>

#include "loader/bzimage.h"
#include "loader/e820.h"

#define MIB (1ull << 20)
static uint8_t head[BZIMAGE_HEAD_SIZE];

static void put(unsigned int off, uint64_t v, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		head[off + i] = (uint8_t)(v >> 8 * i);
}

/* As Debian's kernel: 64-bit, relocatable, 8 MiB, 50 MiB of memory to start in. */
static int setup(void **state)
{
	(void)state;
	memset(head, 0, sizeof(head));
	head[0x1f1] = 39;
	put(0x1fe, 0xaa55, 2);
	head[0x201] = 0x6a;
	put(0x202, 0x53726448, 4);
	put(0x206, 0x20f, 2);
	head[0x211] = 1;
	put(0x22c, 0x7fffffff, 4);
	put(0x238, 2047, 4);
	put(0x258, 16 * MIB, 8);
	put(0x260, 50 * MIB, 4);
	return 0;
}

static struct bzimage_sizes sizes;
static struct bzimage_plan p;

static const char *plan(uint64_t head_len, uint64_t kernel, uint64_t initrd, uint64_t lowmem)
{
	sizes = (struct bzimage_sizes){ kernel, initrd, lowmem, 1024 * MIB };
	return bzimage_plan(head, head_len, &sizes, &p);
}

static void usual_kernel_is_placed(void **state)
{
	(void)state;
	assert_null(plan(sizeof(head), 8 * MIB, 30 * MIB, 256 * MIB));
	assert_int_equal(p.payload_offset, 40 * 512);
	assert_int_equal(p.entry, 16 * MIB);
	assert_int_equal(p.zeropage, 256 * MIB - 4096);
	assert_true(p.initrd + 30 * MIB <= p.gdt && p.initrd >= p.entry + 50 * MIB && p.initrd % 4096 == 0);
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	assert_non_null(plan(100, 8 * MIB, 0, 256 * MIB));
	assert_non_null(plan(sizeof(head), 40 * 512, 0, 256 * MIB));
	assert_non_null(plan(sizeof(head), 8 * MIB, 0, 60 * MIB));
	assert_non_null(plan(sizeof(head), 8 * MIB, 200 * MIB, 256 * MIB));
	put(0x202, 0, 4);
	assert_non_null(plan(sizeof(head), 8 * MIB, 0, 256 * MIB));
}

static void old_protocols_are_refused(void **state)
{
	(void)state;
	put(0x206, 0x209, 2);
	assert_non_null(plan(sizeof(head), 8 * MIB, 0, 256 * MIB));
	put(0x206, 0x20f, 2);
	head[0x211] = 0;
	assert_non_null(plan(sizeof(head), 8 * MIB, 0, 256 * MIB));
}

static void initrd_stays_below_its_limit(void **state)
{
	(void)state;
	put(0x22c, 100 * MIB - 1, 4);
	assert_null(plan(sizeof(head), 8 * MIB, 10 * MIB, 256 * MIB));
	assert_true(p.initrd + 10 * MIB <= 100 * MIB);
}

static void wild_headers_never_leave_memory(void **state)
{
	uint64_t seed = 1, lowmem = 256 * MIB;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t file = unit_random(&seed) >> (unit_random(&seed) % 64);
		uint64_t initrd = unit_random(&seed) >> (unit_random(&seed) % 64);

		setup(NULL);
		put(0x258, unit_random(&seed) >> (unit_random(&seed) % 64), 8);
		put(0x260, unit_random(&seed) >> (unit_random(&seed) % 64), 4);
		put(0x22c, unit_random(&seed) >> (unit_random(&seed) % 64), 4);
		head[0x1f1] = (uint8_t)unit_random(&seed);
		if (plan(sizeof(head), file, initrd, lowmem))
			continue;
		assert_true(p.entry >= MIB && p.payload_size <= lowmem && p.entry + p.payload_size <= p.gdt);
		assert_true(!initrd || (p.initrd >= p.entry + p.payload_size && p.initrd + initrd <= p.gdt));
	}
}

static void zero_page_says_what_is_where(void **state)
{
	static uint8_t page[4096];
	uint64_t base;

	(void)state;
	assert_null(plan(sizeof(head), 8 * MIB, 5 * MIB, 256 * MIB));
	head[0x201] = 0xff;	/* a longer header than there is room for */
	memset(page, 0xee, sizeof(page));
	bzimage_fill_zeropage(page, head, &p, &sizes);
	assert_int_equal(page[0x1e8], 4);
	assert_int_equal(page[0x210], 0xff);
	assert_int_equal(page[0x290], 0);
	memcpy(&base, page + 0x2d0 + 3 * 20, 8);
	assert_int_equal(base, 1ull << 32);
	assert_int_equal(page[0x70] | page[0x71] << 8 | page[0x72] << 16, 0xf2400);
}

static void memory_map_has_no_overlaps(void **state)
{
	struct e820_entry e[E820_MAX];
	unsigned int n = e820_build(e, 2048 * MIB, 4096 * MIB);

	(void)state;
	for (unsigned int i = 1; i < n; i++)
		assert_true(e[i - 1].base + e[i - 1].size <= e[i].base);
	assert_int_equal(e820_build(e, 512 * MIB, 0), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(usual_kernel_is_placed, setup),
		cmocka_unit_test_setup(what_does_not_fit_is_refused, setup),
		cmocka_unit_test_setup(old_protocols_are_refused, setup),
		cmocka_unit_test_setup(initrd_stays_below_its_limit, setup),
		cmocka_unit_test_setup(wild_headers_never_leave_memory, setup),
		cmocka_unit_test_setup(zero_page_says_what_is_where, setup),
		cmocka_unit_test(memory_map_has_no_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
