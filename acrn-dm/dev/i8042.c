/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyboard controller: it answers its self-test and resets the machine; no keyboard and no mouse are
 * behind it, and the FADT says so. Interrupts are therefore never raised.
 */
#include <pthread.h>
#include <string.h>

#include "bus/io.h"
#include "dev/device.h"
#include "vm.h"

#define DATA_PORT	0x60
#define COMMAND_PORT	0x64
#define STATUS_OUT	0x01
#define STATUS_SYSTEM	0x04
#define STATUS_COMMAND	0x08
#define STATUS_UNLOCKED	0x10

static struct {
	pthread_mutex_t lock;
	uint8_t config;		/* the command byte */
	uint8_t output_port;
	uint8_t out;
	bool has_out;
	bool last_was_command;
	uint8_t waiting;	/* command that waits for its data byte, 0: none */
} kbc = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void answer(uint8_t value)
{
	kbc.out = value;
	kbc.has_out = true;
}

static void command(uint8_t value)
{
	switch (value) {
	case 0x20:
		answer(kbc.config);
		break;
	case 0x60:
	case 0xd1:
	case 0xd2:
	case 0xd3:
	case 0xd4:
		kbc.waiting = value;
		break;
	case 0xa9:
		answer(0x01);	/* the mouse port: clock stuck low, nothing there */
		break;
	case 0xaa:
		answer(0x55);
		break;
	case 0xab:
		answer(0x00);
		break;
	case 0xd0:
		answer(kbc.output_port);
		break;
	case 0xfe:
		vm_request(VM_RESET);
		break;
	default:
		break;
	}
}

static void data(uint8_t value)
{
	uint8_t for_command = kbc.waiting;

	kbc.waiting = 0;
	switch (for_command) {
	case 0x60:
		kbc.config = value;
		break;
	case 0xd1:
		kbc.output_port = value;
		if (!(value & 1))
			vm_request(VM_RESET);
		break;
	case 0xd2:
		answer(value);
		break;
	default:
		break;		/* for a keyboard or a mouse that is not there */
	}
}

static void kbc_io(void *arg, uint64_t offset, struct io_access *a)
{
	bool is_command = arg != NULL;

	(void)offset;
	pthread_mutex_lock(&kbc.lock);
	if (a->is_write) {
		kbc.last_was_command = is_command;
		if (is_command)
			command((uint8_t)a->value);
		else
			data((uint8_t)a->value);
	} else if (is_command) {
		a->value = STATUS_SYSTEM | STATUS_UNLOCKED | (kbc.last_was_command ? STATUS_COMMAND : 0) |
			   (kbc.has_out ? STATUS_OUT : 0);
	} else {
		a->value = kbc.out;
		kbc.has_out = false;
	}
	pthread_mutex_unlock(&kbc.lock);
}

static void i8042_reset(struct dm_device *d)
{
	(void)d;
	pthread_mutex_lock(&kbc.lock);
	kbc.config = 0x04;
	kbc.output_port = 0x03;
	kbc.out = kbc.waiting = 0;
	kbc.has_out = kbc.last_was_command = false;
	pthread_mutex_unlock(&kbc.lock);
}

static int i8042_init(struct dm_device *d, const char *opts)
{
	int err;

	(void)opts;
	i8042_reset(d);
	err = io_register(&(struct io_range){ "i8042", IO_PORT, DATA_PORT, 1, 1, kbc_io, NULL });
	return err ? err : io_register(&(struct io_range){ "i8042", IO_PORT, COMMAND_PORT, 1, 1, kbc_io, &kbc });
}

static void i8042_destroy(struct dm_device *d)
{
	(void)d;
	io_unregister(IO_PORT, DATA_PORT);
	io_unregister(IO_PORT, COMMAND_PORT);
}

static const struct dm_device_class i8042 = {
	.name = "i8042",
	.kind = DM_PLATFORM,
	.order = 15,
	.init = i8042_init,
	.destroy = i8042_destroy,
	.reset = i8042_reset,
};
DM_DEVICE(i8042);
