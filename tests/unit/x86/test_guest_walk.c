/* SPDX-License-Identifier: BSD-3-Clause */
/* x86/guest_walk.c: every paging mode and page size, and rights against the manual's sentences. */
#include <string.h>

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "x86/cr.h"
#include "x86/guest_walk.h"
#include "x86/pte.h"
#include "x86/regs.h"
#include "unit.h"

#define ROOT 0x10000UL /* tables follow each other from here, one a page */
#define TABLES 6U

static uint8_t memory[TABLES * PAGE_SIZE]; /* at ROOT */
static struct guest_walk walk;

static int read_memory(void *ctx, gpa_t gpa, void *buf, size_t size)
{
	(void)ctx;
	if (!range_within(gpa, size, ROOT, sizeof(memory)))
		return -EFAULT;
	memcpy(buf, memory + (gpa - ROOT), size);
	return 0;
}

enum { MODE_NONE, MODE_32, MODE_PAE, MODE_4, MODE_5 };

static void set_mode(int mode)
{
	memset(memory, 0, sizeof(memory));
	walk = (struct guest_walk){ .cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .read = read_memory };
	if (mode == MODE_NONE)
		walk.cr0 &= ~CR0_PG;
	if (mode == MODE_32)
		walk.cr4 = CR4_PSE;
	if (mode >= MODE_PAE)
		walk.cr4 = CR4_PAE;
	if (mode >= MODE_4)
		walk.efer = EFER_LME | EFER_LMA;
	if (mode == MODE_5)
		walk.cr4 |= CR4_LA57;
}

/* Writes the entry for gva at level of the table at page n. */
static void put_entry(int mode, unsigned int n, unsigned int level, gva_t gva, uint64_t entry)
{
	unsigned int bits = mode == MODE_32 ? 10 : 9, size = mode == MODE_32 ? 4 : 8;
	unsigned int index = (unsigned int)(gva >> (12 + bits * (level - 1))) & ((1U << bits) - 1);

	memcpy(memory + n * PAGE_SIZE + index * size, &entry, size);
}

/* Maps gva with a leaf at level, all entries above with the rights above. */
static void map(int mode, gva_t gva, unsigned int level, uint64_t leaf, uint64_t above)
{
	static const unsigned int levels[] = { [MODE_32] = 2, [MODE_PAE] = 3, [MODE_4] = 4,
					       [MODE_5] = 5 };
	unsigned int n = 0;

	for (unsigned int l = levels[mode]; l > level; l--, n++)
		put_entry(mode, n, l, gva,
			  (ROOT + (n + 1) * PAGE_SIZE) |
				  (mode == MODE_PAE && l == 3 ? PTE_P : above));
	put_entry(mode, n, level, gva, leaf);
}

static gpa_t translate(gva_t gva)
{
	uint32_t error_code;
	gpa_t gpa;

	assert_int_equal(guest_walk(&walk, gva, 0, &gpa, &error_code), 0);
	return gpa;
}

static void test_no_paging(void **state)
{
	(void)state;
	set_mode(MODE_NONE);
	assert_true(translate(0x123456789UL) == 0x23456789UL);
}

