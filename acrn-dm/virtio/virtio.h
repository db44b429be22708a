/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtio device without its transport: status, features, queues, life and death. A device (blk.c, net.c …) gives a
 * struct virtio_ops; the transport (virtio_pci.c) turns registers into the calls below.
 *
 * Threads. The vCPU side holds v->lock for every register access and never runs device work: a notification only
 * signals q->kick_fd. Workers own the queues: they hold q->lock around the virtqueue calls, and not while they do slow
 * I/O; what they took out meanwhile is counted in q->busy. A reset stops the rings first and then waits until busy is
 * 0, so that nothing of the old life touches guest memory afterwards. Workers never take v->lock.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/virtqueue.h"

/* Device ids of virtio 1.2, section 5; the transitional PCI device id follows from them (virtio_pci.c). */
#define VIRTIO_ID_NET		1
#define VIRTIO_ID_BLOCK		2
#define VIRTIO_ID_CONSOLE	3
#define VIRTIO_ID_RNG		4
#define VIRTIO_ID_BALLOON	5
#define VIRTIO_ID_INPUT		18
#define VIRTIO_ID_VSOCK		19

#define VIRTIO_STATUS_ACKNOWLEDGE	0x01u
#define VIRTIO_STATUS_DRIVER		0x02u
#define VIRTIO_STATUS_DRIVER_OK		0x04u
#define VIRTIO_STATUS_FEATURES_OK	0x08u
#define VIRTIO_STATUS_NEEDS_RESET	0x40u
#define VIRTIO_STATUS_FAILED		0x80u

#define VIRTIO_F_INDIRECT_DESC	28
#define VIRTIO_F_EVENT_IDX	29
#define VIRTIO_F_VERSION_1	32
#define VIRTIO_F_RING_PACKED	34

#define VIRTIO_NO_VECTOR	0xffffu
#define VIRTIO_ISR_QUEUE	1u
#define VIRTIO_ISR_CONFIG	2u

#define VIRTIO_QUEUES_MAX	64u
#define VIRTIO_CONFIG_MAX	256u

#define VIRTIO_BIT(n)		(1ull << (n))

struct virtio_dev;

struct virtio_ops {
	/* Fill the whole device configuration, v->config_size bytes (zeroed before). With v->lock. */
	void (*config_read)(struct virtio_dev *v, uint8_t *cfg);
	/* Optional: the driver wrote len bytes at offset; the range lies inside. With v->lock. */
	void (*config_write)(struct virtio_dev *v, unsigned int offset, const uint8_t *data, unsigned int len);
	/* Optional: the driver is ready (DRIVER_OK was set); its queues run. With v->lock. */
	void (*driver_ready)(struct virtio_dev *v);
	/* Optional: queue i runs and the driver is ready; queue i is about to stop. With v->lock. */
	void (*queue_started)(struct virtio_dev *v, unsigned int i);
	void (*queue_stopping)(struct virtio_dev *v, unsigned int i);
	/* Optional: back to the initial state; all queues are stopped and idle. With v->lock. */
	void (*reset)(struct virtio_dev *v);
};

struct virtio_queue {
	struct virtio_dev *dev;
	unsigned int index;
	int kick_fd;			/* eventfd, non-blocking: the driver notified */
	pthread_mutex_t lock;		/* guards vq and busy */
	pthread_cond_t idle;		/* busy became 0 */
	struct virtqueue vq;
	unsigned int busy;		/* requests in work without the lock */
	/* Of the transport, with v->lock. */
	uint16_t size_max;
	struct vq_setup setup;		/* what the driver wrote; taken over when the queue starts */
	bool enabled;
	uint16_t vector;		/* read by workers too: atomic access */
};

