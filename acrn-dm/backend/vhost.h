/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues that the Service VM's kernel serves (/dev/vhost-net, /dev/vhost-vsock). It reads the rings itself, at
 * addresses of this process, so every ring goes through mem_ptr() here first; what descriptors point to the kernel
 * checks against the table of guest memory that it is given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Where the ring is in guest memory; a type of our own, since <linux/vhost.h> and virtqueue.h name the same things. */
struct vhost_ring {
	uint16_t size;
	uint64_t desc, avail, used;
};

struct vhost {
	int fd;
	uint64_t features;	/* what the kernel can do */
	const char *node;
};

/* Opens the node and takes it over. 0, or -errno after a log_err() line. */
int vhost_open(struct vhost *v, const char *node);
void vhost_close(struct vhost *v);
/* What the driver accepted, and where guest memory is; before any queue starts. 0 or -errno. */
int vhost_setup(const struct vhost *v, uint64_t accepted);
/* The kernel waits for kick_fd and signals call_fd. index counts this node's queues. 0 or -errno. */
int vhost_queue_start(const struct vhost *v, unsigned int index, const struct vhost_ring *r, int kick_fd,
		      int call_fd);
/* Returns when the kernel touches the ring no more; 0 or -errno. The kind of device does that in its own way first. */
int vhost_queue_stop(const struct vhost *v, unsigned int index);

/* Of vhost-net: frames of this queue go to that tap; -1: to none. */
int vhost_net_set_backend(const struct vhost *v, unsigned int index, int tap_fd);
/* Of vhost-vsock. */
int vhost_vsock_set_cid(const struct vhost *v, uint64_t cid);
int vhost_vsock_run(const struct vhost *v, bool on);

/* The system calls, in vhost_host.c: tests have others. Return 0 (or a descriptor) or -errno. */
int vhost_host_open(const char *node);
int vhost_host_ioctl(int fd, unsigned long request, const void *arg);
