/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The screen as firmware or boot loader left it: read from the boot information, written by our own
 * console, and handed on to the Service VM's kernel.
 */
#pragma once

#include "lib/types.h"

/* width 0: none that we can write to. Positions and sizes are in bits of a little-endian pixel. */
struct boot_framebuffer {
	hpa_t base;
	uint32_t pitch; /* bytes a line */
	uint32_t width;
	uint32_t height;
	uint8_t bpp;
	bool is_text; /* VGA text: width and height in characters, no colours below */
	uint8_t red_position, red_size;
	uint8_t green_position, green_size;
	uint8_t blue_position, blue_size;
};
