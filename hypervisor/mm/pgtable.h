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

/*
 * An entry is present when it has a bit of present; above level 1 it is a leaf when its bits in
 * leaf_mask equal leaf_value. An all-zero entry, and one of address bits alone, is not present.
 */
struct pgtable_format {
	const char *name;
	unsigned int levels;   /* 4, or what the IOMMU wants */
	unsigned int max_leaf; /* highest level that may hold a leaf: 1, 2 or 3 */
	bool sign_extended;    /* addresses are canonical; else those above the top level's reach are
				  refused */
	bool sets_type;	       /* leaves alone decide the memory type: no MTRRs lie underneath */
	uint64_t present;
	uint64_t leaf_mask, leaf_value;
	uint64_t address; /* bits that hold the address of a table or a leaf's page */
	/* A leaf grants prot when, bits of denied flipped, it has all of granted[prot & 7]. */
	uint64_t denied;
	uint64_t granted[8];
	/* Encodes a leaf at level (1..3) for hpa with PG_* prot; and an inner entry for a table. */
	uint64_t (*leaf)(hpa_t hpa, unsigned int prot, unsigned int level);
	uint64_t (*table)(hpa_t table, unsigned int level);
	unsigned int (*prot)(uint64_t entry, unsigned int level); /* PG_* of a leaf */
};

/*
 * The PAT that host and NPT leaves count on, to be written to IA32_PAT of every CPU: entries
 * WB WT UC- UC WP WC UC- UC. With the reset value WP becomes WB and WC becomes WT.
 */
#define PGTABLE_PAT 0x0007010500070406UL

/*
 * pgtable_ept_split is for CPUs that must not have large executable pages: a large leaf that was asked
 * to be executable is not until it is split (gpa_space_split), whatever its prot says.
 */
extern const struct pgtable_format pgtable_host, pgtable_ept, pgtable_ept_split, pgtable_npt,
	pgtable_vtd, pgtable_amdvi;

struct pgtable {
	const struct pgtable_format *format;
	struct page_pool *pool;
	uint64_t *root;
	hpa_t root_hpa;
	unsigned int max_leaf; /* <= format's; lowered where the CPU lacks 1 GiB or 2 MiB leaves */
	bool stale; /* set when a present entry changed: a flush is due; the caller clears it */
	bool defer; /* emptied tables wait in limbo for the caller's flush: see pgtable_take_limbo */
	void *limbo;
};

/* -ENOMEM. */
int pgtable_init(struct pgtable *pt, const struct pgtable_format *format, struct page_pool *pool);

/* Frees every table; the pages mapped are not the table's and stay. Harmless after a failed init. */
void pgtable_destroy(struct pgtable *pt);

/*
 * Maps [va, va + size) to hpa with the largest leaves that alignment and the tables already there
 * allow, replacing what was there (a large leaf that is partly covered is split). All 4 KiB
 * multiples, prot with PG_READ. -ENOMEM leaves the range partly mapped; -EINVAL on misalignment or
 * wrap, nothing done.
 */
int pgtable_map(struct pgtable *pt, uint64_t va, hpa_t hpa, uint64_t size, unsigned int prot);

/* Unmaps; holes are fine; empty tables are given back. Errors as above (a split can need a page). */
int pgtable_unmap(struct pgtable *pt, uint64_t va, uint64_t size);

/*
 * Sets PG_READ, PG_WRITE and PG_EXEC of what is mapped in the range to those of prot; memory type,
 * PG_USER and PG_GLOBAL stay, holes stay holes. Errors as above.
 */
int pgtable_protect(struct pgtable *pt, uint64_t va, uint64_t size, unsigned int prot);

/*
 * A table that CPUs or devices walk while it changes sets defer: what became empty may still be in
 * their caches, so it is reused only after a flush. Take the limbo under the lock of the change,
 * flush without it, then free what was taken.
 */
void *pgtable_take_limbo(struct pgtable *pt);
void pgtable_free_limbo(struct pgtable *pt, void *limbo);

struct pgtable_leaf {
	hpa_t hpa;	    /* of va itself, not of the page's start */
	uint64_t page_size; /* 4 KiB, 2 MiB, 1 GiB: of the leaf, or of the hole when absent */
	unsigned int prot;
};

/*
 * False when va is not mapped; leaf->page_size tells how far the hole's entry reaches. May run while
 * another CPU changes the table: gives the state before or after the change.
 */
bool pgtable_lookup(const struct pgtable *pt, uint64_t va, struct pgtable_leaf *leaf);

/* Where va is mapped with all of prot (PG_READ, PG_WRITE, PG_EXEC), else HPA_INVALID; as lookup. */
hpa_t pgtable_translate(const struct pgtable *pt, uint64_t va, unsigned int prot);

/* Pages of tables that mapping size bytes in 4 KiB leaves can need at most. */
size_t pgtable_worst_case(uint64_t size);
