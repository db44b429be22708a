/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The option text of a disk: "PATH[,opt…]" by a table. The words are those of the original.
 */
#include "backend/blockdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum taken { TAKEN, WRONG };

static enum taken taken_if(bool ok)
{
	return ok ? TAKEN : WRONG;
}

/* Reads decimal numbers separated by sep into out[0 .. max); how many, or 0 if the text is anything else. */
static unsigned int numbers(const char *text, char sep, uint64_t *out, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && *text >= '0' && *text <= '9') {
		char *end;

		errno = 0;
		out[n++] = strtoull(text, &end, 10);
		if (errno || (*end != sep && *end != '\0'))
			return 0;
		if (*end == '\0')
			return n;
		text = end + 1;
	}
	return 0;
}

static bool is_sector_size(uint64_t v)
{
	return v >= BLOCKDEV_SECTOR && v <= 65536 && (v & (v - 1)) == 0;
}

static enum taken opt_writeback(struct blockdev_options *o, const char *value)
{
	o->writeback = true;
	return taken_if(!value);
}

static enum taken opt_writethru(struct blockdev_options *o, const char *value)
{
	o->writeback = false;
	return taken_if(!value);
}

static enum taken opt_ro(struct blockdev_options *o, const char *value)
{
	o->read_only = true;
	return taken_if(!value);
}

static enum taken opt_no_bst_block(struct blockdev_options *o, const char *value)
{
	(void)o;	/* switches off an ordering rule that we do not have */
	return taken_if(!value);
}

static enum taken opt_discard(struct blockdev_options *o, const char *value)
{
	uint64_t v[3];

	o->discard = true;
	if (!value)
		return TAKEN;
	if (numbers(value, ':', v, 3) != 3 || v[0] > UINT32_MAX || v[1] > UINT32_MAX || v[2] > UINT32_MAX)
		return WRONG;
	o->discard_max_sectors = (uint32_t)v[0];
	o->discard_max_segments = (uint32_t)v[1];
	o->discard_align = (uint32_t)v[2];
	return TAKEN;
}

static enum taken opt_sectorsize(struct blockdev_options *o, const char *value)
{
	uint64_t v[2];
	unsigned int n = value ? numbers(value, '/', v, 2) : 0;

	if (n == 1)
		v[1] = v[0];
	if (n == 0 || !is_sector_size(v[0]) || !is_sector_size(v[1]) || v[1] < v[0])
		return WRONG;
	o->logical = (uint32_t)v[0];
	o->physical = (uint32_t)v[1];
	return TAKEN;
}

static enum taken opt_range(struct blockdev_options *o, const char *value)
{
	uint64_t v[2];

	if (!value || numbers(value, '/', v, 2) != 2 || v[1] == 0)
		return WRONG;
	o->range_start = v[0];
	o->range_len = v[1];
	return TAKEN;
}

static enum taken opt_aio(struct blockdev_options *o, const char *value)
{
	bool uring = value && strcmp(value, "io_uring") == 0;

	o->engine = uring ? BLOCKDEV_URING : BLOCKDEV_THREADS;
	return taken_if(uring || (value && strcmp(value, "threads") == 0));
}

static enum taken opt_nocache(struct blockdev_options *o, const char *value)
{
	o->direct = true;
	return taken_if(!value);
}

static const struct {
	const char *name;
	enum taken (*take)(struct blockdev_options *o, const char *value);
} table[] = {
	{ "writeback", opt_writeback },	{ "writethru", opt_writethru },	  { "ro", opt_ro },
	{ "nocache", opt_nocache },	{ "discard", opt_discard },	  { "sectorsize", opt_sectorsize },
	{ "range", opt_range },		{ "aio", opt_aio },		  { "no_bst_block", opt_no_bst_block },
};

static enum taken take_option(struct blockdev_options *o, const char *word)
{
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : strlen(word);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].name) == len && strncmp(table[i].name, word, len) == 0)
			return table[i].take(o, value ? value + 1 : NULL);
	return WRONG;
}

int blockdev_parse(char *text, struct blockdev_options *o)
{
	char *word = strsep(&text, ",");

	*o = (struct blockdev_options){ 0 };
	if (!word || !*word) {
		log_err("virtio-blk: the path of the disk is missing");
		return -EINVAL;
	}
	o->path = strcmp(word, "nodisk") == 0 ? NULL : word;
	while ((word = strsep(&text, ",")) != NULL) {
		if (take_option(o, word) == TAKEN)
			continue;
		log_err("virtio-blk: option '%s' is unknown or its value is wrong", word);
		return -EINVAL;
	}
	return 0;
}
