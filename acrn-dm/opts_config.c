/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --config: the long options of the command line, one a line, "option = value". The text stays in memory, because the
 * configuration points into it.
 */
#include "opts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#define FILE_MAX	65536u

static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (isspace((unsigned char)*s))
		s++;
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

static int read_file(const char *path, struct dm_config *cfg)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return opts_error("--config: cannot open %s: %s", path, strerror(errno));
	cfg->file_text = malloc(FILE_MAX);
	n = cfg->file_text ? fread(cfg->file_text, 1, FILE_MAX, f) : 0;
	fclose(f);
	if (!cfg->file_text)
		return -ENOMEM;
	if (n == FILE_MAX || memchr(cfg->file_text, 0, n))
		return opts_error("--config: %s is not a text of at most 64 KiB", path);
	cfg->file_text[n] = 0;
	return 0;
}

int opts_read_config(const char *path, struct dm_config *cfg,
		     int (*line)(const char *key, const char *value, struct dm_config *cfg))
{
	unsigned int number = 0;
	char *rest, *text;

	if (cfg->file_text)
		return opts_error("--config: one file is enough");
	if (read_file(path, cfg) != 0)
		return -EINVAL;
	rest = cfg->file_text;
	while ((text = strsep(&rest, "\n")) != NULL) {
		char *key = trim(text), *value;

		number++;
		if (!*key || *key == '#')
			continue;
		value = strchr(key, '=');
		if (value)
			*value++ = 0;
		if (line(trim(key), value ? trim(value) : NULL, cfg) != 0)
			return opts_error("%s, line %u: the VM is not started", path, number);
	}
	return 0;
}
