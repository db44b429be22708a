/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text into a framebuffer: cells of 6 by 9 dots, each dot one pixel or, on large screens, two by
 * two.
 */
#include "hw/fb.h"
#include "hw/font.h"
#include "hw/io.h"

#define CELL_WIDTH (FONT_WIDTH + 1U)
#define CELL_HEIGHT (FONT_HEIGHT + 2U)
#define LARGE_WIDTH 1200U
#define INK 0xC0U   /* of each colour */
#define PAPER 0x00U
#define TEXT_ATTRIBUTE 0x0700U

static struct fb_mode fb;
static bool is_handed_over;
static uint32_t columns, rows, column, row, scale;

static uint8_t *pixel(uint32_t x, uint32_t y)
{
	return (uint8_t *)fb.base + (uint64_t)y * fb.pitch + x * fb.pixel_size;
}

/* Grey, so that the order of the colours does not matter. */
static void draw_dot(uint8_t *at, uint8_t shade)
{
	if (fb.pixel_size == 4) {
		mmio_write32(at, shade * 0x00010101U);
	} else {
		mmio_write16(at, (uint16_t)(shade * 0x0101U));
		mmio_write8(at + 2, shade);
	}
}

static void draw_cell(uint32_t at_column, uint32_t at_row, char c)
{
	uint32_t x0 = at_column * CELL_WIDTH * scale, y0 = at_row * CELL_HEIGHT * scale;
	unsigned int index = (unsigned char)c;

	index = index < FONT_FIRST || index > FONT_LAST ? '?' - FONT_FIRST : index - FONT_FIRST;
	for (uint32_t y = 0; y < CELL_HEIGHT * scale; y++) {
		uint32_t dots = y / scale < FONT_HEIGHT ? font_glyphs[index][y / scale] : 0;

		for (uint32_t x = 0; x < CELL_WIDTH * scale; x++) {
			/* Bit 5 is the gap behind the glyph: bit 4 moves to the left end of 6. */
			bool ink = ((dots << 1 >> (CELL_WIDTH - 1U - x / scale)) & 1U) != 0;

			draw_dot(pixel(x0 + x, y0 + y), ink ? INK : PAPER);
		}
	}
}

static void put_cell(char c)
{
	if (fb.is_text)
		mmio_write16((uint8_t *)fb.base + row * fb.pitch + column * 2U,
			     (uint16_t)(TEXT_ATTRIBUTE | (unsigned char)c));
	else
		draw_cell(column, row, c);
}

static void clear_lines(uint32_t y, uint32_t count)
{
	for (uint32_t end = y + count; y < end; y++) {
		for (uint32_t i = 0; i < fb.width * fb.pixel_size / 8U; i++)
			mmio_write64(pixel(0, y) + i * 8U, PAPER);
	}
}

static void clear_row(uint32_t at)
{
	if (fb.is_text) {
		for (uint32_t i = 0; i < columns; i++)
			mmio_write16((uint8_t *)fb.base + at * fb.pitch + i * 2U,
				     TEXT_ATTRIBUTE | ' ');
		return;
	}
	clear_lines(at * CELL_HEIGHT * scale, CELL_HEIGHT * scale);
}

bool fb_init(const struct fb_mode *mode)
{
	fb = *mode;
	scale = fb.width >= LARGE_WIDTH ? 2 : 1;
	columns = fb.is_text ? fb.width : fb.width / (CELL_WIDTH * scale);
	rows = fb.is_text ? fb.height : fb.height / (CELL_HEIGHT * scale);
	column = 0;
	row = 0;
	if (fb.base == NULL || columns < 20 || rows < 4 ||
	    (!fb.is_text && fb.pixel_size != 3 && fb.pixel_size != 4)) {
		fb_disable();
		return false;
	}
	for (uint32_t i = 0; i < rows; i++)
		clear_row(i);
	/* What is left below the last whole row. */
	if (!fb.is_text)
		clear_lines(rows * CELL_HEIGHT * scale, fb.height % (CELL_HEIGHT * scale));
	return true;
}

void fb_disable(void)
{
	fb.base = NULL;
}

void fb_hand_over(void)
{
	is_handed_over = true;
}

void fb_take_back(void)
{
	is_handed_over = false;
}

static void next_row(void)
{
	column = 0;
	row = (row + 1U) % rows;
	clear_row(row);
	clear_row((row + 1U) % rows);
}

void fb_write(const char *text, size_t len)
{
	if (fb.base == NULL || is_handed_over)
		return;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			next_row();
			continue;
		}
		if (column == columns)
			next_row();
		put_cell(text[i]);
		column++;
	}
}
