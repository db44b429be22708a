/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-net, shared by net.c (function, registers, life), net_opts.c (options), net_io.c (frames), net_ctrl.c (the
 * control queue and what it filters) and net_vhost.c (frames moved by the kernel). Each pair of queues has a thread and
 * a descriptor of its own; what a thread shares with a reset is guarded by the lock of the queue it belongs to.
 */
#pragma once

#include "backend/net.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"

#define NET_PAIRS_MAX	NETDEV_QUEUES_MAX
#define NET_FRAME_MAX	(65536u + 64u)	/* the largest segment a host hands over, with its link header */
#define NET_TABLE_MAX	64u		/* addresses that are told apart; beyond them all pass */

enum {
	NET_F_CSUM = 0,
	NET_F_GUEST_CSUM = 1,
	NET_F_CTRL_GUEST_OFFLOADS = 2,
	NET_F_MAC = 5,
	NET_F_GUEST_TSO4 = 7,
	NET_F_GUEST_TSO6 = 8,
	NET_F_HOST_TSO4 = 11,
	NET_F_HOST_TSO6 = 12,
	NET_F_MRG_RXBUF = 15,
	NET_F_STATUS = 16,
	NET_F_CTRL_VQ = 17,
	NET_F_CTRL_RX = 18,
	NET_F_CTRL_VLAN = 19,
	NET_F_CTRL_RX_EXTRA = 20,
	NET_F_MQ = 22,
	NET_F_CTRL_MAC_ADDR = 23,
};

/* virtio 1.2, 5.1.6; a legacy driver without MRG_RXBUF knows only the first ten bytes */
struct net_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};

_Static_assert(sizeof(struct net_header) == NETDEV_HEADER, "virtio 1.2, 5.1.6");

struct net_config {
	uint8_t mac[6];
	uint16_t status;
	uint16_t max_pairs;
};

struct net_table {
	unsigned int count;
	bool overflow;		/* there are more: all of that kind pass */
	uint8_t mac[NET_TABLE_MAX][6];
};

/* Which frames the guest wants; all of them until the driver says otherwise. */
struct net_filter {
	pthread_mutex_t lock;
	bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
	struct net_table uni, multi;
	bool vlan_on;
	uint64_t vlan[4096 / 64];
};

struct net;

struct net_pair {
	struct net *net;
	unsigned int index;
	struct worker worker;
	int fd;
	bool gone;		/* of the thread: the interface went away */
	bool wants_frames;	/* of the thread: look at fd */
	/* With the lock of the receive queue: a frame that waits for buffers. */
	uint32_t pending;	/* bytes behind the header; 0: none */
	struct net_header pending_header;
	uint8_t frame[NET_FRAME_MAX];
	/* Scratch of the thread. */
	struct vq_chain first, more;
	struct iovec tx_iov[VQ_SEGS_MAX + 1];
};

struct net_vhost;

struct net {
	struct virtio_pci pci;
	struct netdev netdev;
	bool offload;		/* the host can take and give partial checksums and segments */
	uint8_t initial_mac[6];
	uint8_t mac[6];		/* with filter.lock */
	struct net_filter filter;
	unsigned int pairs;
	struct net_pair *pair;
	struct net_vhost *vhost;	/* NULL: the frames are moved here */
	struct {			/* atomic access */
		uint64_t rx_frames, tx_frames, rx_dropped, tx_dropped;
	} count;
};

static inline struct virtio_queue *net_rx(const struct net_pair *p)
{
	return &p->net->pci.virtio.queues[2 * p->index];
}

static inline struct virtio_queue *net_tx(const struct net_pair *p)
{
	return &p->net->pci.virtio.queues[2 * p->index + 1];
}

/* A legacy driver without MRG_RXBUF has a shorter header. */
static inline unsigned int net_header_len(const struct virtio_dev *v)
{
	bool is_long = virtio_has(v, VIRTIO_F_VERSION_1) || virtio_has(v, NET_F_MRG_RXBUF);

	return is_long ? NETDEV_HEADER : offsetof(struct net_header, num_buffers);
}

static inline void net_count(uint64_t *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

struct net_options {
	const char *tap;
	struct netdev_user_options user;
	bool is_user;
	bool vhost;
	unsigned int pairs;
	const char *mac;
	const char *seed;
};

/* Reads the options, cutting text at its commas. Returns 0, or -EINVAL after a log_err() line. */
int net_parse(char *text, struct net_options *o);
int net_choose_mac(const struct net_options *o, unsigned int dev, unsigned int fn, uint8_t mac[6]);

/* The life of a pair's thread. */
void net_run(void *arg);
/* Drops the frames that wait. */
void net_forget_frames(struct net *n);

void net_filter_init(struct net *n);
/* As before the driver said anything. */
void net_filter_reset(struct net *n);
/* Does the guest want this frame? */
bool net_filter_passes(struct net *n, const uint8_t *frame, size_t len);
/* The number of the control queue: it depends on what the driver accepted (virtio 1.2, 5.1.2). */
unsigned int net_control_queue(const struct net *n);
/* Serves the control queue; chain is scratch. */
void net_control(struct net *n, struct virtio_queue *q, struct vq_chain *chain);

/* Gives the queues to the kernel's vhost-net. Returns 0 or -errno, logged. */
int net_vhost_open(struct net *n);
void net_vhost_close(struct net *n);
/* What the kernel cannot do is not offered. */
uint64_t net_vhost_features(const struct net *n, uint64_t features);
void net_vhost_queue_started(struct virtio_dev *v, unsigned int i);
void net_vhost_queue_stopping(struct virtio_dev *v, unsigned int i);
