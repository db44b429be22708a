/* SPDX-License-Identifier: BSD-3-Clause */
/* Serial ports com1..com5: a 16550 on a port range and an ISA line, and a character back end behind it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/chardev.h"
#include "bus/io.h"
#include "config.h"
#include "dev/device.h"
#include "dev/uart.h"
#include "hsm.h"
#include "log.h"

struct serial {
	pthread_mutex_t lock;	/* the registers */
	struct uart uart;
	struct chardev *chardev;
	char title[8];
	uint16_t port;
	uint8_t irq;
	bool input_stopped;
	struct serial *next;
};

static void on_send(void *arg, uint8_t byte)
{
	struct serial *s = arg;

	chardev_write(s->chardev, &byte, 1);	/* a slow peer loses bytes, as on a real line */
}

static void on_irq(void *arg, bool level)
{
	struct serial *s = arg;

	hsm_set_irqline(s->irq, level ? HSM_LINE_HIGH : HSM_LINE_LOW);
}

/* Input stops before the ring is full, and goes on when half of it is read. */
static void control_input(struct serial *s)
{
	size_t room = uart_rx_room(&s->uart);

	if (!s->input_stopped && room < UART_RX_SIZE / 4) {
		s->input_stopped = true;
		chardev_input_enable(s->chardev, false);
	} else if (s->input_stopped && room > UART_RX_SIZE / 2) {
		s->input_stopped = false;
		chardev_input_enable(s->chardev, true);
	}
}

static void on_input(void *arg, const uint8_t *buf, size_t len)
{
	struct serial *s = arg;

	pthread_mutex_lock(&s->lock);
	uart_receive(&s->uart, buf, len);
	control_input(s);
	pthread_mutex_unlock(&s->lock);
}

static void serial_io(void *arg, uint64_t offset, struct io_access *a)
{
	struct serial *s = arg;

	pthread_mutex_lock(&s->lock);
	if (a->is_write)
		uart_write(&s->uart, (unsigned int)offset, (uint8_t)a->value);
	else
		a->value = uart_read(&s->uart, (unsigned int)offset);
	control_input(s);
	pthread_mutex_unlock(&s->lock);
}

static void serial_free(struct serial *s)
{
	io_unregister(IO_PORT, s->port);
	chardev_close(s->chardev);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct serial *serial_make(unsigned int index)
{
	const struct config_uart *u = &config.uart[index];
	struct serial *s = calloc(1, sizeof(*s));
	struct chardev_client client = { .input = on_input, .arg = s };

	if (!s)
		return NULL;
	snprintf(s->title, sizeof(s->title), "com%u", index + 1);
	pthread_mutex_init(&s->lock, NULL);
	s->port = u->port;
	s->irq = u->irq;
	s->uart.send = on_send;
	s->uart.irq = on_irq;
	s->uart.arg = s;
	uart_reset(&s->uart);
	s->chardev = chardev_open(u->backend, s->title, &client);
	if (!s->chardev ||
	    io_register(&(struct io_range){ s->title, IO_PORT, u->port, 8, 1, serial_io, s }) != 0) {
		serial_free(s);
		return NULL;
	}
	return s;
}

static void serial_destroy(struct dm_device *d)
{
	struct serial *s = d->state;

	while (s) {
		struct serial *next = s->next;

		serial_free(s);
		s = next;
	}
}

static int serial_init(struct dm_device *d, const char *opts)
{
	(void)opts;
	for (unsigned int i = 0; i < CONFIG_UARTS; i++) {
		struct serial *s;

		if (!config.uart[i].used)
			continue;
		s = serial_make(i);
		if (!s) {
			serial_destroy(d);
			return -ENODEV;
		}
		s->next = d->state;
		d->state = s;
	}
	return 0;
}

static void serial_reset(struct dm_device *d)
{
	for (struct serial *s = d->state; s; s = s->next) {
		pthread_mutex_lock(&s->lock);
		uart_reset(&s->uart);
		control_input(s);
		pthread_mutex_unlock(&s->lock);
	}
}

static const struct dm_device_class serial = {
	.name = "serial",
	.kind = DM_PLATFORM,
	.order = 60,
	.init = serial_init,
	.destroy = serial_destroy,
	.reset = serial_reset,
};
DM_DEVICE(serial);
