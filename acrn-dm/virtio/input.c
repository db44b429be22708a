/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-input (virtio 1.2, 5.8): an event device of the host. Its events reach the guest a report at a time, up to the
 * SYN that ends it; a report for which the driver has no buffers is dropped as a whole, as a kernel's own queue does.
 */
#include <errno.h>
#include <linux/input.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/evdev.h"
#include "dev/device.h"
#include "log.h"
#include "virtio/iov.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"

#define QUEUE_SIZE	64u
#define EVENTS		0u
#define STATUS		1u
#define REPORT_MAX	64u

enum {
	CFG_ID_NAME = 0x01,
	CFG_ID_SERIAL = 0x02,
	CFG_ID_DEVIDS = 0x03,
	CFG_PROP_BITS = 0x10,
	CFG_EV_BITS = 0x11,
	CFG_ABS_INFO = 0x12,
};

struct input_config {
	uint8_t select, subsel, size, reserved[5];
	uint8_t data[EVDEV_DATA_MAX];
};

/* virtio 1.2, 5.8.6; little-endian, without the host's time */
struct event {
	uint16_t type, code;
	uint32_t value;
};

struct input {
	struct virtio_pci pci;
	struct worker worker;
	int fd;
	bool gone;		/* of the thread */
	char *serial;		/* NULL: the device's own */
	struct input_config config;	/* what the driver selected; with v->lock */
	unsigned int count;	/* events of the report that is not complete; of the thread */
	bool overlong;
	struct event report[REPORT_MAX];
	struct vq_chain chain;
};

/* --- configuration ----------------------------------------------------------------------------------- */

static unsigned int serial(const struct input *in, uint8_t *buf)
{
	size_t len;

	if (!in->serial)
		return evdev_serial(in->fd, buf);
	len = strnlen(in->serial, EVDEV_DATA_MAX);
	memcpy(buf, in->serial, len);
	return (unsigned int)len;
}

static unsigned int answer(const struct input *in, uint8_t select, uint8_t subsel, uint8_t *buf)
{
	struct evdev_ids ids;

	switch (select) {
	case CFG_ID_NAME:
		return subsel ? 0 : evdev_name(in->fd, buf);
	case CFG_ID_SERIAL:
		return subsel ? 0 : serial(in, buf);
	case CFG_ID_DEVIDS:
		evdev_ids(in->fd, &ids);
		memcpy(buf, &ids, sizeof(ids));
		return subsel ? 0 : sizeof(ids);
	case CFG_PROP_BITS:
		return subsel ? 0 : evdev_properties(in->fd, buf);
	case CFG_EV_BITS:
		return subsel ? evdev_codes(in->fd, subsel, buf) : 0;
	case CFG_ABS_INFO:
		return evdev_axis(in->fd, subsel, buf);
	default:
		return 0;
	}
}

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	const struct input *in = v->priv;

	memcpy(cfg, &in->config, sizeof(in->config));
}

static void config_write(struct virtio_dev *v, unsigned int offset, const uint8_t *data, unsigned int len)
{
	struct input *in = v->priv;
	struct input_config *c = &in->config;

	for (unsigned int i = 0; i < len; i++) {
		if (offset + i == offsetof(struct input_config, select))
			c->select = data[i];
		else if (offset + i == offsetof(struct input_config, subsel))
			c->subsel = data[i];
	}
	memset(c->data, 0, sizeof(c->data));
	c->size = (uint8_t)answer(in, c->select, c->subsel, c->data);
	if (!c->size)
		memset(c->data, 0, sizeof(c->data));
}

static void reset(struct virtio_dev *v)
{
	struct input *in = v->priv;

	memset(&in->config, 0, sizeof(in->config));
}

static const struct virtio_ops input_ops = { .config_read = config_read, .config_write = config_write, .reset = reset };

/* --- events ------------------------------------------------------------------------------------------ */

/* The whole report or nothing. */
static void deliver(struct input *in)
{
	struct virtio_queue *q = &in->pci.virtio.queues[EVENTS];
	struct vq_mark mark;

	pthread_mutex_lock(&q->lock);
	mark = vq_mark(&q->vq);
	for (unsigned int i = 0; i < in->count; i++) {
		const struct event *e = &in->report[i];
		struct vq_chain *c = &in->chain;

		if (!virtio_pop(q, c) || iov_from_buf(c->iov + c->n_out, c->n_in, 0, e, sizeof(*e)) < sizeof(*e) ||
		    !vq_fill(&q->vq, c, sizeof(*e))) {
			vq_rewind(&q->vq, &mark);
			break;
		}
	}
	vq_publish(&q->vq);
	virtio_signal(q);
	pthread_mutex_unlock(&q->lock);
}

