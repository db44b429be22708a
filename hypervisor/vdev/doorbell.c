/* SPDX-License-Identifier: BSD-3-Clause */
/* The sorted table of doorbells. Those of one address stand together, told apart by the value. */
#include "vdev/doorbell.h"

#include "lib/bits.h"
#include "lib/errno.h"

static bool is_before(const struct doorbell *bell, enum io_space space, uint64_t addr)
{
	return bell->space != space ? bell->space < space : bell->addr < addr;
}

static bool is_at(const struct doorbell *bell, enum io_space space, uint64_t addr)
{
	return bell->space == space && bell->addr == addr;
}

/* Index of the first doorbell that is not before the address. */
static unsigned int lower_bound(const struct doorbells *d, enum io_space space, uint64_t addr)
{
	unsigned int first = 0, last = d->count;

	while (first < last) {
		unsigned int middle = (first + last) / 2U;

		if (is_before(&d->bell[middle], space, addr))
			first = middle + 1U;
		else
			last = middle;
	}
	return first;
}

int doorbell_add(struct doorbells *d, const struct doorbell *bell)
{
	unsigned int at = lower_bound(d, bell->space, bell->addr);

	if (bell->addr == 0 || (bell->space == IO_PORT && bell->addr > 0xFFFFU))
		return -EINVAL;
	for (unsigned int i = at; i < d->count && is_at(&d->bell[i], bell->space, bell->addr); i++)
		if (!bell->has_match || !d->bell[i].has_match || bell->match == d->bell[i].match)
			return -EEXIST;
	if (d->count == ACRN_ASYNCIO_MAX)
		return -ENOSPC;
	for (unsigned int i = d->count; i > at; i--)
		d->bell[i] = d->bell[i - 1U];
	d->bell[at] = *bell;
	d->count++;
	return 0;
}

int doorbell_remove(struct doorbells *d, const struct doorbell *bell)
{
	unsigned int at = lower_bound(d, bell->space, bell->addr);

	while (at < d->count && is_at(&d->bell[at], bell->space, bell->addr) &&
	       (d->bell[at].has_match != bell->has_match ||
		(bell->has_match && d->bell[at].match != bell->match)))
		at++;
	if (at == d->count || !is_at(&d->bell[at], bell->space, bell->addr))
		return -ENOENT;
	d->count--;
	for (unsigned int i = at; i < d->count; i++)
		d->bell[i] = d->bell[i + 1U];
	return 0;
}

const struct doorbell *doorbell_find(const struct doorbells *d, const struct io_access *io)
{
	const struct doorbell *bell = &d->bell[lower_bound(d, io->space, io->addr)];
	const struct doorbell *end = &d->bell[d->count];

	if (!io->is_write)
		return NULL;
	for (; bell != end && is_at(bell, io->space, io->addr); bell++)
		if (!bell->has_match || ((bell->match ^ io->value) & bytes_mask(io->size)) == 0)
			return bell;
	return NULL;
}
