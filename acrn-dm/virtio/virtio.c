/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Life of a virtio device: negotiation (virtio 1.2, 3.1.1), start, failure, reset. The order inside a reset is the
 * point: rings first (no new request is taken), then wait for the workers, then the device, then the registers.
 */
#include "virtio/virtio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"

static void queue_defaults(struct virtio_queue *q)
{
	q->setup = (struct vq_setup){ .size = q->size_max };
	q->enabled = false;
	__atomic_store_n(&q->vector, VIRTIO_NO_VECTOR, __ATOMIC_RELAXED);
}

static int queue_init(struct virtio_dev *v, unsigned int i, uint16_t size)
{
	struct virtio_queue *q = &v->queues[i];

	q->dev = v;
	q->index = i;
	q->size_max = size;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->idle, NULL);
	queue_defaults(q);
	q->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return q->kick_fd < 0 ? -errno : 0;
}

int virtio_init(struct virtio_dev *v, const struct virtio_params *p)
{
	pthread_mutex_init(&v->lock, NULL);
	v->ops = p->ops;
	v->priv = p->priv;
	v->offered = p->features | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_VERSION_1);
	if (!p->split_only)
		v->offered |= VIRTIO_BIT(VIRTIO_F_RING_PACKED);
	v->config_size = p->config_size;
	v->config_vector = VIRTIO_NO_VECTOR;
	v->queues = calloc(p->queue_count, sizeof(*v->queues));
	if (!v->queues)
		return -ENOMEM;
	for (unsigned int i = 0; i < p->queue_count; i++) {
		int err = queue_init(v, i, p->queue_sizes[i]);

		v->queue_count = i + 1;
		if (err) {
			virtio_exit(v);
			return err;
		}
	}
	return 0;
}

void virtio_exit(struct virtio_dev *v)
{
	for (unsigned int i = 0; i < v->queue_count; i++) {
		struct virtio_queue *q = &v->queues[i];

		if (q->kick_fd >= 0)
			close(q->kick_fd);
		pthread_cond_destroy(&q->idle);
		pthread_mutex_destroy(&q->lock);
	}
	free(v->queues);
	v->queues = NULL;
	v->queue_count = 0;
	pthread_mutex_destroy(&v->lock);
}

/* --- for devices ------------------------------------------------------------------------------------ */

static void raise_config(struct virtio_dev *v)
{
	if (v->interrupt)
		v->interrupt(v, __atomic_load_n(&v->config_vector, __ATOMIC_RELAXED), VIRTIO_ISR_CONFIG);
}

void virtio_fail(struct virtio_dev *v, const char *why)
{
	uint8_t old = __atomic_fetch_or(&v->status, VIRTIO_STATUS_NEEDS_RESET, __ATOMIC_SEQ_CST);

	if (old & VIRTIO_STATUS_NEEDS_RESET)
		return;
	log_guest("%s: the driver broke the protocol (%s); the device waits for a reset", v->name, why);
	if (old & VIRTIO_STATUS_DRIVER_OK)
		raise_config(v);
}

void virtio_config_changed(struct virtio_dev *v)
{
	__atomic_fetch_add(&v->generation, 1, __ATOMIC_SEQ_CST);
	if (virtio_status(v) & VIRTIO_STATUS_DRIVER_OK)
		raise_config(v);
}

bool virtio_pop(struct virtio_queue *q, struct vq_chain *chain)
{
	int r;

	if (virtio_status(q->dev) & VIRTIO_STATUS_NEEDS_RESET)
		return false;
	r = vq_pop(&q->vq, chain);
	if (r < 0)
		virtio_fail(q->dev, q->vq.error);
	return r > 0;
}

bool virtio_enable_notify(struct virtio_queue *q)
{
	bool more = q->dev->polled ? vq_has_work(&q->vq) : vq_enable_notify(&q->vq);

	return more && !(virtio_status(q->dev) & VIRTIO_STATUS_NEEDS_RESET);
}

void virtio_signal(struct virtio_queue *q)
{
	if (vq_should_interrupt(&q->vq) && q->dev->interrupt)
		q->dev->interrupt(q->dev, __atomic_load_n(&q->vector, __ATOMIC_RELAXED), VIRTIO_ISR_QUEUE);
}

void virtio_complete(struct virtio_queue *q, const struct vq_chain *chain, uint32_t written)
{
	if (vq_push(&q->vq, chain, written))
		virtio_signal(q);
}

void virtio_busy(struct virtio_queue *q)
{
	q->busy++;
}

void virtio_idle(struct virtio_queue *q)
{
	if (--q->busy == 0)
		pthread_cond_broadcast(&q->idle);
}

void virtio_kick(struct virtio_queue *q)
{
	/* Fails only when the counter is full, and then the worker is awake anyway. */
	(void)eventfd_write(q->kick_fd, 1);
}

/* --- for the transport ------------------------------------------------------------------------------ */

uint8_t virtio_status(const struct virtio_dev *v)
{
	return __atomic_load_n(&v->status, __ATOMIC_SEQ_CST);
}

