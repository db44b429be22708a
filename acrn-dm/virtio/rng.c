/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-rnd (virtio 1.2, 5.4): random bytes from getrandom(2), in a thread because that may wait for entropy early
 * after the host's boot. At most one page a request, so that a guest cannot keep us busy with one huge buffer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dev/device.h"
#include "log.h"
#include "virtio/iov.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"

#define QUEUE_SIZE	64u
#define REQUEST_MAX	4096u

struct rnd {
	struct virtio_pci pci;
	struct worker worker;
	struct vq_chain chain;
};

/* Fills the request without the queue's lock; how many bytes it got. */
static uint32_t fill(const struct vq_chain *c)
{
	uint8_t bytes[REQUEST_MAX];
	size_t len = c->in_len < sizeof(bytes) ? c->in_len : sizeof(bytes);
	ssize_t got = getrandom(bytes, len, 0);

	if (got <= 0)
		return 0;
	return (uint32_t)iov_from_buf(c->iov + c->n_out, c->n_in, 0, bytes, (size_t)got);
}

static void drain(struct rnd *r, struct virtio_queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (virtio_pop(q, &r->chain)) {
		uint32_t got;

		virtio_busy(q);
		pthread_mutex_unlock(&q->lock);
		got = fill(&r->chain);
		pthread_mutex_lock(&q->lock);
		virtio_idle(q);
		virtio_complete(q, &r->chain, got);
	}
	pthread_mutex_unlock(&q->lock);
}

static void work(void *arg)
{
	struct rnd *r = arg;
	struct virtio_queue *q = &r->pci.virtio.queues[0];
	struct pollfd fd = { .fd = q->kick_fd, .events = POLLIN };

	while (worker_wait(&r->worker, &fd, 1)) {
		worker_consume(fd.fd);
		drain(r, q);
	}
}

static const struct virtio_ops rnd_ops = { 0 };	/* no configuration, nothing to reset */

static int make_function(struct rnd *r, struct pci_func *f, bool modern)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_RNG, .class = 0x10 };
	static const uint16_t sizes[] = { QUEUE_SIZE };
	struct virtio_params params = { .ops = &rnd_ops, .priv = r, .queue_count = 1, .queue_sizes = sizes };
	int err = virtio_pci_init(&r->pci, f, &ids, &params, modern);

	if (err)
		return err;
	err = worker_start(&r->worker, "virtio-rnd", work, r);
	if (err)
		virtio_pci_exit(&r->pci);
	return err;
}

static int rnd_init(struct dm_device *d, const char *opts)
{
	struct rnd *r = calloc(1, sizeof(*r));
	bool modern;
	char *text = virtio_pci_options(opts, &modern);
	int err = r && text ? 0 : -ENOMEM;

	if (!err && strcmp(text, "kernel=on") == 0)
		log_warn("virtio-rnd: kernel=on is obsolete and ignored");
	else if (!err && *text) {
		log_err("virtio-rnd: option '%s' is unknown", text);
		err = -EINVAL;
	}
	free(text);
	if (!err)
		err = make_function(r, d->pci, modern);
	if (err)
		free(r);
	else
		d->state = r;
	return err;
}

static void rnd_destroy(struct dm_device *d)
{
	struct rnd *r = d->state;

	worker_stop(&r->worker);
	virtio_pci_exit(&r->pci);
	free(r);
}

static void rnd_reset(struct dm_device *d)
{
	struct rnd *r = d->state;

	virtio_pci_reset(&r->pci);
}

static const struct dm_device_class rnd = {
	.name = "virtio-rnd",
	.help = "[,disable-modern]  entropy for the guest",
	.kind = DM_PCI,
	.init = rnd_init,
	.destroy = rnd_destroy,
	.reset = rnd_reset,
};
DM_DEVICE(rnd);
