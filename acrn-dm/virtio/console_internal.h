/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-console, shared by console.c (function, registers, ports' data), console_ctl.c (control queues) and
 * console_opts.c. Everything runs on the loop thread but resets and register accesses; c->lock guards the ports and is
 * taken before any queue's lock.
 *
 *   queue 0, 1  receive and send of port 0        queue 2, 3  control        queue 2n + 2, 2n + 3  of port n
 */
#pragma once

#include <pthread.h>

#include "backend/chardev.h"
#include "loop.h"
#include "virtio/virtio_pci.h"

#define CONSOLE_PORTS_MAX	16u
#define CONSOLE_QUEUES_MAX	(2u * (CONSOLE_PORTS_MAX + 1))
#define CONSOLE_NAME_MAX	63u
#define CONSOLE_CTL_RX		2u
#define CONSOLE_CTL_TX		3u

enum {
	CONSOLE_F_SIZE = 0,
	CONSOLE_F_MULTIPORT = 1,
	CONSOLE_F_EMERG_WRITE = 2,
};

struct console;

struct console_port {
	struct console *console;
	unsigned int index;
	bool is_console;
	char name[CONSOLE_NAME_MAX + 1];
	struct chardev *backend;
	bool guest_open;	/* the driver takes input */
	unsigned int to_send;	/* bits of enum console_event that the driver is to be told */
	uint8_t *input;		/* came, and has no buffer of the driver yet */
	size_t input_len;
	bool tx_held;		/* tx was popped and is written up to tx_done */
	size_t tx_done;
	struct vq_chain tx;
};

struct console_watch {
	struct console *console;
	struct virtio_queue *queue;
	loop_handle handle;
};

struct console {
	struct virtio_pci pci;
	pthread_mutex_t lock;
	bool multiport;		/* the driver runs, and took the feature */
	unsigned int port_count;
	struct console_port port[CONSOLE_PORTS_MAX];
	unsigned int watch_count;
	struct console_watch watch[CONSOLE_QUEUES_MAX];
	struct vq_chain chain;	/* scratch of the loop thread */
};

/* Reads the ports of "[@]BACKEND:NAME[=PATH[:server|client]],…" and opens them. 0 or -errno, logged. */
int console_open_ports(struct console *c, char *text, const struct chardev_client *client);

/* All with c->lock. */
void console_port_opened(struct console_port *p, bool open);	/* the driver opens or closes the port */
void console_host_changed(struct console_port *p);		/* a peer of the back end came or went */
void console_ctl_receive(struct console *c);			/* messages of the driver */
void console_ctl_flush(struct console *c);			/* messages to the driver, as far as it has buffers */
