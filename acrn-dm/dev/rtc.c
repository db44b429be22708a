/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MC146818. Date registers are made from seconds when they are read; a write takes the date apart, changes one
 * field and puts it together again. While SET holds the clock the fields are kept apart, so that they come in
 * any order.
 */
#include "dev/rtc.h"

#include <string.h>
#include <time.h>

enum {
	SEC = 0, SEC_ALARM, MIN, MIN_ALARM, HOUR, HOUR_ALARM, WDAY, MDAY, MONTH, YEAR,
	REG_A, REG_B, REG_C, REG_D,
	CENTURY = 0x32,
};

#define A_RATE		0x0f
#define A_UIP		0x80
#define B_24H		0x02
#define B_BINARY	0x04
#define B_UPDATE	0x10
#define B_ALARM		0x20
#define B_PERIODIC	0x40
#define B_SET		0x80
#define C_UPDATE	0x10
#define C_ALARM		0x20
#define C_PERIODIC	0x40
#define C_IRQ		0x80
#define D_VALID		0x80
#define ALARM_ANY	0xc0
#define SECOND_NS	1000000000ull
#define MIN_PERIOD_NS	122070ull

static int64_t guest_seconds(const struct rtc *r, const struct rtc_now *now)
{
	return now->seconds + r->offset;
}

static uint8_t encode(const struct rtc *r, int value)
{
	value = (value % 100 + 100) % 100;
	return (uint8_t)(r->reg[REG_B] & B_BINARY ? value : value / 10 % 10 << 4 | value % 10);
}

