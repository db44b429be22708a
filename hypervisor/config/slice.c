/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Splitting and reading pieces of text. Nothing here looks beyond a slice's length: the text behind
 * it may be the next line of the file, or the end of the page.
 */
#include "config/slice.h"

bool slice_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && slice_is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && slice_is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool slice_equals(struct slice s, const char *word)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (word[i] == '\0' || word[i] != s.at[i])
			return false;
	}
	return word[i] == '\0';
}

static struct slice take(struct slice *rest, size_t len, size_t skip)
{
	struct slice taken = {rest->at, len};

	rest->at += len + skip;
	rest->len -= len + skip;
	return taken;
}

struct slice slice_take_item(struct slice *rest, char separator)
{
	struct slice item;
	size_t len = 0;

	while (len < rest->len && rest->at[len] != separator)
		len++;
	if (len < rest->len)
		return slice_trim(take(rest, len, 1));
	item = slice_trim(*rest);
	*rest = (struct slice){NULL, 0};
	return item;
}

struct slice slice_take_word(struct slice *rest)
{
	size_t len = 0;

	*rest = slice_trim(*rest);
	while (len < rest->len && !slice_is_blank(rest->at[len]))
		len++;
	return take(rest, len, 0);
}

bool slice_copy(struct slice s, char *to, size_t size)
{
	size_t i;

	if (s.len >= size)
		return false;
	for (i = 0; i < s.len; i++)
		to[i] = s.at[i];
	to[s.len] = '\0';
	return true;
}

/* The value of a digit in any base up to 16; 16 for what is no digit. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

static bool digits(struct slice s, unsigned int base, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;
	size_t i;

	if (s.len == 0)
		return false;
	for (i = 0; i < s.len; i++) {
		unsigned int digit = digit_value(s.at[i]);

		if (digit >= base || sum > (max - digit) / base || digit > max)
			return false;
		sum = sum * base + digit;
	}
	*value = sum;
	return true;
}

bool slice_number(struct slice s, uint64_t max, uint64_t *value)
{
	if (s.len > 2 && s.at[0] == '0' && (s.at[1] == 'x' || s.at[1] == 'X'))
		return digits((struct slice){s.at + 2, s.len - 2}, 16, max, value);
	return digits(s, 10, max, value);
}

/* How far the unit letter shifts its number; 0 for a plain number of bytes. */
static unsigned int unit_shift(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	default:
		return 0;
	}
}

bool slice_size(struct slice s, uint64_t *bytes)
{
	unsigned int shift = s.len > 0 ? unit_shift(s.at[s.len - 1]) : 0;
	uint64_t number;

	if (shift != 0)
		s.len--;
	if (!slice_number(s, UINT64_MAX >> shift, &number))
		return false;
	*bytes = number << shift;
	return true;
}

/* One item of a CPU list: a number, or two with a dash between. */
static bool cpu_range(struct slice item, uint64_t *cpus)
{
	struct slice rest = item;
	struct slice low = slice_take_item(&rest, '-');
	uint64_t first;
	uint64_t last;

	if (!slice_number(low, 63, &first))
		return false;
	last = first;
	if (rest.at != NULL && !slice_number(slice_trim(rest), 63, &last))
		return false;
	if (last < first)
		return false;
	*cpus |= (UINT64_MAX >> (63 - (last - first))) << first;
	return true;
}

bool slice_cpus(struct slice s, uint64_t *cpus)
{
	uint64_t map = 0;

	while (s.at != NULL) {
		if (!cpu_range(slice_take_item(&s, ','), &map))
			return false;
	}
	*cpus = map;
	return true;
}

bool slice_bdf(struct slice s, uint16_t *bdf)
{
	struct slice rest = s;
	struct slice bus = slice_take_item(&rest, ':');
	struct slice device = slice_take_item(&rest, '.');
	uint64_t b;
	uint64_t d;
	uint64_t f;

	if (bus.len > 2 || device.len > 2 || rest.at == NULL || rest.len != 1)
		return false;
	if (!digits(bus, 16, 0xff, &b) || !digits(device, 16, 0x1f, &d) || !digits(rest, 16, 7, &f))
		return false;
	*bdf = (uint16_t)(b << 8 | d << 3 | f);
	return true;
}
