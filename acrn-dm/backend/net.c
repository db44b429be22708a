/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap and macvtap. An existing macvtap interface has a character device of its own, found by its index; everything else
 * is asked of /dev/net/tun by name.
 */
#include "backend/net.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define TUN_NODE	"/dev/net/tun"

/* /dev/tapN of a macvtap interface; false if the name is not one. */
static bool macvtap_node(const char *name, char *node, size_t len)
{
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/class/net/%s/macvtap", name);
	if (stat(path, &st) != 0)
		return false;
	snprintf(node, len, "/dev/tap%u", if_nametoindex(name));
	return true;
}

static int fail(int fd, const char *name, const char *what)
{
	int err = errno;

	log_err("virtio-net: tap=%s: %s: %s", name, what, strerror(err));
	if (fd >= 0)
		close(fd);
	return -err;
}

static bool is_interface_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* One queue of it. Returns a descriptor or -errno, logged. */
static int open_queue(const char *name, const char *node, short flags)
{
	struct ifreq r = { .ifr_flags = flags };
	int header = NETDEV_HEADER;
	int fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return fail(fd, name, node);
	strcpy(r.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		return fail(fd, name, "cannot attach to the interface");
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return fail(fd, name, "cannot set the header size");
	if (ioctl(fd, TUNSETOFFLOAD, 0) < 0)
		return fail(fd, name, "cannot switch its offloads off");
	return fd;
}

int netdev_open_tap(struct netdev *n, const char *name, unsigned int queues)
{
	short flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (queues > 1 ? IFF_MULTI_QUEUE : 0));
	char node[32] = TUN_NODE;

	*n = (struct netdev){ 0 };
	if (!is_interface_name(name)) {
		log_err("virtio-net: '%s' is not the name of an interface", name);
		return -EINVAL;
	}
	(void)macvtap_node(name, node, sizeof(node));
	while (n->queues < queues) {
		int fd = open_queue(name, node, flags);

		if (fd < 0) {
			netdev_close(n);
			return fd;
		}
		n->fd[n->queues++] = fd;
	}
	return 0;
}

void netdev_close(struct netdev *n)
{
	if (n->user)
		netdev_close_user(n->user);
	for (unsigned int i = 0; i < n->queues; i++)
		close(n->fd[i]);
	*n = (struct netdev){ 0 };
}

bool netdev_set_offload(const struct netdev *n, unsigned int tun_flags)
{
	bool ok = true;

	for (unsigned int i = 0; i < n->queues; i++)
		ok = ioctl(n->fd[i], TUNSETOFFLOAD, tun_flags) == 0 && ok;
	return ok;
}

void netdev_use_queues(const struct netdev *n, unsigned int queues)
{
	/* A queue that has that state already refuses, and so does an interface that has no such thing. */
	for (unsigned int i = 1; i < n->queues && !n->user; i++) {
		struct ifreq r = { .ifr_flags = i < queues ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

		(void)ioctl(n->fd[i], TUNSETQUEUE, &r);
	}
}

bool netdev_set_header(struct netdev *n, int len)
{
	bool ok = true;

	if ((int)NETDEV_HEADER - n->short_by == len)
		return true;
	n->short_by = (int)NETDEV_HEADER - len;
	for (unsigned int i = 0; i < n->queues; i++)
		ok = ioctl(n->fd[i], TUNSETVNETHDRSZ, &len) == 0 && ok;
	return ok;
}
