/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * aio=threads. Each queue has a few threads; one takes a request under the queue's lock, does the I/O without it and
 * completes it under it again, so requests finish in any order and a slow disk stops nobody. A thread that leaves more
 * work behind wakes the next one through the kick eventfd; notifications of the driver stay on while threads do I/O, or
 * the next request would wait for the slowest of them.
 */
#include <errno.h>
#include <stdlib.h>

#include "virtio/blk_internal.h"

#define THREADS		4u	/* a queue */

struct blk_thread {
	struct worker worker;
	struct blk *blk;
	struct virtio_queue *queue;
	struct blk_request request;
};

struct blk_threads {
	unsigned int count;
	struct blk_thread thread[];
};

/* One request without the queue's lock; false when it is not even a request. */
static bool serve(struct blk_thread *t)
{
	struct blk_request *r = &t->request;
	struct blockdev *disk = blk_disk(t->blk);
	uint8_t status;

	if (!blk_request_read(t->blk, r))
		return false;
	if (disk && blk_request_is_transfer(t->blk, r))
		status = blk_status(blockdev_transfer(disk, &r->op, r->data, r->data_count, r->header.sector));
	else
		status = blk_request_serve(t->blk, r);
	blk_request_finish(t->blk, r, status);
	return true;
}

static void drain(struct blk_thread *t)
{
	struct virtio_queue *q = t->queue;
	struct vq_chain *chain = &t->request.chain;

	pthread_mutex_lock(&q->lock);
	do {
		while (virtio_pop(q, chain)) {
			bool ok;

			if (vq_has_work(&q->vq))
				virtio_kick(q);	/* for the next thread */
			virtio_busy(q);
			pthread_mutex_unlock(&q->lock);
			ok = serve(t);
			pthread_mutex_lock(&q->lock);
			virtio_idle(q);
			if (ok)
				virtio_complete(q, chain, (uint32_t)chain->in_len);
		}
	} while (virtio_enable_notify(q));
	pthread_mutex_unlock(&q->lock);
}

static void work(void *arg)
{
	struct blk_thread *t = arg;

	while (worker_wait_one(&t->worker, t->queue->kick_fd)) {
		worker_consume(t->queue->kick_fd);
		drain(t);
	}
}

static void stop(struct blk *b)
{
	struct blk_threads *s = b->engine_state;

	for (unsigned int i = 0; i < s->count; i++)
		worker_stop(&s->thread[i].worker);
	free(s);
	b->engine_state = NULL;
}

static int start(struct blk *b)
{
	unsigned int n = b->prefix.queues * THREADS;
	struct blk_threads *s = calloc(1, sizeof(*s) + n * sizeof(s->thread[0]));

	if (!s)
		return -ENOMEM;
	b->engine_state = s;
	for (unsigned int i = 0; i < n; i++) {
		struct blk_thread *t = &s->thread[i];
		int err;

		t->blk = b;
		t->queue = &b->pci.virtio.queues[i / THREADS];
		err = worker_start(&t->worker, "virtio-blk", work, t);
		if (err) {
			stop(b);
			return err;
		}
		blk_pin(b, t->worker.thread, i / THREADS);
		s->count = i + 1;
	}
	return 0;
}

const struct blk_engine blk_threads = { .start = start, .stop = stop };
