/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk is the same in every paging mode but for the number of levels, the size of an entry and
 * which entries may be large leaves. Entries are the guest's: each is read once and then judged.
 */
#include "x86/guest_walk.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/cr.h"
#include "x86/pte.h"
#include "x86/regs.h"

#define PF_PRESENT BIT32(0)
#define PF_WRITE BIT32(1)
#define PF_USER BIT32(2)
#define PF_RESERVED BIT32(3)
#define PF_FETCH BIT32(4)

struct mode {
	unsigned int levels;
	unsigned int entry_size;
	unsigned int index_bits;
	uint64_t root; /* address of the top table */
	bool is_long;
};

/* A leaf, and the rights that the entries above it left. */
struct leaf {
	gpa_t base;
	unsigned int shift; /* of the page's size */
	bool writable, user, no_exec;
};

static struct mode paging_mode(const struct guest_walk *w)
{
	if ((w->efer & EFER_LMA) != 0U)
		return (struct mode){ (w->cr4 & CR4_LA57) != 0U ? 5 : 4, 8, 9,
				      w->cr3 & PTE_ADDR_MASK, true };
	if ((w->cr4 & CR4_PAE) != 0U)
		return (struct mode){ 3, 8, 9, w->cr3 & 0xFFFFFFE0UL, false };
	return (struct mode){ 2, 4, 10, w->cr3 & 0xFFFFF000UL, false };
}

/* True for the entries of PAE's top level, which hold an address and PWT, PCD alone. */
static bool is_pae_top(const struct mode *m, unsigned int level)
{
	return m->levels == 3U && level == 3U;
}

static bool is_leaf(const struct guest_walk *w, const struct mode *m, uint64_t entry,
		    unsigned int level)
{
	if (level == 1U)
		return true;
	if ((entry & PTE_PS) == 0U)
		return false;
	if (level == 3U)
		return m->is_long;
	return level == 2U && (m->levels > 2U || (w->cr4 & CR4_PSE) != 0U);
}

/* Bits that must be 0; widths of physical addresses are not checked. */
static uint64_t reserved_bits(const struct guest_walk *w, const struct mode *m, bool leaf,
			      unsigned int level)
{
	uint64_t bits = 0;

	if (m->entry_size == 4U)
		return leaf && level == 2U ? BIT64(21) : 0U;
	if ((w->efer & EFER_NXE) == 0U || is_pae_top(m, level))
		bits |= PTE_NX;
	if (leaf && level > 1U)
		bits |= (BIT64(PAGE_SHIFT + 9U * (level - 1U)) - 1U) & PTE_ADDR_MASK &
			~PTE_PAT_LARGE;
	if (level >= 4U)
		bits |= PTE_PS;
	return bits;
}

static gpa_t leaf_base(const struct mode *m, uint64_t entry, unsigned int shift)
{
	/* 4 MiB pages carry address bits 39:32 in bits 20:13 (PSE-36). */
	if (m->entry_size == 4U && shift == 22U)
		return (entry & 0xFFC00000UL) | bits_get(entry, 20, 13) << 32;
	return entry & PTE_ADDR_MASK & ~(BIT64(shift) - 1U);
}

static void note(struct guest_trail *trail, gpa_t gpa, uint64_t value, unsigned int entry_size)
{
	if (trail == NULL)
		return;
	trail->entry_size = entry_size;
	trail->entry[trail->count].gpa = gpa;
	trail->entry[trail->count].value = value;
	trail->count++;
}

/* 0 and the leaf; -EFAULT and the P and RSVD bits of the error code; -EIO. */
static int find_leaf(const struct guest_walk *w, gva_t gva, struct leaf *leaf, uint32_t *error_code)
{
	struct mode m = paging_mode(w);
	gpa_t table = m.root;

	*leaf = (struct leaf){ .writable = true, .user = true };
	for (unsigned int level = m.levels;; level--) {
		unsigned int shift = PAGE_SHIFT + m.index_bits * (level - 1U);
		gpa_t at = table + ((gva >> shift) & (BIT64(m.index_bits) - 1U)) * m.entry_size;
		uint64_t entry = 0;
		bool is_last;

		*error_code = 0;
		if (w->read(w->ctx, at, &entry, m.entry_size) != 0)
			return -EIO;
		note(w->trail, at, entry, m.entry_size);
		if ((entry & PTE_P) == 0U)
			return -EFAULT;
		is_last = is_leaf(w, &m, entry, level);
		*error_code = PF_PRESENT | PF_RESERVED;
		if ((entry & reserved_bits(w, &m, is_last, level)) != 0U)
			return -EFAULT;
		if (!is_pae_top(&m, level)) {
			leaf->writable = leaf->writable && (entry & PTE_W) != 0U;
			leaf->user = leaf->user && (entry & PTE_U) != 0U;
			leaf->no_exec = leaf->no_exec || (entry & PTE_NX) != 0U;
		}
		if (is_last) {
			leaf->base = leaf_base(&m, entry, shift);
			leaf->shift = shift;
			return 0;
		}
		table = entry & PTE_ADDR_MASK;
	}
}

/* SDM 3A 4.6.1. */
static bool is_permitted(const struct guest_walk *w, const struct leaf *leaf, unsigned int access)
{
	bool user = (access & WALK_USER) != 0U;

	if (user && !leaf->user)
		return false;
	if ((access & WALK_FETCH) != 0U)
		return !leaf->no_exec && (user || !leaf->user || (w->cr4 & CR4_SMEP) == 0U);
	if (!user && leaf->user && (w->cr4 & CR4_SMAP) != 0U && (w->rflags & RFLAGS_AC) == 0U)
		return false;
	return (access & WALK_WRITE) == 0U || leaf->writable ||
	       (!user && (w->cr0 & CR0_WP) == 0U);
}

/* The bits of the error code that tell of the access (SDM 3A 4.7). */
static uint32_t access_bits(const struct guest_walk *w, unsigned int access)
{
	uint32_t bits = 0;

	if ((access & WALK_WRITE) != 0U)
		bits |= PF_WRITE;
	if ((access & WALK_USER) != 0U)
		bits |= PF_USER;
	if ((access & WALK_FETCH) != 0U &&
	    ((w->cr4 & CR4_SMEP) != 0U ||
	     ((w->cr4 & CR4_PAE) != 0U && (w->efer & EFER_NXE) != 0U)))
		bits |= PF_FETCH;
	return bits;
}

int guest_walk(const struct guest_walk *walk, gva_t gva, unsigned int access, gpa_t *gpa,
	       uint32_t *error_code)
{
	struct leaf leaf;
	int ret;

	if (walk->trail != NULL)
		walk->trail->count = 0;
	if ((walk->efer & EFER_LMA) == 0U)
		gva = (uint32_t)gva;
	if ((walk->cr0 & CR0_PG) == 0U) {
		*gpa = gva;
		return 0;
	}
	ret = find_leaf(walk, gva, &leaf, error_code);
	if (ret == 0 && !is_permitted(walk, &leaf, access)) {
		*error_code = PF_PRESENT;
		ret = -EFAULT;
	}
	if (ret != 0) {
		*error_code |= access_bits(walk, access);
		return ret;
	}
	*gpa = leaf.base | (gva & (BIT64(leaf.shift) - 1U));
	return 0;
}