static void take(struct input *in, const struct input_event *e)
{
	bool ends = e->type == EV_SYN && e->code == SYN_REPORT;

	if (in->count == REPORT_MAX)
		in->overlong = true;
	else
		in->report[in->count++] = (struct event){ e->type, e->code, (uint32_t)e->value };
	if (!ends)
		return;
	if (!in->overlong)
		deliver(in);
	in->count = 0;
	in->overlong = false;
}

static void read_host(struct input *in)
{
	struct input_event events[REPORT_MAX];
	ssize_t n = read(in->fd, events, sizeof(events));

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		log_err("%s: its device went away: %s", in->pci.name, strerror(errno));
		in->gone = true;
	}
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(events[0]); i++)
		take(in, &events[i]);
}

/* Lamps and the like. */
static void write_host(struct input *in, struct virtio_queue *q)
{
	pthread_mutex_lock(&q->lock);
	do {
		while (virtio_pop(q, &in->chain)) {
			struct input_event to = { .type = 0 };
			struct event e;

			if (iov_to_buf(in->chain.iov, in->chain.n_out, 0, &e, sizeof(e)) == sizeof(e)) {
				to.type = e.type;
				to.code = e.code;
				to.value = (int32_t)e.value;
				if (write(in->fd, &to, sizeof(to)) != (ssize_t)sizeof(to))
					log_guest("%s: the device refuses event %u/%u", in->pci.name, e.type, e.code);
			}
			virtio_complete(q, &in->chain, 0);
		}
	} while (virtio_enable_notify(q));
	pthread_mutex_unlock(&q->lock);
}

static void work(void *arg)
{
	struct input *in = arg;
	struct virtio_queue *status = &in->pci.virtio.queues[STATUS];

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = status->kick_fd, .events = POLLIN },
			{ .fd = in->gone ? -1 : in->fd, .events = POLLIN },
		};

		if (!worker_wait(&in->worker, fds, 2))
			return;
		if (fds[0].revents) {
			worker_consume(status->kick_fd);
			write_host(in, status);
		}
		if (fds[1].revents)
			read_host(in);
	}
}

/* --- life -------------------------------------------------------------------------------------------- */

static int make_function(struct input *in, struct pci_func *f)
{
	static const struct virtio_pci_ids ids = {
		.virtio_id = VIRTIO_ID_INPUT, .class = 0x09, .subclass = 0x80, .modern_only = true,
	};
	static const uint16_t sizes[] = { QUEUE_SIZE, QUEUE_SIZE };
	struct virtio_params params = {
		.ops = &input_ops,
		.priv = in,
		.config_size = sizeof(struct input_config),
		.queue_count = 2,
		.queue_sizes = sizes,
	};
	int err = virtio_pci_init(&in->pci, f, &ids, &params, true);

	if (err)
		return err;
	err = worker_start(&in->worker, "virtio-input", work, in);
	if (err)
		virtio_pci_exit(&in->pci);
	return err;
}

static void input_free(struct input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	free(in->serial);
	free(in);
}

/* "PATH[,SERIAL]" */
static int open_device(struct input *in, const char *opts)
{
	const char *comma = strchrnul(opts, ',');
	char *path = strndup(opts, (size_t)(comma - opts));
	int err = 0;

	if (!path || (*comma && !(in->serial = strdup(comma + 1))))
		err = -ENOMEM;
	if (!err && !*path) {
		log_err("virtio-input: the path of the device is missing");
		err = -EINVAL;
	}
	if (!err) {
		in->fd = evdev_open(path);
		err = in->fd < 0 ? in->fd : 0;
	}
	free(path);
	return err;
}

static int input_init(struct dm_device *d, const char *opts)
{
	struct input *in = calloc(1, sizeof(*in));
	int err;

	if (!in)
		return -ENOMEM;
	in->fd = -1;
	err = open_device(in, opts);
	if (!err)
		err = make_function(in, d->pci);
	if (err)
		input_free(in);
	else
		d->state = in;
	return err;
}

static void input_destroy(struct dm_device *d)
{
	struct input *in = d->state;

	worker_stop(&in->worker);
	virtio_pci_exit(&in->pci);
	input_free(in);
}

static void input_reset(struct dm_device *d)
{
	struct input *in = d->state;

	virtio_pci_reset(&in->pci);
}

static const struct dm_device_class input = {
	.name = "virtio-input",
	.help = ",/dev/input/eventN[,SERIAL]  a keyboard, mouse or the like of the Service VM",
	.kind = DM_PCI,
	.init = input_init,
	.destroy = input_destroy,
	.reset = input_reset,
};
DM_DEVICE(input);
