/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The firmware's flash below 4 GiB:
 *
 *   4 GiB - all    variables   q35: a copy that the guest reads at memory speed; its writes come here
 *   ...            code        q35: readable and executable, writes are dropped
 *   4 GiB
 *
 * When the chip shows registers instead of its array, the copy is filled with those: nothing has to be unmapped.
 * In the machine acrn all of it is plain memory, written back as a whole, as the original does it.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "bus/io.h"
#include "config.h"
#include "dev/device.h"
#include "dev/pflash.h"
#include "hsm.h"
#include "loader/firmware.h"
#include "log.h"

#define TOP		0x100000000ull
#define READ		1u
#define WRITE		2u
#define EXECUTE		4u

static struct {
	pthread_mutex_t lock;
	uint8_t *guest;		/* what the guest sees: variables, then code */
	uint8_t *array;		/* q35: the variables as they are */
	uint32_t size, vars;	/* of all, of the variables */
	struct pflash chip;
	enum pflash_view shown;
	uint8_t shown_status;
} dev = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held: the guest's copy follows what the chip shows. */
static void show(void)
{
	if (dev.shown != dev.chip.view && dev.chip.view == PFLASH_ARRAY) {
		memcpy(dev.guest, dev.array, dev.vars);
	} else if (dev.shown != dev.chip.view || dev.shown_status != dev.chip.status) {
		if (dev.chip.view == PFLASH_STATUS)
			memset(dev.guest, dev.chip.status, dev.vars);
		else if (dev.chip.view != PFLASH_ARRAY)
			for (uint32_t i = 0; i < dev.vars; i++)
				dev.guest[i] = pflash_byte(&dev.chip, i);
	}
	dev.shown = dev.chip.view;
	dev.shown_status = dev.chip.status;
}

/* With the lock held. */
static void write_back(void)
{
	struct pflash *p = &dev.chip;

	if (p->dirty_from < p->dirty_to)
		firmware_write_vars(p->data, p->dirty_from, p->dirty_to - p->dirty_from);
	p->dirty_from = p->dirty_to = 0;
}

static void vars_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	pthread_mutex_lock(&dev.lock);
	if (a->is_write) {
		pflash_write(&dev.chip, (uint32_t)offset, a->size, a->value);
		if (dev.chip.view == PFLASH_ARRAY)
			write_back();
		show();
	} else {
		a->value = 0;
		for (unsigned int i = 0; i < a->size; i++)
			a->value |= (uint64_t)pflash_byte(&dev.chip, (uint32_t)offset + i) << 8 * i;
	}
	pthread_mutex_unlock(&dev.lock);
}

/* Only what the mapping does not do comes here: writes, and the read half of a read-modify-write. */
static void code_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	if (!a->is_write)
		memcpy(&a->value, dev.guest + dev.vars + offset, a->size);
}

static int map_q35(uint64_t base)
{
	int err = 0;

	if (dev.vars) {
		err = hsm_map_ram(base, dev.guest, dev.vars, READ);
		if (!err)
			err = io_register(&(struct io_range){ "variables", IO_MMIO, base, dev.vars, 0, vars_io, NULL });
	}
	if (!err)
		err = hsm_map_ram(base + dev.vars, dev.guest + dev.vars, dev.size - dev.vars, READ | EXECUTE);
	if (!err)
		err = io_register(&(struct io_range){ "firmware", IO_MMIO, base + dev.vars, dev.size - dev.vars, 0,
						      code_io, NULL });
	return err;
}

static void *anonymous(uint32_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int fill(void)
{
	int err = firmware_read(dev.guest);

	if (err)
		return err;
	if (madvise(dev.guest, dev.size, MADV_DONTFORK) != 0)
		log_debug("madvise: %s", strerror(errno));
	if (dev.vars)
		memcpy(dev.array, dev.guest, dev.vars);
	dev.chip = (struct pflash){ .data = dev.array, .size = dev.vars };
	pflash_reset(&dev.chip);
	dev.shown = PFLASH_ARRAY;
	return 0;
}

/* The VM, if it still has these pages, keeps them pinned until its end. */
static void release(void)
{
	if (config.machine == MACHINE_Q35) {
		io_unregister(IO_MMIO, TOP - dev.size);
		io_unregister(IO_MMIO, TOP - dev.size + dev.vars);
	}
	if (dev.guest)
		munmap(dev.guest, dev.size);
	if (dev.array)
		munmap(dev.array, dev.vars);
	dev.guest = dev.array = NULL;
	dev.size = 0;
}

static void keep(void)
{
	if (config.machine == MACHINE_Q35)
		write_back();
	else
		firmware_write_vars(dev.guest, 0, dev.vars);
}

static void flash_destroy(struct dm_device *d)
{
	(void)d;
	if (!dev.size)
		return;
	keep();
	release();
}

static void flash_reset(struct dm_device *d)
{
	(void)d;
	if (!dev.size)
		return;
	pthread_mutex_lock(&dev.lock);
	keep();
	if (config.machine == MACHINE_Q35) {
		pflash_reset(&dev.chip);
		show();
	}
	pthread_mutex_unlock(&dev.lock);
}

static int flash_init(struct dm_device *d, const char *opts)
{
	int err;

	(void)d;
	(void)opts;
	if (!config.ovmf_code)
		return 0;
	firmware_sizes(&dev.size, &dev.vars);
	dev.guest = anonymous(dev.size);
	dev.array = dev.vars ? anonymous(dev.vars) : NULL;
	err = !dev.guest || (dev.vars && !dev.array) ? -ENOMEM : fill();
	if (!err && config.machine == MACHINE_Q35)
		err = map_q35(TOP - dev.size);
	else if (!err)
		err = hsm_map_ram(TOP - dev.size, dev.guest, dev.size, READ | WRITE | EXECUTE);
	if (err) {
		log_err("cannot give the VM its firmware: %s", strerror(-err));
		release();
	}
	return err;
}

static const struct dm_device_class flash = {
	.name = "flash",
	.kind = DM_PLATFORM,
	.order = 5,
	.init = flash_init,
	.destroy = flash_destroy,
	.reset = flash_reset,
};
DM_DEVICE(flash);
