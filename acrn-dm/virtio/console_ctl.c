/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control queues of a multiport console (virtio 1.2, 5.3.6.2). What the driver still has to be told is a set of
 * bits a port, not a list of messages, so that a driver that asks without end and takes nothing costs no memory.
 *
 *   driver: DEVICE_READY → we: DEVICE_ADD a port
 *   driver: PORT_READY   → we: CONSOLE_PORT, PORT_NAME, PORT_OPEN
 */
#include <string.h>

#include "virtio/console_internal.h"
#include "virtio/iov.h"

enum console_event {
	DEVICE_READY = 0,
	DEVICE_ADD = 1,
	PORT_READY = 3,
	CONSOLE_PORT = 4,
	PORT_OPEN = 6,
	PORT_NAME = 7,
};

#define BUDGET	64u

struct console_control {
	uint32_t id;
	uint16_t event;
	uint16_t value;
};

/* --- to the driver ---------------------------------------------------------------------------------- */

/* The lowest event that waits is the next one; DEVICE_ADD comes first and PORT_NAME last by their numbers. */
static size_t make_message(struct console_port *p, uint8_t *buf)
{
	unsigned int event = (unsigned int)__builtin_ctz(p->to_send);
	struct console_control m = { .id = p->index, .event = (uint16_t)event, .value = 1 };
	size_t len = sizeof(m);

	if (event == PORT_OPEN)
		m.value = chardev_is_connected(p->backend);
	memcpy(buf, &m, sizeof(m));
	if (event == PORT_NAME) {
		memcpy(buf + len, p->name, strlen(p->name));
		len += strlen(p->name);
	}
	p->to_send &= p->to_send - 1;
	return len;
}

/* One message of port p; false when the driver has no buffer. */
static bool send_one(struct console *c, struct console_port *p, struct virtio_queue *q)
{
	uint8_t buf[sizeof(struct console_control) + CONSOLE_NAME_MAX];
	size_t len;

	if (!virtio_pop(q, &c->chain))
		return false;
	len = make_message(p, buf);
	if (c->chain.in_len < len) {
		virtio_fail(&c->pci.virtio, "a control buffer smaller than the message");
		return false;
	}
	iov_from_buf(c->chain.iov + c->chain.n_out, c->chain.n_in, 0, buf, len);
	virtio_complete(q, &c->chain, (uint32_t)len);
	return true;
}

void console_ctl_flush(struct console *c)
{
	struct virtio_queue *q = &c->pci.virtio.queues[CONSOLE_CTL_RX];
	bool more = true;

	pthread_mutex_lock(&q->lock);
	for (unsigned int i = 0; i < c->port_count && more; i++)
		while (more && c->port[i].to_send)
			more = send_one(c, &c->port[i], q);
	pthread_mutex_unlock(&q->lock);
}

void console_host_changed(struct console_port *p)
{
	if (!p->console->multiport)
		return;
	p->to_send |= 1u << PORT_OPEN;
	console_ctl_flush(p->console);
}

/* --- from the driver -------------------------------------------------------------------------------- */

static void port_message(struct console *c, const struct console_control *m)
{
	struct console_port *p = &c->port[m->id];

	if (m->event == PORT_OPEN)
		console_port_opened(p, m->value != 0);
	if (m->event != PORT_READY || m->value != 1)
		return;
	p->to_send |= 1u << PORT_NAME;
	if (p->is_console)
		p->to_send |= 1u << CONSOLE_PORT;
	if (chardev_is_connected(p->backend))
		p->to_send |= 1u << PORT_OPEN;
}

static void message(struct console *c, const struct console_control *m)
{
	if (m->event == DEVICE_READY && m->value == 1) {
		for (unsigned int i = 0; i < c->port_count; i++)
			c->port[i].to_send |= 1u << DEVICE_ADD;
	} else if (m->id < c->port_count) {
		port_message(c, m);
	}
}

static bool receive_one(struct console *c, struct virtio_queue *q, struct console_control *m)
{
	bool got;

	pthread_mutex_lock(&q->lock);
	got = virtio_pop(q, &c->chain);
	if (got && iov_to_buf(c->chain.iov, c->chain.n_out, 0, m, sizeof(*m)) < sizeof(*m)) {
		virtio_fail(&c->pci.virtio, "a control message that is too short");
		got = false;
	}
	if (got)
		virtio_complete(q, &c->chain, 0);
	pthread_mutex_unlock(&q->lock);
	return got;
}

void console_ctl_receive(struct console *c)
{
	struct virtio_queue *q = &c->pci.virtio.queues[CONSOLE_CTL_TX];
	struct console_control m;
	unsigned int n = 0;

	while (n < BUDGET && receive_one(c, q, &m)) {
		message(c, &m);
		n++;
	}
	if (n == BUDGET)
		virtio_kick(q);
	console_ctl_flush(c);
}
