/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The physical memory that a guest sees: guest-physical to host-physical, over a nested page table.
 * Nothing above reads guest memory but through this accessor, which copies. Readers run without a
 * lock on other CPUs; a change of the map ends with flush(), which returns only when no CPU can
 * hold an old translation (set by vm/; mm/ stays arithmetic).
 */
#pragma once

#include "lib/spinlock.h"
#include "mm/pgtable.h"

struct gpa_space {
	struct pgtable pt;
	struct spinlock lock; /* changes of pt; taken under a VM's lock, above the page pool's */
	uint32_t generation;  /* counts changes, so that cached translations can be dropped */
	void (*flush)(struct gpa_space *space);
	/* Address at which the caller's world sees a host page; RAM only, else NULL. */
	void *(*to_virt)(hpa_t hpa);
	/* memcpy with access to user pages allowed (SMAP); NULL means plain memcpy. */
	void (*copy)(void *dst, const void *src, size_t size);
};

int gpa_space_init(struct gpa_space *space, const struct pgtable_format *format,
		   struct page_pool *pool);
void gpa_space_destroy(struct gpa_space *space);

/* Errors of pgtable_map; each change is flushed before it returns. */
int gpa_space_map(struct gpa_space *space, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot);
int gpa_space_unmap(struct gpa_space *space, gpa_t gpa, uint64_t size);
int gpa_space_protect(struct gpa_space *space, gpa_t gpa, uint64_t size, unsigned int prot);

/*
 * A fetch from gpa was refused: when it lies in a large page that is only not executable because it
 * is large (pgtable_ept_split), splits it. False when that is not the reason.
 */
bool gpa_space_split(struct gpa_space *space, gpa_t gpa);

/* Host-physical address of gpa when mapped with all of prot, else HPA_INVALID. */
hpa_t gpa_space_translate(struct gpa_space *space, gpa_t gpa, unsigned int prot);

/* True when every byte of the range is mapped with all of prot. */
bool gpa_space_is_mapped(struct gpa_space *space, gpa_t gpa, uint64_t size, unsigned int prot);

/* Copy from or to guest memory; -EFAULT when a byte is not mapped so, what lies before is copied. */
int gpa_space_read(struct gpa_space *space, gpa_t gpa, void *buf, size_t size);
int gpa_space_write(struct gpa_space *space, gpa_t gpa, const void *buf, size_t size);
