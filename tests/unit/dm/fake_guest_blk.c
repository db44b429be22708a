/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's side of virtio-blk. */
#include "unit.h"

#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/pci.h"
#include "dm/fake_guest_blk.h"
#include "virtio/virtio.h"

bool guest_blk_has_uring(void)
{
	struct io_uring ring;
	bool has = io_uring_queue_init(2, &ring, 0) == 0;

	if (has)
		io_uring_queue_exit(&ring);
	return has;
}

const char *guest_blk_engine(unsigned int i)
{
	return i % 2 && guest_blk_has_uring() ? "io_uring" : "threads";
}

uint64_t guest_blk_sectors_on_disk(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	assert_int_equal(fsync(fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return (uint64_t)st.st_blocks;
}

uint64_t guest_blk_submit(struct guest_dev *g, unsigned int ring, const struct blk_ask *r)
{
	uint64_t at = guest_alloc(17, 16);
	struct guest_seg segs[3] = { { at, 16 } };
	unsigned int n_out = 1, n_in = 0;

	memcpy(guest_at(at), &r->type, 4);
	memcpy((uint8_t *)guest_at(at) + 8, &r->sector, 8);
	*(uint8_t *)guest_at(at + 16) = 0xff;
	if (r->data) {
		segs[1] = (struct guest_seg){ r->data, r->len };
		n_out += !r->to_guest;
		n_in += r->to_guest;
	}
	segs[n_out + n_in] = (struct guest_seg){ at + 16, 1 };
	n_in++;
	if (virtio_has(g->f->priv, VIRTIO_F_INDIRECT_DESC))
		ring_add_indirect(&g->ring[ring], segs, n_out, n_in);
	else
		ring_add(&g->ring[ring], segs, n_out, n_in);
	guest_dev_kick(g, ring);
	return at + 16;
}

uint8_t guest_blk_run(struct guest_dev *g, const struct blk_ask *r)
{
	struct vring_used_elem e;
	uint64_t status = guest_blk_submit(g, 0, r);

	assert_true(ring_wait(&g->ring[0], &e));
	return *(uint8_t *)guest_at(status);
}

uint8_t guest_blk_transfer(struct guest_dev *g, uint32_t type, uint64_t sector, uint64_t data, uint32_t len)
{
	return guest_blk_run(g, &(struct blk_ask){ type, sector, data, len, type == 0 });
}
