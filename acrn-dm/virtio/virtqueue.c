/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The split ring of virtio 1.2, section 2.7, with one level of indirect descriptors and EVENT_IDX. Every loop is
 * bounded by the ring size or by VQ_SEGS_MAX, whichever is smaller, so a circular chain costs at most that many steps.
 */
#include "virtio/virtqueue.h"

#include <string.h>

#include "memory.h"

/* The descriptors of one walk: the ring's own table, or an indirect one. */
struct desc_table {
	const struct vring_desc *at;
	uint32_t count;
	bool indirect;
};

static uint16_t load16(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store16(uint16_t *p, uint16_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static uint16_t *used_event(const struct virtqueue *vq)
{
	return &vq->avail->ring[vq->setup.size];
}

static uint16_t *avail_event(const struct virtqueue *vq)
{
	return (uint16_t *)&vq->used->ring[vq->setup.size];
}

static int broken(struct virtqueue *vq, const char *why)
{
	vq->state = VQ_BROKEN;
	vq->error = why;
	vq->desc = NULL;
	vq->avail = NULL;
	vq->used = NULL;
	return -1;
}

static const char *geometry_error(const struct vq_setup *s)
{
	if (s->size == 0 || s->size > VQ_SIZE_MAX || (s->size & (s->size - 1)) != 0)
		return "queue size is not a power of two in range";
	if (s->desc % 16 != 0 || s->avail % 2 != 0 || s->used % 4 != 0)
		return "a ring address is not aligned";
	return NULL;
}

bool vq_start(struct virtqueue *vq, const struct vq_setup *setup)
{
	struct vq_setup s = *setup;
	size_t n = s.size;
	void *desc, *avail, *used;

	vq_stop(vq);
	vq->error = geometry_error(&s);
	if (vq->error)
		return false;
	desc = mem_ptr(s.desc, n * sizeof(struct vring_desc));
	avail = mem_ptr(s.avail, sizeof(struct vring_avail) + (n + 1) * sizeof(uint16_t));
	used = mem_ptr(s.used, sizeof(struct vring_used) + n * sizeof(struct vring_used_elem) + sizeof(uint16_t));
	if (!desc || !avail || !used) {
		vq->error = "a ring area is not in guest memory";
		return false;
	}
	vq->setup = s;
	vq->desc = desc;
	vq->avail = avail;
	vq->used = used;
	vq->next_avail = vq->next_used = vq->signalled = 0;
	vq->notify_off = false;
	vq->state = VQ_READY;
	return true;
}

void vq_stop(struct virtqueue *vq)
{
	uint32_t life = vq->life + 1;

	*vq = (struct virtqueue){ .state = VQ_OFF, .life = life };
}

/* The compiler may not read the guest's copy again after this. */
static struct vring_desc copy_desc(const struct vring_desc *from)
{
	struct vring_desc d;

	memcpy(&d, from, sizeof(d));
	__asm__ volatile("" : "+m"(d) : : "memory");
	return d;
}

static const char *add_segment(struct vq_chain *chain, const struct vring_desc *d)
{
	unsigned int n = (unsigned int)chain->n_out + chain->n_in;
	void *host;

	if (n >= VQ_SEGS_MAX)
		return "chain is too long";
	if (d->len == 0)
		return "descriptor of length zero";
	host = mem_ptr(d->addr, d->len);
	if (!host)
		return "descriptor is not in guest memory";
	chain->iov[n] = (struct iovec){ .iov_base = host, .iov_len = d->len };
	if (d->flags & VRING_DESC_F_WRITE) {
		chain->n_in++;
		chain->in_len += d->len;
	} else if (chain->n_in > 0) {
		return "readable descriptor after a writable one";
	} else {
		chain->n_out++;
		chain->out_len += d->len;
	}
	return chain->in_len > UINT32_MAX || chain->out_len > UINT32_MAX ? "chain is too large" : NULL;
}

static const char *enter_indirect(const struct virtqueue *vq, const struct vring_desc *d, struct desc_table *t)
{
	if (!vq->setup.indirect)
		return "indirect descriptor was not negotiated";
	if (t->indirect || (d->flags & VRING_DESC_F_NEXT))
		return "indirect descriptor in a forbidden place";
	if (d->len == 0 || d->len % sizeof(struct vring_desc) != 0)
		return "indirect table has a bad length";
	t->at = mem_ptr(d->addr, d->len);
	t->count = d->len / sizeof(struct vring_desc);
	t->indirect = true;
	return t->at ? NULL : "indirect table is not in guest memory";
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
			error = add_segment(chain, &d);
			if (!error && !(d.flags & VRING_DESC_F_NEXT))
				return NULL;
			index = d.next;
		}
		if (error)
			return error;
	}
	return "chain does not end";
}

