/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's memory and its side of a split ring. */
#include "unit.h"

#include <string.h>

#include "dm/fake_guest.h"
#include "dm/patience.h"
#include "memory.h"

#define MEMORY		(64ull << 20)

static uint64_t next_free;

void guest_memory_make(void)
{
	assert_int_equal(memory_init(MEMORY, false), 0);
	next_free = 0x1000;
}

void guest_memory_drop(void)
{
	memory_exit();
}

void *guest_at(uint64_t gpa)
{
	void *p = mem_ptr(gpa, 1);

	assert_non_null(p);
	return p;
}

uint64_t guest_alloc(size_t len, size_t align)
{
	uint64_t gpa = (next_free + align - 1) & ~(uint64_t)(align - 1);

	next_free = gpa + len;
	assert_true(next_free <= MEMORY);
	memset(guest_at(gpa), 0, len);
	return gpa;
}

void ring_make(struct guest_ring *r, uint16_t size)
{
	size_t n = size;
	size_t first = n * 16 + 4 + (n + 1) * 2;
	size_t used = (first + 4095) & ~(size_t)4095;

	memset(r, 0, sizeof(*r));
	r->setup.size = size;
	r->setup.desc = guest_alloc(used + 4 + n * 8 + 2, 4096);
	r->setup.avail = r->setup.desc + n * 16;
	r->setup.used = r->setup.desc + used;
}

void ring_make_packed(struct guest_ring *r, uint16_t size)
{
	memset(r, 0, sizeof(*r));
	r->setup.size = size;
	r->setup.packed = true;
	r->setup.desc = guest_alloc(size * 16u, 16);
	r->setup.avail = guest_alloc(4, 4);
	r->setup.used = guest_alloc(4, 4);
	r->wrap = r->used_wrap = true;
}

struct vring_packed_desc *ring_packed(struct guest_ring *r, uint16_t i)
{
	return (struct vring_packed_desc *)guest_at(r->setup.desc) + i;
}

static void packed_step(const struct guest_ring *r, uint16_t *at, bool *wrap, unsigned int n)
{
	for (*at = (uint16_t)(*at + n); *at >= r->setup.size; *at = (uint16_t)(*at - r->setup.size))
		*wrap = !*wrap;
}

/* The first flags are written last, as a driver must. */
static uint16_t packed_add(struct guest_ring *r, const struct vring_packed_desc *d, unsigned int n)
{
	uint16_t id = r->next_id;
	uint16_t first = r->at, first_flags = 0;

	r->next_id = (uint16_t)((id + 1) % r->setup.size);
	r->id_count[id] = (uint16_t)n;
	for (unsigned int i = 0; i < n; i++) {
		uint16_t flags = (uint16_t)(d[i].flags | (i + 1 < n ? VRING_DESC_F_NEXT : 0) |
					    (r->wrap ? VRING_PACKED_DESC_F_AVAIL : VRING_PACKED_DESC_F_USED));
		struct vring_packed_desc *to = ring_packed(r, r->at);

		to->addr = d[i].addr;
		to->len = d[i].len;
		to->id = id;
		if (i == 0)
			first_flags = flags;
		else
			to->flags = flags;
		packed_step(r, &r->at, &r->wrap, 1);
	}
	__atomic_store_n(&ring_packed(r, first)->flags, first_flags, __ATOMIC_RELEASE);
	return id;
}

static uint16_t packed_add_segs(struct guest_ring *r, const struct guest_seg *segs, unsigned int n_out,
				unsigned int n_in)
{
	struct vring_packed_desc d[VQ_SEGS_MAX];

	for (unsigned int i = 0; i < n_out + n_in; i++)
		d[i] = (struct vring_packed_desc){
			.addr = segs[i].addr,
			.len = segs[i].len,
			.flags = i >= n_out ? VRING_DESC_F_WRITE : 0,
		};
	return packed_add(r, d, n_out + n_in);
}

struct vring_desc *ring_desc(struct guest_ring *r, uint16_t i)
{
	return (struct vring_desc *)guest_at(r->setup.desc) + i;
}

