/* SPDX-License-Identifier: BSD-3-Clause */
/* 8254 (Intel data sheet 231164). Modes 1 and 5 need a gate edge, which only channel 2 can have. */
#include "dev/pit.h"

#include <string.h>

#define NS	1000000000ull

static uint64_t to_ticks(uint64_t ns)
{
	return ns / NS * PIT_HZ + ns % NS * PIT_HZ / NS;
}

/* Rounded up, so that to_ticks(to_ns(t)) >= t. */
static uint64_t to_ns(uint64_t ticks)
{
	return ticks / PIT_HZ * NS + (ticks % PIT_HZ * NS + PIT_HZ - 1) / PIT_HZ;
}

static uint64_t elapsed(const struct pit_channel *c, uint64_t now)
{
	return now > c->start_ns ? to_ticks(now - c->start_ns) : 0;
}

static bool is_periodic(const struct pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

void pit_reset(struct pit *p)
{
	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < 3; i++) {
		p->ch[i].access = 3;
		p->ch[i].mode = 3;
		p->ch[i].count = 65536;
		p->ch[i].gate = i != 2;
	}
}

static uint16_t to_bcd(uint32_t n)
{
	return (uint16_t)(n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 | n / 1000 % 10 << 12);
}

static uint32_t from_bcd(uint16_t v)
{
	return (v & 15u) + (v >> 4 & 15u) * 10 + (v >> 8 & 15u) * 100 + (v >> 12) * 1000u;
}

static uint16_t counter(const struct pit_channel *c, uint64_t now)
{
	uint64_t t = elapsed(c, now);
	uint32_t value, wrap = c->bcd ? 10000 : 65536;

	if (!c->loaded || (!c->gate && is_periodic(c)))
		value = c->count;
	else if (c->mode == 3)	/* counts by two, twice per period */
		value = c->count - (uint32_t)(2 * t % c->count & ~1ull);
	else if (c->mode == 2)
		value = c->count - (uint32_t)(t % c->count);
	else
		value = (uint32_t)((c->count - t % wrap + wrap) % wrap);
	return c->bcd ? to_bcd(value % 10000) : (uint16_t)value;
}

bool pit_output(const struct pit *p, unsigned int ch, uint64_t now)
{
	const struct pit_channel *c = &p->ch[ch];
	uint64_t t = elapsed(c, now);

	if (!c->loaded)
		return c->mode != 0;
	switch (c->mode) {
	case 0:
		return t >= c->count;
	case 2:
		return !c->gate || t % c->count != c->count - 1;
	case 3:
		return !c->gate || t % c->count < (c->count + 1) / 2;
	case 4:
		return t != c->count;
	default:
		return true;
	}
}

uint64_t pit_next_rise(const struct pit *p, unsigned int ch, uint64_t now, uint64_t *period_ns)
{
	const struct pit_channel *c = &p->ch[ch];
	uint64_t t = elapsed(c, now), at;

	*period_ns = 0;
	if (!c->loaded || !c->gate)
		return 0;
	if (is_periodic(c)) {
		*period_ns = to_ns(c->count);
		return c->start_ns + to_ns((t / c->count + 1) * c->count);
	}
	at = c->mode == 4 ? c->count + 1u : c->count;
	return (c->mode == 0 || c->mode == 4) && t < at ? c->start_ns + to_ns(at) : 0;
}

void pit_set_gate(struct pit *p, unsigned int ch, bool gate, uint64_t now)
{
	struct pit_channel *c = &p->ch[ch];

	/*
	 * A rising gate starts the count again, but in modes 0 and 4, where it goes on: we let it start as
	 * well.
	 */
	if (gate && !c->gate)
		c->start_ns = now;
	c->gate = gate;
}

static void load(struct pit_channel *c, uint16_t value, uint64_t now)
{
	c->count = c->bcd ? from_bcd(value) : value;
	if (c->count == 0)
		c->count = c->bcd ? 10000 : 65536;
	c->loaded = true;
	c->start_ns = now;
}

static void write_count(struct pit_channel *c, uint8_t value, uint64_t now)
{
	if (c->access == 1) {
		load(c, value, now);
	} else if (c->access == 2) {
		load(c, (uint16_t)(value << 8), now);
	} else if (!c->write_high) {
		c->write_low = value;
		c->write_high = true;
	} else {
		c->write_high = false;
		load(c, (uint16_t)(value << 8 | c->write_low), now);
	}
}

static void latch_count(struct pit_channel *c, uint64_t now)
{
	if (c->latched)
		return;
	c->latch = counter(c, now);
	c->latched = true;
	c->read_high = false;
}

static void read_back(struct pit *p, uint8_t value, uint64_t now)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct pit_channel *c = &p->ch[i];

		if (!(value & 2u << i))
			continue;
		if (!(value & 0x20))
			latch_count(c, now);
		if (!(value & 0x10) && !c->status_latched) {
			c->status_latched = true;
			c->status = (uint8_t)((pit_output(p, i, now) ? 0x80 : 0) | (c->loaded ? 0 : 0x40) |
					      c->access << 4 | c->mode << 1 | c->bcd);
		}
	}
}

static void write_control(struct pit *p, uint8_t value, uint64_t now)
{
	struct pit_channel *c;

	if (value >> 6 == 3) {
		read_back(p, value, now);
		return;
	}
	c = &p->ch[value >> 6];
	if ((value & 0x30) == 0) {
		latch_count(c, now);
		return;
	}
	c->access = value >> 4 & 3;
	c->mode = value >> 1 & 7;
	if (c->mode > 5)
		c->mode &= 3;
	c->bcd = value & 1;
	c->loaded = c->write_high = c->read_high = c->latched = c->status_latched = false;
	c->count = 65536;
}

void pit_write(struct pit *p, unsigned int port, uint8_t value, uint64_t now)
{
	if (port == 3)
		write_control(p, value, now);
	else if (port < 3)
		write_count(&p->ch[port], value, now);
}

uint8_t pit_read(struct pit *p, unsigned int port, uint64_t now)
{
	struct pit_channel *c;
	uint16_t value;
	bool high;

	if (port > 2)
		return 0xff;
	c = &p->ch[port];
	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	value = c->latched ? c->latch : counter(c, now);
	high = c->access == 2 || (c->access == 3 && c->read_high);
	if (c->access == 3)
		c->read_high = !c->read_high;
	if (c->access != 3 || high)
		c->latched = false;
	return (uint8_t)(high ? value >> 8 : value);
}
