/* SPDX-License-Identifier: BSD-3-Clause */
/* A keyboard that is a socket pair: stands in for backend/evdev.c. */
#include "dm/fake_evdev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "backend/evdev.h"

int fake_evdev_host = -1;

int evdev_open(const char *path)
{
	int ends[2];

	if (strcmp(path, "/dev/input/event0") != 0)
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) != 0)
		return -errno;
	fake_evdev_host = ends[0];
	return ends[1];
}

unsigned int evdev_name(int fd, uint8_t *buf)
{
	(void)fd;
	memcpy(buf, "a keyboard", 10);
	return 10;
}

unsigned int evdev_serial(int fd, uint8_t *buf)
{
	(void)fd;
	memcpy(buf, "42", 2);
	return 2;
}

unsigned int evdev_properties(int fd, uint8_t *buf)
{
	(void)fd;
	(void)buf;
	return 0;
}

unsigned int evdev_codes(int fd, uint8_t type, uint8_t *buf)
{
	(void)fd;
	if (type != 1)
		return 0;
	memset(buf, 0xff, EVDEV_DATA_MAX);
	return EVDEV_DATA_MAX;
}

unsigned int evdev_axis(int fd, uint8_t axis, uint8_t *buf)
{
	(void)fd;
	memset(buf, axis, 20);
	return axis == 3 ? 20 : 0;
}

void evdev_ids(int fd, struct evdev_ids *ids)
{
	(void)fd;
	*ids = (struct evdev_ids){ 3, 0x1234, 0x5678, 1 };
}
