/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * UTF-8 and UTF-16 by hand, without surrogates on the UTF-8 side: a file name outside the basic
 * plane is refused, as FAT volumes of firmware cannot be trusted with one anyway.
 */
#include "path.h"

static bool is_slash(char c)
{
	return c == '\\' || c == '/';
}

/* Appends to the text of length *len; false when there is no room for it and a NUL. */
static bool append(char *to, size_t size, size_t *len, char c)
{
	if (*len + 1 >= size)
		return false;
	if (is_slash(c)) {
		if (*len > 0 && to[*len - 1] == '\\')
			return true;
		c = '\\';
	}
	to[(*len)++] = c;
	to[*len] = '\0';
	return true;
}

bool path_join(const char *folder, const char *name, char *to, size_t size)
{
	size_t len = 0;

	if (!is_slash(*name)) {
		for (; *folder != '\0'; folder++) {
			if (!append(to, size, &len, *folder))
				return false;
		}
	}
	for (; *name != '\0'; name++) {
		if (!append(to, size, &len, *name))
			return false;
	}
	return len > 0;
}

bool path_append(char *path, size_t size, const char *part)
{
	size_t len = 0;

	while (path[len] != '\0')
		len++;
	if (!append(path, size, &len, '\\'))
		return false;
	for (; *part != '\0'; part++) {
		if (!append(path, size, &len, *part))
			return false;
	}
	return true;
}

const char *path_name(const char *path)
{
	size_t len = 0;

	while (path[len] != '\0')
		len++;
	while (len > 0 && !is_slash(path[len - 1]))
		len--;
	return path + len;
}

void path_cut_name(char *path)
{
	path[path_name(path) - path] = '\0';
}

bool path_from_utf16(const uint16_t *from, size_t count, char *to, size_t size)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < count && from[i] != 0; i++) {
		uint16_t c = from[i];

		if ((c >= 0xd800 && c <= 0xdfff) || len + 3 >= size)
			return false;
		if (c < 0x80) {
			to[len++] = (char)c;
		} else if (c < 0x800) {
			to[len++] = (char)(0xc0 | c >> 6);
			to[len++] = (char)(0x80 | (c & 0x3f));
		} else {
			to[len++] = (char)(0xe0 | c >> 12);
			to[len++] = (char)(0x80 | (c >> 6 & 0x3f));
			to[len++] = (char)(0x80 | (c & 0x3f));
		}
	}
	to[len] = '\0';
	return true;
}

/* How many bytes follow the first of a character, -1 for a byte that can be no first one. */
static int followers(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	return first >= 0xe0 && first <= 0xef ? 2 : -1;
}

bool path_to_utf16(const char *from, uint16_t *to, size_t count)
{
	const uint8_t *s = (const uint8_t *)from;
	size_t len = 0;

	while (*s != 0) {
		int rest = followers(*s);
		uint32_t c;

		if (rest < 0 || len + 1 >= count)
			return false;
		c = rest == 0 ? *s : *s & (0x3fu >> rest);
		s++;
		for (; rest > 0; rest--, s++) {
			if ((*s & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*s & 0x3f);
		}
		to[len++] = (uint16_t)c;
	}
	to[len] = 0;
	return true;
}
