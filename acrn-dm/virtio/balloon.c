/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-balloon (virtio 1.2, 5.5). The driver names pages of 4 KiB that it gives up (inflates) or wants back
 * (deflates), or tells of large free ranges (free page reporting), which it uses again without a word. The Service VM
 * gets memory back by pieces (memory.h), so a piece goes when all its pages are given up and comes with the first that
 * is wanted. A piece that the driver uses without a word comes when it is touched (ioreq.c).
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "dev/device.h"
#include "hsm.h"
#include "log.h"
#include "memory.h"
#include "virtio/iov.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"
#include "vm.h"

#define F_MUST_TELL_HOST	0
#define F_DEFLATE_ON_OOM	2
#define F_REPORTING		5

#define PAGE		4096u
#define QUEUE_SIZE	128u
#define PFNS_AT_ONCE	256u
#define PFNS_MAX	65536u	/* of one request; Linux has 256 in each */

enum { INFLATE, DEFLATE, REPORT, QUEUES };

struct balloon_config {
	uint32_t num_pages;	/* that the driver is to give up */
	uint32_t actual;	/* that it has given up, as it says */
};

struct balloon {
	struct virtio_pci pci;
	struct worker worker;
	struct vq_chain chain;
	uint32_t target, actual;	/* pages; atomic access */
	uint64_t reported;		/* bytes of all reports so far; atomic access */
	uint64_t piece;			/* bytes */
	/* Of the worker, and of a reset while it is idle. */
	uint8_t *given;			/* a bit a page */
	uint32_t *count;		/* pages of each piece that are given up */
};

static uint64_t piece_pages(const struct balloon *b, uint64_t offset)
{
	uint64_t left = mem_lowmem() + mem_highmem() - (offset & ~(b->piece - 1));

	return (left < b->piece ? left : b->piece) / PAGE;
}

static void inflate(struct balloon *b, uint64_t offset)
{
	uint64_t page = offset / PAGE;
	uint8_t bit = (uint8_t)(1u << (page & 7));
	int err = 0;

	if (b->given[page / 8] & bit)
		return;
	b->given[page / 8] |= bit;
	if (++b->count[offset / b->piece] == piece_pages(b, offset))
		err = mem_take(offset);
	if (err)
		log_warn("virtio-balloon: memory cannot be taken back: %s", strerror(-err));
}

static void deflate(struct balloon *b, uint64_t offset)
{
	uint64_t page = offset / PAGE;
	uint8_t bit = (uint8_t)(1u << (page & 7));
	int err;

	if (!(b->given[page / 8] & bit))
		return;
	b->given[page / 8] &= (uint8_t)~bit;
	b->count[offset / b->piece]--;
	err = mem_give(offset);
	if (!err)
		return;
	log_err("virtio-balloon: the guest's memory cannot be had again: %s", strerror(-err));
	vm_request(VM_FAILED);
}

static void move_pages(struct balloon *b, void (*move)(struct balloon *b, uint64_t offset))
{
	const struct vq_chain *c = &b->chain;
	uint32_t pfn[PFNS_AT_ONCE];
	size_t got;

	for (size_t at = 0; at < PFNS_MAX * sizeof(pfn[0]); at += got) {
		got = iov_to_buf(c->iov, c->n_out, at, pfn, sizeof(pfn));
		for (size_t i = 0; i < got / sizeof(pfn[0]); i++) {
			const void *p = mem_ptr((uint64_t)le32toh(pfn[i]) * PAGE, PAGE);

			if (p)
				move(b, mem_offset(p));
			else
				log_guest("%s: page %x is not memory", b->pci.name, le32toh(pfn[i]));
		}
		if (got < sizeof(pfn))
			break;
	}
}

/* Whole pieces of the ranges that the driver may write; what is given up already is gone, too. */
static void report(struct balloon *b)
{
	const struct vq_chain *c = &b->chain;
	int err = 0;

	for (unsigned int i = c->n_out; i < (unsigned int)c->n_out + c->n_in && !err; i++) {
		uint64_t end = mem_offset(c->iov[i].iov_base) + c->iov[i].iov_len;
		uint64_t at = mem_offset(c->iov[i].iov_base);

		at = (at + b->piece - 1) & ~(b->piece - 1);
		for (; at + piece_pages(b, at) * PAGE <= end && at < end && !err; at += b->piece) {
			err = mem_take(at);
			__atomic_add_fetch(&b->reported, b->piece, __ATOMIC_RELAXED);
		}
	}
	if (err)
		log_warn("virtio-balloon: memory cannot be taken back: %s", strerror(-err));
}

static void carry_out(struct balloon *b, unsigned int queue)
{
	if (queue == REPORT)
		report(b);
	else
		move_pages(b, queue == INFLATE ? inflate : deflate);
}

static void drain(struct balloon *b, struct virtio_queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (virtio_pop(q, &b->chain)) {
		virtio_busy(q);
		pthread_mutex_unlock(&q->lock);
		carry_out(b, q->index);
		pthread_mutex_lock(&q->lock);
		virtio_idle(q);
		virtio_complete(q, &b->chain, 0);
	}
	pthread_mutex_unlock(&q->lock);
}

static void work(void *arg)
{
	struct balloon *b = arg;
	struct pollfd fd[QUEUES];
	unsigned int queues = b->pci.virtio.queue_count;

	for (unsigned int i = 0; i < queues; i++)
		fd[i] = (struct pollfd){ .fd = b->pci.virtio.queues[i].kick_fd, .events = POLLIN };
	while (worker_wait(&b->worker, fd, queues)) {
		for (unsigned int i = 0; i < queues; i++) {
			worker_consume(fd[i].fd);
			drain(b, &b->pci.virtio.queues[i]);
		}
	}
}

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	const struct balloon *b = v->priv;
	struct balloon_config c = {
		htole32(__atomic_load_n(&b->target, __ATOMIC_RELAXED)),
		htole32(__atomic_load_n(&b->actual, __ATOMIC_RELAXED)),
	};

	memcpy(cfg, &c, sizeof(c));
}

