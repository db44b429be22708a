/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk of the guest: a raw file or a block device of the host, or a range of one. Every offset and length is checked
 * here against the size at the open; the caller hands on what the guest wrote. All calls may block and may run on
 * several threads at once.
 * What a newcomer would get wrong: "writethru" (the default) makes each write durable before it returns, and the guest
 * is then told that there is no cache to flush.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define BLOCKDEV_SECTOR	512u

struct blockdev_options {
	const char *path;	/* points into the parsed text; NULL for "nodisk" */
	bool writeback;
	bool read_only;
	bool discard;
	uint32_t discard_max_sectors, discard_max_segments, discard_align;	/* 0: not given */
	uint32_t logical, physical;	/* bytes; 0: as the host says */
	uint64_t range_start, range_len;	/* sectors; len 0: all */
};

/*
 * Reads "PATH[,opt…]", the end of -s virtio-blk, cutting text at its commas. Returns 0, or -EINVAL after a
 * log_err() line that names the option; what is known but not built says so.
 */
int blockdev_parse(char *text, struct blockdev_options *o);

struct blockdev;

struct blockdev_info {
	uint64_t sectors;	/* of 512 bytes */
	uint32_t logical, physical;	/* bytes */
	bool read_only;
	bool discard;
	uint32_t discard_max_sectors, discard_max_segments, discard_align;	/* sectors; align in 512 too */
};

/* Opens and locks. NULL after a log_err() line that names path and reason. */
struct blockdev *blockdev_open(const struct blockdev_options *o);
void blockdev_close(struct blockdev *b);
const struct blockdev_info *blockdev_info(const struct blockdev *b);
/* Does a write return before it is durable? Changed by the guest (CONFIG_WCE). */
bool blockdev_writeback(const struct blockdev *b);
void blockdev_set_writeback(struct blockdev *b, bool writeback);

/* All return 0 or -errno: -EINVAL outside of the disk, -EROFS. Whole transfers only. sector counts 512 bytes. */
int blockdev_read(struct blockdev *b, const struct iovec *iov, unsigned int n, uint64_t sector);
int blockdev_write(struct blockdev *b, const struct iovec *iov, unsigned int n, uint64_t sector);
int blockdev_flush(struct blockdev *b);
int blockdev_discard(struct blockdev *b, uint64_t sector, uint64_t sectors);
