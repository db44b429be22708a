/* SPDX-License-Identifier: BSD-3-Clause */
/* An input device of the host (/dev/input/eventN), grabbed: the host gets nothing from it while a guest has it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define EVDEV_DATA_MAX	128u

struct evdev_ids {
	uint16_t bus, vendor, product, version;
};

/* A non-blocking descriptor that reads and takes struct input_event, or -errno after a log_err() line. */
int evdev_open(const char *path);
/* Each fills buf (EVDEV_DATA_MAX bytes) and returns how many bytes count: 0 if there is no such thing. */
unsigned int evdev_name(int fd, uint8_t *buf);
unsigned int evdev_serial(int fd, uint8_t *buf);
unsigned int evdev_properties(int fd, uint8_t *buf);
/* The codes of that type (EV_KEY ..) as a bitmap. */
unsigned int evdev_codes(int fd, uint8_t type, uint8_t *buf);
/* Five words: minimum, maximum, fuzz, flat, resolution. */
unsigned int evdev_axis(int fd, uint8_t axis, uint8_t *buf);
void evdev_ids(int fd, struct evdev_ids *ids);
