/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the guest's frames go: a tap or macvtap interface of the host, or a network of our own without privileges. It
 * is a descriptor for each pair of queues that keeps frames apart; each read or write is one frame behind a header of
 * NETDEV_HEADER bytes, the one that virtio 1.x has (IFF_VNET_HDR). Nothing here blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define NETDEV_HEADER		12u	/* struct virtio_net_hdr_v1 */
#define NETDEV_QUEUES_MAX	16u
#define NETDEV_FORWARDS_MAX	16u

struct netdev_user;

struct netdev {
	unsigned int queues;
	int fd[NETDEV_QUEUES_MAX];
	int short_by;		/* what netdev_set_header() took off NETDEV_HEADER */
	struct netdev_user *user;	/* NULL: it is an interface of the host */
};

struct netdev_user_options {
	bool restricted;	/* the guest reaches nothing but forwards */
	unsigned int forwards;
	char *forward[NETDEV_FORWARDS_MAX];	/* "tcp|udp:[ADDR]:PORT-[GUEST]:PORT"; changed while read */
};

/* Opens interface `name`, which is made if it does not exist (tap). 0, or -errno after a log_err() line. */
int netdev_open_tap(struct netdev *n, const char *name, unsigned int queues);
/* A network 10.0.2.0/24 with DHCP, where the guest is 10.0.2.15 and sees the world through sockets of this process. */
int netdev_open_user(struct netdev *n, const struct netdev_user_options *o);
void netdev_close(struct netdev *n);

/*
 * What the guest can take from us: TUN_F_* bits. True if the host does it; then headers coming in may ask for a
 * checksum or announce a large segment.
 */
bool netdev_set_offload(const struct netdev *n, unsigned int tun_flags);
/* Bytes of the header on each frame of an interface; NETDEV_HEADER at the start. For who moves frames past us. */
bool netdev_set_header(struct netdev *n, int len);
/* The guest uses that many queues: the host steers no frame to the others. */
void netdev_use_queues(const struct netdev *n, unsigned int queues);

/* Of net_user.c. */
void netdev_close_user(struct netdev_user *u);
