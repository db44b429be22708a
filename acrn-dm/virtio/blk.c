/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-blk (virtio 1.2, 5.2). Each queue has a few worker threads; one takes a request under the queue's lock, does
 * the I/O without it and completes it under it again, so requests finish in any order and a slow disk stops nobody.
 * A thread that leaves more work behind wakes the next one through the kick eventfd; notifications of the driver stay
 * on while threads do I/O, or the next request would wait for the slowest of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/blockdev.h"
#include "backend/md5.h"
#include "dev/device.h"
#include "log.h"
#include "virtio/iov.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"

#define QUEUE_SIZE	128u
#define QUEUES_LIMIT	8u
#define THREADS		4u	/* a queue */
#define ID_LEN		20u

enum {
	F_SEG_MAX = 2,
	F_RO = 5,
	F_BLK_SIZE = 6,
	F_FLUSH = 9,
	F_TOPOLOGY = 10,
	F_CONFIG_WCE = 11,
	F_MQ = 12,
	F_DISCARD = 13,
};

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

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
};

_Static_assert(sizeof(struct blk_config) == 48, "virtio 1.2, 5.2.4");

struct blk_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

struct blk_discard {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags;
};

struct blk;

struct blk_worker {
	struct worker worker;
	struct blk *blk;
	struct virtio_queue *queue;
	struct vq_chain chain;
	struct iovec data[VQ_SEGS_MAX];
};

struct blk {
	struct virtio_pci pci;
	struct blockdev *disk;		/* NULL: none yet; set once, by disk_set() */
	bool writeback;			/* as the option says */
	char id[ID_LEN + 1];
	unsigned int queues;
	unsigned int worker_count;
	struct blk_worker *workers;
};

/* A disk may come while requests run; it never goes before the workers do. */
static struct blockdev *disk_of(const struct blk *b)
{
	return __atomic_load_n(&b->disk, __ATOMIC_ACQUIRE);
}

static void disk_set(struct blk *b, struct blockdev *disk)
{
	__atomic_store_n(&b->disk, disk, __ATOMIC_RELEASE);
}

/* --- requests --------------------------------------------------------------------------------------- */

static uint8_t status_of(int err)
{
	return err == 0 ? S_OK : err == -EOPNOTSUPP ? S_UNSUPP : S_IOERR;
}

static uint8_t discard(struct blk *b, const struct vq_chain *c)
{
	const struct blockdev_info *info = blockdev_info(disk_of(b));
	size_t len = c->out_len - sizeof(struct blk_header);
	size_t n = len / sizeof(struct blk_discard);

	if (!info->discard)
		return S_UNSUPP;
	if (n == 0 || n > info->discard_max_segments || len % sizeof(struct blk_discard) != 0)
		return S_IOERR;
	for (size_t i = 0; i < n; i++) {
		struct blk_discard d;
		int err;

		iov_to_buf(c->iov, c->n_out, sizeof(struct blk_header) + i * sizeof(d), &d, sizeof(d));
		if (d.flags != 0)
			return S_UNSUPP;
		if (d.sectors > info->discard_max_sectors)
			return S_IOERR;
		err = blockdev_discard(disk_of(b), d.sector, d.sectors);
		if (err)
			return status_of(err);
	}
	return S_OK;
}

static uint8_t transfer(struct blk_worker *w, const struct blk_header *h)
{
	const struct vq_chain *c = &w->chain;
	unsigned int n;

	if (h->type == T_IN) {
		n = iov_slice(c->iov + c->n_out, c->n_in, 0, c->in_len - 1, w->data);
		return status_of(blockdev_read(disk_of(w->blk), w->data, n, h->sector));
	}
	n = iov_slice(c->iov, c->n_out, sizeof(*h), c->out_len - sizeof(*h), w->data);
	return status_of(blockdev_write(disk_of(w->blk), w->data, n, h->sector));
}

static uint8_t serve(struct blk_worker *w, const struct blk_header *h)
{
	struct vq_chain *c = &w->chain;
	size_t room = c->in_len - 1;

	if (h->type == T_GET_ID) {
		iov_from_buf(c->iov + c->n_out, c->n_in, 0, w->blk->id, room < ID_LEN ? room : ID_LEN);
		return S_OK;
	}
	if (!disk_of(w->blk))
		return S_IOERR;
	switch (h->type) {
	case T_IN:
	case T_OUT:
		return transfer(w, h);
	case T_FLUSH:
		return status_of(blockdev_flush(disk_of(w->blk)));
	case T_DISCARD:
		return discard(w->blk, c);
	default:
		return S_UNSUPP;
	}
}

/* One request without the queue's lock; false when it is not even a request. */
static bool request(struct blk_worker *w)
{
	struct vq_chain *c = &w->chain;
	struct blk_header h;
	uint8_t status;

	if (c->out_len < sizeof(h) || c->in_len < 1) {
		virtio_fail(&w->blk->pci.virtio, "a disk request without header or status");
		return false;
	}
	iov_to_buf(c->iov, c->n_out, 0, &h, sizeof(h));
	status = serve(w, &h);
	iov_from_buf(c->iov + c->n_out, c->n_in, c->in_len - 1, &status, 1);
	return true;
}

