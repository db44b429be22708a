/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One walker for every radix page table of the machine: 9 bits a level, 4 KiB leaves at level 1,
 * 2 MiB at level 2, 1 GiB at level 3. What differs between host, EPT, NPT, VT-d and AMD-Vi tables is
 * const data, struct pgtable_format. The caller locks, and flushes what it changed.
 */
#pragma once

#include "lib/types.h"
#include "mm/page_pool.h"

/* Access and memory type in neutral words. */
enum {
	PG_READ = 1U << 0,
	PG_WRITE = 1U << 1,
	PG_EXEC = 1U << 2,
	PG_USER = 1U << 3, /* host tables only: user-accessible, so that SMAP guards it */
	PG_UC = 1U << 4,   /* uncached; absent: write-back */
	PG_WC = 1U << 5,
	PG_WT = 1U << 6,
	PG_WP = 1U << 7,
	PG_GLOBAL = 1U << 8,
};

struct pgtable_format {
	const char *name;
	unsigned int levels;	/* 4, or what the IOMMU wants */
	unsigned int max_leaf;	/* highest level that may hold a leaf: 1, 2 or 3 */
	/* Encodes a leaf at level (1..3) for hpa with PG_* prot; and an inner entry for a table. */
	uint64_t (*leaf)(hpa_t hpa, unsigned int prot, unsigned int level);
	uint64_t (*table)(hpa_t table, unsigned int level);
	bool (*is_present)(uint64_t entry);
	bool (*is_leaf)(uint64_t entry, unsigned int level);
	hpa_t (*address)(uint64_t entry);	/* of the table or the leaf's page */
	unsigned int (*prot)(uint64_t entry);	/* PG_* of a leaf */
};

extern const struct pgtable_format pgtable_host, pgtable_ept, pgtable_npt, pgtable_vtd,
	pgtable_amdvi;

struct pgtable {
	const struct pgtable_format *format;
	struct page_pool *pool;
	uint64_t *root;
	hpa_t root_hpa;
	unsigned int max_leaf; /* <= format's; lowered where the CPU lacks 1 GiB or 2 MiB leaves */
};

/* -ENOMEM. */
int pgtable_init(struct pgtable *pt, const struct pgtable_format *format, struct page_pool *pool);

/* Frees every table; the pages mapped are not the table's and stay. */
void pgtable_destroy(struct pgtable *pt);

/*
 * Maps [va, va + size) to hpa with the largest leaves that alignment allows, replacing what was
 * there (a large leaf that is partly covered is split). All 4 KiB multiples. -ENOMEM leaves the
 * range partly mapped; -EINVAL on misalignment or wrap, nothing done.
 */
int pgtable_map(struct pgtable *pt, uint64_t va, hpa_t hpa, uint64_t size, unsigned int prot);

/* Unmaps; holes are fine; empty tables are given back. Errors as above (a split can need a page). */
int pgtable_unmap(struct pgtable *pt, uint64_t va, uint64_t size);

/* Changes the access of what is mapped in the range; holes stay holes. */
int pgtable_protect(struct pgtable *pt, uint64_t va, uint64_t size, unsigned int prot);

struct pgtable_leaf {
	hpa_t hpa;	    /* of va itself, not of the page's start */
	uint64_t page_size; /* 4 KiB, 2 MiB, 1 GiB: of the leaf, or of the hole when absent */
	unsigned int prot;
};

/* False when va is not mapped; leaf->page_size tells how far the hole's entry reaches. */
bool pgtable_lookup(const struct pgtable *pt, uint64_t va, struct pgtable_leaf *leaf);

/* Pages of tables that mapping size bytes in 4 KiB leaves can need at most. */
size_t pgtable_worst_case(uint64_t size);
