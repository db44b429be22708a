/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Boot entries as the firmware keeps them in its variables Boot####. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_OPTION_IS_ACTIVE 1
#define LOAD_OPTION_IS_HIDDEN 8 /* not in the firmware's menu */

/* Bytes of a device path without its end node; 0 when it is none, or longer than `most`. */
size_t load_option_path_size(const void *path, size_t most);

/* What an entry says. Paths are those of a device and of a file on it; the description is ASCII. */
struct load_option {
	uint32_t attributes;
	const char *description;
	const void *device;
	const void *file;
	const char *data; /* becomes 16-bit text */
};

/* Writes the entry; its length, or 0 when it does not fit into `size`. */
size_t load_option_write(const struct load_option *option, uint8_t *to, size_t size);

/* Whether the bytes are an entry of that description. */
bool load_option_is(const void *bytes, size_t size, const char *description);
