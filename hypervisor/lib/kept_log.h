/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of the log in memory that a reset leaves as it is: a ring of text behind a header with a checksum. What is
 * found there after a reset may be anything, so nothing of it is believed before kept_log_is_wanted() has said yes.
 */
#pragma once

#include "lib/types.h"

#define KEPT_LOG_TEXT (16U * 1024U - 32U)

struct kept_log {
	uint64_t magic;
	uint32_t written; /* characters ever; the last KEPT_LOG_TEXT of them are there */
	uint32_t is_wanted;
	uint64_t text_sum;
	uint64_t header_sum;
	char text[KEPT_LOG_TEXT];
};

/* An empty one. */
void kept_log_start(struct kept_log *k);

void kept_log_write(struct kept_log *k, const char *text, size_t len);

/* This run ends badly: the next one is to show its log. */
void kept_log_want(struct kept_log *k);

/* True when a run left its log here, whole: it is safe to read, whether that run wanted it shown or not. */
bool kept_log_is_whole(const struct kept_log *k);

/* The same, and it wanted it shown. */
bool kept_log_is_wanted(const struct kept_log *k);

/*
 * The next line, without its end, cut to size; *at is 0 for the oldest that is whole. False: no more. What is not
 * printable becomes a dot.
 */
bool kept_log_line(const struct kept_log *k, uint32_t *at, char *line, size_t size);