struct vring_avail *ring_avail(struct guest_ring *r)
{
	return guest_at(r->setup.avail);
}

struct vring_used *ring_used(struct guest_ring *r)
{
	return guest_at(r->setup.used);
}

void ring_offer(struct guest_ring *r, uint16_t head)
{
	ring_avail(r)->ring[r->avail_idx & (r->setup.size - 1)] = head;
	r->avail_idx++;
	__atomic_store_n(&ring_avail(r)->idx, r->avail_idx, __ATOMIC_RELEASE);
}

static void fill(struct vring_desc *d, const struct guest_seg *s, bool is_in, int next)
{
	d->addr = s->addr;
	d->len = s->len;
	d->flags = (uint16_t)((is_in ? VRING_DESC_F_WRITE : 0) | (next >= 0 ? VRING_DESC_F_NEXT : 0));
	d->next = (uint16_t)(next >= 0 ? next : 0);
}

static uint16_t take_desc(struct guest_ring *r)
{
	return r->next_desc++ & (uint16_t)(r->setup.size - 1);
}

uint16_t ring_add(struct guest_ring *r, const struct guest_seg *segs, unsigned int n_out, unsigned int n_in)
{
	uint16_t head = r->next_desc & (uint16_t)(r->setup.size - 1);

	if (r->setup.packed)
		return packed_add_segs(r, segs, n_out, n_in);
	for (unsigned int i = 0; i < n_out + n_in; i++) {
		uint16_t at = take_desc(r);
		bool last = i + 1 == n_out + n_in;

		fill(ring_desc(r, at), &segs[i], i >= n_out, last ? -1 : (at + 1) & (r->setup.size - 1));
	}
	ring_offer(r, head);
	return head;
}

uint16_t ring_add_indirect(struct guest_ring *r, const struct guest_seg *segs, unsigned int n_out, unsigned int n_in)
{
	unsigned int n = n_out + n_in;
	uint64_t table = guest_alloc(n * sizeof(struct vring_desc), 16);
	struct vring_desc *t = guest_at(table);
	uint16_t head;

	for (unsigned int i = 0; i < n; i++)
		fill(&t[i], &segs[i], i >= n_out, i + 1 < n && !r->setup.packed ? (int)i + 1 : -1);
	if (r->setup.packed) {	/* flags and id change places there */
		for (unsigned int i = 0; i < n; i++)
			t[i] = (struct vring_desc){ t[i].addr, t[i].len, 0, t[i].flags };
		return packed_add(r, &(struct vring_packed_desc){ table, n * 16, 0, VRING_DESC_F_INDIRECT }, 1);
	}
	head = take_desc(r);
	*ring_desc(r, head) = (struct vring_desc){
		.addr = table,
		.len = (uint32_t)(n * sizeof(struct vring_desc)),
		.flags = VRING_DESC_F_INDIRECT,
	};
	ring_offer(r, head);
	return head;
}

bool ring_has_used(struct guest_ring *r)
{
	if (r->setup.packed) {
		uint16_t flags = __atomic_load_n(&ring_packed(r, r->used_at)->flags, __ATOMIC_ACQUIRE);

		return !!(flags & VRING_PACKED_DESC_F_AVAIL) == r->used_wrap &&
		       !!(flags & VRING_PACKED_DESC_F_USED) == r->used_wrap;
	}
	return __atomic_load_n(&ring_used(r)->idx, __ATOMIC_ACQUIRE) != r->used_seen;
}

bool ring_wait(struct guest_ring *r, struct vring_used_elem *e)
{
	if (!BECOMES(ring_has_used(r)))
		return false;
	if (r->setup.packed) {
		struct vring_packed_desc *d = ring_packed(r, r->used_at);

		assert_in_range(d->id, 0, r->setup.size - 1);
		*e = (struct vring_used_elem){ d->id, d->len };
		packed_step(r, &r->used_at, &r->used_wrap, r->id_count[d->id]);
		return true;
	}
	*e = ring_used(r)->ring[r->used_seen & (r->setup.size - 1)];
	r->used_seen++;
	return true;
}
