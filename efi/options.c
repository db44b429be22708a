/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes are text when every character is a printable ASCII one, up to a NUL or the end.
 */
#include "options.h"

#include "config/slice.h"

#define MAX_TEXT 512

static bool is_printable(unsigned int c)
{
	return (c >= ' ' && c <= '~') || c == '\t';
}

/* The text of characters that are `width` bytes wide; its length, 0 when it is no such text. */
static size_t read_text(const uint8_t *bytes, size_t size, size_t width, char *text)
{
	size_t count = size / width;
	size_t len;

	for (len = 0; len < count; len++) {
		unsigned int c = bytes[len * width];

		if (width == 2)
			c |= (unsigned int)bytes[len * 2 + 1] << 8;
		if (c == 0)
			break;
		if (!is_printable(c) || len == MAX_TEXT)
			return 0;
		text[len] = (char)c;
	}
	return len;
}

static bool is_program_name(struct slice word)
{
	static const char end[] = ".efi";
	size_t i;

	if (word.len < 4)
		return false;
	for (i = 0; i < 4; i++) {
		if ((word.at[word.len - 4 + i] | (i > 0 ? 0x20 : 0)) != end[i])
			return false;
	}
	return true;
}

unsigned int options_path(const void *options, size_t size, char *path, size_t path_size)
{
	char text[MAX_TEXT];
	struct slice rest = {text, read_text(options, size, 2, text)};
	unsigned int words = 0;
	struct slice word;

	path[0] = '\0';
	if (rest.len == 0)
		rest.len = read_text(options, size, 1, text);
	word = slice_take_word(&rest);
	if (is_program_name(word))
		word = slice_take_word(&rest);
	for (; word.len > 0; word = slice_take_word(&rest)) {
		if (words++ == 0 && !slice_copy(word, path, path_size))
			return 2;
	}
	return words;
}
