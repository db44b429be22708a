/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw disk images and block devices. A range lock (open file description lock) on what is used keeps two VMs, or two
 * disks of one, off the same sectors unless all only read.
 */
#include "backend/blockdev.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define SEGMENTS_MAX	1024u	/* IOV_MAX of Linux */

struct blockdev {
	struct blockdev_info info;
	int fd;
	bool is_device;
	bool writeback;		/* atomic access */
	uint64_t base;		/* bytes: where sector 0 of the guest lies */
};

/* --- opening ---------------------------------------------------------------------------------------- */

static int open_file(const struct blockdev_options *o, bool *read_only)
{
	int fd = -1;

	*read_only = o->read_only;
	if (!*read_only) {
		fd = open(o->path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || (errno != EACCES && errno != EROFS && errno != EPERM))
			return fd;
		log_warn("%s: not writable (%s), the guest gets it read-only", o->path, strerror(errno));
		*read_only = true;
	}
	return open(o->path, O_RDONLY | O_CLOEXEC);
}

/* The size in bytes and the sector sizes of the host. */
static int measure(struct blockdev *b, const char *path, uint64_t *size)
{
	struct stat st;
	int logical = BLOCKDEV_SECTOR;
	unsigned int physical = BLOCKDEV_SECTOR;

	if (fstat(b->fd, &st) < 0)
		return -errno;
	if (S_ISBLK(st.st_mode)) {
		b->is_device = true;
		if (ioctl(b->fd, BLKGETSIZE64, size) < 0 || ioctl(b->fd, BLKSSZGET, &logical) < 0 ||
		    ioctl(b->fd, BLKPBSZGET, &physical) < 0)
			return -errno;
	} else if (S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		physical = (unsigned int)st.st_blksize;
	} else {
		log_err("%s: is neither a file nor a block device", path);
		return -EINVAL;
	}
	b->info.logical = (uint32_t)logical;
	b->info.physical = physical;
	if (*size == 0 || *size % BLOCKDEV_SECTOR != 0) {
		log_err("%s: its size of %llu bytes is not a multiple of 512", path, (unsigned long long)*size);
		return -EINVAL;
	}
	return 0;
}

static int choose_range(struct blockdev *b, const struct blockdev_options *o, uint64_t size)
{
	uint64_t all = size / BLOCKDEV_SECTOR;

	b->info.sectors = all;
	if (o->range_len == 0)
		return 0;
	if (o->range_start >= all || o->range_len > all - o->range_start) {
		log_err("%s: range=%llu/%llu reaches past its %llu sectors", o->path,
			(unsigned long long)o->range_start, (unsigned long long)o->range_len, (unsigned long long)all);
		return -EINVAL;
	}
	b->base = o->range_start * BLOCKDEV_SECTOR;
	b->info.sectors = o->range_len;
	return 0;
}

static int lock_range(struct blockdev *b, const char *path)
{
	struct flock lock = {
		.l_type = b->info.read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)b->base,
		.l_len = (off_t)(b->info.sectors * BLOCKDEV_SECTOR),
	};

	if (fcntl(b->fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EACCES || errno == EAGAIN)
		log_err("%s: is in use by another VM or disk", path);
	else
		log_err("%s: cannot lock it: %s", path, strerror(errno));
	return -EBUSY;
}

static int choose_sectors(struct blockdev *b, const struct blockdev_options *o)
{
	struct blockdev_info *i = &b->info;

	if (o->logical) {
		i->logical = o->logical;
		i->physical = o->physical;
	}
	if (i->physical < i->logical || (i->physical & (i->physical - 1)) != 0)
		i->physical = i->logical;
	if (i->sectors * BLOCKDEV_SECTOR % i->logical != 0) {
		log_err("%s: %llu sectors are no multiple of sectorsize=%u", o->path, (unsigned long long)i->sectors,
			i->logical);
		return -EINVAL;
	}
	return 0;
}

static void choose_discard(struct blockdev *b, const struct blockdev_options *o)
{
	struct blockdev_info *i = &b->info;

	i->discard = o->discard && !i->read_only;
	i->discard_max_sectors = o->discard_max_sectors ? o->discard_max_sectors : UINT32_MAX / BLOCKDEV_SECTOR;
	i->discard_max_segments = o->discard_max_segments ? o->discard_max_segments : 1;
	i->discard_align = o->discard_align ? o->discard_align : i->physical / BLOCKDEV_SECTOR;
}

