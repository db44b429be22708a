/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bits of each kind of table. Accessed and dirty bits are set from the start, so that no CPU
 * writes to our tables. NPT entries carry the user bit, since a nested walk counts as a user access.
 * Sources: SDM 3A 4.5 (host), SDM 3C 29.3.2 (EPT), APM 2 15.25 (NPT), VT-d 9.8 (second stage),
 * AMD I/O Virtualization 2.2.3 (AMD-Vi).
 */
#include "lib/bits.h"
#include "mm/pgtable.h"
#include "x86/pte.h"

/* What leaves grant, by PG_READ, PG_WRITE, PG_EXEC as bits 0, 1, 2 of the index. */
#define GRANTED(r, w, x) { 0, (r), (w), (r) | (w), (x), (r) | (x), (w) | (x), (r) | (w) | (x) }

/* Memory types as indexes of PGTABLE_PAT: PAT, PCD, PWT are bits 2, 1, 0. */
static uint64_t x86_type(unsigned int prot, unsigned int level)
{
	uint64_t pat = level == 1U ? PTE_PAT_4K : PTE_PAT_LARGE;

	if ((prot & PG_UC) != 0U)
		return PTE_PCD | PTE_PWT;
	if ((prot & PG_WC) != 0U)
		return pat | PTE_PWT;
	if ((prot & PG_WT) != 0U)
		return PTE_PWT;
	return (prot & PG_WP) != 0U ? pat : 0U;
}

static uint64_t x86_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	uint64_t entry = hpa | PTE_P | PTE_A | PTE_D | x86_type(prot, level);

	if (level > 1U)
		entry |= PTE_PS;
	if ((prot & PG_WRITE) != 0U)
		entry |= PTE_W;
	if ((prot & PG_EXEC) == 0U)
		entry |= PTE_NX;
	return entry;
}

static unsigned int x86_prot(uint64_t entry, unsigned int level)
{
	uint64_t pat = level == 1U ? PTE_PAT_4K : PTE_PAT_LARGE;
	unsigned int prot = PG_READ;

	if ((entry & PTE_W) != 0U)
		prot |= PG_WRITE;
	if ((entry & PTE_NX) == 0U)
		prot |= PG_EXEC;
	if ((entry & PTE_PCD) != 0U)
		prot |= PG_UC;
	else if ((entry & pat) != 0U)
		prot |= (entry & PTE_PWT) != 0U ? PG_WC : PG_WP;
	else if ((entry & PTE_PWT) != 0U)
		prot |= PG_WT;
	return prot;
}

static uint64_t host_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	return x86_leaf(hpa, prot, level) | ((prot & PG_USER) != 0U ? PTE_U : 0U) |
	       ((prot & PG_GLOBAL) != 0U ? PTE_G : 0U);
}

/* Inner entries permit everything: the leaf decides. */
static uint64_t x86_table(hpa_t table, unsigned int level)
{
	(void)level;
	return table | PTE_P | PTE_W | PTE_U | PTE_A;
}

static unsigned int host_prot(uint64_t entry, unsigned int level)
{
	return x86_prot(entry, level) | ((entry & PTE_U) != 0U ? PG_USER : 0U) |
	       ((entry & PTE_G) != 0U ? PG_GLOBAL : 0U);
}

const struct pgtable_format pgtable_host = {
	.name = "host",
	.levels = 4,
	.max_leaf = 3,
	.sign_extended = true,
	.present = PTE_P,
	.leaf_mask = PTE_PS,
	.leaf_value = PTE_PS,
	.address = PTE_ADDR_MASK,
	.denied = PTE_NX,
	.granted = GRANTED(PTE_P, PTE_W, PTE_NX),
	.leaf = host_leaf,
	.table = x86_table,
	.prot = host_prot,
};

static uint64_t npt_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	return x86_leaf(hpa, prot, level) | PTE_U;
}

const struct pgtable_format pgtable_npt = {
	.name = "NPT",
	.levels = 4,
	.max_leaf = 3,
	.present = PTE_P,
	.leaf_mask = PTE_PS,
	.leaf_value = PTE_PS,
	.address = PTE_ADDR_MASK,
	.denied = PTE_NX,
	.granted = GRANTED(PTE_P, PTE_W, PTE_NX),
	.leaf = npt_leaf,
	.table = x86_table,
	.prot = x86_prot,
};

#define EPT_R BIT64(0)
#define EPT_W BIT64(1)
#define EPT_X BIT64(2)
#define EPT_TYPE_SHIFT 3U
#define EPT_PS BIT64(7)

static uint64_t ept_type(unsigned int prot)
{
	if ((prot & PG_UC) != 0U)
		return 0;
	if ((prot & PG_WC) != 0U)
		return 1;
	if ((prot & PG_WT) != 0U)
		return 4;
	return (prot & PG_WP) != 0U ? 5 : 6;
}

static uint64_t ept_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	uint64_t entry = hpa | EPT_R | (ept_type(prot) << EPT_TYPE_SHIFT);

	if (level > 1U)
		entry |= EPT_PS;
	if ((prot & PG_WRITE) != 0U)
		entry |= EPT_W;
	if ((prot & PG_EXEC) != 0U)
		entry |= EPT_X;
	return entry;
}

