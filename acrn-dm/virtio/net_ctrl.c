/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-net's control queue (virtio 1.2, 5.1.6.5): which frames the driver wants, its address, how many pairs of
 * queues it uses. What is filtered here spares the guest work and promises nothing: a driver must take any frame.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>

#include "log.h"
#include "virtio/iov.h"
#include "virtio/net_internal.h"

enum { CLASS_RX = 0, CLASS_MAC = 1, CLASS_VLAN = 2, CLASS_MQ = 4, CLASS_OFFLOADS = 5 };
enum { ACK_OK = 0, ACK_ERR = 1 };

#define HEADER	2u	/* class and command */
#define VLANS	4096u

void net_filter_reset(struct net *n)
{
	struct net_filter *f = &n->filter;

	pthread_mutex_lock(&f->lock);
	f->promisc = true;
	f->allmulti = f->alluni = f->nomulti = f->nouni = f->nobcast = f->vlan_on = false;
	f->uni.count = f->multi.count = 0;
	f->uni.overflow = f->multi.overflow = false;
	memset(f->vlan, 0, sizeof(f->vlan));
	memcpy(n->mac, n->initial_mac, sizeof(n->mac));
	pthread_mutex_unlock(&f->lock);
}

void net_filter_init(struct net *n)
{
	pthread_mutex_init(&n->filter.lock, NULL);
	net_filter_reset(n);
}

static bool in_table(const struct net_table *t, const uint8_t *mac)
{
	for (unsigned int i = 0; i < t->count; i++)
		if (memcmp(t->mac[i], mac, 6) == 0)
			return true;
	return t->overflow;
}

static bool wants_address(const struct net *n, const uint8_t *mac)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct net_filter *f = &n->filter;

	if (f->promisc)
		return true;
	if (memcmp(mac, broadcast, 6) == 0)
		return !f->nobcast;
	if (mac[0] & 1)
		return !f->nomulti && (f->allmulti || in_table(&f->multi, mac));
	return !f->nouni && (f->alluni || memcmp(mac, n->mac, 6) == 0 || in_table(&f->uni, mac));
}

static bool wants_vlan(const struct net_filter *f, const uint8_t *frame, size_t len)
{
	unsigned int vlan;

	if (!f->vlan_on || len < 16 || frame[12] != 0x81 || frame[13] != 0)
		return true;
	vlan = (frame[14] & 15u) << 8 | frame[15];
	return f->vlan[vlan / 64] >> vlan % 64 & 1;
}

bool net_filter_passes(struct net *n, const uint8_t *frame, size_t len)
{
	bool passes;

	if (len < 12)
		return true;
	pthread_mutex_lock(&n->filter.lock);
	passes = wants_address(n, frame) && wants_vlan(&n->filter, frame, len);
	pthread_mutex_unlock(&n->filter.lock);
	return passes;
}

/* --- commands: data is what follows class and command; with filter.lock ------------------------------- */

static bool rx_mode(struct net *n, uint8_t command, const uint8_t *data, size_t len)
{
	struct net_filter *f = &n->filter;
	bool *const flags[] = { &f->promisc, &f->allmulti, &f->alluni, &f->nomulti, &f->nouni, &f->nobcast };

	if (command >= sizeof(flags) / sizeof(flags[0]) || len < 1)
		return false;
	*flags[command] = data[0] & 1;
	return true;
}

/* One table of {u32 count, addresses}; *data moves behind it. */
static bool take_table(struct net_table *t, const uint8_t **data, size_t *len)
{
	uint32_t count;

	if (*len < 4)
		return false;
	memcpy(&count, *data, 4);
	if (count > (*len - 4) / 6)
		return false;
	t->overflow = count > NET_TABLE_MAX;
	t->count = t->overflow ? NET_TABLE_MAX : count;
	memcpy(t->mac, *data + 4, t->count * 6);
	*data += 4 + count * 6;
	*len -= 4 + count * 6;
	return true;
}

static bool set_mac(struct net *n, uint8_t command, const uint8_t *data, size_t len)
{
	struct net_table uni, multi;

	if (command == 1 && len >= 6) {
		memcpy(n->mac, data, 6);
		return true;
	}
	if (command != 0 || !take_table(&uni, &data, &len) || !take_table(&multi, &data, &len))
		return false;
	n->filter.uni = uni;
	n->filter.multi = multi;
	return true;
}

