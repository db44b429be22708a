/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue's life, what a chain may be made of, and the split ring of virtio 1.2, section 2.7, with one level of
 * indirect descriptors and EVENT_IDX. Every loop is bounded by the ring size or by VQ_SEGS_MAX, whichever is smaller,
 * so a circular chain costs at most that many steps. The packed ring is in vq_packed.c.
 */
#include "virtio/virtqueue.h"

#include <string.h>

#include "memory.h"
#include "virtio/virtqueue_internal.h"

/* The descriptors of one walk: the ring's own table, or an indirect one. */
struct desc_table {
	const struct vring_desc *at;
	uint32_t count;
	bool indirect;
};

static uint16_t *used_event(const struct virtqueue *vq)
{
	return &vq->avail->ring[vq->setup.size];
}

static uint16_t *avail_event(const struct virtqueue *vq)
{
	return (uint16_t *)&vq->used->ring[vq->setup.size];
}

static void drop_pointers(struct virtqueue *vq)
{
	vq->desc = NULL;
	vq->avail = NULL;
	vq->used = NULL;
	vq->ring = NULL;
	vq->driver_event = NULL;
	vq->device_event = NULL;
}

int vq_broken(struct virtqueue *vq, const char *why)
{
	vq->state = VQ_BROKEN;
	vq->error = why;
	drop_pointers(vq);
	return -1;
}

static const char *split_start(struct virtqueue *vq, const struct vq_setup *s)
{
	size_t n = s->size;

	if (n == 0 || n > VQ_SIZE_MAX || (n & (n - 1)) != 0)
		return "queue size is not a power of two in range";
	if (s->desc % 16 != 0 || s->avail % 2 != 0 || s->used % 4 != 0)
		return "a ring address is not aligned";
	vq->desc = mem_ptr(s->desc, n * sizeof(struct vring_desc));
	vq->avail = mem_ptr(s->avail, sizeof(struct vring_avail) + (n + 1) * sizeof(uint16_t));
	vq->used = mem_ptr(s->used, sizeof(struct vring_used) + n * sizeof(struct vring_used_elem) + sizeof(uint16_t));
	return vq->desc && vq->avail && vq->used ? NULL : "a ring area is not in guest memory";
}

bool vq_start(struct virtqueue *vq, const struct vq_setup *setup)
{
	const struct vq_setup s = *setup;

	vq_stop(vq);
	vq->error = s.packed ? vq_packed_start(vq, &s) : split_start(vq, &s);
	if (vq->error) {
		drop_pointers(vq);
		return false;
	}
	vq->setup = s;
	vq->state = VQ_READY;
	return true;
}

void vq_stop(struct virtqueue *vq)
{
	uint32_t life = vq->life + 1;

	memset(vq, 0, offsetof(struct virtqueue, filled));
	vq->life = life;
}

/* --- chains ------------------------------------------------------------------------------------------ */

void vq_chain_begin(const struct virtqueue *vq, struct vq_chain *chain)
{
	chain->life = vq->life;
	chain->head = chain->count = 0;
	chain->n_out = chain->n_in = 0;
	chain->out_len = chain->in_len = 0;
}

const char *vq_chain_add(struct vq_chain *chain, uint64_t addr, uint32_t len, bool is_in)
{
	unsigned int n = (unsigned int)chain->n_out + chain->n_in;
	void *host;

	if (n >= VQ_SEGS_MAX)
		return "chain is too long";
	if (len == 0)
		return "descriptor of length zero";
	host = mem_ptr(addr, len);
	if (!host)
		return "descriptor is not in guest memory";
	chain->iov[n] = (struct iovec){ .iov_base = host, .iov_len = len };
	if (is_in) {
		chain->n_in++;
		chain->in_len += len;
	} else if (chain->n_in > 0) {
		return "readable descriptor after a writable one";
	} else {
		chain->n_out++;
		chain->out_len += len;
	}
	return chain->in_len > UINT32_MAX || chain->out_len > UINT32_MAX ? "chain is too large" : NULL;
}

const void *vq_indirect_table(const struct virtqueue *vq, uint64_t addr, uint32_t len, uint32_t *count,
			      const char **error)
{
	const void *table = NULL;

	*count = 0;
	if (!vq->setup.indirect) {
		*error = "indirect descriptor was not negotiated";
	} else if (len == 0 || len % sizeof(struct vring_desc) != 0) {
		*error = "indirect table has a bad length";
	} else {
		table = mem_ptr(addr, len);
		*error = table ? NULL : "indirect table is not in guest memory";
		*count = table ? (uint32_t)(len / sizeof(struct vring_desc)) : 0;
	}
	return table;
}

/* --- the split ring ---------------------------------------------------------------------------------- */

/* The compiler may not read the guest's copy again after this. */
static struct vring_desc copy_desc(const struct vring_desc *from)
{
	struct vring_desc d;

	memcpy(&d, from, sizeof(d));
	__asm__ volatile("" : "+m"(d) : : "memory");
	return d;
}

static const char *enter_indirect(const struct virtqueue *vq, const struct vring_desc *d, struct desc_table *t)
{
	const char *error = NULL;

	if (vq->setup.indirect && (t->indirect || (d->flags & VRING_DESC_F_NEXT)))
		return "indirect descriptor in a forbidden place";
	t->at = vq_indirect_table(vq, d->addr, d->len, &t->count, &error);
	t->indirect = true;
	return error;
}

