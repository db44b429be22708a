/* SPDX-License-Identifier: BSD-3-Clause */
/* The system calls of vhost.h, alone in a file so that a test can be the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "backend/vhost.h"

int vhost_host_open(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vhost_host_ioctl(int fd, unsigned long request, const void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}
