/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of virtio-net that do not need an interface of the host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dm_device;

/*
 * Makes the device over an open, non-blocking descriptor (backend/net.h says what it must do), which it owns from then
 * on. Returns 0 or -errno; then the descriptor is still the caller's.
 */
int virtio_net_create(struct dm_device *d, int fd, const uint8_t mac[6], bool modern);

/* 00:16:3E and three bytes of the MD5 of "slot-func-seed"; without a seed of "slot-func". */
void virtio_net_auto_mac(unsigned int dev, unsigned int fn, const char *seed, uint8_t mac[6]);
