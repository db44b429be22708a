/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel with vhost: what acrn-dm told it of each of its descriptors. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FAKE_VHOSTS	8u

struct fake_vhost {
	bool is_open, owned;
	uint64_t features;	/* what was set */
	unsigned int regions;
	uint64_t cid;
	int running;
	struct {
		unsigned int num;
		uint64_t desc, avail, used;
		int kick, call;
		int backend;
	} ring[2];
};

extern struct fake_vhost fake_vhosts[FAKE_VHOSTS];	/* in the order of their opening */
extern unsigned int fake_vhost_count;
extern int fake_vhost_error;	/* of the next VHOST_SET_FEATURES; 0: none */

void fake_vhost_reset(void);
