/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is done with a disk once it is open. A transfer goes in pieces: the host may move less than it was asked to, and
 * a file opened past the cache takes aligned memory only, so that what is not aligned is copied, a bounded piece at a
 * time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backend/blockdev_internal.h"

/* The byte range on the host, or false if it is not inside the disk. */
static bool locate(const struct blockdev *b, uint64_t sector, uint64_t bytes, off_t *at)
{
	uint64_t all = blockdev_sectors(b);

	if (bytes % BLOCKDEV_SECTOR != 0 || sector > all || bytes / BLOCKDEV_SECTOR > all - sector)
		return false;
	*at = (off_t)(b->base + sector * BLOCKDEV_SECTOR);
	return (uint64_t)*at % b->align == 0 && bytes % b->align == 0;
}

/* Drops the first `done` bytes of the list. */
static void drop(struct blockdev_op *op, size_t done)
{
	while (op->n > 0 && done >= op->iov->iov_len) {
		done -= op->iov->iov_len;
		op->iov++;
		op->n--;
	}
	if (op->n > 0) {
		op->iov->iov_base = (char *)op->iov->iov_base + done;
		op->iov->iov_len -= done;
	}
}

static bool is_aligned(const struct iovec *iov, unsigned int n, uint32_t align)
{
	for (unsigned int i = 0; i < n; i++)
		if (((uintptr_t)iov[i].iov_base | iov[i].iov_len) & (align - 1))
			return false;
	return true;
}

int blockdev_op_begin(struct blockdev *b, struct blockdev_op *op, struct iovec *iov, unsigned int n, uint64_t sector)
{
	op->iov = iov;
	op->n = n;
	op->left = 0;
	op->flags = op->is_write && !blockdev_writeback(b) ? RWF_DSYNC : 0;
	op->bounce = NULL;
	if (op->is_write && b->info.read_only)
		return -EROFS;
	for (unsigned int i = 0; i < n; i++)
		op->left += iov[i].iov_len;
	if (op->left == 0 || !locate(b, sector, op->left, &op->at))
		return -EINVAL;
	if (is_aligned(iov, n, b->align))
		return 0;
	op->bounce = aligned_alloc(b->align, BLOCKDEV_BOUNCE_MAX);
	return op->bounce ? 0 : -ENOMEM;
}

/* Between the guest's memory and the bounce buffer, without moving on. */
static void copy(const struct blockdev_op *op, size_t len)
{
	char *bounce = op->bounce;

	for (unsigned int i = 0; i < op->n && len > 0; i++) {
		size_t part = op->iov[i].iov_len < len ? op->iov[i].iov_len : len;

		if (op->is_write)
			memcpy(bounce, op->iov[i].iov_base, part);
		else
			memcpy(op->iov[i].iov_base, bounce, part);
		bounce += part;
		len -= part;
	}
}

const struct iovec *blockdev_op_piece(struct blockdev_op *op, unsigned int *n)
{
	size_t len = op->left < BLOCKDEV_BOUNCE_MAX ? op->left : BLOCKDEV_BOUNCE_MAX;

	*n = op->n;
	if (!op->bounce)
		return op->iov;
	op->piece = (struct iovec){ op->bounce, len };
	if (op->is_write)
		copy(op, len);
	*n = 1;
	return &op->piece;
}

int blockdev_op_advance(struct blockdev_op *op, long result)
{
	size_t done = (size_t)result;

	if (result == -EINTR)
		return 1;
	if (result < 0)
		return (int)result;
	if (result == 0 || done > op->left)	/* 0: the file was cut behind our back */
		return -EIO;
	if (op->bounce && !op->is_write)
		copy(op, done);
	drop(op, done);
	op->left -= done;
	op->at += result;
	return op->left > 0;
}

void blockdev_op_end(struct blockdev_op *op)
{
	free(op->bounce);
	op->bounce = NULL;
}

int blockdev_transfer(struct blockdev *b, struct blockdev_op *op, struct iovec *iov, unsigned int n, uint64_t sector)
{
	int err = blockdev_op_begin(b, op, iov, n, sector);

	if (err)
		return err;
	do {
		const struct iovec *piece = blockdev_op_piece(op, &n);
		ssize_t r;

		if (op->is_write)
			r = pwritev2(b->fd, piece, (int)n, op->at, op->flags);
		else
			r = preadv(b->fd, piece, (int)n, op->at);
		err = blockdev_op_advance(op, r < 0 ? -errno : r);
	} while (err > 0);
	blockdev_op_end(op);
	return err;
}

int blockdev_flush(struct blockdev *b)
{
	if (b->info.read_only)
		return 0;
	return fdatasync(b->fd) < 0 ? -errno : 0;
}

/* Where a discard or a write of zeroes lies, or what is wrong with it. */
static int locate_range(const struct blockdev *b, uint64_t sector, uint64_t sectors, off_t *at)
{
	if (b->info.read_only)
		return -EROFS;
	if (sectors > UINT64_MAX / BLOCKDEV_SECTOR || !locate(b, sector, sectors * BLOCKDEV_SECTOR, at))
		return -EINVAL;
	return 0;
}

int blockdev_discard(struct blockdev *b, uint64_t sector, uint64_t sectors)
{
	uint64_t range[2];
	off_t at;
	int r = locate_range(b, sector, sectors, &at);

	if (r || sectors == 0)
		return r;
	if (!b->info.discard)
		return -EOPNOTSUPP;
	range[0] = (uint64_t)at;
	range[1] = sectors * BLOCKDEV_SECTOR;
	if (b->is_device)
		r = ioctl(b->fd, BLKDISCARD, range);
	else
		r = fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, (off_t)range[1]);
	return r < 0 ? -errno : 0;
}

/* The long way, for a host that has no other. */
static int write_zeroes(const struct blockdev *b, off_t at, uint64_t len)
{
	void *zeroes = aligned_alloc(4096, BLOCKDEV_BOUNCE_MAX);
	ssize_t r = 1;

	if (!zeroes)
		return -ENOMEM;
	memset(zeroes, 0, BLOCKDEV_BOUNCE_MAX);
	while (len > 0 && r > 0) {
		r = pwrite(b->fd, zeroes, len < BLOCKDEV_BOUNCE_MAX ? len : BLOCKDEV_BOUNCE_MAX, at);
		if (r < 0 && errno == EINTR) {
			r = 1;
			continue;
		}
		if (r > 0) {
			at += r;
			len -= (uint64_t)r;
		}
	}
	free(zeroes);
	return len == 0 ? 0 : r < 0 ? -errno : -EIO;
}

int blockdev_write_zeroes(struct blockdev *b, uint64_t sector, uint64_t sectors, bool may_unmap)
{
	int mode = FALLOC_FL_KEEP_SIZE | (may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
	off_t at;
	int err = locate_range(b, sector, sectors, &at);

	if (err || sectors == 0)
		return err;
	if (fallocate(b->fd, mode, at, (off_t)(sectors * BLOCKDEV_SECTOR)) < 0)
		err = errno == EOPNOTSUPP ? write_zeroes(b, at, sectors * BLOCKDEV_SECTOR) : -errno;
	if (!err && !blockdev_writeback(b))
		err = blockdev_flush(b);
	return err;
}
