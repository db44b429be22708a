/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Single ports: reset (0xCF9), POST codes (0x80, 0x84), the debug exit (0xF4, only on demand), and in machine q35 the
 * port on which OVMF says what it does (0x402), whose lines go to the log.
 */
#include "dev/ports.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "bus/io.h"
#include "config.h"
#include "dev/device.h"
#include "log.h"
#include "vm.h"

#define RESET_CPU	0x04u	/* resets; with bit 3 the power cycles, which for us is the same */

#define DEBUG_PORT	0x402
#define DEBUG_PRESENT	0xe9u

static atomic_uchar reset_value;
static struct {
	pthread_mutex_t lock;
	char line[128];
	unsigned int len;
} debug = { .lock = PTHREAD_MUTEX_INITIALIZER };

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

static void debug_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	(void)offset;
	if (!a->is_write) {
		a->value = DEBUG_PRESENT;
		return;
	}
	pthread_mutex_lock(&debug.lock);
	if (a->value != '\n' && a->value != '\r')
		debug.line[debug.len++] = (char)(a->value >= ' ' && a->value < 0x7f ? a->value : '?');
	if (debug.len == sizeof(debug.line) - 1 || (a->value == '\n' && debug.len)) {
		log_debug("firmware: %.*s", (int)debug.len, debug.line);
		debug.len = 0;
	}
	pthread_mutex_unlock(&debug.lock);
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
	if (!err && config.machine == MACHINE_Q35)
		err = io_register(&(struct io_range){ "debug", IO_PORT, DEBUG_PORT, 1, 1, debug_io, NULL });
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
	io_unregister(IO_PORT, DEBUG_PORT);
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
