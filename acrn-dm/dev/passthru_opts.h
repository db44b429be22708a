/* SPDX-License-Identifier: BSD-3-Clause */
/* The text behind "-s slot,passthru,": which device, and what is special about it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct passthru_opts {
	uint8_t bus, dev, fn;
	bool keep_gsi;		/* an interrupt line although the device has messages */
	bool no_reset;
	bool d3hot_reset;
	char rom[256];		/* a file in place of the device's expansion ROM, "": none */
	int irq;		/* the line's number in this machine, -1: what the device says */
};

/* 0, or -EINVAL after a line that names the wrong word. */
int passthru_parse(const char *text, struct passthru_opts *o);
