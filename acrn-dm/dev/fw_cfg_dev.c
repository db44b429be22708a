/* SPDX-License-Identifier: BSD-3-Clause */
/* fw_cfg in machine q35: selector 0x510, data 0x511, the address of a DMA command 0x514 (big endian, high half). */
#include <pthread.h>

#include "bus/io.h"
#include "config.h"
#include "dev/device.h"
#include "firmware/fw_cfg.h"
#include "firmware/fw_items.h"

#define SELECT_PORT	0x510
#define DMA_PORT	0x514
#define DMA_SIGNATURE	0x51454d5520434647ull	/* "QEMU CFG", read from the address register */

static struct {
	pthread_mutex_t lock;
	uint32_t dma_high;
} dev = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void select_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	pthread_mutex_lock(&dev.lock);
	if (!a->is_write)
		a->value = offset == 1 && a->size == 1 ? fw_cfg_read_byte() : 0;
	else if (offset == 0 && a->size == 2)
		fw_cfg_select((uint16_t)a->value);
	pthread_mutex_unlock(&dev.lock);
}

/* The lower half starts the command. */
static void dma_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	pthread_mutex_lock(&dev.lock);
	if (!a->is_write) {
		a->value = __builtin_bswap32((uint32_t)(DMA_SIGNATURE >> (offset < 4 ? 32 : 0))) >> 8 * (offset & 3);
	} else if (a->size == 4 && offset == 0) {
		dev.dma_high = __builtin_bswap32((uint32_t)a->value);
	} else if (a->size == 4 && offset == 4) {
		fw_cfg_dma((uint64_t)dev.dma_high << 32 | __builtin_bswap32((uint32_t)a->value));
		dev.dma_high = 0;
	}
	pthread_mutex_unlock(&dev.lock);
}

static void fw_cfg_dev_reset(struct dm_device *d)
{
	(void)d;
	pthread_mutex_lock(&dev.lock);
	dev.dma_high = 0;
	fw_cfg_reset();
	fw_items_reset();
	pthread_mutex_unlock(&dev.lock);
}

static void fw_cfg_dev_destroy(struct dm_device *d)
{
	(void)d;
	if (config.machine != MACHINE_Q35)
		return;
	io_unregister(IO_PORT, SELECT_PORT);
	io_unregister(IO_PORT, DMA_PORT);
	fw_cfg_exit();
}

static int fw_cfg_dev_init(struct dm_device *d, const char *opts)
{
	int err;

	(void)opts;
	if (config.machine != MACHINE_Q35)
		return 0;
	err = fw_items_add();
	if (!err)
		err = io_register(&(struct io_range){ "fw_cfg", IO_PORT, SELECT_PORT, 2, 0, select_io, NULL });
	if (!err)
		err = io_register(&(struct io_range){ "fw_cfg", IO_PORT, DMA_PORT, 8, 4, dma_io, NULL });
	if (err)
		fw_cfg_dev_destroy(d);
	return err;
}

static const struct dm_device_class fw_cfg_class = {
	.name = "fw_cfg",
	.kind = DM_PLATFORM,
	.order = 60,
	.init = fw_cfg_dev_init,
	.destroy = fw_cfg_dev_destroy,
	.reset = fw_cfg_dev_reset,
};
DM_DEVICE(fw_cfg_class);
