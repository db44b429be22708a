/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-console (virtio 1.2, 5.3), up to 16 ports over character back ends. The loop thread serves the queues, since
 * the input of the back ends arrives there and output never blocks for long. Input is only read from the host while
 * the driver has room for it, so nothing typed early is lost and nothing piles up here.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dev/device.h"
#include "log.h"
#include "virtio/console_internal.h"
#include "virtio/iov.h"
#include "virtio/worker.h"

#define QUEUE_SIZE	64u
#define CHUNK		4096u
#define BUDGET		64u

/* virtio 1.2, 5.3.4 */
struct console_config {
	uint16_t cols;
	uint16_t rows;
	uint32_t max_nr_ports;
	uint32_t emerg_wr;
};

static struct virtio_queue *rx_queue(struct console_port *p)
{
	return &p->console->pci.virtio.queues[p->index == 0 ? 0 : 2 * p->index + 2];
}

static struct virtio_queue *tx_queue(struct console_port *p)
{
	return rx_queue(p) + 1;
}

/* --- host to guest; with c->lock -------------------------------------------------------------------- */

static void deliver(struct console_port *p)
{
	struct virtio_queue *q = rx_queue(p);
	struct vq_chain *chain = &p->console->chain;
	bool room;

	pthread_mutex_lock(&q->lock);
	while (p->input_len > 0 && p->guest_open && virtio_pop(q, chain)) {
		size_t n = iov_from_buf(chain->iov + chain->n_out, chain->n_in, 0, p->input, p->input_len);

		p->input_len -= n;
		memmove(p->input, p->input + n, p->input_len);
		virtio_complete(q, chain, (uint32_t)n);
	}
	room = p->guest_open && p->input_len == 0 && vq_has_work(&q->vq);
	pthread_mutex_unlock(&q->lock);
	chardev_input_enable(p->backend, room);
}

void console_port_opened(struct console_port *p, bool open)
{
	p->guest_open = open;
	deliver(p);
}

static void on_input(void *arg, const uint8_t *buf, size_t len)
{
	struct console_port *p = arg;
	uint8_t *more;

	pthread_mutex_lock(&p->console->lock);
	more = realloc(p->input, p->input_len + len);
	if (more) {
		p->input = more;
		memcpy(more + p->input_len, buf, len);
		p->input_len += len;
		deliver(p);
	} else {
		log_err("%s: %zu bytes of input are lost: no memory", p->console->pci.name, len);
	}
	pthread_mutex_unlock(&p->console->lock);
}

/* --- guest to host; with c->lock -------------------------------------------------------------------- */

/* Writes on with the chain that is held; false when the back end takes no more now. */
static bool write_held(struct console_port *p)
{
	uint8_t buf[CHUNK];

	while (p->tx_done < p->tx.out_len) {
		size_t n = iov_to_buf(p->tx.iov, p->tx.n_out, p->tx_done, buf, sizeof(buf));
		size_t taken = chardev_write(p->backend, buf, n);

		p->tx_done += taken;
		if (taken < n)
			return false;
	}
	return true;
}

static void output(struct console_port *p)
{
	struct virtio_queue *q = tx_queue(p);
	unsigned int n;

	pthread_mutex_lock(&q->lock);
	for (n = 0; n < BUDGET; n++) {
		if (!p->tx_held && !virtio_pop(q, &p->tx))
			break;
		if (!p->tx_held)
			p->tx_done = 0;
		p->tx_held = true;
		if (!write_held(p))
			break;
		p->tx_held = false;
		virtio_complete(q, &p->tx, 0);
	}
	if (n == BUDGET)
		virtio_kick(q);
	pthread_mutex_unlock(&q->lock);
}

static void on_writable(void *arg)
{
	struct console_port *p = arg;

	pthread_mutex_lock(&p->console->lock);
	output(p);
	pthread_mutex_unlock(&p->console->lock);
}

static void on_connected(void *arg, bool is_connected)
{
	struct console_port *p = arg;

	(void)is_connected;	/* asked for when the message is made */
	pthread_mutex_lock(&p->console->lock);
	console_host_changed(p);
	pthread_mutex_unlock(&p->console->lock);
}

/* --- notifications ---------------------------------------------------------------------------------- */

static void serve(struct console *c, unsigned int queue)
{
	struct console_port *p = &c->port[queue < 2 ? 0 : queue / 2 - 1];

	if (queue == CONSOLE_CTL_RX)
		console_ctl_flush(c);
	else if (queue == CONSOLE_CTL_TX)
		console_ctl_receive(c);
	else if (queue % 2 == 0)
		deliver(p);
	else
		output(p);
}

static void on_kick(int fd, unsigned int events, void *arg)
{
	struct console_watch *w = arg;

	(void)events;
	worker_consume(fd);
	pthread_mutex_lock(&w->console->lock);
	serve(w->console, w->queue->index);
	pthread_mutex_unlock(&w->console->lock);
}

