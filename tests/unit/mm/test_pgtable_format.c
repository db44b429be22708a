/* SPDX-License-Identifier: BSD-3-Clause */
/* The bits of each table format, spelt out from the manuals, and the round trip of access bits. */
#include "lib/util.h"
#include "mm/pgtable.h"
#include "unit.h"

#define HPA 0x000FEDCB40000000UL
#define NX (1UL << 63)

static const struct {
	const struct pgtable_format *format;
	unsigned int prot;
	unsigned int level;
	uint64_t entry;
} leaves[] = {
	/* P RW US PWT PCD A D PS/PAT G: bits 0 1 2 3 4 5 6 7 8; PAT of large leaves bit 12 */
	{ &pgtable_host, PG_READ, 1, HPA | NX | 0x61 },
	{ &pgtable_host, PG_READ | PG_WRITE, 1, HPA | NX | 0x63 },
	{ &pgtable_host, PG_READ | PG_EXEC, 2, HPA | 0xE1 },
	{ &pgtable_host, PG_READ | PG_USER | PG_GLOBAL, 3, HPA | NX | 0x1E5 },
	{ &pgtable_host, PG_READ | PG_UC, 1, HPA | NX | 0x79 },
	{ &pgtable_host, PG_READ | PG_WT, 1, HPA | NX | 0x69 },
	{ &pgtable_host, PG_READ | PG_WC, 1, HPA | NX | 0xE9 },
	{ &pgtable_host, PG_READ | PG_WC, 2, HPA | NX | 0x10E9 },
	{ &pgtable_host, PG_READ | PG_WP, 3, HPA | NX | 0x10E1 },
	{ &pgtable_npt, PG_READ, 1, HPA | NX | 0x65 },
	{ &pgtable_npt, PG_READ | PG_WRITE | PG_EXEC, 2, HPA | 0xE7 },
	{ &pgtable_npt, PG_READ | PG_WRITE | PG_UC, 3, HPA | NX | 0xFF },
	/* R W X 0 1 2, type 5:3, large 7 */
	{ &pgtable_ept, PG_READ, 1, HPA | 0x31 },
	{ &pgtable_ept, PG_READ | PG_WRITE | PG_EXEC, 2, HPA | 0xB7 },
	{ &pgtable_ept, PG_READ | PG_WRITE | PG_UC, 1, HPA | 0x03 },
	{ &pgtable_ept, PG_READ | PG_WC, 3, HPA | 0x89 },
	{ &pgtable_ept, PG_READ | PG_WT, 1, HPA | 0x21 },
	{ &pgtable_ept, PG_READ | PG_WP, 1, HPA | 0x29 },
	/* a large leaf that wants to be executable is not, and remembers it in bit 52 */
	{ &pgtable_ept_split, PG_READ | PG_WRITE | PG_EXEC, 1, HPA | 0x37 },
	{ &pgtable_ept_split, PG_READ | PG_WRITE | PG_EXEC, 2, HPA | 0x100000000000B3 },
	{ &pgtable_ept_split, PG_READ | PG_WRITE, 2, HPA | 0xB3 },
	{ &pgtable_vtd, PG_READ, 1, HPA | 0x1 },
	{ &pgtable_vtd, PG_READ | PG_WRITE, 2, HPA | 0x83 },
	/* PR 0, next level 11:9, FC 60, IR 61, IW 62 */
	{ &pgtable_amdvi, PG_READ, 1, HPA | 0x3000000000000001 },
	{ &pgtable_amdvi, PG_READ | PG_WRITE, 2, HPA | 0x7000000000000001 },
};

static void test_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		const struct pgtable_format *f = leaves[i].format;
		uint64_t entry = f->leaf(HPA, leaves[i].prot, leaves[i].level);

		if (entry != leaves[i].entry)
			print_error("case %zu, %s: %#lx, not %#lx\n", i, f->name, entry,
				    leaves[i].entry);
		assert_true(entry == leaves[i].entry);
		assert_true((entry & f->present) != 0);
		assert_true(leaves[i].level == 1 || (entry & f->leaf_mask) == f->leaf_value);
	}
}

static void test_tables(void **state)
{
	(void)state;
	assert_true(pgtable_host.table(HPA, 4) == (HPA | 0x27));
	assert_true(pgtable_npt.table(HPA, 2) == (HPA | 0x27));
	assert_true(pgtable_ept.table(HPA, 3) == (HPA | 0x7));
	assert_true(pgtable_vtd.table(HPA, 3) == (HPA | 0x3));
	assert_true(pgtable_amdvi.table(HPA, 4) == (HPA | 0x6000000000000601));
	assert_true(pgtable_amdvi.table(HPA, 2) == (HPA | 0x6000000000000201));
}

static void round_trip(const struct pgtable_format *f, unsigned int access, bool types)
{
	static const unsigned int type[] = { 0, PG_UC, PG_WC, PG_WT, PG_WP };

	for (unsigned int level = 1; level <= f->max_leaf; level++)
		for (size_t t = 0; t < (types ? ARRAY_SIZE(type) : 1U); t++)
			for (unsigned int a = 0; a < 512; a++) {
				unsigned int prot = (a & access) | PG_READ | type[t];
				uint64_t entry = f->leaf(HPA, prot, level);

				assert_int_equal(f->prot(entry, level), prot);
				assert_true(level == 1 || f->table(HPA, level) != entry);
			}
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(&pgtable_host, PG_WRITE | PG_EXEC | PG_USER | PG_GLOBAL, true);
	round_trip(&pgtable_npt, PG_WRITE | PG_EXEC, true);
	round_trip(&pgtable_ept, PG_WRITE | PG_EXEC, true);
	round_trip(&pgtable_ept_split, PG_WRITE | PG_EXEC, true);
	round_trip(&pgtable_vtd, PG_WRITE, false);
	round_trip(&pgtable_amdvi, PG_WRITE, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
