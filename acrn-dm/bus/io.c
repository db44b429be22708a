/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two sorted arrays of ranges under one read-write lock. Handlers run with the lock held for reading: that is
 * what makes io_unregister() safe, and why handlers must not register (see io.h).
 */
#include "bus/io.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

struct space {
	struct io_range *range;	/* sorted by base, no overlaps */
	unsigned int count, room;
};

static struct space spaces[2];
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

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
	pthread_rwlock_wrlock(&lock);
	err = insert(&spaces[r->space], r);
	pthread_rwlock_unlock(&lock);
	return err;
}

bool io_unregister(enum io_space space, uint64_t base)
{
	struct space *s = &spaces[space];
	bool found;
	unsigned int at;

	pthread_rwlock_wrlock(&lock);
	at = search(s, base);
	found = at < s->count && s->range[at].base == base;
	if (found) {
		s->count--;
		memmove(&s->range[at], &s->range[at + 1], (s->count - at) * sizeof(*s->range));
	}
	pthread_rwlock_unlock(&lock);
	return found;
}

static uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? ~0ull : (1ull << size * 8) - 1;
}

/* One access that lies in one range, in pieces that its device knows. */
static void run(const struct io_range *r, struct io_access *a)
{
	uint8_t step = r->max_size && r->max_size < a->size ? r->max_size : a->size;
	uint64_t offset = a->addr - r->base, value = 0;

	for (uint8_t done = 0; done < a->size; done = (uint8_t)(done + step)) {
		struct io_access part = *a;

		part.size = step;
		part.addr += done;
		part.value = a->is_write ? a->value >> done * 8 & size_mask(step) : size_mask(step);
		r->handler(r->arg, offset + done, &part);
		value |= (part.value & size_mask(step)) << done * 8;
	}
	if (!a->is_write)
		a->value = value;
}

void io_dispatch(struct io_access *a)
{
	struct space *s = &spaces[a->space];
	const struct io_range *r = NULL;
	unsigned int at;

	pthread_rwlock_rdlock(&lock);
	at = search(s, a->addr);
	if (at < s->count && s->range[at].base <= a->addr)
		r = &s->range[at];
	if (r && a->size <= r->len - (a->addr - r->base))
		run(r, a);
	else if (!a->is_write)
		a->value = size_mask(a->size);
	pthread_rwlock_unlock(&lock);
}

void io_exit(void)
{
	pthread_rwlock_wrlock(&lock);
	for (unsigned int i = 0; i < 2; i++) {
		free(spaces[i].range);
		spaces[i] = (struct space){ 0 };
	}
	pthread_rwlock_unlock(&lock);
}
