/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The three counters of an 8254 as pure arithmetic over a clock in nanoseconds that the caller passes in.
 * Counting never happens: state is the time a count was loaded, everything else is computed when somebody
 * asks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PIT_HZ	1193182u

struct pit_channel {
	uint8_t mode;		/* 0..5 */
	uint8_t access;		/* 1 low byte, 2 high byte, 3 both */
	bool bcd;
	bool gate;
	bool loaded;		/* a count was written since the mode was */
	bool write_high, read_high;	/* the next byte is the high one */
	uint8_t write_low;
	uint32_t count;		/* 1..65536 */
	uint64_t start_ns;	/* when counting of it began */
	bool latched, status_latched;
	uint8_t status;
	uint16_t latch;
};

struct pit {
	struct pit_channel ch[3];
};

void pit_reset(struct pit *p);
void pit_write(struct pit *p, unsigned int port, uint8_t value, uint64_t now);	/* port 0..3 */
uint8_t pit_read(struct pit *p, unsigned int port, uint64_t now);
/* The gate input of a channel (port 0x61 bit 0 for channel 2). */
void pit_set_gate(struct pit *p, unsigned int ch, bool gate, uint64_t now);
bool pit_output(const struct pit *p, unsigned int ch, uint64_t now);
/*
 * The first rising edge of the output after now, in the same clock, or 0 if none will come. *period_ns is the
 * distance to the following ones, 0 if there is only one.
 */
uint64_t pit_next_rise(const struct pit *p, unsigned int ch, uint64_t now, uint64_t *period_ns);
