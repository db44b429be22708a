/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-net (virtio 1.2, 5.1): registers and life. Checksum and segmentation offload are offered where the host's
 * interface does them; frames are moved by net_io.c, or by the kernel (net_vhost.c).
 */
#include "virtio/net.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/device.h"
#include "log.h"
#include "virtio/net_internal.h"

#define QUEUE_SIZE	1024u
#define CONTROL_SIZE	64u
#define LINK_UP		1u

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	struct net *n = v->priv;
	struct net_config c = { .status = LINK_UP, .max_pairs = (uint16_t)n->pairs };

	pthread_mutex_lock(&n->filter.lock);
	memcpy(c.mac, n->mac, sizeof(c.mac));
	pthread_mutex_unlock(&n->filter.lock);
	memcpy(cfg, &c, sizeof(c));
}

/* A legacy driver without CTRL_MAC_ADDR writes its address here, byte by byte (5.1.4.2). */
static void config_write(struct virtio_dev *v, unsigned int offset, const uint8_t *data, unsigned int len)
{
	struct net *n = v->priv;

	if (virtio_has(v, VIRTIO_F_VERSION_1) || offset + len > sizeof(n->mac))
		return;
	pthread_mutex_lock(&n->filter.lock);
	memcpy(n->mac + offset, data, len);
	pthread_mutex_unlock(&n->filter.lock);
}

/* What the host may hand us follows from what this driver accepted. */
static void driver_ready(struct virtio_dev *v)
{
	struct net *n = v->priv;
	unsigned int flags = 0;

	if (virtio_has(v, NET_F_GUEST_CSUM)) {
		flags |= TUN_F_CSUM;
		flags |= virtio_has(v, NET_F_GUEST_TSO4) ? TUN_F_TSO4 : 0;
		flags |= virtio_has(v, NET_F_GUEST_TSO6) ? TUN_F_TSO6 : 0;
	}
	if (n->offload && !netdev_set_offload(&n->netdev, flags))
		log_err("%s: the host refuses offloads 0x%x: %s", n->pci.name, flags, strerror(errno));
	netdev_use_queues(&n->netdev, 1);	/* until the driver asks for more */
	virtio_kick(&v->queues[2 * n->pairs]);	/* which queue is the control queue is known now */
}

static void reset(struct virtio_dev *v)
{
	struct net *n = v->priv;

	if (n->offload)
		(void)netdev_set_offload(&n->netdev, 0);	/* what it refuses here, net_io.c drops */
	netdev_use_queues(&n->netdev, 1);
	net_filter_reset(n);
	net_forget_frames(n);
}

static const struct virtio_ops net_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.queue_started = net_vhost_queue_started,
	.queue_stopping = net_vhost_queue_stopping,
	.driver_ready = driver_ready,
	.reset = reset,
};

static uint64_t features(const struct net *n)
{
	uint64_t f = VIRTIO_BIT(NET_F_MAC) | VIRTIO_BIT(NET_F_MRG_RXBUF) | VIRTIO_BIT(NET_F_STATUS) |
		     VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | VIRTIO_BIT(NET_F_CTRL_VQ);

	if (n->pairs > 1)
		f |= VIRTIO_BIT(NET_F_MQ);
	if (!n->vhost)
		f |= VIRTIO_BIT(NET_F_CTRL_RX) | VIRTIO_BIT(NET_F_CTRL_RX_EXTRA) | VIRTIO_BIT(NET_F_CTRL_VLAN) |
		     VIRTIO_BIT(NET_F_CTRL_MAC_ADDR);
	if (n->offload && !n->vhost)
		f |= VIRTIO_BIT(NET_F_CTRL_GUEST_OFFLOADS);
	if (n->offload)
		f |= VIRTIO_BIT(NET_F_CSUM) | VIRTIO_BIT(NET_F_HOST_TSO4) | VIRTIO_BIT(NET_F_HOST_TSO6) |
		     VIRTIO_BIT(NET_F_GUEST_CSUM) | VIRTIO_BIT(NET_F_GUEST_TSO4) | VIRTIO_BIT(NET_F_GUEST_TSO6);
	return n->vhost ? net_vhost_features(n, f) : f;
}

/* --- life ------------------------------------------------------------------------------------------- */

static void stop_threads(struct net *n)
{
	for (unsigned int i = 0; i < n->pairs; i++)
		worker_stop(&n->pair[i].worker);
}

/* With vhost the first one serves the control queue, and the others are not needed. */
static int start_threads(struct net *n)
{
	unsigned int count = n->vhost ? 1 : n->pairs;

	for (unsigned int i = 0; i < count; i++) {
		int err = worker_start(&n->pair[i].worker, "virtio-net", net_run, &n->pair[i]);

		if (err) {
			stop_threads(n);
			return err;
		}
	}
	return 0;
}