/* --- registers -------------------------------------------------------------------------------------- */

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	const struct console *c = v->priv;
	struct console_config conf = { .max_nr_ports = c->port_count };

	memcpy(cfg, &conf, sizeof(conf));
}

static void config_write(struct virtio_dev *v, unsigned int offset, const uint8_t *data, unsigned int len)
{
	struct console *c = v->priv;

	(void)len;
	if (offset == offsetof(struct console_config, emerg_wr))
		(void)chardev_write(c->port[0].backend, data, 1);	/* an emergency does not wait */
}

static void driver_ready(struct virtio_dev *v)
{
	struct console *c = v->priv;

	pthread_mutex_lock(&c->lock);
	c->multiport = virtio_has(v, CONSOLE_F_MULTIPORT);
	c->port[0].guest_open = !c->multiport;
	pthread_mutex_unlock(&c->lock);
}

static void reset(struct virtio_dev *v)
{
	struct console *c = v->priv;

	pthread_mutex_lock(&c->lock);
	c->multiport = false;
	for (unsigned int i = 0; i < c->port_count; i++) {
		struct console_port *p = &c->port[i];

		p->guest_open = false;
		p->to_send = 0;
		p->input_len = 0;
		p->tx_held = false;
		chardev_input_enable(p->backend, false);
	}
	pthread_mutex_unlock(&c->lock);
}

static const struct virtio_ops console_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.driver_ready = driver_ready,
	.reset = reset,
};

/* --- life ------------------------------------------------------------------------------------------- */

static int make_function(struct console *c, struct pci_func *f, bool modern)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_CONSOLE, .class = 0x07, .subclass = 0x80 };
	uint16_t sizes[CONSOLE_QUEUES_MAX];
	struct virtio_params params = {
		.ops = &console_ops,
		.priv = c,
		.features = VIRTIO_BIT(CONSOLE_F_MULTIPORT) | VIRTIO_BIT(CONSOLE_F_EMERG_WRITE),
		.config_size = sizeof(struct console_config),
		.queue_count = 2 * (c->port_count + 1),
		.queue_sizes = sizes,
	};

	for (unsigned int i = 0; i < CONSOLE_QUEUES_MAX; i++)
		sizes[i] = QUEUE_SIZE;
	return virtio_pci_init(&c->pci, f, &ids, &params, modern);
}

static int watch_queues(struct console *c)
{
	for (unsigned int i = 0; i < c->pci.virtio.queue_count; i++) {
		struct console_watch *w = &c->watch[i];

		w->console = c;
		w->queue = &c->pci.virtio.queues[i];
		w->handle = loop_add(w->queue->kick_fd, LOOP_READ, on_kick, w);
		if (!w->handle) {
			log_err("%s: cannot watch its queues: %s", c->pci.name, strerror(errno));
			return -errno;
		}
		c->watch_count = i + 1;
	}
	return 0;
}

static void unwatch_queues(struct console *c)
{
	for (unsigned int i = 0; i < c->watch_count; i++)
		loop_del(c->watch[i].handle);
	c->watch_count = 0;
}

static void close_ports(struct console *c)
{
	for (unsigned int i = 0; i < c->port_count; i++) {
		chardev_close(c->port[i].backend);
		free(c->port[i].input);
	}
	c->port_count = 0;
}

static int create(struct console *c, struct pci_func *f, char *text, bool modern)
{
	static const struct chardev_client client = {
		.input = on_input,
		.writable = on_writable,
		.connected = on_connected,
	};
	int err = console_open_ports(c, text, &client);

	if (!err)
		err = make_function(c, f, modern);
	if (!err) {
		err = watch_queues(c);
		if (err) {
			unwatch_queues(c);
			virtio_pci_exit(&c->pci);
		}
	}
	if (err)
		close_ports(c);
	return err;
}

static int console_init(struct dm_device *d, const char *opts)
{
	struct console *c = calloc(1, sizeof(*c));
	bool modern;
	char *text = virtio_pci_options(opts, &modern);
	int err = c && text ? 0 : -ENOMEM;

	if (!err) {
		pthread_mutex_init(&c->lock, NULL);
		err = create(c, d->pci, text, modern);
	}
	free(text);
	if (err)
		free(c);
	else
		d->state = c;
	return err;
}

static void console_destroy(struct dm_device *d)
{
	struct console *c = d->state;

	unwatch_queues(c);
	virtio_pci_exit(&c->pci);
	close_ports(c);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void console_reset(struct dm_device *d)
{
	struct console *c = d->state;

	virtio_pci_reset(&c->pci);
}

static const struct dm_device_class console = {
	.name = "virtio-console",
	.help = ",[@]stdio|pty|tty|file|socket:NAME[=PATH[:server|client]][,…][,disable-modern]  consoles and ports",
	.kind = DM_PCI,
	.init = console_init,
	.destroy = console_destroy,
	.reset = console_reset,
};
DM_DEVICE(console);
