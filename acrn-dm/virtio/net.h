/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of virtio-net that do not need an interface of the host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dm_device;
struct netdev;

struct virtio_net_setup {
	uint8_t mac[6];
	bool modern;
	bool vhost;
};

/*
 * Makes the device over what backend/net.h opened, which it owns from then on. Returns 0 or -errno; then that is still
 * the caller's.
 */
int virtio_net_create(struct dm_device *d, const struct netdev *netdev, const struct virtio_net_setup *setup);

/* 00:16:3E and three bytes of the MD5 of "slot-func-seed"; without a seed of "slot-func". */
void virtio_net_auto_mac(unsigned int dev, unsigned int fn, const char *seed, uint8_t mac[6]);