static void drain(struct blk_worker *w)
{
	struct virtio_queue *q = w->queue;

	pthread_mutex_lock(&q->lock);
	do {
		while (virtio_pop(q, &w->chain)) {
			bool ok;

			if (vq_has_work(&q->vq))
				virtio_kick(q);	/* for the next thread */
			virtio_busy(q);
			pthread_mutex_unlock(&q->lock);
			ok = request(w);
			pthread_mutex_lock(&q->lock);
			virtio_idle(q);
			if (ok)
				virtio_complete(q, &w->chain, (uint32_t)w->chain.in_len);
		}
	} while (virtio_enable_notify(q));
	pthread_mutex_unlock(&q->lock);
}

static void work(void *arg)
{
	struct blk_worker *w = arg;

	while (worker_wait_one(&w->worker, w->queue->kick_fd)) {
		worker_consume(w->queue->kick_fd);
		drain(w);
	}
}

/* --- registers -------------------------------------------------------------------------------------- */

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	const struct blk *b = v->priv;
	struct blk_config c = {
		.seg_max = QUEUE_SIZE - 2,
		.blk_size = BLOCKDEV_SECTOR,
		.num_queues = (uint16_t)b->queues,
	};

	if (disk_of(b)) {
		const struct blockdev_info *i = blockdev_info(disk_of(b));

		c.capacity = i->sectors;
		c.blk_size = i->logical;
		c.physical_block_exp = (uint8_t)__builtin_ctz(i->physical / i->logical);
		c.min_io_size = (uint16_t)(i->physical / i->logical);
		c.writeback = blockdev_writeback(disk_of(b));
		c.max_discard_sectors = i->discard_max_sectors;
		c.max_discard_seg = i->discard_max_segments;
		c.discard_sector_alignment = i->discard_align;
	}
	memcpy(cfg, &c, sizeof(c));
}

static void config_write(struct virtio_dev *v, unsigned int offset, const uint8_t *data, unsigned int len)
{
	const struct blk *b = v->priv;

	if (offset == offsetof(struct blk_config, writeback) && len == 1 && disk_of(b) &&
	    virtio_has(v, F_CONFIG_WCE))
		blockdev_set_writeback(disk_of(b), data[0] & 1);
}

/* A driver that cannot flush must not be given a cache (5.2.6.2). */
static void driver_ready(struct virtio_dev *v)
{
	struct blk *b = v->priv;

	if (disk_of(b) && !virtio_has(v, F_FLUSH))
		blockdev_set_writeback(disk_of(b), false);
}

static void reset(struct virtio_dev *v)
{
	struct blk *b = v->priv;

	if (disk_of(b))
		blockdev_set_writeback(disk_of(b), b->writeback);
}

static const struct virtio_ops blk_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.driver_ready = driver_ready,
	.reset = reset,
};

static uint64_t features(const struct blk *b)
{
	uint64_t f = VIRTIO_BIT(F_SEG_MAX) | VIRTIO_BIT(F_BLK_SIZE) | VIRTIO_BIT(F_TOPOLOGY) |
		     VIRTIO_BIT(VIRTIO_F_EVENT_IDX);

	if (b->queues > 1)
		f |= VIRTIO_BIT(F_MQ);
	if (!b->disk)
		return f;
	if (b->writeback)
		f |= VIRTIO_BIT(F_FLUSH) | VIRTIO_BIT(F_CONFIG_WCE);
	if (blockdev_info(b->disk)->read_only)
		f |= VIRTIO_BIT(F_RO);
	if (blockdev_info(b->disk)->discard)
		f |= VIRTIO_BIT(F_DISCARD);
	return f;
}

/* --- life ------------------------------------------------------------------------------------------- */

static int bad_prefix(const char *word)
{
	log_err("virtio-blk: '%s' is not a number of queues from 1 to %u", word, QUEUES_LIMIT);
	return -EINVAL;
}

/* Takes "iothread…," and "mq=N," off the front of *text. Our disks always have their own threads. */
static int take_prefixes(char **text, unsigned int *queues)
{
	*queues = 1;
	while (strncmp(*text, "iothread", 8) == 0 || strncmp(*text, "mq=", 3) == 0) {
		char *word = strsep(text, ",");

		if (!*text) {
			log_err("virtio-blk: the path of the disk is missing behind '%s'", word);
			return -EINVAL;
		}
		if (word[0] == 'm') {
			char *end;
			unsigned long n = strtoul(word + 3, &end, 10);

			if (*end || end == word + 3 || n == 0 || n > QUEUES_LIMIT)
				return bad_prefix(word);
			*queues = (unsigned int)n;
		} else if (strchr(word, '@')) {
			log_err("virtio-blk: '%s': pinning of I/O threads is not built yet", word);
			return -EINVAL;
		}
	}
	return 0;
}

