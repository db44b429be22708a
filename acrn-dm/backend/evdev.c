/* SPDX-License-Identifier: BSD-3-Clause */
/* The ioctls of evdev (linux/input.h). Lengths are cut to what carries a set bit, as virtio 1.2, 5.8.4 wants them. */
#include "backend/evdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"

int evdev_open(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || ioctl(fd, EVIOCGRAB, 1) < 0)
		err = -errno;
	if (!err)
		return fd;
	log_err("virtio-input: %s: %s", path, err == -EBUSY ? "somebody else has it" : strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}

static unsigned int text(int length, uint8_t *buf)
{
	return length > 0 ? (unsigned int)strnlen((char *)buf, (size_t)length) : 0;
}

static unsigned int bitmap(int length, const uint8_t *buf)
{
	while (length > 0 && buf[length - 1] == 0)
		length--;
	return length > 0 ? (unsigned int)length : 0;
}

unsigned int evdev_name(int fd, uint8_t *buf)
{
	return text(ioctl(fd, EVIOCGNAME(EVDEV_DATA_MAX), buf), buf);
}

unsigned int evdev_serial(int fd, uint8_t *buf)
{
	return text(ioctl(fd, EVIOCGUNIQ(EVDEV_DATA_MAX), buf), buf);
}

unsigned int evdev_properties(int fd, uint8_t *buf)
{
	return bitmap(ioctl(fd, EVIOCGPROP(EVDEV_DATA_MAX), buf), buf);
}

unsigned int evdev_codes(int fd, uint8_t type, uint8_t *buf)
{
	return type <= EV_MAX ? bitmap(ioctl(fd, EVIOCGBIT(type, EVDEV_DATA_MAX), buf), buf) : 0;
}

unsigned int evdev_axis(int fd, uint8_t axis, uint8_t *buf)
{
	struct input_absinfo a;
	int32_t words[5];

	if (axis > ABS_MAX || ioctl(fd, EVIOCGABS(axis), &a) < 0)
		return 0;
	words[0] = a.minimum;
	words[1] = a.maximum;
	words[2] = a.fuzz;
	words[3] = a.flat;
	words[4] = a.resolution;
	memcpy(buf, words, sizeof(words));
	return sizeof(words);
}

void evdev_ids(int fd, struct evdev_ids *ids)
{
	struct input_id id = { 0 };

	(void)ioctl(fd, EVIOCGID, &id);	/* zeroes say as much as an error */
	*ids = (struct evdev_ids){ id.bustype, id.vendor, id.product, id.version };
}
