/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-blk (virtio 1.2, 5.2): the function, its registers, its life. Requests are read by blk_request.c and done by
 * an engine, blk_threads.c or blk_uring.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/md5.h"
#include "dev/device.h"
#include "log.h"
#include "virtio/blk_internal.h"

/* --- registers -------------------------------------------------------------------------------------- */

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	const struct blk *b = v->priv;
	struct blk_config c = {
		.seg_max = BLK_QUEUE_SIZE - 2,
		.blk_size = BLOCKDEV_SECTOR,
		.num_queues = (uint16_t)b->prefix.queues,
	};

	if (blk_disk(b)) {
		const struct blockdev_info *i = blockdev_info(blk_disk(b));

		c.capacity = blockdev_sectors(blk_disk(b));
		c.blk_size = i->logical;
		c.physical_block_exp = (uint8_t)__builtin_ctz(i->physical / i->logical);
		c.min_io_size = (uint16_t)(i->physical / i->logical);
		c.writeback = blockdev_writeback(blk_disk(b));
		c.max_discard_sectors = i->discard_max_sectors;
		c.max_discard_seg = i->discard_max_segments;
		c.discard_sector_alignment = i->discard_align;
		c.max_write_zeroes_sectors = BLK_ZEROES_MAX;
		c.max_write_zeroes_seg = 1;
		c.write_zeroes_may_unmap = 1;
	}
	memcpy(cfg, &c, sizeof(c));
}

static void config_write(struct virtio_dev *v, unsigned int offset, const uint8_t *data, unsigned int len)
{
	const struct blk *b = v->priv;

	if (offset == offsetof(struct blk_config, writeback) && len == 1 && blk_disk(b) &&
	    virtio_has(v, BLK_F_CONFIG_WCE))
		blockdev_set_writeback(blk_disk(b), data[0] & 1);
}

/* A driver that cannot flush must not be given a cache (5.2.6.2). */
static void driver_ready(struct virtio_dev *v)
{
	struct blk *b = v->priv;

	if (blk_disk(b) && !virtio_has(v, BLK_F_FLUSH))
		blockdev_set_writeback(blk_disk(b), false);
}

static void reset(struct virtio_dev *v)
{
	struct blk *b = v->priv;

	if (blk_disk(b))
		blockdev_set_writeback(blk_disk(b), b->writeback);
}

static const struct virtio_ops blk_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.driver_ready = driver_ready,
	.reset = reset,
};

static uint64_t features(const struct blk *b)
{
	uint64_t f = VIRTIO_BIT(BLK_F_SEG_MAX) | VIRTIO_BIT(BLK_F_BLK_SIZE) | VIRTIO_BIT(BLK_F_TOPOLOGY) |
		     VIRTIO_BIT(VIRTIO_F_EVENT_IDX);

	if (b->prefix.queues > 1)
		f |= VIRTIO_BIT(BLK_F_MQ);
	if (!b->disk)
		return f;
	if (b->writeback)
		f |= VIRTIO_BIT(BLK_F_FLUSH) | VIRTIO_BIT(BLK_F_CONFIG_WCE);
	if (blockdev_info(b->disk)->read_only)
		f |= VIRTIO_BIT(BLK_F_RO);
	else
		f |= VIRTIO_BIT(BLK_F_WRITE_ZEROES);
	if (blockdev_info(b->disk)->discard)
		f |= VIRTIO_BIT(BLK_F_DISCARD);
	return f;
}

/* --- life ------------------------------------------------------------------------------------------- */

/* The text of -s decides the id, so that it stays the same from start to start. */
static void make_id(struct blk *b, const char *opts)
{
	uint8_t d[16];

	md5(opts, strlen(opts), d);
	snprintf(b->id, sizeof(b->id), "ACRN--%02X%02X-%02X%02X-%02X%02X", d[0], d[1], d[2], d[3], d[4], d[5]);
}

static int open_disk(struct blk *b, char *text)
{
	struct blockdev_options o;
	int err = blk_take_prefix(&text, &b->prefix);

	if (!err)
		err = blockdev_parse(text, &o);
	if (err)
		return err;
	b->writeback = o.writeback;
	b->engine = o.engine == BLOCKDEV_URING ? &blk_uring : &blk_threads;
	if (!o.path)
		return 0;
	blk_disk_set(b, blockdev_open(&o));
	return b->disk ? 0 : -EINVAL;
}