static void config_write(struct virtio_dev *v, unsigned int offset, const uint8_t *data, unsigned int len)
{
	struct balloon *b = v->priv;
	uint32_t actual;

	if (offset != offsetof(struct balloon_config, actual) || len != sizeof(actual))
		return;
	memcpy(&actual, data, sizeof(actual));
	__atomic_store_n(&b->actual, le32toh(actual), __ATOMIC_RELAXED);
}

/* A driver that begins anew has all its memory. */
static void reset(struct virtio_dev *v)
{
	struct balloon *b = v->priv;
	uint64_t memory = mem_lowmem() + mem_highmem();
	int err = mem_give_all();

	memset(b->given, 0, memory / PAGE / 8);
	memset(b->count, 0, (memory / b->piece + 1) * sizeof(b->count[0]));
	__atomic_store_n(&b->actual, 0, __ATOMIC_RELAXED);
	if (!err)
		return;
	log_err("virtio-balloon: the guest's memory cannot be had again: %s", strerror(-err));
	vm_request(VM_FAILED);
}

static const struct virtio_ops balloon_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.reset = reset,
};

/* A device of the machine's would write to a free page before anything fetches it. */
static bool may_report(void)
{
	return hsm_can_fetch() && !config_has_driver("passthru");
}

static int make_function(struct balloon *b, struct pci_func *f, bool modern)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_BALLOON, .class = 0xff };
	static const uint16_t sizes[QUEUES] = { QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE };
	struct virtio_params params = {
		.ops = &balloon_ops,
		.priv = b,
		.features = VIRTIO_BIT(F_MUST_TELL_HOST) | VIRTIO_BIT(F_DEFLATE_ON_OOM) |
			    (may_report() ? VIRTIO_BIT(F_REPORTING) : 0),
		.config_size = sizeof(struct balloon_config),
		.queue_count = may_report() ? QUEUES : REPORT,
		.queue_sizes = sizes,
	};
	int err = virtio_pci_init(&b->pci, f, &ids, &params, modern);

	if (err)
		return err;
	err = worker_start(&b->worker, "virtio-balloon", work, b);
	if (err)
		virtio_pci_exit(&b->pci);
	return err;
}

static void free_balloon(struct balloon *b)
{
	if (!b)
		return;
	free(b->given);
	free(b->count);
	free(b);
}

static struct balloon *alloc_balloon(void)
{
	uint64_t memory = mem_lowmem() + mem_highmem();
	struct balloon *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->piece = mem_piece_size();
	b->given = calloc(1, memory / PAGE / 8 + 1);
	b->count = calloc(memory / b->piece + 1, sizeof(b->count[0]));
	if (b->given && b->count)
		return b;
	free_balloon(b);
	return NULL;
}

static int balloon_init(struct dm_device *d, const char *opts)
{
	struct balloon *b;
	bool modern;
	char *text;
	int err;

	if (mem_piece_size() == 0) {
		log_err("virtio-balloon: this HSM takes no memory back; use the acrn_hsm module of this project");
		return -EOPNOTSUPP;
	}
	if (device_find("virtio-balloon")) {
		log_err("virtio-balloon: a VM has one");
		return -EEXIST;
	}
	b = alloc_balloon();
	text = virtio_pci_options(opts, &modern);
	err = b && text ? 0 : -ENOMEM;
	if (!err && *text) {
		log_err("virtio-balloon: option '%s' is unknown", text);
		err = -EINVAL;
	}
	free(text);
	if (!err)
		err = make_function(b, d->pci, modern);
	if (err)
		free_balloon(b);
	else
		d->state = b;
	return err;
}

static void balloon_destroy(struct dm_device *d)
{
	struct balloon *b = d->state;

	worker_stop(&b->worker);
	virtio_pci_exit(&b->pci);
	free_balloon(b);
}

static void balloon_reset(struct dm_device *d)
{
	struct balloon *b = d->state;

	virtio_pci_reset(&b->pci);
}

static int balloon_target(struct dm_device *d, uint64_t bytes)
{
	struct balloon *b = d->state;

	__atomic_store_n(&b->target, (uint32_t)(bytes / PAGE), __ATOMIC_RELAXED);
	virtio_config_changed(&b->pci.virtio);
	return 0;
}

static void balloon_statistics(struct dm_device *d, void (*add)(void *to, const char *name, uint64_t value), void *to)
{
	const struct balloon *b = d->state;

	add(to, "target", (uint64_t)__atomic_load_n(&b->target, __ATOMIC_RELAXED) * PAGE);
	add(to, "actual", (uint64_t)__atomic_load_n(&b->actual, __ATOMIC_RELAXED) * PAGE);
	add(to, "reported", __atomic_load_n(&b->reported, __ATOMIC_RELAXED));
	add(to, "returned", mem_taken());
}

static const struct dm_device_class balloon = {
	.name = "virtio-balloon",
	.help = "[,disable-modern]  memory that the guest does not need goes back to the Service VM",
	.kind = DM_PCI,
	.init = balloon_init,
	.destroy = balloon_destroy,
	.reset = balloon_reset,
	.balloon = balloon_target,
	.statistics = balloon_statistics,
};
DM_DEVICE(balloon);
