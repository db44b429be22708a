/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two forms of a virtqueue share: virtqueue.c (life, chains, the split ring) and vq_packed.c. */
#pragma once

#include "virtio/virtqueue.h"

static inline uint16_t vq_load16(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void vq_store16(uint16_t *p, uint16_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* virtio 1.2, 2.7.7.2: has the index passed the driver's event word since we last asked? */
static inline bool vq_passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/* The queue becomes BROKEN; returns -1. */
int vq_broken(struct virtqueue *vq, const char *why);
/* Empty the chain, of this life. */
void vq_chain_begin(const struct virtqueue *vq, struct vq_chain *chain);
/* Append what a descriptor says, through mem_ptr(). Returns NULL, or why it may not be. */
const char *vq_chain_add(struct vq_chain *chain, uint64_t addr, uint32_t len, bool is_in);
/* The table of an indirect descriptor, or NULL and *error. *count: its entries of 16 bytes. */
const void *vq_indirect_table(const struct virtqueue *vq, uint64_t addr, uint32_t len, uint32_t *count,
			      const char **error);

/* The packed ring; the queue is READY for all but the first, which leaves an error or NULL. */
const char *vq_packed_start(struct virtqueue *vq, const struct vq_setup *s);
int vq_packed_pop(struct virtqueue *vq, struct vq_chain *chain);
void vq_packed_publish(struct virtqueue *vq);
bool vq_packed_should_interrupt(struct virtqueue *vq);
void vq_packed_notify(struct virtqueue *vq, bool on);
bool vq_packed_has_work(const struct virtqueue *vq);