static int make_function(struct net *n, struct pci_func *f, bool modern)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_NET, .class = 0x02 };
	uint16_t sizes[2 * NET_PAIRS_MAX + 1];
	struct virtio_params params = {
		.ops = &net_ops,
		.priv = n,
		.features = features(n),
		.split_only = n->vhost != NULL,
		.config_size = sizeof(struct net_config),
		.queue_count = 2 * n->pairs + 1,
		.queue_sizes = sizes,
	};
	int err;

	for (unsigned int i = 0; i < 2 * n->pairs; i++)
		sizes[i] = QUEUE_SIZE;
	sizes[2 * n->pairs] = CONTROL_SIZE;
	err = virtio_pci_init(&n->pci, f, &ids, &params, modern);
	if (err)
		return err;
	err = start_threads(n);
	if (err)
		virtio_pci_exit(&n->pci);
	return err;
}

static void net_free(struct net *n)
{
	net_vhost_close(n);
	pthread_mutex_destroy(&n->filter.lock);
	free(n->pair);
	free(n);
}

static int fill(struct net *n, const struct netdev *netdev)
{
	n->netdev = *netdev;
	n->pairs = netdev->queues;
	n->pair = calloc(n->pairs, sizeof(*n->pair));
	if (!n->pair)
		return -ENOMEM;
	for (unsigned int i = 0; i < n->pairs; i++) {
		n->pair[i].net = n;
		n->pair[i].index = i;
		n->pair[i].fd = netdev->fd[i];
	}
	n->offload = netdev_set_offload(&n->netdev, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) &&
		     netdev_set_offload(&n->netdev, 0);
	return 0;
}

int virtio_net_create(struct dm_device *d, const struct netdev *netdev, const struct virtio_net_setup *setup)
{
	struct net *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	memcpy(n->initial_mac, setup->mac, sizeof(n->initial_mac));
	net_filter_init(n);
	err = fill(n, netdev);
	if (!err && setup->vhost)
		err = net_vhost_open(n);
	if (!err)
		err = make_function(n, d->pci, setup->modern);
	if (err)
		net_free(n);
	else
		d->state = n;
	return err;
}

static int open_and_create(struct dm_device *d, char *text, bool modern)
{
	struct virtio_net_setup setup = { .modern = modern };
	struct net_options o;
	struct netdev netdev;
	int err;

	err = net_parse(text, &o);
	if (!err)
		err = net_choose_mac(&o, d->pci->dev, d->pci->fn, setup.mac);
	if (err)
		return err;
	setup.vhost = o.vhost;
	err = o.is_user ? netdev_open_user(&netdev, &o.user) : netdev_open_tap(&netdev, o.tap, o.pairs);
	if (err)
		return err;
	err = virtio_net_create(d, &netdev, &setup);
	if (err)
		netdev_close(&netdev);
	return err;
}

static int net_init(struct dm_device *d, const char *opts)
{
	bool modern;
	char *text = virtio_pci_options(opts, &modern);
	int err = text ? open_and_create(d, text, modern) : -ENOMEM;

	free(text);
	return err;
}

static void net_destroy(struct dm_device *d)
{
	struct net *n = d->state;

	stop_threads(n);
	virtio_pci_exit(&n->pci);
	netdev_close(&n->netdev);
	net_free(n);
}

static void net_reset(struct dm_device *d)
{
	struct net *n = d->state;

	virtio_pci_reset(&n->pci);
}

/* With vhost the kernel counts, not we. */
static void net_statistics(struct dm_device *d, void (*add)(void *to, const char *name, uint64_t value), void *to)
{
	struct net *n = d->state;

	if (n->vhost)
		return;
	add(to, "rx_frames", __atomic_load_n(&n->count.rx_frames, __ATOMIC_RELAXED));
	add(to, "rx_dropped", __atomic_load_n(&n->count.rx_dropped, __ATOMIC_RELAXED));
	add(to, "tx_frames", __atomic_load_n(&n->count.tx_frames, __ATOMIC_RELAXED));
	add(to, "tx_dropped", __atomic_load_n(&n->count.tx_dropped, __ATOMIC_RELAXED));
}

static const struct dm_device_class net = {
	.name = "virtio-net",
	.help = ",tap=NAME[,vhost][,queues=N]|user[,hostfwd=tcp|udp:[ADDR]:PORT-[GUEST]:PORT][,restrict]\n"
		"[,mac=XX:XX:XX:XX:XX:XX|mac_seed=TEXT][,disable-modern]  a network interface",
	.kind = DM_PCI,
	.init = net_init,
	.destroy = net_destroy,
	.reset = net_reset,
	.statistics = net_statistics,
};
DM_DEVICE(net);