static int setup(struct blockdev *b, const struct blockdev_options *o)
{
	uint64_t size;
	int err;

	b->fd = open_file(o, &b->info.read_only);
	if (b->fd < 0) {
		err = -errno;
		log_err("%s: cannot open the disk: %s", o->path, strerror(errno));
		return err;
	}
	err = measure(b, o->path, &size);
	if (!err)
		err = choose_range(b, o, size);
	if (!err)
		err = choose_sectors(b, o);
	if (!err)
		err = lock_range(b, o->path);
	if (!err)
		choose_discard(b, o);
	return err;
}

struct blockdev *blockdev_open(const struct blockdev_options *o)
{
	struct blockdev *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->writeback = o->writeback;
	if (setup(b, o) == 0)
		return b;
	blockdev_close(b);
	return NULL;
}

void blockdev_close(struct blockdev *b)
{
	if (!b)
		return;
	if (b->fd >= 0)
		close(b->fd);
	free(b);
}

const struct blockdev_info *blockdev_info(const struct blockdev *b)
{
	return &b->info;
}

bool blockdev_writeback(const struct blockdev *b)
{
	return __atomic_load_n(&b->writeback, __ATOMIC_RELAXED);
}

void blockdev_set_writeback(struct blockdev *b, bool writeback)
{
	__atomic_store_n(&b->writeback, writeback, __ATOMIC_RELAXED);
}

/* --- transfers -------------------------------------------------------------------------------------- */

/* The byte range on the host, or false if it is not inside the disk. */
static bool locate(const struct blockdev *b, uint64_t sector, uint64_t bytes, off_t *at)
{
	uint64_t all = b->info.sectors;

	if (bytes % BLOCKDEV_SECTOR != 0 || sector > all || bytes / BLOCKDEV_SECTOR > all - sector)
		return false;
	*at = (off_t)(b->base + sector * BLOCKDEV_SECTOR);
	return true;
}

/* Drops the first `done` bytes of the list. */
static void advance(struct iovec **iov, unsigned int *n, size_t done)
{
	while (*n > 0 && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (*n > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

struct transfer {
	struct iovec *iov;
	unsigned int n;
	off_t at;
	bool is_write;
	int flags;
};

static int transfer_all(int fd, struct transfer *t)
{
	while (t->n > 0) {
		ssize_t r;

		if (t->is_write)
			r = pwritev2(fd, t->iov, (int)t->n, t->at, t->flags);
		else
			r = preadv(fd, t->iov, (int)t->n, t->at);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)	/* the file was cut behind our back */
			return -EIO;
		t->at += r;
		advance(&t->iov, &t->n, (size_t)r);
	}
	return 0;
}

static int transfer(struct blockdev *b, const struct iovec *iov, unsigned int n, uint64_t sector, bool is_write)
{
	struct iovec copy[SEGMENTS_MAX];
	struct transfer t = { .iov = copy, .n = n, .is_write = is_write };
	uint64_t bytes = 0;

	if (n > SEGMENTS_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		copy[i] = iov[i];
		bytes += iov[i].iov_len;
	}
	if (!locate(b, sector, bytes, &t.at))
		return -EINVAL;
	if (is_write && !blockdev_writeback(b))
		t.flags = RWF_DSYNC;
	return transfer_all(b->fd, &t);
}

int blockdev_read(struct blockdev *b, const struct iovec *iov, unsigned int n, uint64_t sector)
{
	return transfer(b, iov, n, sector, false);
}

int blockdev_write(struct blockdev *b, const struct iovec *iov, unsigned int n, uint64_t sector)
{
	return b->info.read_only ? -EROFS : transfer(b, iov, n, sector, true);
}

int blockdev_flush(struct blockdev *b)
{
	if (b->info.read_only)
		return 0;
	return fdatasync(b->fd) < 0 ? -errno : 0;
}

int blockdev_discard(struct blockdev *b, uint64_t sector, uint64_t sectors)
{
	uint64_t range[2];
	off_t at;
	int r;

	if (b->info.read_only)
		return -EROFS;
	if (!b->info.discard)
		return -EOPNOTSUPP;
	if (sectors > UINT64_MAX / BLOCKDEV_SECTOR || !locate(b, sector, sectors * BLOCKDEV_SECTOR, &at))
		return -EINVAL;
	if (sectors == 0)
		return 0;
	range[0] = (uint64_t)at;
	range[1] = sectors * BLOCKDEV_SECTOR;
	if (b->is_device)
		r = ioctl(b->fd, BLKDISCARD, range);
	else
		r = fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, (off_t)range[1]);
	return r < 0 ? -errno : 0;
}