static int decode(const struct rtc *r, uint8_t value)
{
	return r->reg[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct rtc *r, int hour)
{
	if (r->reg[REG_B] & B_24H)
		return encode(r, hour);
	return (uint8_t)(encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

static int decode_hour(const struct rtc *r, uint8_t value)
{
	if (r->reg[REG_B] & B_24H)
		return decode(r, value);
	return decode(r, value & 0x7f) % 12 + (value & 0x80 ? 12 : 0);
}

static void get_running_date(const struct rtc *r, const struct rtc_now *now, struct tm *tm)
{
	time_t t = (time_t)guest_seconds(r, now);

	if (!gmtime_r(&t, tm))
		memset(tm, 0, sizeof(*tm));
}

static void get_date(const struct rtc *r, const struct rtc_now *now, struct tm *tm)
{
	if (r->reg[REG_B] & B_SET)
		*tm = r->frozen;
	else
		get_running_date(r, now, tm);
}

static void set_date(struct rtc *r, const struct tm *tm, const struct rtc_now *now)
{
	struct tm copy = *tm;

	if (r->reg[REG_B] & B_SET)
		r->frozen = copy;
	else
		r->offset = timegm(&copy) - now->seconds;
}

static bool is_date(uint8_t index)
{
	return index == CENTURY || (index <= YEAR && index != SEC_ALARM && index != MIN_ALARM && index != HOUR_ALARM);
}

static uint8_t read_date(const struct rtc *r, const struct rtc_now *now)
{
	struct tm tm;

	get_date(r, now, &tm);
	switch (r->index) {
	case SEC:
		return encode(r, tm.tm_sec);
	case MIN:
		return encode(r, tm.tm_min);
	case HOUR:
		return encode_hour(r, tm.tm_hour);
	case WDAY:
		return encode(r, tm.tm_wday + 1);
	case MDAY:
		return encode(r, tm.tm_mday);
	case MONTH:
		return encode(r, tm.tm_mon + 1);
	case YEAR:
		return encode(r, tm.tm_year % 100);
	default:
		return encode(r, (tm.tm_year + 1900) / 100);
	}
}

static void write_date(struct rtc *r, uint8_t value, const struct rtc_now *now)
{
	int n = decode(r, value), year;
	struct tm tm;

	get_date(r, now, &tm);
	year = tm.tm_year + 1900;
	switch (r->index) {
	case SEC:
		tm.tm_sec = n;
		break;
	case MIN:
		tm.tm_min = n;
		break;
	case HOUR:
		tm.tm_hour = decode_hour(r, value);
		break;
	case MDAY:
		tm.tm_mday = n;
		break;
	case MONTH:
		tm.tm_mon = n - 1;
		break;
	case YEAR:
		tm.tm_year = year / 100 * 100 + n - 1900;
		break;
	case CENTURY:
		tm.tm_year = n * 100 + year % 100 - 1900;
		break;
	default:
		return;		/* the day of the week follows the date */
	}
	set_date(r, &tm, now);
}

void rtc_reset(struct rtc *r, const struct rtc_now *now)
{
	r->index = 0;
	r->reg[REG_A] = 0x26;
	r->reg[REG_B] = B_24H;
	r->reg[REG_C] = 0;
	r->reg[REG_D] = D_VALID;
	r->last_second = now->seconds + r->offset;
	r->last_tick_ns = now->ns;
}

void rtc_write_index(struct rtc *r, uint8_t value)
{
	r->index = value & 0x7f;
}

/* 0: no periodic interrupt at this rate. */
static uint64_t period_ns(const struct rtc *r)
{
	unsigned int rate = r->reg[REG_A] & A_RATE;

	if (rate == 0)
		return 0;
	if (rate < 3)
		rate += 7;
	return (1ull << (rate - 1)) * SECOND_NS / 32768;
}

static bool alarm_matches(const struct rtc *r, int64_t second)
{
	time_t t = (time_t)second;
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return false;
	return (r->reg[SEC_ALARM] >= ALARM_ANY || decode(r, r->reg[SEC_ALARM]) == tm.tm_sec) &&
	       (r->reg[MIN_ALARM] >= ALARM_ANY || decode(r, r->reg[MIN_ALARM]) == tm.tm_min) &&
	       (r->reg[HOUR_ALARM] >= ALARM_ANY || decode_hour(r, r->reg[HOUR_ALARM]) == tm.tm_hour);
}

bool rtc_update(struct rtc *r, const struct rtc_now *now)
{
	int64_t second = guest_seconds(r, now);
	uint64_t period = period_ns(r);
	uint8_t enabled = r->reg[REG_B] & (B_UPDATE | B_ALARM | B_PERIODIC);

	if (second != r->last_second && !(r->reg[REG_B] & B_SET)) {
		r->reg[REG_C] |= C_UPDATE;
		/*
		 * A jump does not ring each alarm on its way: at most the last ten minutes are looked through.
		 */
		if (second < r->last_second || second - r->last_second > 600)
			r->last_second = second - 1;
		while (r->last_second < second) {
			if (alarm_matches(r, ++r->last_second))
				r->reg[REG_C] |= C_ALARM;
		}
	}
	if (period && now->ns - r->last_tick_ns >= period) {
		r->reg[REG_C] |= C_PERIODIC;
		r->last_tick_ns += (now->ns - r->last_tick_ns) / period * period;
	}
	if (r->reg[REG_C] & enabled)
		r->reg[REG_C] |= C_IRQ;
	return (r->reg[REG_C] & C_IRQ) != 0;
}

uint64_t rtc_wait_ns(const struct rtc *r, const struct rtc_now *now)
{
	uint64_t wait = 0, period = period_ns(r), left;

	if (r->reg[REG_B] & (B_UPDATE | B_ALARM))
		wait = SECOND_NS / 4;	/* seconds of the two clocks do not begin together */
	if ((r->reg[REG_B] & B_PERIODIC) && period) {
		left = now->ns - r->last_tick_ns < period ? period - (now->ns - r->last_tick_ns) : 1;
		if (left < MIN_PERIOD_NS)
			left = MIN_PERIOD_NS;
		if (!wait || left < wait)
			wait = left;
	}
	return wait;
}

uint8_t rtc_read(struct rtc *r, const struct rtc_now *now)
{
	uint8_t value;

	if (is_date(r->index))
		return read_date(r, now);
	if (r->index == REG_C)
		rtc_update(r, now);
	value = r->reg[r->index];
	if (r->index == REG_C)
		r->reg[REG_C] = 0;	/* reading acknowledges */
	return value;
}

static void write_b(struct rtc *r, uint8_t value, const struct rtc_now *now)
{
	bool was_set = r->reg[REG_B] & B_SET;

	if (value & B_SET)
		value &= (uint8_t)~B_UPDATE;
	if (!was_set && (value & B_SET))
		get_running_date(r, now, &r->frozen);
	r->reg[REG_B] = value;
	if (was_set && !(value & B_SET))
		set_date(r, &r->frozen, now);
}

void rtc_write(struct rtc *r, uint8_t value, const struct rtc_now *now)
{
	switch (r->index) {
	case REG_A:
		r->reg[REG_A] = value & (uint8_t)~A_UIP;
		r->last_tick_ns = now->ns;
		break;
	case REG_B:
		write_b(r, value, now);
		break;
	case REG_C:
	case REG_D:
		break;
	default:
		if (is_date(r->index))
			write_date(r, value, now);
		else
			r->reg[r->index] = value;
		break;
	}
}
