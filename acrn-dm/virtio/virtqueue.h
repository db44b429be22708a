/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue, split or packed, seen from the device. The ring lives in memory that a hostile guest keeps writing, so
 * the queue is a state machine (there is no pointer into the guest unless it is VQ_READY) and every value is copied
 * once, checked, then used. Nothing here locks: the owner serialises the calls on one queue (virtio.h says how).
 * What a newcomer would get wrong: a chain outlives the lock, so it carries the queue's `life`, and a chain of an
 * earlier life is dropped by vq_fill() instead of being written into the ring of the next one.
 *
 *      OFF ──vq_start──► READY ──bad ring──► BROKEN
 *       ▲                  │                   │
 *       └──────vq_stop─────┴───────────────────┘
 *               (and a new life begins)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define VQ_SIZE_MAX	1024u	/* no device here offers more */
#define VQ_SEGS_MAX	256u	/* descriptors in one chain; a longer one breaks the queue */
#define VQ_BATCH_MAX	256u	/* chains that can be filled before they are published */

#define VRING_DESC_F_NEXT	1u
#define VRING_DESC_F_WRITE	2u
#define VRING_DESC_F_INDIRECT	4u
#define VRING_AVAIL_F_NO_INTERRUPT	1u
#define VRING_USED_F_NO_NOTIFY		1u
#define VRING_PACKED_DESC_F_AVAIL	0x0080u
#define VRING_PACKED_DESC_F_USED	0x8000u
#define VRING_PACKED_EVENT_ENABLE	0u
#define VRING_PACKED_EVENT_DISABLE	1u
#define VRING_PACKED_EVENT_DESC		2u

/* The ring's formats: virtio 1.2, 2.7.5 to 2.7.8; little-endian. The trailing event words follow ring[size]. */
struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct vring_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};

struct vring_used_elem {
	uint32_t id;
	uint32_t len;
};

struct vring_used {
	uint16_t flags;
	uint16_t idx;
	struct vring_used_elem ring[];
};

/* The packed ring's: 2.8.13 and 2.8.14. */
struct vring_packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

struct vring_packed_event {
	uint16_t off_wrap;
	uint16_t flags;
};

enum vq_state { VQ_OFF, VQ_READY, VQ_BROKEN };

/* Where the driver put the ring and what it negotiated; filled by the transport while the queue is off. */
struct vq_setup {
	uint16_t size;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
	bool event_idx;
	bool indirect;
	bool packed;	/* avail and used are then the driver's and the device's event words */
};

/* A chain that is done and not yet shown to the driver. */
struct vq_filled {
	uint16_t id;
	uint16_t count;
	uint32_t len;
};

/* A place in the ring to come back to. */
struct vq_mark {
	uint16_t next_avail;
	uint16_t in_flight;
	bool avail_wrap;
};

struct virtqueue {
	enum vq_state state;
	const char *error;	/* why it is BROKEN, or why vq_start() refused; a constant string */
	struct vq_setup setup;
	uint32_t life;
	uint16_t next_avail;	/* the next avail entry to take; packed: place in the ring */
	uint16_t next_used;	/* our own copy: the guest's is never read back */
	bool avail_wrap, used_wrap;	/* packed: the wrap counters */
	uint16_t in_flight;	/* packed: descriptors taken and not given back */
	uint32_t since;		/* used entries since vq_should_interrupt() was last asked */
	bool notify_off;
	const struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_packed_desc *ring;
	const struct vring_packed_event *driver_event;
	struct vring_packed_event *device_event;
	unsigned int n_filled;
	struct vq_filled filled[VQ_BATCH_MAX];	/* stays last: vq_stop() leaves it alone */
};

/* One request: iov[0 .. n_out) is what the device reads, iov[n_out .. n_out + n_in) what it may write. */
struct vq_chain {
	uint32_t life;
	uint16_t head;		/* packed: the buffer id */
	uint16_t count;		/* packed: descriptors it takes in the ring */
	uint16_t n_out;
	uint16_t n_in;
	size_t out_len;
	size_t in_len;
	struct iovec iov[VQ_SEGS_MAX];
};

/* Start the ring that `setup` describes. False and `error` when the geometry is bad or not in guest memory. */
bool vq_start(struct virtqueue *vq, const struct vq_setup *setup);

/* Forget the ring and begin a new life; chains that are still out can no longer be completed. */
void vq_stop(struct virtqueue *vq);

/* Take the next request: 1 and `chain`, 0 when there is none (or the queue is not ready), -1 when the ring is bad
 * (the queue is then BROKEN and `error` says why). */
int vq_pop(struct virtqueue *vq, struct vq_chain *chain);

/* Where the next vq_pop() takes from; vq_rewind() gives back all that was popped (and not published) since. */
struct vq_mark vq_mark(const struct virtqueue *vq);
void vq_rewind(struct virtqueue *vq, const struct vq_mark *mark);

/* Note a chain as done: `written` bytes of its in-part hold data. The driver sees it at vq_publish(). False (and
 * nothing noted) when the chain belongs to an earlier life, or VQ_BATCH_MAX wait already. */
bool vq_fill(struct virtqueue *vq, const struct vq_chain *chain, uint32_t written);

/* Let the driver see what was filled, all at once. */
void vq_publish(struct virtqueue *vq);

/* vq_fill() and vq_publish() of one chain; false when it was of an earlier life. */
bool vq_push(struct virtqueue *vq, const struct vq_chain *chain, uint32_t written);

/* Does the driver want an interrupt for what was published since the last call? */
bool vq_should_interrupt(struct virtqueue *vq);

/* Ask the driver not to notify. A hint only. */
void vq_disable_notify(struct virtqueue *vq);

/* Ask for notifications again. True when requests came meanwhile: the caller must look once more. */
bool vq_enable_notify(struct virtqueue *vq);

/* Are there requests that were not popped? */
bool vq_has_work(const struct virtqueue *vq);
