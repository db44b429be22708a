/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest's requests to a virtio-blk function, one at a time or many. */
#pragma once

#include "dm/fake_guest.h"

struct blk_ask {
	uint32_t type;
	uint64_t sector;
	uint64_t data;		/* guest address, 0: none */
	uint32_t len;
	bool to_guest;
};

/* An engine for an even or an odd i: threads or io_uring, or threads alone where the kernel has no io_uring for us. */
const char *guest_blk_engine(unsigned int i);
bool guest_blk_has_uring(void);
/* Of a file, once all of it is on its disk: before, a file system may not have chosen blocks. */
uint64_t guest_blk_sectors_on_disk(const char *path);
/* Makes it available and kicks; where its status byte will be (0xff until then). */
uint64_t guest_blk_submit(struct guest_dev *g, unsigned int ring, const struct blk_ask *r);
/* On ring 0, and waits: the status. */
uint8_t guest_blk_run(struct guest_dev *g, const struct blk_ask *r);
/* type 0 reads, 1 writes. */
uint8_t guest_blk_transfer(struct guest_dev *g, uint32_t type, uint64_t sector, uint64_t data, uint32_t len);
