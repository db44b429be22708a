/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An MC146818 and its 128 bytes of CMOS memory, as arithmetic over two clocks that the caller passes in:
 * seconds since 1970 (UTC) for the date and nanoseconds for the periodic interrupt. The date is never stored
 * but as a difference.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct rtc_now {
	int64_t seconds;	/* of the host's real-time clock */
	uint64_t ns;		/* of a monotonic clock */
};

struct rtc {
	uint8_t reg[128];	/* registers 0..9 are not kept here */
	uint8_t index;
	int64_t offset;		/* guest seconds less host seconds */
	struct tm frozen;	/* the date as written while SET is on, day 31 of February included */
	int64_t last_second;	/* guest second of the last update event */
	uint64_t last_tick_ns;	/* of the last periodic event */
};

void rtc_reset(struct rtc *r, const struct rtc_now *now);
void rtc_write_index(struct rtc *r, uint8_t value);
uint8_t rtc_read(struct rtc *r, const struct rtc_now *now);
void rtc_write(struct rtc *r, uint8_t value, const struct rtc_now *now);
/* Sets the flags of register C for what happened until now; true if the line must be high. */
bool rtc_update(struct rtc *r, const struct rtc_now *now);
/* Nanoseconds until rtc_update() must be called again, 0: never. */
uint64_t rtc_wait_ns(const struct rtc *r, const struct rtc_now *now);
