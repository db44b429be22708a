/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walker. A change goes down the tree entry by entry, each level taking the part of the range
 * that lies under it. Others may walk the same tables at that moment, CPUs and devices among them:
 * every entry is written once, whole, after what it points to is ready.
 */
#include "mm/pgtable.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/util.h"

#define ENTRIES 512U
#define PG_ACCESS (PG_READ | PG_WRITE | PG_EXEC)

enum change_kind { CHANGE_MAP, CHANGE_UNMAP, CHANGE_PROTECT };

/* A change in flight: va, left and hpa move on as entries are done. */
struct change {
	struct pgtable *pt;
	enum change_kind kind;
	uint64_t va;
	uint64_t left;
	hpa_t hpa;
	unsigned int prot;
};

static inline unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + 9U * (level - 1U);
}

static inline uint64_t level_size(unsigned int level)
{
	return 1UL << level_shift(level);
}

static inline unsigned int level_index(uint64_t va, unsigned int level)
{
	return (unsigned int)(va >> level_shift(level)) % ENTRIES;
}

static inline bool entry_is_present(const struct pgtable_format *f, uint64_t entry)
{
	return (entry & f->present) != 0U;
}

static inline bool entry_is_leaf(const struct pgtable_format *f, uint64_t entry, unsigned int level)
{
	return level == 1U || (entry & f->leaf_mask) == f->leaf_value;
}

static inline uint64_t *entry_table(const struct pgtable *pt, uint64_t entry)
{
	return page_pool_to_virt(pt->pool, entry & pt->format->address);
}

/* Address of the page of a leaf; large leaves of some formats have flags among the low bits. */
static inline hpa_t leaf_address(const struct pgtable_format *f, uint64_t entry, unsigned int level)
{
	return entry & f->address & ~(level_size(level) - 1U);
}

static bool table_is_empty(const struct pgtable_format *f, const uint64_t *table)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		if (entry_is_present(f, table[i]))
			return false;
	return true;
}

/* Gives back an empty table; a link through its first word is no present entry in any format. */
static void retire_table(struct pgtable *pt, uint64_t *table)
{
	if (!pt->defer) {
		page_pool_free(pt->pool, table);
		return;
	}
	atomic_store(&table[0], (uint64_t)(uintptr_t)pt->limbo);
	pt->limbo = table;
}

int pgtable_init(struct pgtable *pt, const struct pgtable_format *format, struct page_pool *pool)
{
	*pt = (struct pgtable){ .format = format, .pool = pool, .max_leaf = format->max_leaf };
	pt->root = page_pool_alloc(pool);
	if (pt->root == NULL)
		return -ENOMEM;
	pt->root_hpa = page_pool_to_hpa(pool, pt->root);
	return 0;
}

static void destroy_table(struct pgtable *pt, uint64_t *table, unsigned int level)
{
	for (unsigned int i = 0; i < ENTRIES && level > 1U; i++)
		if (entry_is_present(pt->format, table[i]) &&
		    !entry_is_leaf(pt->format, table[i], level))
			destroy_table(pt, entry_table(pt, table[i]), level - 1U);
	page_pool_free(pt->pool, table);
}

void pgtable_destroy(struct pgtable *pt)
{
	if (pt->root == NULL)
		return;
	pgtable_free_limbo(pt, pgtable_take_limbo(pt));
	destroy_table(pt, pt->root, pt->format->levels);
	pt->root = NULL;
	pt->root_hpa = HPA_INVALID;
}

/* A new table under entry, which is absent or a leaf that the table then spells out. */
static uint64_t *make_table(struct pgtable *pt, uint64_t *entry, unsigned int level)
{
	const struct pgtable_format *f = pt->format;
	uint64_t *table = page_pool_alloc(pt->pool);
	uint64_t old = *entry;

	if (table == NULL)
		return NULL;
	if (entry_is_present(f, old)) {
		hpa_t hpa = leaf_address(f, old, level);
		unsigned int prot = f->prot(old, level);

		for (unsigned int i = 0; i < ENTRIES; i++)
			table[i] = f->leaf(hpa + i * level_size(level - 1U), prot, level - 1U);
		pt->stale = true;
	}
	atomic_store(entry, f->table(page_pool_to_hpa(pt->pool, table), level));
	return table;
}

