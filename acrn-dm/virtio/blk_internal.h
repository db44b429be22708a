/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-blk from inside: blk.c (function, registers, life), blk_opts.c (what stands before the path), blk_request.c
 * (what a request asks for), and the engines that do it: blk_threads.c and blk_uring.c.
 */
#pragma once

#include <sched.h>

#include "backend/blockdev.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"

#define BLK_QUEUE_SIZE	128u
#define BLK_QUEUES_MAX	16u	/* as many as a VM can have vCPUs */
#define BLK_ID_LEN	20u
#define BLK_ZEROES_MAX	(1u << 21)	/* sectors in one request: 1 GiB */

enum {
	BLK_F_SEG_MAX = 2,
	BLK_F_RO = 5,
	BLK_F_BLK_SIZE = 6,
	BLK_F_FLUSH = 9,
	BLK_F_TOPOLOGY = 10,
	BLK_F_CONFIG_WCE = 11,
	BLK_F_MQ = 12,
	BLK_F_DISCARD = 13,
	BLK_F_WRITE_ZEROES = 14,
};

enum { BLK_T_IN = 0, BLK_T_OUT = 1, BLK_T_FLUSH = 4, BLK_T_GET_ID = 8, BLK_T_DISCARD = 11, BLK_T_WRITE_ZEROES = 13 };
enum { BLK_S_OK = 0, BLK_S_IOERR = 1, BLK_S_UNSUPP = 2 };

/* virtio 1.2, 5.2.4, as far as our features reach */
struct blk_config {
	uint64_t capacity;
	uint32_t size_max;
	uint32_t seg_max;
	uint32_t geometry;
	uint32_t blk_size;
	uint8_t physical_block_exp;
	uint8_t alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;
	uint8_t writeback;
	uint8_t unused;
	uint16_t num_queues;
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap;
	uint8_t unused1[3];
};

#define BLK_CONFIG_SIZE	60u	/* the structure without what C appends */

_Static_assert(offsetof(struct blk_config, unused1) + 3 == BLK_CONFIG_SIZE, "virtio 1.2, 5.2.4");

struct blk_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

/* What stands before the path: "iothread=…" and "mq=N". */
struct blk_prefix {
	unsigned int queues;
	unsigned int iothreads;		/* 0: not given */
	struct {
		bool pinned;
		cpu_set_t cpus;
	} thread[BLK_QUEUES_MAX];
};

struct blk_engine;

struct blk {
	struct virtio_pci pci;
	struct blockdev *disk;		/* NULL: none yet; set once, by blk_disk_set() */
	bool writeback;			/* as the option says */
	char id[BLK_ID_LEN + 1];
	struct blk_prefix prefix;
	const struct blk_engine *engine;
	void *engine_state;
	struct {			/* atomic access */
		uint64_t reads, writes, flushes, discards, errors;
		uint64_t read_bytes, written_bytes;
	} count;
};

/* start: 0 or -errno, logged. stop: returns when nothing is in work any more. */
struct blk_engine {
	int (*start)(struct blk *b);
	void (*stop)(struct blk *b);
};

extern const struct blk_engine blk_threads;
extern const struct blk_engine blk_uring;

/* One request on its way. */
struct blk_request {
	struct vq_chain chain;
	struct blk_header header;
	struct blockdev_op op;
	struct iovec data[VQ_SEGS_MAX];
	unsigned int data_count;
};

/* A disk may come while requests run; it never goes before the workers do. */
static inline struct blockdev *blk_disk(const struct blk *b)
{
	return __atomic_load_n(&b->disk, __ATOMIC_ACQUIRE);
}

static inline void blk_disk_set(struct blk *b, struct blockdev *disk)
{
	__atomic_store_n(&b->disk, disk, __ATOMIC_RELEASE);
}

/* Takes "iothread…," and "mq=N," off the front of *text. Returns 0 or -EINVAL, logged. */
int blk_take_prefix(char **text, struct blk_prefix *p);
/* The CPUs of the thread that serves queue i, if it has any. */
void blk_pin(const struct blk *b, pthread_t thread, unsigned int queue);

/* Copies the header out of r->chain. False when it is not even a request; the device waits for a reset then. */
bool blk_request_read(struct blk *b, struct blk_request *r);
/* Is it a read or a write of a disk that is there? Then r->data holds what to move and r->op.is_write is set. */
bool blk_request_is_transfer(struct blk *b, struct blk_request *r);
/* All other requests, on this thread: the status byte. */
uint8_t blk_request_serve(struct blk *b, struct blk_request *r);
/* The status byte for 0 or -errno of the disk. */
uint8_t blk_status(int err);
/* Writes the status byte into the chain and counts. */
void blk_request_finish(struct blk *b, struct blk_request *r, uint8_t status);