/* The text of -s decides the id, so that it stays the same from start to start. */
static void make_id(struct blk *b, const char *opts)
{
	uint8_t d[16];

	md5(opts, strlen(opts), d);
	snprintf(b->id, sizeof(b->id), "ACRN--%02X%02X-%02X%02X-%02X%02X", d[0], d[1], d[2], d[3], d[4], d[5]);
}

static int open_disk(struct blk *b, char *text)
{
	struct blockdev_options o;
	int err = take_prefixes(&text, &b->queues);

	if (!err)
		err = blockdev_parse(text, &o);
	if (err)
		return err;
	b->writeback = o.writeback;
	if (!o.path)
		return 0;
	disk_set(b, blockdev_open(&o));
	return b->disk ? 0 : -EINVAL;
}

static void stop_workers(struct blk *b)
{
	for (unsigned int i = 0; i < b->worker_count; i++)
		worker_stop(&b->workers[i].worker);
	free(b->workers);
	b->workers = NULL;
	b->worker_count = 0;
}

static int start_workers(struct blk *b)
{
	unsigned int n = b->queues * THREADS;

	b->workers = calloc(n, sizeof(*b->workers));
	if (!b->workers)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		struct blk_worker *w = &b->workers[i];
		int err;

		w->blk = b;
		w->queue = &b->pci.virtio.queues[i / THREADS];
		err = worker_start(&w->worker, "virtio-blk", work, w);
		if (err) {
			stop_workers(b);
			return err;
		}
		b->worker_count = i + 1;
	}
	return 0;
}

static int make_function(struct blk *b, struct pci_func *f, bool modern)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_BLOCK, .class = 0x01 };
	static const uint16_t sizes[QUEUES_LIMIT] = {
		QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE,
	};
	struct virtio_params params = {
		.ops = &blk_ops,
		.priv = b,
		.features = features(b),
		.config_size = sizeof(struct blk_config),
		.queue_count = b->queues,
		.queue_sizes = sizes,
	};
	int err = virtio_pci_init(&b->pci, f, &ids, &params, modern);

	if (err)
		return err;
	err = start_workers(b);
	if (err)
		virtio_pci_exit(&b->pci);
	return err;
}

static int blk_init(struct dm_device *d, const char *opts)
{
	struct blk *b = calloc(1, sizeof(*b));
	bool modern;
	char *text = virtio_pci_options(opts, &modern);
	int err = b && text ? 0 : -ENOMEM;

	if (!err) {
		make_id(b, opts);
		err = open_disk(b, text);
	}
	free(text);
	if (!err)
		err = make_function(b, d->pci, modern);
	if (!err) {
		d->state = b;
		return 0;
	}
	if (b)
		blockdev_close(b->disk);
	free(b);
	return err;
}

static void blk_destroy(struct dm_device *d)
{
	struct blk *b = d->state;

	stop_workers(b);
	virtio_pci_exit(&b->pci);
	blockdev_close(b->disk);
	free(b);
}

static void blk_reset(struct dm_device *d)
{
	struct blk *b = d->state;

	virtio_pci_reset(&b->pci);
}

/* What can come late: the driver has read sector size and features of a disk without cache and discard. */
static struct blockdev *open_late(char *text)
{
	struct blockdev_options o;
	struct blockdev *disk;

	if (blockdev_parse(text, &o) != 0)
		return NULL;
	o.writeback = o.discard = false;
	disk = o.path ? blockdev_open(&o) : NULL;
	if (!disk || blockdev_info(disk)->logical == BLOCKDEV_SECTOR)
		return disk;
	log_err("virtio-blk: a disk that is attached later must have sectors of %u bytes", BLOCKDEV_SECTOR);
	blockdev_close(disk);
	return NULL;
}

static int blk_rescan(struct dm_device *d, const char *medium)
{
	struct blk *b = d->state;
	struct blockdev *disk;
	char *text;

	if (disk_of(b)) {
		log_err("%s: has a disk already", b->pci.name);
		return -EBUSY;
	}
	text = strdup(medium);
	disk = text ? open_late(text) : NULL;
	free(text);
	if (!disk)
		return -EINVAL;
	disk_set(b, disk);
	virtio_config_changed(&b->pci.virtio);
	return 0;
}

static const struct dm_device_class blk = {
	.name = "virtio-blk",
	.help = "[,iothread][,mq=N],PATH|nodisk[,writeback|writethru][,ro][,discard[=max:segs:align]]"
		"[,sectorsize=L[/P]][,range=start/len][,disable-modern]  a disk",
	.kind = DM_PCI,
	.init = blk_init,
	.destroy = blk_destroy,
	.reset = blk_reset,
	.rescan = blk_rescan,
};
DM_DEVICE(blk);
