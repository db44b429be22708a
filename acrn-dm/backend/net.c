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

int netdev_open(const char *name)
{
	char node[32] = TUN_NODE;
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = NETDEV_HEADER;
	bool macvtap;
	int fd;

	if (!is_interface_name(name)) {
		log_err("virtio-net: '%s' is not the name of an interface", name);
		return -EINVAL;
	}
	macvtap = macvtap_node(name, node, sizeof(node));
	fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail(fd, name, node);
	strcpy(r.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		return fail(fd, name, macvtap ? "cannot use the macvtap" : "cannot attach to the tap");
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return fail(fd, name, "cannot set the header size");
	if (!netdev_set_offload(fd, 0))
		return fail(fd, name, "cannot switch its offloads off");
	return fd;
}

bool netdev_set_offload(int fd, unsigned int tun_flags)
{
	return ioctl(fd, TUNSETOFFLOAD, tun_flags) == 0;
}
