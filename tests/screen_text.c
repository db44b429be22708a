/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads a picture of the screen (PPM, as the emulator's screendump writes it) as a person would: cell by cell, by the
 * hypervisor's own font, and prints the lines. A cell that is no character of the font is a "~"; a pixel of any other
 * colour than ink and paper makes it one. screen_text FILE
 */
#include <stdio.h>
#include <stdlib.h>

#include "hw/font.h"

#define CELL_WIDTH (FONT_WIDTH + 1)
#define CELL_HEIGHT (FONT_HEIGHT + 2)
#define LARGE_WIDTH 1200
#define INK 0xC0
#define PAPER 0x00
#define UNREADABLE '~'

static struct {
	unsigned int width, height, scale;
	unsigned char *rgb;
} picture;

static int load(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t size;
	int ok;

	if (f == NULL || fscanf(f, "P6 %u %u 255", &picture.width, &picture.height) != 2 || fgetc(f) != '\n' ||
	    picture.width > 8192 || picture.height > 8192)
		return -1;
	size = (size_t)picture.width * picture.height * 3;
	picture.rgb = malloc(size);
	ok = picture.rgb != NULL && fread(picture.rgb, 1, size, f) == size;
	fclose(f);
	picture.scale = picture.width >= LARGE_WIDTH ? 2 : 1;
	return ok ? 0 : -1;
}

/* 1 ink, 0 paper, -1 neither. */
static int dot(unsigned int x, unsigned int y)
{
	const unsigned char *p = &picture.rgb[((size_t)y * picture.width + x) * 3];

	if (p[0] != p[1] || p[1] != p[2] || (p[0] != INK && p[0] != PAPER))
		return -1;
	return p[0] == INK;
}

/* The picture has this glyph there, every pixel of each dot, and nothing in the gaps. */
static int is_glyph(unsigned int x0, unsigned int y0, const uint8_t *glyph)
{
	for (unsigned int y = 0; y < CELL_HEIGHT * picture.scale; y++) {
		unsigned int row = y / picture.scale < FONT_HEIGHT ? glyph[y / picture.scale] : 0;

		for (unsigned int x = 0; x < CELL_WIDTH * picture.scale; x++) {
			unsigned int column = x / picture.scale;
			int want = column < FONT_WIDTH ? row >> (FONT_WIDTH - 1 - column) & 1 : 0;

			if (dot(x0 + x, y0 + y) != want)
				return 0;
		}
	}
	return 1;
}

static char read_cell(unsigned int x0, unsigned int y0)
{
	for (int c = FONT_FIRST; c <= FONT_LAST; c++)
		if (is_glyph(x0, y0, font_glyphs[c - FONT_FIRST]))
			return (char)c;
	return UNREADABLE;
}

int main(int argc, char **argv)
{
	if (argc != 2 || load(argv[1]) != 0) {
		fprintf(stderr, "screen_text: %s: no picture\n", argc == 2 ? argv[1] : "usage: screen_text FILE");
		return 1;
	}
	for (unsigned int y = 0; y + CELL_HEIGHT * picture.scale <= picture.height; y += CELL_HEIGHT * picture.scale) {
		for (unsigned int x = 0; x + CELL_WIDTH * picture.scale <= picture.width;
		     x += CELL_WIDTH * picture.scale)
			putchar(read_cell(x, y));
		putchar('\n');
	}
	free(picture.rgb);
	return 0;
}
