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

/* At most this much is copied at once where the host's file wants aligned memory. */
#define BLOCKDEV_BOUNCE_MAX	(1u << 20)

enum blockdev_engine { BLOCKDEV_THREADS, BLOCKDEV_URING };

struct blockdev_options {
	const char *path;	/* points into the parsed text; NULL for "nodisk" */
	bool writeback;
	bool read_only;
	bool direct;		/* past the host's page cache */
	bool discard;
	enum blockdev_engine engine;
	uint32_t discard_max_sectors, discard_max_segments, discard_align;	/* 0: not given */
	uint32_t logical, physical;	/* bytes; 0: as the host says */
	uint64_t range_start, range_len;	/* sectors; len 0: all */
};

/*
 * Reads "PATH[,opt…]", the end of -s virtio-blk, cutting text at its commas. Returns 0, or -EINVAL after a
 * log_err() line that names the option.
 */
int blockdev_parse(char *text, struct blockdev_options *o);

struct blockdev;

struct blockdev_info {
	uint32_t logical, physical;	/* bytes */
	bool read_only;
	bool discard;
	uint32_t discard_max_sectors, discard_max_segments, discard_align;	/* sectors; align in 512 too */
};

/* Opens and locks. NULL after a log_err() line that names path and reason. */
struct blockdev *blockdev_open(const struct blockdev_options *o);
void blockdev_close(struct blockdev *b);
const struct blockdev_info *blockdev_info(const struct blockdev *b);
/* The size now, in sectors of 512 bytes. */
uint64_t blockdev_sectors(const struct blockdev *b);
/*
 * Another size: a file is made that long; 0 takes over the size that file or device have got meanwhile. Requests that
 * run are not disturbed. Returns 0 or -errno: -EINVAL for a size that cannot be, -EOPNOTSUPP for a range of a file.
 */
int blockdev_resize(struct blockdev *b, uint64_t bytes);
int blockdev_fd(const struct blockdev *b);
/* Does a write return before it is durable? Changed by the guest (CONFIG_WCE). */
bool blockdev_writeback(const struct blockdev *b);
void blockdev_set_writeback(struct blockdev *b, bool writeback);

/* All return 0 or -errno: -EINVAL outside of the disk, -EROFS. Whole transfers only. sector counts 512 bytes. */
int blockdev_flush(struct blockdev *b);
int blockdev_discard(struct blockdev *b, uint64_t sector, uint64_t sectors);
int blockdev_write_zeroes(struct blockdev *b, uint64_t sector, uint64_t sectors, bool may_unmap);

/*
 * One transfer, in as many pieces as it takes: begin, then piece and advance until that returns 0 or an error, then
 * end. An engine moves the piece in between, in its own way.
 */
struct blockdev_op {
	bool is_write;
	int flags;		/* RWF_* for the write */
	struct iovec *iov;	/* what is left of it */
	unsigned int n;
	size_t left;
	off_t at;		/* where the piece goes */
	void *bounce;
	struct iovec piece;	/* of the bounce buffer */
};

/* iov is changed while the transfer runs. Returns 0 or -errno; then there is nothing to end. */
int blockdev_op_begin(struct blockdev *b, struct blockdev_op *op, struct iovec *iov, unsigned int n, uint64_t sector);
/* What to move next: segments and their number. */
const struct iovec *blockdev_op_piece(struct blockdev_op *op, unsigned int *n);
/* The piece's result, bytes or -errno. Returns 1: go on, 0: all is done, or -errno. */
int blockdev_op_advance(struct blockdev_op *op, long result);
void blockdev_op_end(struct blockdev_op *op);
/* All of it, on this thread: 0 or -errno. */
int blockdev_transfer(struct blockdev *b, struct blockdev_op *op, struct iovec *iov, unsigned int n, uint64_t sector);
