/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walks a guest's own page tables: linear to guest-physical, in every paging mode (none, 32-bit,
 * PAE, 4-level, 5-level), with permission checks and the error code that a #PF would carry.
 * Source: SDM 3A 4.3-4.7, APM 2 5.2-5.6. Accessed and dirty bits are not set, protection keys not
 * looked at. A linear address that is not canonical is the caller's to refuse.
 */
#pragma once

#include "lib/types.h"

enum { WALK_WRITE = 1U << 0, WALK_USER = 1U << 1, WALK_FETCH = 1U << 2 };

/*
 * The entries that a walk read. As long as each still has its value in memory, and mode and rights
 * are the same, a second walk to the same page would find the same: cheaper to check than to walk.
 */
struct guest_trail {
	unsigned int count;
	unsigned int entry_size; /* 4 or 8 bytes */
	struct {
		gpa_t gpa;
		uint64_t value;
	} entry[5];
};

struct guest_walk {
	uint64_t cr0, cr3, cr4, efer, rflags; /* rflags for AC with SMAP */
	void *ctx;
	/* Reads guest-physical memory: 0 or -EFAULT. */
	int (*read)(void *ctx, gpa_t gpa, void *buf, size_t size);
	struct guest_trail *trail; /* filled when not NULL */
};

/* 0 and *gpa; -EFAULT and *error_code for a #PF; -EIO when a table lies outside guest memory. */
int guest_walk(const struct guest_walk *walk, gva_t gva, unsigned int access, gpa_t *gpa,
	       uint32_t *error_code);
