/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-net, shared by net.c (function, options, registers) and net_io.c (frames). One thread moves the frames both
 * ways; what it shares with a reset is guarded by the lock of the queue it belongs to.
 */
#pragma once

#include "backend/net.h"
#include "virtio/virtio_pci.h"
#include "virtio/worker.h"

#define NET_RX		0u
#define NET_TX		1u
#define NET_FRAME_MAX	(65536u + 64u)	/* the largest segment a host hands over, with its link header */

enum {
	NET_F_CSUM = 0,
	NET_F_GUEST_CSUM = 1,
	NET_F_MAC = 5,
	NET_F_GUEST_TSO4 = 7,
	NET_F_GUEST_TSO6 = 8,
	NET_F_HOST_TSO4 = 11,
	NET_F_HOST_TSO6 = 12,
	NET_F_MRG_RXBUF = 15,
	NET_F_STATUS = 16,
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

struct net {
	struct virtio_pci pci;
	struct worker worker;
	int fd;
	bool gone;		/* of the thread: the interface went away */
	bool offload;		/* the host can take and give partial checksums and segments */
	uint8_t mac[6];
	bool wants_frames;	/* of the thread: look at fd */
	/* With the lock of the receive queue: a frame that waits for buffers. */
	uint32_t pending;	/* bytes behind the header; 0: none */
	struct net_header pending_header;
	uint8_t frame[NET_FRAME_MAX];
	/* Scratch of the thread. */
	struct vq_chain first, more;
	struct iovec tx_iov[VQ_SEGS_MAX + 1];
};

/* The thread's life. */
void net_run(void *arg);
/* Drops the frame that waits. */
void net_forget_frame(struct net *n);
