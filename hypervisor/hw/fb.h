/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text on the screen that firmware left: a linear framebuffer of 24 or 32 bits a pixel, or VGA
 * text. Lines do not scroll, they go round: at the bottom writing starts again at the top, and the
 * line behind the newest is blank. So nothing is ever read from, or moved within, slow video
 * memory.
 */
#pragma once

#include "lib/types.h"

struct fb_mode {
	void *base;	       /* mapped */
	uint32_t width, height; /* in pixels; of VGA text in characters */
	uint32_t pitch;	       /* bytes a line */
	uint32_t pixel_size;   /* bytes, 3 or 4 */
	bool is_text;	       /* VGA text, 2 bytes a character */
};

/* False when the mode cannot hold text. Clears the screen. */
bool fb_init(const struct fb_mode *mode);

/* Nothing more is written, not even a panic. */
void fb_disable(void);

/* The screen is the Service VM's from here on; a panic takes it back. */
void fb_hand_over(void);
void fb_take_back(void);

/* The caller serialises. */
void fb_write(const char *text, size_t len);