static int make_function(struct blk *b, struct pci_func *f, bool modern)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_BLOCK, .class = 0x01 };
	uint16_t sizes[BLK_QUEUES_MAX];
	struct virtio_params params = {
		.ops = &blk_ops,
		.priv = b,
		.features = features(b),
		.config_size = BLK_CONFIG_SIZE,
		.queue_count = b->prefix.queues,
		.queue_sizes = sizes,
	};
	int err;

	for (unsigned int i = 0; i < BLK_QUEUES_MAX; i++)
		sizes[i] = BLK_QUEUE_SIZE;
	err = virtio_pci_init(&b->pci, f, &ids, &params, modern);
	if (err)
		return err;
	err = b->engine->start(b);
	if (err)
		virtio_pci_exit(&b->pci);
	return err;
}

static int blk_init(struct dm_device *d, const char *opts)
{
	struct blk *b = calloc(1, sizeof(*b));
	bool modern;
	char *text = virtio_pci_options(opts, &modern);
	int err = b && text ? 0 : -ENOMEM;

	if (!err) {
		make_id(b, opts);
		err = open_disk(b, text);
	}
	free(text);
	if (!err)
		err = make_function(b, d->pci, modern);
	if (!err) {
		d->state = b;
		return 0;
	}
	if (b)
		blockdev_close(b->disk);
	free(b);
	return err;
}

static void blk_destroy(struct dm_device *d)
{
	struct blk *b = d->state;

	b->engine->stop(b);
	virtio_pci_exit(&b->pci);
	blockdev_close(b->disk);
	free(b);
}

static void blk_reset(struct dm_device *d)
{
	struct blk *b = d->state;

	virtio_pci_reset(&b->pci);
}

/* What can come late: the driver has read sector size and features of a disk without cache and discard. */
static struct blockdev *open_late(char *text)
{
	struct blockdev_options o;
	struct blockdev *disk;

	if (blockdev_parse(text, &o) != 0)
		return NULL;
	o.writeback = o.discard = o.direct = false;
	disk = o.path ? blockdev_open(&o) : NULL;
	if (!disk || blockdev_info(disk)->logical == BLOCKDEV_SECTOR)
		return disk;
	log_err("virtio-blk: a disk that is attached later must have sectors of %u bytes", BLOCKDEV_SECTOR);
	blockdev_close(disk);
	return NULL;
}

static int blk_rescan(struct dm_device *d, const char *medium)
{
	struct blk *b = d->state;
	struct blockdev *disk;
	char *text;

	if (blk_disk(b)) {
		log_err("%s: has a disk already", b->pci.name);
		return -EBUSY;
	}
	text = strdup(medium);
	disk = text ? open_late(text) : NULL;
	free(text);
	if (!disk)
		return -EINVAL;
	blk_disk_set(b, disk);
	virtio_config_changed(&b->pci.virtio);
	return 0;
}

static int blk_resize(struct dm_device *d, uint64_t bytes)
{
	struct blk *b = d->state;
	int err = blk_disk(b) ? blockdev_resize(blk_disk(b), bytes) : -ENODEV;

	if (!err)
		virtio_config_changed(&b->pci.virtio);
	return err;
}

static void blk_statistics(struct dm_device *d, void (*add)(void *to, const char *name, uint64_t value), void *to)
{
	struct blk *b = d->state;
	const struct {
		const char *name;
		const uint64_t *value;
	} figures[] = {
		{ "reads", &b->count.reads }, { "read_bytes", &b->count.read_bytes },
		{ "writes", &b->count.writes }, { "written_bytes", &b->count.written_bytes },
		{ "flushes", &b->count.flushes }, { "discards", &b->count.discards },
		{ "errors", &b->count.errors },
	};

	add(to, "capacity", blk_disk(b) ? blockdev_sectors(blk_disk(b)) * BLOCKDEV_SECTOR : 0);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		add(to, figures[i].name, __atomic_load_n(figures[i].value, __ATOMIC_RELAXED));
}

static const struct dm_device_class blk = {
	.name = "virtio-blk",
	.help = "[,iothread[=N[@CPU[:CPU][/CPU]]]][,mq=N],PATH|nodisk[,writeback|writethru][,ro][,nocache]\n"
		"[,discard[=max:segs:align]][,sectorsize=L[/P]][,range=start/len][,aio=threads|io_uring]\n"
		"[,no_bst_block][,disable-modern]  a disk",
	.kind = DM_PCI,
	.init = blk_init,
	.destroy = blk_destroy,
	.reset = blk_reset,
	.rescan = blk_rescan,
	.resize = blk_resize,
	.statistics = blk_statistics,
};
DM_DEVICE(blk);
