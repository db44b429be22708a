/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * UEFI 3.1.3: attributes, length of the paths, description, paths, data, all without padding.
 */
#include "load_option.h"

#include "lib/string.h"

#define NODE_END 0x7f
#define NODE_HEADER 4

struct writer {
	uint8_t *at;
	size_t left;
	bool is_full;
};

size_t load_option_path_size(const void *path, size_t most)
{
	const uint8_t *node = path;
	size_t size = 0;

	while (most - size >= NODE_HEADER && node[size] != NODE_END) {
		size_t length = node[size + 2] | (size_t)node[size + 3] << 8;

		if (length < NODE_HEADER || length > most - size)
			return 0;
		size += length;
	}
	return most - size >= NODE_HEADER ? size : 0;
}

static void put(struct writer *w, const void *bytes, size_t size)
{
	if (size > w->left) {
		w->is_full = true;
		return;
	}
	memcpy(w->at, bytes, size);
	w->at += size;
	w->left -= size;
}

static void put_text(struct writer *w, const char *text)
{
	size_t i = 0;

	do {
		const uint8_t wide[2] = {(uint8_t)text[i], 0};

		put(w, wide, 2);
	} while (text[i++] != '\0');
}

size_t load_option_write(const struct load_option *option, uint8_t *to, size_t size)
{
	static const uint8_t end[NODE_HEADER] = {NODE_END, 0xff, NODE_HEADER, 0};
	size_t device = load_option_path_size(option->device, size);
	size_t file = load_option_path_size(option->file, size);
	uint16_t paths = (uint16_t)(device + file + sizeof(end));
	struct writer w = {to, size, false};

	if (device == 0 || file == 0 || device + file + sizeof(end) > 0xffff)
		return 0;
	put(&w, &option->attributes, 4);
	put(&w, &paths, 2);
	put_text(&w, option->description);
	put(&w, option->device, device);
	put(&w, option->file, file);
	put(&w, end, sizeof(end));
	put_text(&w, option->data);
	return w.is_full ? 0 : size - w.left;
}

bool load_option_is(const void *bytes, size_t size, const char *description)
{
	const uint8_t *at = bytes;
	size_t i = 0;

	do {
		if (6 + 2 * i + 2 > size || at[6 + 2 * i] != (uint8_t)description[i] || at[7 + 2 * i] != 0)
			return false;
	} while (description[i++] != '\0');
	return true;
}
