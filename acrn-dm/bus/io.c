/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two sorted arrays of ranges behind one gate. Handlers run inside it: that is
 * what makes io_unregister() safe, and why handlers must not register (see io.h).
 */
#include "bus/io.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

struct space {
	struct io_range *range;	/* sorted by base, no overlaps */
	unsigned int count, room;
};

static struct space spaces[2];
/*
 * Many readers, few writers, and a reader must be cheap: it counts itself in and looks whether a
 * writer wants the bus. A writer shuts the gate, then waits until the last reader inside has left.
 */
static struct {
	pthread_mutex_t writer;
	atomic_bool shut;
	atomic_uint readers;
	pthread_mutex_t lock;	/* of the next: the last reader left, and a writer waits for it */
	pthread_cond_t empty;
} gate = {
	.writer = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.empty = PTHREAD_COND_INITIALIZER,
};

/* Either the reader sees the gate shut and tells, or the writer, who shut it before, sees nobody inside. */
static void leave(void)
{
	if (atomic_fetch_sub(&gate.readers, 1) != 1 || !atomic_load(&gate.shut))
		return;
	pthread_mutex_lock(&gate.lock);
	pthread_cond_signal(&gate.empty);
	pthread_mutex_unlock(&gate.lock);
}

static void enter(void)
{
	for (;;) {
		atomic_fetch_add(&gate.readers, 1);
		if (!atomic_load(&gate.shut))
			return;
		leave();
		pthread_mutex_lock(&gate.writer);	/* sleeps until the writer is done */
		pthread_mutex_unlock(&gate.writer);
	}
}

static void shut(void)
{
	pthread_mutex_lock(&gate.writer);
	atomic_store(&gate.shut, true);
	pthread_mutex_lock(&gate.lock);
	while (atomic_load(&gate.readers))
		pthread_cond_wait(&gate.empty, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void open_again(void)
{
	atomic_store(&gate.shut, false);
	pthread_mutex_unlock(&gate.writer);
}

/* The index of the first range whose end is above addr. */
static unsigned int search(const struct space *s, uint64_t addr)
{
	unsigned int lo = 0, hi = s->count;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (s->range[mid].base + (s->range[mid].len - 1) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int insert(struct space *s, const struct io_range *r)
{
	unsigned int at = search(s, r->base);

	if (at < s->count && s->range[at].base <= r->base + (r->len - 1)) {
		log_guest("%s at 0x%llx overlaps %s", r->name, (unsigned long long)r->base, s->range[at].name);
		return -EEXIST;
	}
	if (s->count == s->room) {
		unsigned int room = s->room ? s->room * 2 : 32;
		struct io_range *bigger = realloc(s->range, room * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		s->range = bigger;
		s->room = room;
	}
	memmove(&s->range[at + 1], &s->range[at], (s->count - at) * sizeof(*r));
	s->range[at] = *r;
	s->count++;
	return 0;
}

int io_register(const struct io_range *r)
{
	int err;

	if (r->len == 0 || r->base + (r->len - 1) < r->base || !r->handler)
		return -EINVAL;
	shut();
	err = insert(&spaces[r->space], r);
	open_again();
	return err;
}

bool io_unregister(enum io_space space, uint64_t base)
{
	struct space *s = &spaces[space];
	bool found;
	unsigned int at;

	shut();
	at = search(s, base);
	found = at < s->count && s->range[at].base == base;
	if (found) {
		s->count--;
		memmove(&s->range[at], &s->range[at + 1], (s->count - at) * sizeof(*s->range));
	}
	open_again();
	return found;
}

static uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? ~0ull : (1ull << size * 8) - 1;
}

/* One access that lies in one range, in pieces that its device knows. */
static void run_pieces(const struct io_range *r, struct io_access *a)
{
	uint64_t value = 0;

	for (uint8_t done = 0; done < a->size; done = (uint8_t)(done + r->max_size)) {
		struct io_access part = *a;

		part.size = r->max_size;
		part.addr += done;
		part.value = a->is_write ? a->value >> done * 8 & size_mask(part.size) : size_mask(part.size);
		r->handler(r->arg, part.addr - r->base, &part);
		value |= (part.value & size_mask(part.size)) << done * 8;
	}
	if (!a->is_write)
		a->value = value;
}

void io_dispatch(struct io_access *a)
{
	struct space *s = &spaces[a->space];
	const struct io_range *r;
	unsigned int at;

	if (!a->is_write)
		a->value = size_mask(a->size);
	enter();
	at = search(s, a->addr);
	r = at < s->count ? &s->range[at] : NULL;
	if (r && r->base <= a->addr && a->size <= r->len - (a->addr - r->base)) {
		if (!r->max_size || a->size <= r->max_size)
			r->handler(r->arg, a->addr - r->base, a);
		else
			run_pieces(r, a);
	}
	leave();
}

void io_exit(void)
{
	shut();
	for (unsigned int i = 0; i < 2; i++) {
		free(spaces[i].range);
		spaces[i] = (struct space){ 0 };
	}
	open_again();
}
