/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver asks of a disk (virtio 1.2, 5.2.6). Everything is copied out of guest memory before it is looked at;
 * what lies outside of the disk is refused by the back end, against the size at that moment.
 */
#include <errno.h>

#include "virtio/blk_internal.h"
#include "virtio/iov.h"

struct blk_range {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags;		/* bit 0: unmap */
};

uint8_t blk_status(int err)
{
	return err == 0 ? BLK_S_OK : err == -EOPNOTSUPP ? BLK_S_UNSUPP : BLK_S_IOERR;
}

static void count(uint64_t *what, uint64_t n)
{
	__atomic_fetch_add(what, n, __ATOMIC_RELAXED);
}

bool blk_request_read(struct blk *b, struct blk_request *r)
{
	const struct vq_chain *c = &r->chain;

	if (c->out_len < sizeof(r->header) || c->in_len < 1) {
		virtio_fail(&b->pci.virtio, "a disk request without header or status");
		return false;
	}
	iov_to_buf(c->iov, c->n_out, 0, &r->header, sizeof(r->header));
	return true;
}

bool blk_request_is_transfer(struct blk *b, struct blk_request *r)
{
	const struct vq_chain *c = &r->chain;

	if (!blk_disk(b) || (r->header.type != BLK_T_IN && r->header.type != BLK_T_OUT))
		return false;
	r->op.is_write = r->header.type == BLK_T_OUT;
	if (r->op.is_write) {
		size_t len = c->out_len - sizeof(r->header);

		r->data_count = iov_slice(c->iov, c->n_out, sizeof(r->header), len, r->data);
		count(&b->count.writes, 1);
		count(&b->count.written_bytes, len);
	} else {
		r->data_count = iov_slice(c->iov + c->n_out, c->n_in, 0, c->in_len - 1, r->data);
		count(&b->count.reads, 1);
		count(&b->count.read_bytes, c->in_len - 1);
	}
	return true;
}

static uint8_t serve_range(struct blk *b, const struct blk_range *d, bool zeroes)
{
	const struct blockdev_info *info = blockdev_info(blk_disk(b));

	if (d->flags > zeroes)	/* only zeroes may ask for unmap, and nothing else is known (5.2.6.2) */
		return BLK_S_UNSUPP;
	if (d->sectors > (zeroes ? BLK_ZEROES_MAX : info->discard_max_sectors))
		return BLK_S_IOERR;
	if (zeroes)
		return blk_status(blockdev_write_zeroes(blk_disk(b), d->sector, d->sectors, d->flags & 1));
	return blk_status(blockdev_discard(blk_disk(b), d->sector, d->sectors));
}

static uint8_t serve_ranges(struct blk *b, const struct vq_chain *c, bool zeroes)
{
	const struct blockdev_info *info = blockdev_info(blk_disk(b));
	size_t len = c->out_len - sizeof(struct blk_header);
	size_t n = len / sizeof(struct blk_range);
	uint8_t status = BLK_S_OK;

	if (!zeroes && !info->discard)
		return BLK_S_UNSUPP;
	if (n == 0 || n > (zeroes ? 1 : info->discard_max_segments) || len % sizeof(struct blk_range) != 0)
		return BLK_S_IOERR;
	count(&b->count.discards, 1);
	for (size_t i = 0; i < n && status == BLK_S_OK; i++) {
		struct blk_range d;

		iov_to_buf(c->iov, c->n_out, sizeof(struct blk_header) + i * sizeof(d), &d, sizeof(d));
		status = serve_range(b, &d, zeroes);
	}
	return status;
}

uint8_t blk_request_serve(struct blk *b, struct blk_request *r)
{
	const struct vq_chain *c = &r->chain;
	size_t room = c->in_len - 1;

	if (r->header.type == BLK_T_GET_ID) {
		iov_from_buf(c->iov + c->n_out, c->n_in, 0, b->id, room < BLK_ID_LEN ? room : BLK_ID_LEN);
		return BLK_S_OK;
	}
	if (!blk_disk(b))
		return BLK_S_IOERR;
	switch (r->header.type) {
	case BLK_T_FLUSH:
		count(&b->count.flushes, 1);
		return blk_status(blockdev_flush(blk_disk(b)));
	case BLK_T_DISCARD:
	case BLK_T_WRITE_ZEROES:
		return serve_ranges(b, c, r->header.type == BLK_T_WRITE_ZEROES);
	default:
		return BLK_S_UNSUPP;
	}
}

void blk_request_finish(struct blk *b, struct blk_request *r, uint8_t status)
{
	const struct vq_chain *c = &r->chain;

	if (status == BLK_S_IOERR)
		count(&b->count.errors, 1);
	iov_from_buf(c->iov + c->n_out, c->n_in, c->in_len - 1, &status, 1);
}