int vq_pop(struct virtqueue *vq, struct vq_chain *chain)
{
	uint16_t waiting;
	const char *error;

	if (vq->state != VQ_READY)
		return 0;
	waiting = (uint16_t)(load16(&vq->avail->idx) - vq->next_avail);
	if (waiting == 0)
		return 0;
	if (waiting > vq->setup.size)
		return broken(vq, "avail index ran ahead of the ring");
	chain->life = vq->life;
	chain->head = load16(&vq->avail->ring[vq->next_avail & (vq->setup.size - 1)]);
	chain->n_out = chain->n_in = 0;
	chain->out_len = chain->in_len = 0;
	error = walk(vq, chain);
	if (error)
		return broken(vq, error);
	vq->next_avail++;
	if (vq->setup.event_idx && !vq->notify_off)
		store16(avail_event(vq), vq->next_avail);
	return 1;
}

void vq_unpop(struct virtqueue *vq, unsigned int n)
{
	if (vq->state == VQ_READY)
		vq->next_avail = (uint16_t)(vq->next_avail - n);
}

bool vq_fill(struct virtqueue *vq, const struct vq_chain *chain, uint32_t written, uint16_t ahead)
{
	struct vring_used_elem *e;

	if (vq->state != VQ_READY || chain->life != vq->life)
		return false;
	e = &vq->used->ring[(uint16_t)(vq->next_used + ahead) & (vq->setup.size - 1)];
	__atomic_store_n(&e->id, chain->head, __ATOMIC_RELAXED);
	__atomic_store_n(&e->len, written, __ATOMIC_RELAXED);
	return true;
}

void vq_publish(struct virtqueue *vq, uint16_t n)
{
	if (vq->state != VQ_READY)
		return;
	vq->next_used = (uint16_t)(vq->next_used + n);
	store16(&vq->used->idx, vq->next_used);
}

bool vq_push(struct virtqueue *vq, const struct vq_chain *chain, uint32_t written)
{
	if (!vq_fill(vq, chain, written, 0))
		return false;
	vq_publish(vq, 1);
	return true;
}

/* virtio 1.2, 2.7.7.2: has the index passed the driver's event word since we last asked? */
static bool passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

bool vq_should_interrupt(struct virtqueue *vq)
{
	uint16_t old = vq->signalled;

	if (vq->state != VQ_READY || old == vq->next_used)
		return false;
	/* The published index must be visible before the driver's wish is read (2.7.7). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	vq->signalled = vq->next_used;
	if (vq->setup.event_idx)
		return passed(load16(used_event(vq)), vq->next_used, old);
	return !(load16(&vq->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

void vq_disable_notify(struct virtqueue *vq)
{
	if (vq->state != VQ_READY)
		return;
	vq->notify_off = true;
	if (!vq->setup.event_idx)	/* with EVENT_IDX a stale avail_event does it */
		store16(&vq->used->flags, VRING_USED_F_NO_NOTIFY);
}

bool vq_enable_notify(struct virtqueue *vq)
{
	if (vq->state != VQ_READY)
		return false;
	vq->notify_off = false;
	if (vq->setup.event_idx)
		store16(avail_event(vq), vq->next_avail);
	else
		store16(&vq->used->flags, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vq_has_work(vq);
}

bool vq_has_work(const struct virtqueue *vq)
{
	return vq->state == VQ_READY && load16(&vq->avail->idx) != vq->next_avail;
}