/* True when the change can be written into this entry, whose whole reach it covers. */
static bool fits_entry(const struct change *c, uint64_t old, unsigned int level)
{
	if (entry_is_present(c->pt->format, old) && !entry_is_leaf(c->pt->format, old, level))
		return false;
	if (c->kind != CHANGE_MAP)
		return true;
	return level == 1U ||
	       (level <= c->pt->max_leaf && IS_ALIGNED(c->hpa, level_size(level)));
}

static void write_entry(const struct change *c, uint64_t *entry, unsigned int level)
{
	const struct pgtable_format *f = c->pt->format;
	uint64_t old = *entry, new = 0;
	bool present = entry_is_present(f, old);

	if (c->kind == CHANGE_MAP)
		new = f->leaf(c->hpa, c->prot, level);
	else if (c->kind == CHANGE_PROTECT && present)
		new = f->leaf(leaf_address(f, old, level),
			      (f->prot(old, level) & ~PG_ACCESS) | c->prot, level);
	if (new == old)
		return;
	if (present)
		c->pt->stale = true;
	atomic_store(entry, new);
}

static int change_table(struct change *c, uint64_t *table, unsigned int level);

static void advance(struct change *c, uint64_t size)
{
	c->va += size;
	c->hpa += size;
	c->left -= size;
}

static int change_entry(struct change *c, uint64_t *entry, unsigned int level)
{
	const struct pgtable_format *f = c->pt->format;
	uint64_t reach = level_size(level) - (c->va & (level_size(level) - 1U));
	uint64_t part = MIN(reach, c->left);
	uint64_t *table;
	int ret;

	if (part == level_size(level) && fits_entry(c, *entry, level)) {
		write_entry(c, entry, level);
		advance(c, part);
		return 0;
	}
	if (c->kind != CHANGE_MAP && !entry_is_present(f, *entry)) {
		advance(c, part);
		return 0;
	}
	if (entry_is_present(f, *entry) && !entry_is_leaf(f, *entry, level))
		table = entry_table(c->pt, *entry);
	else
		table = make_table(c->pt, entry, level);
	if (table == NULL)
		return -ENOMEM;
	ret = change_table(c, table, level - 1U);
	if ((ret != 0 || c->kind == CHANGE_UNMAP) && table_is_empty(f, table)) {
		atomic_store(entry, 0UL);
		c->pt->stale = true;
		retire_table(c->pt, table);
	}
	return ret;
}

/* Does the part of the change that lies under this table. */
static int change_table(struct change *c, uint64_t *table, unsigned int level)
{
	int ret;

	do {
		ret = change_entry(c, &table[level_index(c->va, level)], level);
	} while (ret == 0 && c->left != 0U && level_index(c->va, level) != 0U);
	return ret;
}

/* True when the address range is one that the top level reaches. */
static bool range_is_valid(const struct pgtable_format *f, uint64_t va, uint64_t size)
{
	unsigned int bits = level_shift(f->levels + 1U);
	uint64_t last = va + size - 1U;

	if (!IS_ALIGNED(va | size, PAGE_SIZE) || size == 0U || last < va)
		return false;
	if (!f->sign_extended)
		return last >> bits == 0U;
	/* Both ends in the same half, and that one canonical. */
	return (int64_t)va >> (bits - 1U) == (int64_t)last >> (bits - 1U) &&
	       ((int64_t)va >> (bits - 1U) == 0 || (int64_t)va >> (bits - 1U) == -1);
}

