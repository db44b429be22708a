/* SPDX-License-Identifier: BSD-3-Clause */
/* See kept_log.h. The sum of the text is kept up as it is written, so that the log is whole after each line. */
#include "lib/kept_log.h"

#include "lib/util.h"

#define MAGIC 0x474F4C2D4E524341UL /* "ACRN-LOG" */
#define ODD 0x9E3779B97F4A7C15UL

_Static_assert(sizeof(struct kept_log) == 16 * 1024, "whole pages");

/* By its place too, so that lines in another order are another sum. */
static uint64_t weigh(uint32_t at, char c)
{
	return ((uint64_t)(uint8_t)c + 1U) * (ODD + 2UL * at);
}

static uint64_t header_sum(const struct kept_log *k)
{
	return ((k->text_sum ^ k->written) * ODD + k->is_wanted) * ODD + k->magic;
}

void kept_log_start(struct kept_log *k)
{
	k->written = 0;
	k->is_wanted = 0;
	k->text_sum = 0;
	for (uint32_t i = 0; i < KEPT_LOG_TEXT; i++) {
		k->text[i] = 0;
		k->text_sum += weigh(i, 0);
	}
	k->magic = MAGIC;
	k->header_sum = header_sum(k);
}

void kept_log_write(struct kept_log *k, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint32_t at = k->written % KEPT_LOG_TEXT;

		k->text_sum += weigh(at, text[i]) - weigh(at, k->text[at]);
		k->text[at] = text[i];
		k->written++;
		/* Before it wraps: the place would jump. */
		if (k->written >= 4U * KEPT_LOG_TEXT)
			k->written -= 2U * KEPT_LOG_TEXT;
	}
	k->header_sum = header_sum(k);
}

void kept_log_want(struct kept_log *k)
{
	k->is_wanted = 1;
	k->header_sum = header_sum(k);
}

bool kept_log_is_whole(const struct kept_log *k)
{
	uint64_t sum = 0;

	if (k->magic != MAGIC || k->is_wanted > 1 || k->header_sum != header_sum(k))
		return false;
	for (uint32_t i = 0; i < KEPT_LOG_TEXT; i++)
		sum += weigh(i, k->text[i]);
	return sum == k->text_sum;
}

bool kept_log_is_wanted(const struct kept_log *k)
{
	return kept_log_is_whole(k) && k->is_wanted == 1;
}

static char text_at(const struct kept_log *k, uint32_t at)
{
	return k->text[at % KEPT_LOG_TEXT];
}

bool kept_log_line(const struct kept_log *k, uint32_t *at, char *line, size_t size)
{
	size_t len = 0;

	if (*at == 0 && k->written > KEPT_LOG_TEXT) {
		*at = k->written - KEPT_LOG_TEXT;
		while (*at != k->written && text_at(k, (*at)++) != '\n')
			;
	}
	if (*at >= k->written)
		return false;
	for (; *at < k->written && text_at(k, *at) != '\n'; (*at)++) {
		char c = text_at(k, *at);

		if (len + 1 < size)
			line[len++] = c >= ' ' && c <= '~' ? c : '.';
	}
	(*at)++;
	line[len] = '\0';
	return true;
}
