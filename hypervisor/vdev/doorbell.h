/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses at which a guest's write wants no answer (virtio's notifications): the writer goes on at once, and a
 * cookie says later who was meant. One table a VM; whoever uses it holds its lock.
 */
#pragma once

#include <acrn/sbuf.h>

#include "vdev/io_bus.h"

struct doorbell {
	enum io_space space;
	bool has_match; /* only writes of the value match ring it */
	uint64_t addr;
	uint64_t match;
	uint64_t cookie;
};

struct doorbells {
	unsigned int count;
	struct doorbell bell[ACRN_ASYNCIO_MAX]; /* sorted by space, address */
};

/* -EEXIST when a write could mean both it and one there, -ENOSPC, -EINVAL (address 0, or no port). */
int doorbell_add(struct doorbells *d, const struct doorbell *bell);

/* Takes away what doorbell_add() was given, but for the cookie. -ENOENT. */
int doorbell_remove(struct doorbells *d, const struct doorbell *bell);

/* The doorbell that this access rings, NULL when none; reads ring none. Hot. */
const struct doorbell *doorbell_find(const struct doorbells *d, const struct io_access *io);
