/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk from inside: what blockdev.c opens and blockdev_io.c moves. Nobody else includes it. */
#pragma once

#include "backend/blockdev.h"

struct blockdev {
	struct blockdev_info info;
	int fd;
	bool is_device;
	bool has_range;
	bool writeback;		/* atomic access */
	uint32_t align;		/* of memory, offset and length in the file; 1: any */
	uint64_t sectors;	/* atomic access: it can change while requests run */
	uint64_t base;		/* bytes: where sector 0 of the guest lies */
};
