/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where log lines go: the serial port and the screen. Early, before anything is known, it tries
 * COM1; then come the loader's framebuffer and what acrn.conf says.
 */
#pragma once

#include "config/scenario.h"
#include "hw/fb.h"

/* From the first instruction of C on: COM1 at 115200 where it exists. */
void console_init_early(void);

/* Text on the screen; nothing when the mode cannot hold any. */
void console_init_screen(const struct fb_mode *mode);

/* What acrn.conf asks for: port, rate, screen or not, level. After paging. */
void console_configure(const struct scenario *scenario);