struct virtio_dev {
	const char *name;		/* "virtio-blk@3:0", for messages */
	const struct virtio_ops *ops;
	void *priv;			/* of the device */
	pthread_mutex_t lock;
	uint64_t offered;
	uint64_t accepted;		/* stable while a queue runs; atomic access */
	uint8_t status;			/* atomic access: workers set NEEDS_RESET */
	uint8_t generation;		/* atomic access */
	uint16_t config_vector;		/* atomic access */
	unsigned int config_size;
	unsigned int queue_count;
	struct virtio_queue *queues;
	/* Of the transport: tell the driver. From any thread, with any lock. */
	void (*interrupt)(struct virtio_dev *v, uint16_t vector, uint8_t isr);
	/* Of the transport: queue i starts or stopped; (de)register its fast notification. With v->lock. */
	void (*queue_changed)(struct virtio_dev *v, unsigned int i);
	void *transport;
	bool polled;			/* the driver is not to notify: somebody kicks all queues in turn */
};

struct virtio_params {
	const struct virtio_ops *ops;
	void *priv;
	uint64_t features;		/* INDIRECT_DESC, VERSION_1 and RING_PACKED are added */
	bool split_only;		/* no RING_PACKED */
	unsigned int config_size;
	unsigned int queue_count;
	const uint16_t *queue_sizes;	/* queue_count of them, powers of two */
};

/* Returns 0 or -errno. The queue array and its descriptors live until virtio_exit(). */
int virtio_init(struct virtio_dev *v, const struct virtio_params *p);
void virtio_exit(struct virtio_dev *v);

/* --- for devices ------------------------------------------------------------------------------------ */

static inline bool virtio_has(const struct virtio_dev *v, unsigned int feature)
{
	return (__atomic_load_n(&v->accepted, __ATOMIC_RELAXED) & VIRTIO_BIT(feature)) != 0;
}

/* With q->lock. vq_pop(), and a bad ring puts the device in NEEDS_RESET; false when there is no request. */
bool virtio_pop(struct virtio_queue *q, struct vq_chain *chain);
/* With q->lock. vq_enable_notify(), but false for a device in NEEDS_RESET, whose requests nobody takes. */
bool virtio_enable_notify(struct virtio_queue *q);
/* With q->lock. Complete one request and interrupt the driver if it wants that. */
void virtio_complete(struct virtio_queue *q, const struct vq_chain *chain, uint32_t written);
/* With q->lock. Interrupt the driver for what was published, if it wants that. */
void virtio_signal(struct virtio_queue *q);
/* With q->lock. A request leaves the lock, or came back to it. */
void virtio_busy(struct virtio_queue *q);
void virtio_idle(struct virtio_queue *q);
/* The driver broke the rules: NEEDS_RESET, a config interrupt to a 1.x driver, one line in the log. Any thread. */
void virtio_fail(struct virtio_dev *v, const char *why);
/* The device configuration changed. Any thread. */
void virtio_config_changed(struct virtio_dev *v);
/* Wake the worker of queue q as a notification of the driver does. Any thread. */
void virtio_kick(struct virtio_queue *q);

/* --- for the transport; all with v->lock ------------------------------------------------------------ */

uint8_t virtio_status(const struct virtio_dev *v);
/* A write to the status register. 0 resets, and returns when that is done. */
void virtio_set_status(struct virtio_dev *v, uint8_t value);
void virtio_reset(struct virtio_dev *v);
/* Half (0 or 1) of the feature bits that the driver accepts; ignored once FEATURES_OK is set. */
void virtio_accept(struct virtio_dev *v, unsigned int half, uint32_t bits);
/* Take over q->setup and run the ring; a bad setup fails the device. */
void virtio_queue_start(struct virtio_dev *v, unsigned int i);
/* Stop the ring and wait for its worker; the setup is forgotten. */
void virtio_queue_stop(struct virtio_dev *v, unsigned int i);
/* A 1.x queue_enable: runs at once if the driver is ready, else at DRIVER_OK. */
void virtio_queue_enable(struct virtio_dev *v, unsigned int i);
/* Device configuration; what lies outside reads as zero and ignores writes. */
void virtio_config_read(struct virtio_dev *v, uint64_t offset, void *buf, unsigned int len);
void virtio_config_write(struct virtio_dev *v, uint64_t offset, const void *buf, unsigned int len);