void virtio_accept(struct virtio_dev *v, unsigned int half, uint32_t bits)
{
	if ((virtio_status(v) & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)) || half > 1)
		return;
	__atomic_store_n(&v->accepted, (v->accepted & ~(0xffffffffull << (32 * half))) | (uint64_t)bits << (32 * half),
			 __ATOMIC_RELAXED);
}

void virtio_queue_start(struct virtio_dev *v, unsigned int i)
{
	struct virtio_queue *q = &v->queues[i];
	bool ok;

	q->setup.event_idx = virtio_has(v, VIRTIO_F_EVENT_IDX);
	q->setup.indirect = virtio_has(v, VIRTIO_F_INDIRECT_DESC);
	q->setup.packed = virtio_has(v, VIRTIO_F_RING_PACKED);
	pthread_mutex_lock(&q->lock);
	ok = q->setup.size <= q->size_max && vq_start(&q->vq, &q->setup);
	if (ok && v->polled)
		vq_disable_notify(&q->vq);
	pthread_mutex_unlock(&q->lock);
	q->enabled = ok;
	if (!ok)
		virtio_fail(v, q->vq.error ? q->vq.error : "queue is larger than offered");
	else if (v->queue_changed)
		v->queue_changed(v, i);
	if (ok && v->ops->queue_started && (virtio_status(v) & VIRTIO_STATUS_DRIVER_OK))
		v->ops->queue_started(v, i);
}

void virtio_queue_stop(struct virtio_dev *v, unsigned int i)
{
	struct virtio_queue *q = &v->queues[i];

	if (v->ops->queue_stopping)
		v->ops->queue_stopping(v, i);
	pthread_mutex_lock(&q->lock);
	vq_stop(&q->vq);
	while (q->busy > 0)
		pthread_cond_wait(&q->idle, &q->lock);
	pthread_mutex_unlock(&q->lock);
	q->enabled = false;
	if (v->queue_changed)
		v->queue_changed(v, i);
}

void virtio_queue_enable(struct virtio_dev *v, unsigned int i)
{
	v->queues[i].enabled = true;
	if (virtio_status(v) & VIRTIO_STATUS_DRIVER_OK)
		virtio_queue_start(v, i);
}

void virtio_reset(struct virtio_dev *v)
{
	for (unsigned int i = 0; i < v->queue_count; i++) {
		virtio_queue_stop(v, i);
		queue_defaults(&v->queues[i]);
	}
	if (v->ops->reset)
		v->ops->reset(v);
	__atomic_store_n(&v->accepted, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&v->config_vector, VIRTIO_NO_VECTOR, __ATOMIC_RELAXED);
	__atomic_store_n(&v->status, 0, __ATOMIC_SEQ_CST);
}

/* DRIVER_OK: rings that were enabled before start now, and what they already hold is looked at. */
static void driver_ready(struct virtio_dev *v)
{
	for (unsigned int i = 0; i < v->queue_count; i++) {
		struct virtio_queue *q = &v->queues[i];

		if (q->enabled && q->vq.state == VQ_OFF)
			virtio_queue_start(v, i);
		else if (q->enabled && v->ops->queue_started)	/* a legacy driver's, which ran before */
			v->ops->queue_started(v, i);
	}
	if (v->ops->driver_ready)
		v->ops->driver_ready(v);
	for (unsigned int i = 0; i < v->queue_count; i++)
		if (v->queues[i].enabled)
			virtio_kick(&v->queues[i]);
}

void virtio_set_status(struct virtio_dev *v, uint8_t value)
{
	uint8_t old = virtio_status(v);
	uint8_t set;

	if (value == 0) {
		virtio_reset(v);
		return;
	}
	/* virtio 1.2, 3.1.1 step 6: the bit that does not stick tells the driver no. */
	if ((value & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)) && (v->accepted & ~v->offered)) {
		log_guest("%s: the driver accepts features 0x%llx that were not offered", v->name,
			  (unsigned long long)(v->accepted & ~v->offered));
		value &= (uint8_t)~(VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
	}
	do {
		set = (uint8_t)((value & ~VIRTIO_STATUS_NEEDS_RESET) | (old & VIRTIO_STATUS_NEEDS_RESET));
	} while (!__atomic_compare_exchange_n(&v->status, &old, set, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if ((set & ~old) & VIRTIO_STATUS_DRIVER_OK)
		driver_ready(v);
}

void virtio_config_read(struct virtio_dev *v, uint64_t offset, void *buf, unsigned int len)
{
	uint8_t cfg[VIRTIO_CONFIG_MAX + 8] = { 0 };

	memset(buf, 0, len);
	if (offset >= v->config_size || len > 8)
		return;
	v->ops->config_read(v, cfg);
	memset(cfg + v->config_size, 0, sizeof(cfg) - v->config_size);
	memcpy(buf, cfg + offset, len);
}

void virtio_config_write(struct virtio_dev *v, uint64_t offset, const void *buf, unsigned int len)
{
	if (!v->ops->config_write || offset >= v->config_size || len > v->config_size - offset)
		return;
	v->ops->config_write(v, (unsigned int)offset, buf, len);
}
