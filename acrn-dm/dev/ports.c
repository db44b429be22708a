/* SPDX-License-Identifier: BSD-3-Clause */
/* Single ports: reset (0xCF9), POST codes (0x80, 0x84), the debug exit (0xF4, only on demand). */
#include "dev/ports.h"

#include <stdatomic.h>
#include <stddef.h>

#include "bus/io.h"
#include "config.h"
#include "dev/device.h"
#include "vm.h"

#define RESET_CPU	0x04u	/* resets; with bit 3 the power cycles, which for us is the same */

static atomic_uchar reset_value;

static void reset_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	(void)offset;
	if (!a->is_write) {
		a->value = reset_value;
		return;
	}
	reset_value = (uint8_t)a->value;
	if (a->value & (RESET_CPU | 0x08))
		vm_request(VM_RESET);
}

static void post_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	(void)offset;
	if (!a->is_write)
		a->value = 0xff;
}

static void debug_exit_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	if (!a->is_write)
		a->value = 0;
	else if (offset == 0 && a->size == 4)
		vm_request_exit((int)((a->value << 1 | 1) & 0xff));
}

static int ports_init(struct dm_device *d, const char *opts)
{
	int err;

	(void)d;
	(void)opts;
	err = io_register(&(struct io_range){ "reset", IO_PORT, RESET_PORT, 1, 1, reset_io, NULL });
	if (!err)
		err = io_register(&(struct io_range){ "post", IO_PORT, 0x80, 1, 1, post_io, NULL });
	if (!err)
		err = io_register(&(struct io_range){ "post", IO_PORT, 0x84, 1, 1, post_io, NULL });
	if (!err && config.debugexit)
		err = io_register(&(struct io_range){ "debugexit", IO_PORT, 0xf4, 4, 0, debug_exit_io, NULL });
	return err;
}

static void ports_destroy(struct dm_device *d)
{
	(void)d;
	io_unregister(IO_PORT, RESET_PORT);
	io_unregister(IO_PORT, 0x80);
	io_unregister(IO_PORT, 0x84);
	io_unregister(IO_PORT, 0xf4);
}

static void ports_reset(struct dm_device *d)
{
	(void)d;
	reset_value = 0;
}

static const struct dm_device_class ports = {
	.name = "ports",
	.kind = DM_PLATFORM,
	.order = 10,
	.init = ports_init,
	.destroy = ports_destroy,
	.reset = ports_reset,
};
DM_DEVICE(ports);
