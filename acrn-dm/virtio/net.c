/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-net (virtio 1.2, 5.1) over a tap: options, registers, life. Checksum and segmentation offload are offered
 * where the host's interface does them; frames are moved by net_io.c.
 */
#include "virtio/net.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/md5.h"
#include "config.h"
#include "dev/device.h"
#include "log.h"
#include "virtio/net_internal.h"

#define QUEUE_SIZE	1024u
#define LINK_UP		1u

struct net_config {
	uint8_t mac[6];
	uint16_t status;
};

struct net_options {
	const char *tap;
	const char *mac;
	const char *seed;
};

static void config_read(struct virtio_dev *v, uint8_t *cfg)
{
	const struct net *n = v->priv;
	struct net_config c = { .status = LINK_UP };

	memcpy(c.mac, n->mac, sizeof(c.mac));
	memcpy(cfg, &c, sizeof(c));
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
	if (n->offload && !netdev_set_offload(n->fd, flags))
		log_err("%s: the host refuses offloads 0x%x: %s", n->pci.name, flags, strerror(errno));
}

static void reset(struct virtio_dev *v)
{
	struct net *n = v->priv;

	if (n->offload)
		(void)netdev_set_offload(n->fd, 0);	/* what it refuses here, net_io.c drops */
	net_forget_frame(n);
}

static const struct virtio_ops net_ops = {
	.config_read = config_read,
	.driver_ready = driver_ready,
	.reset = reset,
};

static uint64_t features(const struct net *n)
{
	uint64_t f = VIRTIO_BIT(NET_F_MAC) | VIRTIO_BIT(NET_F_MRG_RXBUF) | VIRTIO_BIT(NET_F_STATUS) |
		     VIRTIO_BIT(VIRTIO_F_EVENT_IDX);

	if (n->offload)
		f |= VIRTIO_BIT(NET_F_CSUM) | VIRTIO_BIT(NET_F_HOST_TSO4) | VIRTIO_BIT(NET_F_HOST_TSO6) |
		     VIRTIO_BIT(NET_F_GUEST_CSUM) | VIRTIO_BIT(NET_F_GUEST_TSO4) | VIRTIO_BIT(NET_F_GUEST_TSO6);
	return f;
}

/* --- options ---------------------------------------------------------------------------------------- */

static int bad_option(const char *word)
{
	log_err("virtio-net: option '%s' is unknown or its value is wrong", word);
	return -EINVAL;
}

static int parse(char *text, struct net_options *o)
{
	char *word;

	*o = (struct net_options){ 0 };
	while ((word = strsep(&text, ",")) != NULL) {
		if (strncmp(word, "tap=", 4) == 0 && word[4]) {
			o->tap = word + 4;
		} else if (strncmp(word, "mac=", 4) == 0) {
			o->mac = word + 4;
		} else if (strncmp(word, "mac_seed=", 9) == 0) {
			o->seed = word + 9;
		} else if (strcmp(word, "vhost") == 0) {
			log_err("virtio-net: vhost is not built yet");
			return -EINVAL;
		} else {
			return bad_option(word);
		}
	}
	if (o->tap)
		return 0;
	log_err("virtio-net: tap=NAME is missing");
	return -EINVAL;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	int end = 0;

	return strlen(text) == 17 &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
		      &mac[4], &mac[5], &end) == 6 &&
	       end == 17 && !(mac[0] & 1);
}

void virtio_net_auto_mac(unsigned int dev, unsigned int fn, const char *seed, uint8_t mac[6])
{
	char text[256];
	uint8_t d[16];

	if (seed && *seed)
		snprintf(text, sizeof(text), "%u-%u-%s", dev, fn, seed);
	else
		snprintf(text, sizeof(text), "%u-%u", dev, fn);
	md5(text, strlen(text), d);
	mac[0] = 0x00;
	mac[1] = 0x16;
	mac[2] = 0x3e;
	memcpy(mac + 3, d, 3);
}

static int choose_mac(const struct net_options *o, const struct pci_func *f, uint8_t mac[6])
{
	if (!o->mac) {
		virtio_net_auto_mac(f->dev, f->fn, o->seed ? o->seed : config.vm_name, mac);
		return 0;
	}
	return parse_mac(o->mac, mac) ? 0 : bad_option(o->mac);
}

/* --- life ------------------------------------------------------------------------------------------- */

static int make_function(struct net *n, struct pci_func *f, bool modern)
{
	static const struct virtio_pci_ids ids = { .virtio_id = VIRTIO_ID_NET, .class = 0x02 };
	static const uint16_t sizes[] = { QUEUE_SIZE, QUEUE_SIZE };
	struct virtio_params params = {
		.ops = &net_ops,
		.priv = n,
		.features = features(n),
		.config_size = sizeof(struct net_config),
		.queue_count = 2,
		.queue_sizes = sizes,
	};
	int err = virtio_pci_init(&n->pci, f, &ids, &params, modern);

	if (err)
		return err;
	err = worker_start(&n->worker, "virtio-net", net_run, n);
	if (err)
		virtio_pci_exit(&n->pci);
	return err;
}

int virtio_net_create(struct dm_device *d, int fd, const uint8_t mac[6], bool modern)
{
	struct net *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	n->fd = fd;
	memcpy(n->mac, mac, sizeof(n->mac));
	n->offload = netdev_set_offload(fd, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) && netdev_set_offload(fd, 0);
	err = make_function(n, d->pci, modern);
	if (err)
		free(n);
	else
		d->state = n;
	return err;
}

static int open_and_create(struct dm_device *d, char *text, bool modern)
{
	struct net_options o;
	uint8_t mac[6];
	int fd, err;

	err = parse(text, &o);
	if (!err)
		err = choose_mac(&o, d->pci, mac);
	if (err)
		return err;
	fd = netdev_open(o.tap);
	if (fd < 0)
		return fd;
	err = virtio_net_create(d, fd, mac, modern);
	if (err)
		close(fd);
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

	worker_stop(&n->worker);
	virtio_pci_exit(&n->pci);
	close(n->fd);
	free(n);
}

static void net_reset(struct dm_device *d)
{
	struct net *n = d->state;

	virtio_pci_reset(&n->pci);
}

static const struct dm_device_class net = {
	.name = "virtio-net",
	.help = ",tap=NAME[,mac=XX:XX:XX:XX:XX:XX|mac_seed=TEXT][,disable-modern]  a network interface",
	.kind = DM_PCI,
	.init = net_init,
	.destroy = net_destroy,
	.reset = net_reset,
};
DM_DEVICE(net);
