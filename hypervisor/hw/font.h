/* SPDX-License-Identifier: BSD-3-Clause */
/* A small bitmap font for the framebuffer console. */
#pragma once

#include "lib/types.h"

#define FONT_FIRST 0x20
#define FONT_LAST 0x7E
#define FONT_WIDTH 5
#define FONT_HEIGHT 7

extern const uint8_t font_glyphs[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];