static bool set_vlan(struct net *n, uint8_t command, const uint8_t *data, size_t len)
{
	uint16_t vlan;

	if (command > 1 || len < 2)
		return false;
	memcpy(&vlan, data, 2);
	if (vlan >= VLANS)
		return false;
	n->filter.vlan_on = true;
	if (command == 0)
		n->filter.vlan[vlan / 64] |= 1ull << vlan % 64;
	else
		n->filter.vlan[vlan / 64] &= ~(1ull << vlan % 64);
	return true;
}

static bool set_pairs(struct net *n, uint8_t command, const uint8_t *data, size_t len)
{
	uint16_t pairs;

	if (command != 0 || len < 2)
		return false;
	memcpy(&pairs, data, 2);
	if (pairs == 0 || pairs > n->pairs)
		return false;
	netdev_use_queues(&n->netdev, pairs);
	return true;
}

static bool set_offloads(struct net *n, uint8_t command, const uint8_t *data, size_t len)
{
	uint64_t bits, accepted = n->pci.virtio.accepted;
	unsigned int flags = 0;

	if (command != 0 || len < 8)
		return false;
	memcpy(&bits, data, 8);
	if (bits & ~(accepted & (VIRTIO_BIT(NET_F_GUEST_CSUM) | VIRTIO_BIT(NET_F_GUEST_TSO4) |
				 VIRTIO_BIT(NET_F_GUEST_TSO6))))
		return false;
	if (bits & VIRTIO_BIT(NET_F_GUEST_CSUM)) {
		flags |= TUN_F_CSUM;
		flags |= bits & VIRTIO_BIT(NET_F_GUEST_TSO4) ? TUN_F_TSO4 : 0;
		flags |= bits & VIRTIO_BIT(NET_F_GUEST_TSO6) ? TUN_F_TSO6 : 0;
	}
	return netdev_set_offload(&n->netdev, flags);
}

static const struct {
	uint8_t class;
	uint8_t feature;
	bool (*run)(struct net *n, uint8_t command, const uint8_t *data, size_t len);
} classes[] = {
	{ CLASS_RX, NET_F_CTRL_RX, rx_mode },
	{ CLASS_MAC, NET_F_CTRL_RX, set_mac },
	{ CLASS_VLAN, NET_F_CTRL_VLAN, set_vlan },
	{ CLASS_MQ, NET_F_MQ, set_pairs },
	{ CLASS_OFFLOADS, NET_F_CTRL_GUEST_OFFLOADS, set_offloads },
};

static bool run(struct net *n, const uint8_t *text, size_t len)
{
	bool ok = false;

	pthread_mutex_lock(&n->filter.lock);
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].class == text[0] && virtio_has(&n->pci.virtio, classes[i].feature))
			ok = classes[i].run(n, text[1], text + HEADER, len - HEADER);
	pthread_mutex_unlock(&n->filter.lock);
	return ok;
}

unsigned int net_control_queue(const struct net *n)
{
	return virtio_has(&n->pci.virtio, NET_F_MQ) ? 2 * n->pairs : 2;
}

void net_control(struct net *n, struct virtio_queue *q, struct vq_chain *c)
{
	uint8_t text[HEADER + 2 * 4 + 6 * 1024];	/* a longer table is refused */

	pthread_mutex_lock(&q->lock);
	do {
		/* Asked again: only while the queue runs is it certain which one it is. */
		while (q->index == net_control_queue(n) && virtio_pop(q, c)) {
			size_t len = iov_to_buf(c->iov, c->n_out, 0, text, sizeof(text));
			uint8_t ack = ACK_ERR;

			if (len < HEADER || c->in_len < 1) {
				virtio_fail(q->dev, "a control command without command or room for its answer");
				break;
			}
			if (len == c->out_len && run(n, text, len))
				ack = ACK_OK;
			iov_from_buf(c->iov + c->n_out, c->n_in, 0, &ack, 1);
			virtio_complete(q, c, 1);
		}
	} while (virtio_enable_notify(q) && q->index == net_control_queue(n));
	pthread_mutex_unlock(&q->lock);
}
