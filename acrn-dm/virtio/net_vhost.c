/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-net whose frames the kernel moves: one /dev/vhost-net a pair of queues. We keep the registers, the control
 * queue and the interrupts' destination; a pair runs when both its queues do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/vhost.h"
#include "log.h"
#include "virtio/net_internal.h"

#define NODE	"/dev/vhost-net"

struct net_vhost {
	unsigned int opened;
	bool is_setup[NET_PAIRS_MAX];
	struct vhost vhost[NET_PAIRS_MAX];	/* of each pair */
	int call_fd[2 * NET_PAIRS_MAX];
	bool runs[2 * NET_PAIRS_MAX];
};

void net_vhost_close(struct net *n)
{
	struct net_vhost *h = n->vhost;

	if (!h)
		return;
	for (unsigned int i = 0; i < h->opened; i++)
		vhost_close(&h->vhost[i]);
	for (unsigned int i = 0; i < 2 * n->pairs; i++)
		if (h->call_fd[i] >= 0)
			close(h->call_fd[i]);
	free(h);
	n->vhost = NULL;
}

int net_vhost_open(struct net *n)
{
	struct net_vhost *h = calloc(1, sizeof(*h));
	int err = 0;

	if (!h)
		return -ENOMEM;
	n->vhost = h;
	for (unsigned int i = 0; i < 2 * n->pairs; i++) {
		h->call_fd[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (h->call_fd[i] < 0)
			err = -errno;
	}
	while (!err && h->opened < n->pairs) {
		err = vhost_open(&h->vhost[h->opened], NODE);
		h->opened += !err;
	}
	if (err)
		net_vhost_close(n);
	return err;
}

uint64_t net_vhost_features(const struct net *n, uint64_t features)
{
	/* The rest is between the driver and us, or the tap: no word of the kernel's is needed. */
	const uint64_t asked = VIRTIO_BIT(NET_F_MRG_RXBUF) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX);

	return features & (~asked | n->vhost->vhost[0].features);
}

static int start_queue(struct net *n, unsigned int i)
{
	struct net_vhost *h = n->vhost;
	struct vhost *v = &h->vhost[i / 2];
	struct virtio_queue *q = &n->pci.virtio.queues[i];
	struct vhost_ring ring = { q->setup.size, q->setup.desc, q->setup.avail, q->setup.used };
	int err = 0;

	if (!h->is_setup[i / 2]) {
		err = vhost_setup(v, n->pci.virtio.accepted);
		if (!err && !netdev_set_header(&n->netdev, (int)net_header_len(&n->pci.virtio)))
			err = -errno;
	}
	h->is_setup[i / 2] = !err;
	if (!err)
		err = vhost_queue_start(v, i % 2, &ring, q->kick_fd, h->call_fd[i]);
	if (!err)
		err = vhost_net_set_backend(v, i % 2, n->netdev.fd[i / 2]);
	return err;
}

void net_vhost_queue_started(struct virtio_dev *v, unsigned int i)
{
	struct net *n = v->priv;
	int err;

	if (!n->vhost || i >= 2 * n->pairs || i == net_control_queue(n) || n->vhost->runs[i])
		return;
	err = start_queue(n, i);
	n->vhost->runs[i] = err == 0;
	virtio_pci_set_call(&n->pci, i, err ? -1 : n->vhost->call_fd[i]);
	if (err)
		log_err("%s: the kernel does not take queue %u: %s", n->pci.name, i, strerror(-err));
}

void net_vhost_queue_stopping(struct virtio_dev *v, unsigned int i)
{
	struct net *n = v->priv;
	int err;

	if (!n->vhost || i >= 2 * n->pairs || !n->vhost->runs[i])
		return;
	err = vhost_net_set_backend(&n->vhost->vhost[i / 2], i % 2, -1);
	if (!err)
		err = vhost_queue_stop(&n->vhost->vhost[i / 2], i % 2);
	if (err)
		log_err("%s: the kernel does not give queue %u back: %s", n->pci.name, i, strerror(-err));
	virtio_pci_set_call(&n->pci, i, -1);
	n->vhost->runs[i] = false;
	n->vhost->is_setup[i / 2] = false;
}
