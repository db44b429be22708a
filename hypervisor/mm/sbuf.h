/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The producer's side of a shared ring (abi/acrn/sbuf.h). The page is a guest's, who may write anything into it at any
 * time: the geometry and the tail are copied once, and of what stands there later only the head is read, and checked.
 *
 * A caller who has the page mapped with the user bit brackets each call with guest_access_begin/end().
 */
#pragma once

#include <acrn/sbuf.h>

#include "lib/types.h"

struct sbuf {
	struct acrn_sbuf *page; /* NULL: none */
	uint32_t size;		/* bytes of all elements; below a page */
	uint32_t ele_size;
	uint32_t tail;
	bool counts_overruns;
};

/* Takes the ring in page, a whole page. -EINVAL: it holds no ring of such elements, or one that overwrites. */
int sbuf_init(struct sbuf *s, void *page, uint32_t ele_size);

/* Appends an element of ele_size bytes. False when there is no ring, no room, or the head is nonsense. Hot. */
bool sbuf_put(struct sbuf *s, const void *element);
