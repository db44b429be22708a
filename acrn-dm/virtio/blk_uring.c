/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * aio=io_uring. Each iothread has a ring of the kernel and serves every queue whose number leaves the iothread's when
 * divided by their count. Reads, writes and flushes go through the ring; what is rare or needs no disk is done in
 * place. What a newcomer would get wrong: a request whose result is short goes into the ring again with what is left of
 * it, and an iothread that is told to end first waits for what the kernel still writes into guest memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "virtio/blk_internal.h"
#include "virtio/uring.h"

#define DEPTH	64u	/* requests of one iothread in work */

struct uring_request {
	struct blk_request r;
	struct virtio_queue *queue;
	struct uring_request *next_free;
	bool is_flush;
};

struct iothread {
	struct worker worker;
	struct blk *blk;
	unsigned int index, step;	/* serves queues index, index + step, … */
	struct io_uring ring;
	bool has_ring;
	unsigned int in_work;
	bool starved[BLK_QUEUES_MAX];	/* has requests that found no place here */
	struct uring_request *free;
	struct uring_request request[DEPTH];
};

struct blk_uring {
	unsigned int count;
	struct iothread *thread[BLK_QUEUES_MAX];
};

/* With the queue's lock. */
static void finish(struct iothread *t, struct uring_request *u, uint8_t status)
{
	blk_request_finish(t->blk, &u->r, status);
	virtio_idle(u->queue);
	virtio_complete(u->queue, &u->r.chain, (uint32_t)u->r.chain.in_len);
	u->next_free = t->free;
	t->free = u;
}

/* Puts the next piece into the ring, which has room for DEPTH: one for each request. */
static void submit(struct iothread *t, struct uring_request *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&t->ring);
	int fd = blockdev_fd(blk_disk(t->blk));
	const struct iovec *piece;
	unsigned int n;

	if (u->is_flush) {
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	} else {
		piece = blockdev_op_piece(&u->r.op, &n);
		if (u->r.op.is_write)
			io_uring_prep_writev2(sqe, fd, piece, n, (uint64_t)u->r.op.at, u->r.op.flags);
		else
			io_uring_prep_readv(sqe, fd, piece, n, (uint64_t)u->r.op.at);
	}
	io_uring_sqe_set_data(sqe, u);
}

/* With the queue's lock: done at once, or in the ring. */
static void begin(struct iothread *t, struct uring_request *u)
{
	struct blk_request *r = &u->r;
	struct blockdev *disk = blk_disk(t->blk);
	int err = 0;

	u->is_flush = r->header.type == BLK_T_FLUSH && disk && !blockdev_info(disk)->read_only;
	if (u->is_flush)
		__atomic_fetch_add(&t->blk->count.flushes, 1, __ATOMIC_RELAXED);
	else if (blk_request_is_transfer(t->blk, r))
		err = blockdev_op_begin(disk, &r->op, r->data, r->data_count, r->header.sector);
	else {
		finish(t, u, blk_request_serve(t->blk, r));
		return;
	}
	if (err) {
		finish(t, u, blk_status(err));
		return;
	}
	t->in_work++;
	submit(t, u);
}

static void drain(struct iothread *t, struct virtio_queue *q)
{
	pthread_mutex_lock(&q->lock);
	do {
		struct uring_request *u;

		while ((u = t->free) != NULL && virtio_pop(q, &u->r.chain)) {
			if (!blk_request_read(t->blk, &u->r))
				continue;
			t->free = u->next_free;
			u->queue = q;
			virtio_busy(q);
			begin(t, u);
		}
		t->starved[q->index] = u == NULL;
	} while (t->free && virtio_enable_notify(q));
	pthread_mutex_unlock(&q->lock);
}

static void reap_one(struct iothread *t, struct uring_request *u, int result)
{
	int err = u->is_flush ? result : blockdev_op_advance(&u->r.op, result);

	if (!u->is_flush && err > 0) {
		submit(t, u);
		return;
	}
	if (!u->is_flush)
		blockdev_op_end(&u->r.op);
	t->in_work--;
	pthread_mutex_lock(&u->queue->lock);
	finish(t, u, blk_status(err));
	pthread_mutex_unlock(&u->queue->lock);
}

static bool reap(struct iothread *t)
{
	struct io_uring_cqe *cqe;
	bool any = false;

	while (io_uring_peek_cqe(&t->ring, &cqe) == 0) {
		struct uring_request *u = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&t->ring, cqe);
		reap_one(t, u, result);
		any = true;
	}
	return any;
}

/* Until the kernel has everything and nothing more is ready: a request that the page cache answers ends here. */
static void turn(struct iothread *t)
{
	do {
		int r = io_uring_submit(&t->ring);

		if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
			log_guest("%s: io_uring: %s", t->blk->pci.name, strerror(-r));
		while (reap(t))
			for (unsigned int i = t->index; i < t->blk->prefix.queues; i += t->step)
				if (t->starved[i])
					drain(t, &t->blk->pci.virtio.queues[i]);
	} while (io_uring_sq_ready(&t->ring) > 0);
}

static void work(void *arg)
{
	struct iothread *t = arg;
	struct virtio_queue *queues = t->blk->pci.virtio.queues;
	struct pollfd fds[BLK_QUEUES_MAX + 1];
	unsigned int n = 0;

	for (unsigned int i = t->index; i < t->blk->prefix.queues; i += t->step)
		fds[n++] = (struct pollfd){ .fd = queues[i].kick_fd, .events = POLLIN };
	fds[n] = (struct pollfd){ .fd = t->ring.ring_fd, .events = POLLIN };
	while (worker_wait(&t->worker, fds, n + 1)) {
		for (unsigned int i = 0; i < n; i++) {
			if (!fds[i].revents)
				continue;
			worker_consume(fds[i].fd);
			drain(t, &queues[t->index + i * t->step]);
		}
		turn(t);
	}
	while (t->in_work > 0) {
		(void)io_uring_submit_and_wait(&t->ring, 1);
		(void)reap(t);
	}
}

static void stop_one(struct iothread *t)
{
	worker_stop(&t->worker);
	if (t->has_ring)
		io_uring_queue_exit(&t->ring);
	free(t);
}

static void stop(struct blk *b)
{
	struct blk_uring *s = b->engine_state;

	for (unsigned int i = 0; i < s->count; i++)
		stop_one(s->thread[i]);
	free(s);
	b->engine_state = NULL;
}

static int start_one(struct iothread *t)
{
	int err = uring_open(&t->ring, DEPTH);

	t->has_ring = err == 0;
	if (err) {
		log_err("%s: this kernel has no io_uring for us (%s): use aio=threads", t->blk->pci.name,
			strerror(-err));
		return err;
	}
	for (unsigned int i = 0; i < DEPTH; i++) {
		t->request[i].next_free = t->free;
		t->free = &t->request[i];
	}
	err = worker_start(&t->worker, "virtio-blk", work, t);
	if (!err)
		blk_pin(t->blk, t->worker.thread, t->index);
	return err;
}

static int start(struct blk *b)
{
	unsigned int n = b->prefix.iothreads ? b->prefix.iothreads : b->prefix.queues;
	struct blk_uring *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	b->engine_state = s;
	for (unsigned int i = 0; i < n; i++) {
		struct iothread *t = calloc(1, sizeof(*t));
		int err = t ? 0 : -ENOMEM;

		if (t) {
			s->thread[s->count++] = t;
			t->blk = b;
			t->index = i;
			t->step = n;
			err = start_one(t);
		}
		if (err) {
			stop(b);
			return err;
		}
	}
	return 0;
}

const struct blk_engine blk_uring = { .start = start, .stop = stop };
