/* SPDX-License-Identifier: BSD-3-Clause */
/* See script.h. */
#include "ctl/script.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD	"acrn-dm"

char *script_read(const char *path, size_t most)
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(most + 2) : NULL;
	size_t len;
	int err;

	if (!text) {
		if (f)
			fclose(f);
		return NULL;
	}
	len = fread(text, 1, most + 1, f);
	text[len] = '\0';
	err = ferror(f) ? EIO : len > most || strlen(text) != len ? EFBIG : 0;
	fclose(f);
	if (err) {
		free(text);
		errno = err;
		return NULL;
	}
	return text;
}

static bool ends_word(char c)
{
	return c == '\0' || strchr(" \t\n\\\"'`;|&()<>=", c) != NULL;
}

/* Where the word of which p is the name begins; NULL if p is not the end of a path. */
static const char *begin_of(const char *text, const char *p)
{
	if (!ends_word(p[strlen(WORD)]))
		return NULL;
	if (p > text && p[-1] != '/' && !ends_word(p[-1]))
		return NULL;
	while (p > text && !ends_word(p[-1]))
		p--;
	return p;
}

char *script_redirect(const char *text, const char *program)
{
	size_t size = 0;
	char *copy = NULL;
	FILE *f = open_memstream(&copy, &size);
	const char *from = text;

	if (!f)
		return NULL;
	for (const char *p = strstr(text, WORD); p; p = strstr(p + 1, WORD)) {
		const char *begin = begin_of(text, p);

		if (!begin)
			continue;
		fwrite(from, 1, (size_t)(begin - from), f);
		fputs(program, f);
		from = p + strlen(WORD);
	}
	fputs(from, f);
	if (ferror(f)) {
		fclose(f);
		free(copy);
		return NULL;
	}
	return fclose(f) == 0 ? copy : NULL;
}

char *script_join(char **words, int count)
{
	size_t size = 1;
	char *text;

	for (int i = 0; i < count; i++) {
		if (strchr(words[i], '\n'))
			return NULL;
		size += strlen(words[i]) + 1;
	}
	text = malloc(size);
	if (!text)
		return NULL;
	*text = '\0';
	for (int i = 0; i < count; i++)
		strcat(strcat(text, words[i]), "\n");
	return text;
}

int script_split(char *text, char **words, int most)
{
	int count = 0;

	for (char *end; (end = strchr(text, '\n')); text = end + 1) {
		if (count == most)
			return -1;
		*end = '\0';
		words[count++] = text;
	}
	words[count] = NULL;
	return count;
}
