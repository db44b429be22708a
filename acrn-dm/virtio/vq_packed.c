/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed ring of virtio 1.2, section 2.8: one table that both sides write in turn, each entry marked by two bits
 * that are compared with a wrap counter. What a newcomer would get wrong: a used entry overwrites an available one, so
 * nothing is written before vq_publish(), and the first entry's flags are written last, which shows the whole batch.
 */
#include <string.h>

#include "memory.h"
#include "virtio/virtqueue_internal.h"

const char *vq_packed_start(struct virtqueue *vq, const struct vq_setup *s)
{
	if (s->size == 0 || s->size > VQ_SIZE_MAX)
		return "queue size is not in range";
	if (s->desc % 16 != 0 || s->avail % 4 != 0 || s->used % 4 != 0)
		return "a ring address is not aligned";
	vq->ring = mem_ptr(s->desc, s->size * sizeof(*vq->ring));
	vq->driver_event = mem_ptr(s->avail, sizeof(*vq->driver_event));
	vq->device_event = mem_ptr(s->used, sizeof(*vq->device_event));
	if (!vq->ring || !vq->driver_event || !vq->device_event)
		return "a ring area is not in guest memory";
	vq->avail_wrap = vq->used_wrap = true;
	return NULL;
}

/* Moves a place on by n, at most the ring's size; the wrap counter turns over at its end. */
static void advance(const struct virtqueue *vq, uint16_t *at, bool *wrap, uint16_t n)
{
	uint32_t next = (uint32_t)*at + n;

	if (next >= vq->setup.size) {
		next -= vq->setup.size;
		*wrap = !*wrap;
	}
	*at = (uint16_t)next;
}

/* The guest's copy is not read again after this. */
static struct vring_packed_desc copy_desc(const struct vring_packed_desc *from)
{
	struct vring_packed_desc d;

	memcpy(&d, from, sizeof(d));
	__asm__ volatile("" : "+m"(d) : : "memory");
	return d;
}

bool vq_packed_has_work(const struct virtqueue *vq)
{
	uint16_t flags = vq_load16(&vq->ring[vq->next_avail].flags);
	bool avail = flags & VRING_PACKED_DESC_F_AVAIL;
	bool used = flags & VRING_PACKED_DESC_F_USED;

	return avail == vq->avail_wrap && used != vq->avail_wrap;
}

/* All entries of an indirect table, in order (2.8.8). */
static const char *walk_indirect(const struct virtqueue *vq, struct vq_chain *chain, const struct vring_packed_desc *d)
{
	const struct vring_packed_desc *table;
	const char *error = NULL;
	uint32_t count;

	if (d->flags & VRING_DESC_F_NEXT)
		return "indirect descriptor in a forbidden place";
	table = vq_indirect_table(vq, d->addr, d->len, &count, &error);
	for (uint32_t i = 0; i < count && !error; i++) {
		struct vring_packed_desc e = copy_desc(&table[i]);

		if (e.flags & VRING_DESC_F_INDIRECT)
			return "indirect descriptor in a forbidden place";
		error = vq_chain_add(chain, e.addr, e.len, e.flags & VRING_DESC_F_WRITE);
	}
	return error;
}

static const char *walk(struct virtqueue *vq, struct vq_chain *chain, uint16_t *at, bool *wrap)
{
	struct vring_packed_desc d;

	do {
		const char *error;

		if (vq->in_flight + chain->count >= vq->setup.size)
			return "more requests than the ring has places";
		d = copy_desc(&vq->ring[*at]);
		advance(vq, at, wrap, 1);
		chain->count++;
		if (d.flags & VRING_DESC_F_INDIRECT)
			error = walk_indirect(vq, chain, &d);
		else
			error = vq_chain_add(chain, d.addr, d.len, d.flags & VRING_DESC_F_WRITE);
		if (error)
			return error;
	} while (d.flags & VRING_DESC_F_NEXT);
	chain->head = d.id;	/* of the last one (2.8.6) */
	return NULL;
}

int vq_packed_pop(struct virtqueue *vq, struct vq_chain *chain)
{
	uint16_t at = vq->next_avail;
	bool wrap = vq->avail_wrap;
	const char *error;

	if (!vq_packed_has_work(vq))
		return 0;
	vq_chain_begin(vq, chain);
	error = walk(vq, chain, &at, &wrap);
	if (error)
		return vq_broken(vq, error);
	vq->next_avail = at;
	vq->avail_wrap = wrap;
	vq->in_flight = (uint16_t)(vq->in_flight + chain->count);
	return 1;
}

static uint16_t used_flags(bool wrap)
{
	return wrap ? VRING_PACKED_DESC_F_AVAIL | VRING_PACKED_DESC_F_USED : 0;
}

void vq_packed_publish(struct virtqueue *vq)
{
	struct vring_packed_desc *first = &vq->ring[vq->next_used];
	uint16_t first_flags = used_flags(vq->used_wrap);

	for (unsigned int i = 0; i < vq->n_filled; i++) {
		const struct vq_filled *f = &vq->filled[i];
		struct vring_packed_desc *d = &vq->ring[vq->next_used];

		__atomic_store_n(&d->len, f->len, __ATOMIC_RELAXED);
		__atomic_store_n(&d->id, f->id, __ATOMIC_RELAXED);
		if (d != first)
			vq_store16(&d->flags, used_flags(vq->used_wrap));
		advance(vq, &vq->next_used, &vq->used_wrap, f->count);
		vq->in_flight = (uint16_t)(vq->in_flight - f->count);
		vq->since += f->count;
	}
	vq_store16(&first->flags, first_flags);
}

bool vq_packed_should_interrupt(struct virtqueue *vq)
{
	uint16_t size = vq->setup.size;
	uint32_t since = vq->since;
	uint16_t flags, off_wrap, event;

	vq->since = 0;
	flags = vq_load16(&vq->driver_event->flags);
	off_wrap = vq_load16(&vq->driver_event->off_wrap);
	if (flags != VRING_PACKED_EVENT_DESC || !vq->setup.event_idx)
		return flags != VRING_PACKED_EVENT_DISABLE;
	event = off_wrap & 0x7fff;
	if (since >= size || event >= size)
		return true;
	if ((off_wrap >> 15) != vq->used_wrap)
		event = (uint16_t)(event - size);
	return vq_passed(event, vq->next_used, (uint16_t)(vq->next_used - since));
}

void vq_packed_notify(struct virtqueue *vq, bool on)
{
	vq_store16(&vq->device_event->flags, on ? VRING_PACKED_EVENT_ENABLE : VRING_PACKED_EVENT_DISABLE);
}