static void test_page_sizes(void **state)
{
	const uint64_t all = PTE_P | PTE_W | PTE_U;
	static const struct {
		int mode;
		unsigned int level;
		gva_t gva;
		uint64_t leaf;
		gpa_t gpa;
	} cases[] = {
		{ MODE_32, 1, 0xC0123456, 0xABCDE000, 0xABCDE456 },
		{ MODE_32, 2, 0xC0123456, 0xFFC00000 | PTE_PS, 0xFFD23456 },
		{ MODE_32, 2, 0xC0123456, 0x00400000 | 0x1FE000 | PTE_PS, 0xFF00523456 },
		{ MODE_PAE, 1, 0xC0123456, 0xFEDCABCDE000, 0xFEDCABCDE456 },
		{ MODE_PAE, 2, 0xC0123456, 0x100200000 | PTE_PS, 0x100323456 },
		{ MODE_4, 1, 0xFFFF8880C0123456, 0x000FEDCABCDE0000, 0x000FEDCABCDE0456 },
		{ MODE_4, 2, 0xFFFF8880C0123456, 0x100200000 | PTE_PS | PTE_PAT_LARGE,
		  0x100323456 },
		{ MODE_4, 3, 0xFFFF8880F0123456, 0x140000000 | PTE_PS, 0x170123456 },
		{ MODE_5, 1, 0xFF11888080123456, 0x5000, 0x5456 },
		{ MODE_5, 3, 0x0011888080123456, 0x40000000 | PTE_PS, 0x40123456 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_mode(cases[i].mode);
		map(cases[i].mode, cases[i].gva, cases[i].level, cases[i].leaf | all, all);
		assert_true(translate(cases[i].gva) == cases[i].gpa);
	}
	/* Without CR4.PSE, bit 7 of a PDE means nothing. */
	set_mode(MODE_32);
	walk.cr4 = 0;
	map(MODE_32, 0x1000, 1, 0x7000 | all, all | PTE_PS);
	assert_true(translate(0x1234) == 0x7234);
}

static uint32_t fault(gva_t gva, unsigned int access)
{
	uint32_t error_code = ~0U;
	gpa_t gpa;

	assert_int_equal(guest_walk(&walk, gva, access, &gpa, &error_code), -EFAULT);
	return error_code;
}

static void test_faults(void **state)
{
	const uint64_t all = PTE_P | PTE_W | PTE_U;
	uint32_t error_code;
	gpa_t gpa;

	(void)state;
	set_mode(MODE_4);
	assert_int_equal(fault(0x1000, 0), 0);
	assert_int_equal(fault(0x1000, WALK_WRITE | WALK_USER), 6);
	assert_int_equal(fault(0x1000, WALK_FETCH), 0);
	walk.efer |= EFER_NXE;
	assert_int_equal(fault(0x1000, WALK_FETCH | WALK_USER), 0x14);
	map(MODE_4, 0x1000, 1, 0x5000 | all | PTE_NX, all);
	assert_int_equal(fault(0x1000, WALK_FETCH), 0x11);
	walk.efer &= ~EFER_NXE; /* now the bit is reserved */
	assert_int_equal(fault(0x1000, 0), 9);
	set_mode(MODE_4);
	map(MODE_4, 0x200000, 2, 0x203000 | PTE_PS | all, all);
	assert_int_equal(fault(0x200000, WALK_WRITE), 0xB);
	map(MODE_4, 0x200000, 4, ROOT | PTE_PS | all, 0);
	assert_int_equal(fault(0x200000, 0), 9);
	set_mode(MODE_32);
	map(MODE_32, 0, 2, BIT64(21) | PTE_PS | all, 0);
	assert_int_equal(fault(0, 0), 9);
	set_mode(MODE_4);
	map(MODE_4, 0x1000, 4, 0x99999000 | all, 0);
	assert_int_equal(guest_walk(&walk, 0x1000, 0, &gpa, &error_code), -EIO);
}

/* The manual's sentences, one by one (SDM 3A 4.6.1), for 4-level paging. */
static bool allowed(uint64_t rights, unsigned int access)
{
	bool user_page = (rights & PTE_U) != 0, writable = (rights & PTE_W) != 0;
	bool no_exec = (rights & PTE_NX) != 0 && (walk.efer & EFER_NXE) != 0;
	bool ac = (walk.rflags & RFLAGS_AC) != 0;

	if ((access & WALK_USER) != 0) {
		if (!user_page)
			return false;
		if ((access & WALK_FETCH) != 0)
			return !no_exec;
		return (access & WALK_WRITE) == 0 || writable;
	}
	if ((access & WALK_FETCH) != 0)
		return !no_exec && !(user_page && (walk.cr4 & CR4_SMEP) != 0);
	if (user_page && (walk.cr4 & CR4_SMAP) != 0 && !ac)
		return false;
	if ((access & WALK_WRITE) != 0)
		return writable || (walk.cr0 & CR0_WP) == 0;
	return true;
}

static void check_rights(uint64_t leaf, uint64_t above)
{
	static const unsigned int accesses[] = { 0, WALK_WRITE, WALK_FETCH, WALK_USER,
						 WALK_USER | WALK_WRITE, WALK_USER | WALK_FETCH };
	uint64_t both = (leaf & above & (PTE_U | PTE_W)) | ((leaf | above) & PTE_NX);

	map(MODE_4, 0x7000, 1, 0x5000 | PTE_P | leaf, PTE_P | above);
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint32_t error_code = 0;
		gpa_t gpa = 0;
		int ret = guest_walk(&walk, 0x7008, accesses[i], &gpa, &error_code);

		if (allowed(both, accesses[i])) {
			assert_int_equal(ret, 0);
			assert_true(gpa == 0x5008);
		} else {
			assert_int_equal(ret, -EFAULT);
			assert_int_equal(error_code & 0xF,
					 1U | (accesses[i] & WALK_WRITE ? 2U : 0U) |
						 (accesses[i] & WALK_USER ? 4U : 0U));
		}
	}
}

static void test_rights(void **state)
{
	static const uint64_t rights[] = { 0, PTE_W, PTE_U, PTE_W | PTE_U };

	(void)state;
	for (unsigned int bits = 0; bits < 16; bits++)
		for (unsigned int r = 0; r < 16; r++)
			for (unsigned int nx = 0; nx < 4; nx++) {
				set_mode(MODE_4);
				walk.efer |= EFER_NXE;
				walk.cr0 |= bits & 1 ? CR0_WP : 0;
				walk.cr4 |= (bits & 2 ? CR4_SMEP : 0) | (bits & 4 ? CR4_SMAP : 0);
				walk.rflags = bits & 8 ? RFLAGS_AC : 0;
				check_rights(rights[r & 3] | (nx & 1 ? PTE_NX : 0),
					     rights[r >> 2] | (nx & 2 ? PTE_NX : 0));
			}
}

static void test_trail(void **state)
{
	const uint64_t all = PTE_P | PTE_W | PTE_U;
	struct guest_trail trail = { .count = 77 };

	(void)state;
	set_mode(MODE_4);
	walk.trail = &trail;
	map(MODE_4, 0x7000, 1, 0x5000 | all, all);
	assert_true(translate(0x7123) == 0x5123);
	assert_int_equal(trail.count, 4);
	assert_int_equal(trail.entry_size, 8);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t value;

		assert_int_equal(read_memory(NULL, trail.entry[i].gpa, &value, 8), 0);
		assert_true(value == trail.entry[i].value && (value & PTE_P) != 0);
	}
	assert_true(trail.entry[3].gpa == ROOT + 3 * PAGE_SIZE + 7 * 8);
	set_mode(MODE_NONE);
	walk.trail = &trail;
	assert_true(translate(0x7123) == 0x7123);
	assert_int_equal(trail.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_paging),
		cmocka_unit_test(test_page_sizes),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_trail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
