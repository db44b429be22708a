/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-vsock (virtio 1.2, 5.10): the kernel serves the queues for packets; the one for events is ours and stays
 * silent, since its only event belongs to a migration.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/vhost.h"
#include "dev/device.h"
#include "log.h"
#include "virtio/virtio_pci.h"

#define NODE		"/dev/vhost-vsock"
#define QUEUE_SIZE	128u
#define DATA_QUEUES	2u
#define CID_MIN		3u

struct vsock {
	struct virtio_pci pci;
	struct vhost vhost;
	uint64_t cid;
	int call_fd[DATA_QUEUES];
	bool runs[DATA_QUEUES];
	bool is_on;
};

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	const struct vsock *s = v->priv;

	memcpy(cfg, &s->cid, sizeof(s->cid));
}

static int start_queue(struct vsock *s, unsigned int i)
{
	const struct virtio_queue *q = &s->pci.virtio.queues[i];
	struct vhost_ring ring = { q->setup.size, q->setup.desc, q->setup.avail, q->setup.used };

	return vhost_queue_start(&s->vhost, i, &ring, q->kick_fd, s->call_fd[i]);
}

static int start(struct vsock *s)
{
	int err = vhost_setup(&s->vhost, s->pci.virtio.accepted);

	for (unsigned int i = 0; i < DATA_QUEUES && !err; i++)
		err = start_queue(s, i);
	for (unsigned int i = 0; i < DATA_QUEUES && !err; i++)
		virtio_pci_set_call(&s->pci, i, s->call_fd[i]);
	return err ? err : vhost_vsock_run(&s->vhost, true);
}

/* The kernel wants both at once. */
static void queue_started(struct virtio_dev *v, unsigned int i)
{
	struct vsock *s = v->priv;
	int err;

	if (i >= DATA_QUEUES)
		return;
	s->runs[i] = true;
	if (s->is_on || !s->runs[0] || !s->runs[1])
		return;
	err = start(s);
	s->is_on = err == 0;
	if (err)
		log_err("%s: the kernel does not take its queues: %s", s->pci.name, strerror(-err));
}

static void queue_stopping(struct virtio_dev *v, unsigned int i)
{
	struct vsock *s = v->priv;
	int err;

	if (i >= DATA_QUEUES)
		return;
	s->runs[i] = false;
	if (!s->is_on)
		return;
	s->is_on = false;
	err = vhost_vsock_run(&s->vhost, false);
	for (unsigned int k = 0; k < DATA_QUEUES; k++) {
		if (!err)
			err = vhost_queue_stop(&s->vhost, k);
		virtio_pci_set_call(&s->pci, k, -1);
	}
	if (err)
		log_err("%s: the kernel does not give its queues back: %s", s->pci.name, strerror(-err));
}

static const struct virtio_ops vsock_ops = {
	.config_read = config_read,
	.queue_started = queue_started,
	.queue_stopping = queue_stopping,
};

static int parse(const char *opts, uint64_t *cid)
{
	char *end;

	errno = 0;
	*cid = strncmp(opts, "cid=", 4) == 0 && opts[4] >= '0' && opts[4] <= '9' ? strtoull(opts + 4, &end, 10) : 0;
	if (*cid >= CID_MIN && *cid < UINT32_MAX && !errno && !*end)
		return 0;
	log_err("vhost-vsock: '%s' is not cid=N with N from %u on", opts, CID_MIN);
	return -EINVAL;
}

static int make_function(struct vsock *s, struct pci_func *f)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_VSOCK, .class = 0x02, .modern_only = true };
	static const uint16_t sizes[] = { QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE };
	struct virtio_params params = {
		.ops = &vsock_ops,
		.priv = s,
		.features = s->vhost.features & VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
		.split_only = true,
		.config_size = sizeof(s->cid),
		.queue_count = 3,
		.queue_sizes = sizes,
	};

	return virtio_pci_init(&s->pci, f, &ids, &params, true);
}

static void close_all(struct vsock *s)
{
	for (unsigned int i = 0; i < DATA_QUEUES; i++)
		if (s->call_fd[i] >= 0)
			close(s->call_fd[i]);
	vhost_close(&s->vhost);
	free(s);
}

static int open_host(struct vsock *s)
{
	int err = vhost_open(&s->vhost, NODE);

	for (unsigned int i = 0; i < DATA_QUEUES && !err; i++) {
		s->call_fd[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		err = s->call_fd[i] < 0 ? -errno : 0;
	}
	if (err)
		return err;
	err = vhost_vsock_set_cid(&s->vhost, s->cid);
	if (err)
		log_err("vhost-vsock: cid=%llu: %s", (unsigned long long)s->cid,
			err == -EADDRINUSE ? "another VM has it" : strerror(-err));
	return err;
}

static int vsock_init(struct dm_device *d, const char *opts)
{
	struct vsock *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->vhost.fd = s->call_fd[0] = s->call_fd[1] = -1;
	err = parse(opts, &s->cid);
	if (!err)
		err = open_host(s);
	if (!err)
		err = make_function(s, d->pci);
	if (err)
		close_all(s);
	else
		d->state = s;
	return err;
}

static void vsock_destroy(struct dm_device *d)
{
	struct vsock *s = d->state;

	virtio_pci_exit(&s->pci);
	close_all(s);
}

static void vsock_reset(struct dm_device *d)
{
	struct vsock *s = d->state;

	virtio_pci_reset(&s->pci);
}

static const struct dm_device_class vsock = {
	.name = "vhost-vsock",
	.help = ",cid=N  sockets between guest and Service VM; the guest's address is N, from 3 on",
	.kind = DM_PCI,
	.init = vsock_init,
	.destroy = vsock_destroy,
	.reset = vsock_reset,
};
DM_DEVICE(vsock);
