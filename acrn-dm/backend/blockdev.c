/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw disk images and block devices. A range lock (open file description lock) on what is used keeps two VMs, or two
 * disks of one, off the same sectors unless all only read.
 */
#include "backend/blockdev_internal.h"

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

/* linux/stat.h, since 6.1; older headers lack it */
#define DIO_MASK	0x2000u
#define LOCK_TRIES	50u
#define LOCK_WAIT_US	30000u

/* --- opening ---------------------------------------------------------------------------------------- */

static int open_file(const struct blockdev_options *o, bool *read_only)
{
	int flags = O_CLOEXEC | (o->direct ? O_DIRECT : 0);
	int fd = -1;

	*read_only = o->read_only;
	if (!*read_only) {
		fd = open(o->path, O_RDWR | flags);
		if (fd >= 0 || (errno != EACCES && errno != EROFS && errno != EPERM))
			return fd;
		log_warn("%s: not writable (%s), the guest gets it read-only", o->path, strerror(errno));
		*read_only = true;
	}
	return open(o->path, O_RDONLY | flags);
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

	b->sectors = all;
	if (o->range_len == 0)
		return 0;
	if (o->range_start >= all || o->range_len > all - o->range_start) {
		log_err("%s: range=%llu/%llu reaches past its %llu sectors", o->path,
			(unsigned long long)o->range_start, (unsigned long long)o->range_len, (unsigned long long)all);
		return -EINVAL;
	}
	b->base = o->range_start * BLOCKDEV_SECTOR;
	b->sectors = o->range_len;
	b->has_range = true;
	return 0;
}

static int lock_range(struct blockdev *b, const char *path)
{
	struct flock lock = {
		.l_type = b->info.read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)b->base,
		.l_len = b->has_range ? (off_t)(b->sectors * BLOCKDEV_SECTOR) : 0,	/* 0: as long as it gets */
	};

	/* Of a VM that was just killed the kernel lets go only when its last I/O is done. */
	for (unsigned int tries = 0; tries < LOCK_TRIES; tries++) {
		if (fcntl(b->fd, F_OFD_SETLK, &lock) == 0)
			return 0;
		if (errno != EACCES && errno != EAGAIN)
			break;
		usleep(LOCK_WAIT_US);
	}
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
	if (b->sectors * BLOCKDEV_SECTOR % i->logical != 0) {
		log_err("%s: %llu sectors are no multiple of sectorsize=%u", o->path, (unsigned long long)b->sectors,
			i->logical);
		return -EINVAL;
	}
	return 0;
}

/* What O_DIRECT asks of offsets in this file: as statx says, else what a read of one sector says. */
static uint32_t direct_alignment(int fd)
{
	union {
		struct statx st;
		uint8_t bytes[256];
	} x = { .bytes = { 0 } };
	void *probe;
	uint32_t align = 4096;

	if (statx(fd, "", AT_EMPTY_PATH, DIO_MASK, &x.st) == 0 && (x.st.stx_mask & DIO_MASK)) {
		uint32_t memory, offset;

		memcpy(&memory, x.bytes + 152, 4);	/* stx_dio_mem_align, stx_dio_offset_align */
		memcpy(&offset, x.bytes + 156, 4);
		return memory > offset ? memory : offset;
	}
	if (posix_memalign(&probe, 4096, BLOCKDEV_SECTOR) != 0)
		return align;
	if (pread(fd, probe, BLOCKDEV_SECTOR, 0) == BLOCKDEV_SECTOR)
		align = BLOCKDEV_SECTOR;
	free(probe);
	return align;
}

/* Past the page cache there is no read-modify-write: the guest's sectors must be as large as the host's. */
static int choose_alignment(struct blockdev *b, const struct blockdev_options *o)
{
	struct blockdev_info *i = &b->info;

	b->align = 1;
	if (!o->direct)
		return 0;
	b->align = direct_alignment(b->fd);
	if (b->align == 0 || (b->align & (b->align - 1)) != 0 || b->align > 65536) {
		log_err("%s: the host does not read it past its cache: leave out nocache", o->path);
		return -EINVAL;
	}
	if (o->logical && o->logical < b->align) {
		log_err("%s: nocache needs sectorsize=%u here, not %u", o->path, b->align, o->logical);
		return -EINVAL;
	}
	if (i->logical < b->align)
		i->logical = b->align;
	if (b->base % b->align == 0)
		return 0;
	log_err("%s: nocache needs a range that starts at a multiple of %u bytes", o->path, b->align);
	return -EINVAL;
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
		err = choose_alignment(b, o);
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
	b->fd = -1;
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

uint64_t blockdev_sectors(const struct blockdev *b)
{
	return __atomic_load_n(&b->sectors, __ATOMIC_ACQUIRE);
}

int blockdev_fd(const struct blockdev *b)
{
	return b->fd;
}

static int size_now(const struct blockdev *b, uint64_t *size)
{
	struct stat st;

	if (b->is_device)
		return ioctl(b->fd, BLKGETSIZE64, size) < 0 ? -errno : 0;
	if (fstat(b->fd, &st) < 0)
		return -errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

int blockdev_resize(struct blockdev *b, uint64_t bytes)
{
	uint64_t size = bytes;
	int err = 0;

	if (b->has_range || (bytes && b->is_device))
		return -EOPNOTSUPP;
	if (bytes && b->info.read_only)
		return -EROFS;
	if (!bytes)
		err = size_now(b, &size);
	if (err)
		return err;
	if (size == 0 || size % b->info.logical != 0 || size > INT64_MAX)
		return -EINVAL;
	/* A smaller disk refuses requests before its end is cut off, a larger one has its end before it takes any. */
	if (size / BLOCKDEV_SECTOR < blockdev_sectors(b))
		__atomic_store_n(&b->sectors, size / BLOCKDEV_SECTOR, __ATOMIC_RELEASE);
	if (bytes && ftruncate(b->fd, (off_t)size) < 0)
		return -errno;
	__atomic_store_n(&b->sectors, size / BLOCKDEV_SECTOR, __ATOMIC_RELEASE);
	return 0;
}