static const char *walk(const struct virtqueue *vq, struct vq_chain *chain)
{
	struct desc_table t = { .at = vq->desc, .count = vq->setup.size };
	uint32_t index = chain->head;
	uint32_t steps;

	for (steps = 0; steps <= VQ_SEGS_MAX; steps++) {
		struct vring_desc d;
		const char *error;

		if (index >= t.count)
			return "descriptor index is past the table";
		d = copy_desc(&t.at[index]);
		if (d.flags & VRING_DESC_F_INDIRECT) {
			error = enter_indirect(vq, &d, &t);
			index = 0;
		} else {
			error = vq_chain_add(chain, d.addr, d.len, d.flags & VRING_DESC_F_WRITE);
			if (!error && !(d.flags & VRING_DESC_F_NEXT))
				return NULL;
			index = d.next;
		}
		if (error)
			return error;
	}
	return "chain does not end";
}

static int split_pop(struct virtqueue *vq, struct vq_chain *chain)
{
	uint16_t waiting = (uint16_t)(vq_load16(&vq->avail->idx) - vq->next_avail);
	const char *error;

	if (waiting == 0)
		return 0;
	if (waiting > vq->setup.size)
		return vq_broken(vq, "avail index ran ahead of the ring");
	vq_chain_begin(vq, chain);
	chain->head = vq_load16(&vq->avail->ring[vq->next_avail & (vq->setup.size - 1)]);
	error = walk(vq, chain);
	if (error)
		return vq_broken(vq, error);
	vq->next_avail++;
	if (vq->setup.event_idx && !vq->notify_off)
		vq_store16(avail_event(vq), vq->next_avail);
	return 1;
}

static void split_publish(struct virtqueue *vq)
{
	for (unsigned int i = 0; i < vq->n_filled; i++) {
		struct vring_used_elem *e = &vq->used->ring[(vq->next_used + i) & (vq->setup.size - 1u)];

		__atomic_store_n(&e->id, vq->filled[i].id, __ATOMIC_RELAXED);
		__atomic_store_n(&e->len, vq->filled[i].len, __ATOMIC_RELAXED);
	}
	vq->next_used = (uint16_t)(vq->next_used + vq->n_filled);
	vq->since += vq->n_filled;
	vq_store16(&vq->used->idx, vq->next_used);
}

/* --- either ring ------------------------------------------------------------------------------------- */

int vq_pop(struct virtqueue *vq, struct vq_chain *chain)
{
	if (vq->state != VQ_READY)
		return 0;
	return vq->setup.packed ? vq_packed_pop(vq, chain) : split_pop(vq, chain);
}

struct vq_mark vq_mark(const struct virtqueue *vq)
{
	return (struct vq_mark){
		.next_avail = vq->next_avail,
		.in_flight = vq->in_flight,
		.avail_wrap = vq->avail_wrap,
	};
}

void vq_rewind(struct virtqueue *vq, const struct vq_mark *mark)
{
	if (vq->state != VQ_READY)
		return;
	vq->next_avail = mark->next_avail;
	vq->in_flight = mark->in_flight;
	vq->avail_wrap = mark->avail_wrap;
	vq->n_filled = 0;
}

bool vq_fill(struct virtqueue *vq, const struct vq_chain *chain, uint32_t written)
{
	if (vq->state != VQ_READY || chain->life != vq->life || vq->n_filled == VQ_BATCH_MAX)
		return false;
	vq->filled[vq->n_filled++] = (struct vq_filled){ chain->head, chain->count, written };
	return true;
}

void vq_publish(struct virtqueue *vq)
{
	if (vq->state != VQ_READY || vq->n_filled == 0)
		return;
	if (vq->setup.packed)
		vq_packed_publish(vq);
	else
		split_publish(vq);
	vq->n_filled = 0;
}

bool vq_push(struct virtqueue *vq, const struct vq_chain *chain, uint32_t written)
{
	if (!vq_fill(vq, chain, written))
		return false;
	vq_publish(vq);
	return true;
}

bool vq_should_interrupt(struct virtqueue *vq)
{
	uint16_t old = (uint16_t)(vq->next_used - vq->since);

	if (vq->state != VQ_READY || vq->since == 0)
		return false;
	/* The published index must be visible before the driver's wish is read (2.7.7). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vq->setup.packed)
		return vq_packed_should_interrupt(vq);
	vq->since = 0;
	if (vq->setup.event_idx)
		return vq_passed(vq_load16(used_event(vq)), vq->next_used, old);
	return !(vq_load16(&vq->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

void vq_disable_notify(struct virtqueue *vq)
{
	if (vq->state != VQ_READY)
		return;
	vq->notify_off = true;
	if (vq->setup.packed)
		vq_packed_notify(vq, false);
	else if (!vq->setup.event_idx)	/* with EVENT_IDX a stale avail_event does it */
		vq_store16(&vq->used->flags, VRING_USED_F_NO_NOTIFY);
}

bool vq_enable_notify(struct virtqueue *vq)
{
	if (vq->state != VQ_READY)
		return false;
	vq->notify_off = false;
	if (vq->setup.packed)
		vq_packed_notify(vq, true);
	else if (vq->setup.event_idx)
		vq_store16(avail_event(vq), vq->next_avail);
	else
		vq_store16(&vq->used->flags, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vq_has_work(vq);
}

bool vq_has_work(const struct virtqueue *vq)
{
	if (vq->state != VQ_READY)
		return false;
	return vq->setup.packed ? vq_packed_has_work(vq) : vq_load16(&vq->avail->idx) != vq->next_avail;
}
