/* SPDX-License-Identifier: BSD-3-Clause */
/* See ring.h. */
#include "ring.h"

#include <stddef.h>
#include <sys/mman.h>

struct acrn_sbuf *ring_create(uint32_t ele_size)
{
	struct acrn_sbuf *ring = mmap(NULL, RING_PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (ring == MAP_FAILED)
		return NULL;
	ring->magic = ACRN_SBUF_MAGIC;
	ring->ele_num = RING_ELEMENTS(ele_size);
	ring->ele_size = ele_size;
	ring->size = ring->ele_num * ele_size;
	return ring;
}

void ring_destroy(struct acrn_sbuf *ring)
{
	if (ring)
		munmap(ring, RING_PAGE);
}