static int change_range(struct change *c)
{
	if (!range_is_valid(c->pt->format, c->va, c->left))
		return -EINVAL;
	return change_table(c, c->pt->root, c->pt->format->levels);
}

int pgtable_map(struct pgtable *pt, uint64_t va, hpa_t hpa, uint64_t size, unsigned int prot)
{
	struct change c = { pt, CHANGE_MAP, va, size, hpa, prot };
	uint64_t last = hpa + size - 1U;

	if ((prot & PG_READ) == 0U || (hpa & ~pt->format->address) != 0U || last < hpa ||
	    (ALIGN_DOWN(last, PAGE_SIZE) & ~pt->format->address) != 0U)
		return -EINVAL;
	return change_range(&c);
}

int pgtable_unmap(struct pgtable *pt, uint64_t va, uint64_t size)
{
	struct change c = { pt, CHANGE_UNMAP, va, size, 0, 0 };

	return change_range(&c);
}

int pgtable_protect(struct pgtable *pt, uint64_t va, uint64_t size, unsigned int prot)
{
	struct change c = { pt, CHANGE_PROTECT, va, size, 0, prot & PG_ACCESS };

	if ((prot & PG_READ) == 0U)
		return -EINVAL;
	return change_range(&c);
}

void *pgtable_take_limbo(struct pgtable *pt)
{
	void *limbo = pt->limbo;

	pt->limbo = NULL;
	return limbo;
}

void pgtable_free_limbo(struct pgtable *pt, void *limbo)
{
	while (limbo != NULL) {
		void *next = *(void **)limbo;

		page_pool_free(pt->pool, limbo);
		limbo = next;
	}
}

/*
 * The entry that ends the walk to va, and *shift, the logarithm of what it covers. In every exit of a
 * guest that touches its memory: no work but the walk.
 */
static inline uint64_t last_entry(const struct pgtable *pt, uint64_t va, unsigned int *shift)
{
	const struct pgtable_format *f = pt->format;
	uintptr_t origin = (uintptr_t)pt->pool->base - pt->pool->base_hpa;
	const uint64_t *table = pt->root;
	unsigned int s = level_shift(f->levels);

	for (;; s -= 9U) {
		uint64_t entry = atomic_load_relaxed(&table[(va >> s) % ENTRIES]);

		if ((entry & f->present) == 0U || s == PAGE_SHIFT ||
		    (entry & f->leaf_mask) == f->leaf_value) {
			*shift = s;
			return entry;
		}
		table = (const uint64_t *)(origin + (entry & f->address));
	}
}

bool pgtable_lookup(const struct pgtable *pt, uint64_t va, struct pgtable_leaf *leaf)
{
	unsigned int shift, level;
	uint64_t entry = last_entry(pt, va, &shift);

	leaf->page_size = 1UL << shift;
	leaf->hpa = HPA_INVALID;
	leaf->prot = 0;
	if (!entry_is_present(pt->format, entry))
		return false;
	level = (shift - PAGE_SHIFT) / 9U + 1U;
	leaf->hpa = leaf_address(pt->format, entry, level) | (va & (leaf->page_size - 1U));
	leaf->prot = pt->format->prot(entry, level);
	return true;
}

hpa_t pgtable_translate(const struct pgtable *pt, uint64_t va, unsigned int prot)
{
	const struct pgtable_format *f = pt->format;
	unsigned int shift;
	uint64_t entry = last_entry(pt, va, &shift), offset = (1UL << shift) - 1U;
	uint64_t need = f->granted[prot % 8U];

	if (unlikely((entry & f->present) == 0U || ((entry ^ f->denied) & need) != need))
		return HPA_INVALID;
	return (entry & f->address & ~offset) | (va & offset);
}

size_t pgtable_worst_case(uint64_t size)
{
	size_t pages = 0;

	/* At each level one table more than the size alone asks for: the range may lie askew. */
	for (unsigned int level = 2; level <= 4U; level++)
		pages += (size >> level_shift(level)) + 2U;
	return pages;
}
