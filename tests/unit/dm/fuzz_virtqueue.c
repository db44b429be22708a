/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input is the guest: where the ring is, what memory holds, and what happens in between. Whatever it says, each
 * segment that a chain hands out must lie in guest memory, and the sums must be those of the segments.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "virtio/virtqueue.h"

#define MEMORY	(64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vq_chain held[4];

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* Touches every byte, as a device would. */
static void check(const struct vq_chain *c, unsigned int first, unsigned int n, size_t total)
{
	uint8_t *base = mem_ptr(0, MEMORY);
	size_t sum = 0;

	for (unsigned int i = first; i < first + n; i++) {
		uint8_t *at = c->iov[i].iov_base;
		size_t len = c->iov[i].iov_len;

		require(at >= base && len > 0 && len <= MEMORY && (size_t)(at - base) <= MEMORY - len);
		sum += len;
	}
	require(sum == total);
}

static uint64_t take(const uint8_t **data, size_t *size, size_t len)
{
	uint64_t v = 0;

	if (len > *size)
		len = *size;
	memcpy(&v, *data, len);
	*data += len;
	*size -= len;
	return v;
}

static void step(struct virtqueue *vq, uint8_t op, uint64_t arg)
{
	struct vq_chain *c = &held[op >> 6];

	switch (op & 7) {
	case 0:
	case 1:
	case 2:
		if (vq_pop(vq, c) == 1) {
			require((unsigned int)c->n_out + c->n_in <= VQ_SEGS_MAX);
			check(c, 0, c->n_out, c->out_len);
			check(c, c->n_out, c->n_in, c->in_len);
		}
		break;
	case 3:
		(void)vq_push(vq, c, (uint32_t)arg);
		break;
	case 4:
		if (vq_enable_notify(vq))
			require(vq_has_work(vq));
		break;
	case 5:
		if (op & 8) {
			struct vq_mark mark = vq_mark(vq);

			if (vq_pop(vq, c) == 1)
				(void)vq_fill(vq, c, 1);
			vq_rewind(vq, &mark);
		} else {
			vq_disable_notify(vq);
		}
		break;
	case 6:
		(void)vq_should_interrupt(vq);
		break;
	default:
		/* The guest changes its memory behind our back. */
		(void)mem_write(arg & (MEMORY - 1), &arg, sizeof(arg));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtqueue vq = { 0 };
	struct vq_setup s;
	uint8_t flags;

	if (!mem_ptr(0, MEMORY))
		require(memory_init(MEMORY, false) == 0);
	memset(mem_ptr(0, MEMORY), 0, MEMORY);
	memset(held, 0, sizeof(held));
	flags = (uint8_t)take(&data, &size, 1);
	s = (struct vq_setup){ .event_idx = flags & 1, .indirect = flags & 2, .packed = flags & 64 };
	if (flags & 4) {
		s.size = (uint16_t)take(&data, &size, 2);
		s.desc = take(&data, &size, 8);
		s.avail = take(&data, &size, 8);
		s.used = take(&data, &size, 8);
	} else {
		s.size = (uint16_t)(1u << (flags >> 3 & 7));
		s.desc = 0;
		s.avail = 0x800;
		s.used = 0x1000;
	}
	(void)vq_start(&vq, &s);
	if (size > 16) {
		size_t image = size - size / 4;

		(void)mem_write(0, data, image < MEMORY ? image : MEMORY);
		data += image;
		size -= image;
	}
	while (size > 0) {
		uint8_t op = (uint8_t)take(&data, &size, 1);

		step(&vq, op, (op & 7) == 7 || (op & 7) == 3 ? take(&data, &size, 8) : 0);
	}
	vq_stop(&vq);
	return 0;
}
