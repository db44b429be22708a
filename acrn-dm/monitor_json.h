/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads one flat JSON object of strings, which is all that the command socket carries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct monitor_command {
	char command[64];
	char arguments[512];	/* "" if there are none */
};

/* False unless text is one such object with a "command"; other members are skipped. */
bool monitor_json_parse(const char *text, size_t len, struct monitor_command *c);
