/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader for {"key":"value", …}. Values may be strings, numbers, true, false and null; nested values are
 * refused. \u escapes are kept to ASCII, because commands and paths here are.
 */
#include "monitor_json.h"

#include <ctype.h>
#include <string.h>

struct text {
	const char *p, *end;
};

static char peek(struct text *t)
{
	while (t->p < t->end && isspace((unsigned char)*t->p))
		t->p++;
	return t->p < t->end ? *t->p : 0;
}

static bool take(struct text *t, char c)
{
	if (peek(t) != c)
		return false;
	t->p++;
	return true;
}

static int hex4(struct text *t)
{
	int v = 0;

	if (t->end - t->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int c = tolower((unsigned char)*t->p++);

		if (!isxdigit(c))
			return -1;
		v = v * 16 + (c >= 'a' ? c - 'a' + 10 : c - '0');
	}
	return v;
}

/* The character behind a backslash, -1 if it is wrong. */
static int escape(struct text *t)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int v;

	if (t->p == t->end)
		return -1;
	if (*t->p == 'u') {
		t->p++;
		v = hex4(t);
		return v > 0 && v < 128 ? v : -1;
	}
	at = memchr(from, *t->p++, sizeof(from) - 1);
	return at ? to[at - from] : -1;
}

static bool string(struct text *t, char *out, size_t room)
{
	size_t len = 0;
	int c;

	if (!take(t, '"'))
		return false;
	while (t->p < t->end && *t->p != '"') {
		c = (unsigned char)*t->p++;
		if (c == '\\')
			c = escape(t);
		if (c <= 0 || len + 1 >= room)
			return false;
		out[len++] = (char)c;
	}
	out[len] = 0;
	return t->p++ < t->end;
}

/* A number or a word: kept by nobody. */
static bool skip_word(struct text *t)
{
	const char *start = t->p;

	while (t->p < t->end && (isalnum((unsigned char)*t->p) || strchr("+-.", *t->p)))
		t->p++;
	return t->p > start;
}

static bool member(struct text *t, struct monitor_command *c)
{
	char key[64], ignored[512];

	if (!string(t, key, sizeof(key)) || !take(t, ':'))
		return false;
	if (peek(t) != '"')
		return skip_word(t);
	if (strcmp(key, "command") == 0)
		return string(t, c->command, sizeof(c->command));
	if (strcmp(key, "arguments") == 0)
		return string(t, c->arguments, sizeof(c->arguments));
	return string(t, ignored, sizeof(ignored));
}

bool monitor_json_parse(const char *text, size_t len, struct monitor_command *c)
{
	struct text t = { text, text + len };

	memset(c, 0, sizeof(*c));
	if (!take(&t, '{'))
		return false;
	do {
		if (!member(&t, c))
			return false;
	} while (take(&t, ','));
	return take(&t, '}') && peek(&t) == 0 && t.p == t.end && c->command[0];
}