static uint64_t ept_table(hpa_t table, unsigned int level)
{
	(void)level;
	return table | EPT_R | EPT_W | EPT_X;
}

static unsigned int ept_prot(uint64_t entry, unsigned int level)
{
	static const uint16_t types[8] = { [0] = PG_UC, [1] = PG_WC, [4] = PG_WT, [5] = PG_WP };
	unsigned int prot = PG_READ | types[(entry >> EPT_TYPE_SHIFT) & 7U];

	(void)level;
	if ((entry & EPT_W) != 0U)
		prot |= PG_WRITE;
	if ((entry & EPT_X) != 0U)
		prot |= PG_EXEC;
	return prot;
}

const struct pgtable_format pgtable_ept = {
	.name = "EPT",
	.levels = 4,
	.max_leaf = 3,
	.sets_type = true,
	.present = EPT_R | EPT_W | EPT_X,
	.leaf_mask = EPT_PS,
	.leaf_value = EPT_PS,
	.address = PTE_ADDR_MASK,
	.granted = GRANTED(EPT_R, EPT_W, EPT_X),
	.leaf = ept_leaf,
	.table = ept_table,
	.prot = ept_prot,
};

#define EPT_WANTS_X BIT64(52) /* not looked at by the CPU */

static uint64_t ept_split_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	uint64_t entry = ept_leaf(hpa, prot, level);

	return level > 1U && (entry & EPT_X) != 0 ? entry ^ (EPT_X | EPT_WANTS_X) : entry;
}

static unsigned int ept_split_prot(uint64_t entry, unsigned int level)
{
	return ept_prot(entry, level) | ((entry & EPT_WANTS_X) != 0 ? PG_EXEC : 0U);
}

const struct pgtable_format pgtable_ept_split = {
	.name = "EPT, large pages not executable",
	.levels = 4,
	.max_leaf = 3,
	.sets_type = true,
	.present = EPT_R | EPT_W | EPT_X,
	.leaf_mask = EPT_PS,
	.leaf_value = EPT_PS,
	.address = PTE_ADDR_MASK,
	.granted = GRANTED(EPT_R, EPT_W, EPT_X),
	.leaf = ept_split_leaf,
	.table = ept_table,
	.prot = ept_split_prot,
};

#define VTD_R BIT64(0)
#define VTD_W BIT64(1)
#define VTD_SP BIT64(7)

static uint64_t vtd_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	return hpa | VTD_R | ((prot & PG_WRITE) != 0U ? VTD_W : 0U) | (level > 1U ? VTD_SP : 0U);
}

static uint64_t vtd_table(hpa_t table, unsigned int level)
{
	(void)level;
	return table | VTD_R | VTD_W;
}

static unsigned int vtd_prot(uint64_t entry, unsigned int level)
{
	(void)level;
	return PG_READ | ((entry & VTD_W) != 0U ? PG_WRITE : 0U);
}

const struct pgtable_format pgtable_vtd = {
	.name = "VT-d",
	.levels = 4,
	.max_leaf = 3,
	.present = VTD_R | VTD_W,
	.leaf_mask = VTD_SP,
	.leaf_value = VTD_SP,
	.address = PTE_ADDR_MASK,
	.granted = GRANTED(VTD_R, VTD_W, ~0UL),
	.leaf = vtd_leaf,
	.table = vtd_table,
	.prot = vtd_prot,
};

#define AMDVI_PR BIT64(0)
#define AMDVI_NEXT_SHIFT 9U
#define AMDVI_NEXT_MASK (7UL << AMDVI_NEXT_SHIFT)
#define AMDVI_FC BIT64(60)
#define AMDVI_IR BIT64(61)
#define AMDVI_IW BIT64(62)

static uint64_t amdvi_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	(void)level; /* next level 0 means a page of this level's size */
	return hpa | AMDVI_PR | AMDVI_FC | AMDVI_IR | ((prot & PG_WRITE) != 0U ? AMDVI_IW : 0U);
}

static uint64_t amdvi_table(hpa_t table, unsigned int level)
{
	return table | AMDVI_PR | AMDVI_IR | AMDVI_IW | ((level - 1UL) << AMDVI_NEXT_SHIFT);
}

static unsigned int amdvi_prot(uint64_t entry, unsigned int level)
{
	(void)level;
	return PG_READ | ((entry & AMDVI_IW) != 0U ? PG_WRITE : 0U);
}

const struct pgtable_format pgtable_amdvi = {
	.name = "AMD-Vi",
	.levels = 4,
	.max_leaf = 3,
	.present = AMDVI_PR,
	.leaf_mask = AMDVI_NEXT_MASK,
	.leaf_value = 0,
	.address = PTE_ADDR_MASK,
	.granted = GRANTED(AMDVI_IR, AMDVI_IW, ~0UL),
	.leaf = amdvi_leaf,
	.table = amdvi_table,
	.prot = amdvi_prot,
};
