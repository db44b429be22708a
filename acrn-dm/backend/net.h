/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the guest's frames go: a tap or macvtap interface of the host, or any descriptor that keeps frames apart (the
 * tests use a socket pair). Each read or write is one frame behind a header of NETDEV_HEADER bytes, the one that
 * virtio 1.x has (IFF_VNET_HDR). Nothing here blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define NETDEV_HEADER	12u	/* struct virtio_net_hdr_v1 */

/* Opens interface `name`, which is made if it does not exist (tap). A descriptor, or -errno after a log_err() line. */
int netdev_open(const char *name);

/*
 * What the guest can take from us: TUN_F_* bits. True if the host does it; then headers coming in may ask for a
 * checksum or announce a large segment.
 */
bool netdev_set_offload(int fd, unsigned int tun_flags);
