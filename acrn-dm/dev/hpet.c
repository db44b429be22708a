/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HPET (IA-PC HPET specification 1.0a): a 32-bit main counter at 2^24 Hz, four timers of 32 bits, edge or
 * level lines or messages (FSB), periodic or not. The counter is computed from the clock; a timer is a
 * deadline of the event loop.
 */
#include "dev/hpet.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "bus/io.h"
#include "dev/device.h"
#include "hsm.h"
#include "loop.h"

#define PERIOD_FS	59604645ull	/* 10^15 / 2^24 */
#define NS		1000000000ull
#define MIN_TICKS	1678u		/* 100 µs between two interrupts of a periodic timer */
#define ROUTES		0x00000820u	/* lines 5 and 11 */

#define CONF_ENABLE	1u
#define CONF_LEGACY	2u

#define T_LEVEL		0x0002u
#define T_INT_ENABLE	0x0004u
#define T_PERIODIC	0x0008u
#define T_PERIODIC_CAP	0x0010u
#define T_SET_VALUE	0x0040u
#define T_32BIT		0x0100u
#define T_ROUTE(c)	((c) >> 9 & 31u)
#define T_FSB		0x4000u
#define T_FSB_CAP	0x8000u
#define T_WRITABLE	0x7f4eu

struct timer {
	uint32_t config;
	uint32_t comparator;	/* the counter value of the next event */
	uint32_t period;
	uint64_t fsb;		/* data in the low half, address in the high one */
	bool level;		/* the line, for level-triggered ones */
	loop_handle handle;
	bool is_armed; /* a deadline was set, and not taken back */
};

static struct {
	pthread_mutex_t lock;
	uint32_t config;
	uint32_t status;
	uint32_t counter;	/* while it stands */
	uint64_t start_ns;	/* while it runs: when the counter was 0, modulo 2^32 ticks */
	struct timer timer[HPET_TIMERS];
} hpet = { .lock = PTHREAD_MUTEX_INITIALIZER };

static atomic_bool legacy;

bool hpet_has_legacy_lines(void)
{
	return legacy;
}

static uint64_t ticks_to_ns(uint64_t ticks)
{
	return (ticks * NS + (1u << 24) - 1) >> 24;	/* ticks < 2^33: no overflow */
}

static uint64_t ns_to_ticks(uint64_t ns)
{
	return ns / NS * (1u << 24) + ((ns % NS) << 24) / NS;
}

static uint32_t count_at(uint64_t now)
{
	return hpet.config & CONF_ENABLE ? hpet.counter + (uint32_t)ns_to_ticks(now - hpet.start_ns) : hpet.counter;
}

static uint32_t gsi_of(const struct timer *t)
{
	unsigned int n = (unsigned int)(t - hpet.timer);

	if ((hpet.config & CONF_LEGACY) && n < 2)
		return n == 0 ? 2 : 8;
	return T_ROUTE(t->config);
}

static bool has_route(const struct timer *t)
{
	uint32_t gsi = gsi_of(t);

	return ((hpet.config & CONF_LEGACY) && t < &hpet.timer[2]) || (ROUTES >> gsi & 1);
}

static void set_level(struct timer *t, bool level)
{
	if (t->level == level)
		return;
	t->level = level;
	if (has_route(t))
		hsm_set_irqline(gsi_of(t), level ? HSM_LINE_HIGH : HSM_LINE_LOW);
}

static void fire(struct timer *t)
{
	unsigned int n = (unsigned int)(t - hpet.timer);

	if (t->config & T_LEVEL)
		hpet.status |= 1u << n;
	if (!(t->config & T_INT_ENABLE))
		return;
	if (t->config & T_FSB)
		hsm_inject_msi(t->fsb >> 32, (uint32_t)t->fsb);
	else if (t->config & T_LEVEL)
		set_level(t, true);
	else if (has_route(t))
		hsm_set_irqline(gsi_of(t), HSM_LINE_PULSE_UP);
}

/* With the lock held: the next deadline of t, or none. */
static void arm(struct timer *t, uint64_t now)
{
	uint32_t ahead = t->comparator - count_at(now);

	bool wanted = (hpet.config & CONF_ENABLE) && (t->config & T_INT_ENABLE);

	if (wanted)
		loop_timer_set(t->handle, now + ticks_to_ns(ahead ? ahead : 1ull << 32), 0);
	else if (t->is_armed)
		loop_timer_set(t->handle, 0, 0);
	t->is_armed = wanted;
}

static void on_timer(uint64_t count, void *arg)
{
	struct timer *t = arg;
	uint64_t now = loop_now_ns();
	uint32_t behind;

	(void)count;
	pthread_mutex_lock(&hpet.lock);
	behind = count_at(now) - t->comparator;
	/* Another comparator may have been set since the deadline: then it is still ahead. */
	if ((hpet.config & CONF_ENABLE) && behind < 1u << 31) {
		fire(t);
		if ((t->config & T_PERIODIC) && t->period)
			t->comparator += (behind / t->period + 1) * t->period;
	}
	if ((t->config & T_PERIODIC) || behind >= 1u << 31)
		arm(t, now);
	pthread_mutex_unlock(&hpet.lock);
}

static void arm_all(uint64_t now)
{
	for (unsigned int i = 0; i < HPET_TIMERS; i++)
		arm(&hpet.timer[i], now);
}

static void write_config(uint32_t value, uint64_t now)
{
	hpet.counter = count_at(now);
	hpet.start_ns = now;
	hpet.config = value & (CONF_ENABLE | CONF_LEGACY);
	legacy = (value & CONF_LEGACY) != 0;
	arm_all(now);
}

static void write_comparator(struct timer *t, uint32_t value)
{
	if (!(t->config & T_PERIODIC)) {
		t->comparator = value;
		return;
	}
	if (t->config & T_SET_VALUE)
		t->comparator = value;
	t->period = value < MIN_TICKS ? MIN_TICKS : value;
	t->config &= ~T_SET_VALUE;
}

static void write_timer(struct timer *t, uint64_t reg, uint32_t value)
{
	switch (reg) {
	case 0x00:
		if (!(value & T_LEVEL) || !(value & T_INT_ENABLE))
			set_level(t, false);
		t->config = (t->config & ~T_WRITABLE) | (value & T_WRITABLE);
		break;
	case 0x08:
		write_comparator(t, value);
		break;
	case 0x10:
		t->fsb = (t->fsb & ~0xffffffffull) | value;
		break;
	case 0x14:
		t->fsb = (t->fsb & 0xffffffffull) | (uint64_t)value << 32;
		break;
	default:
		break;
	}
	arm(t, loop_now_ns());
}

static void write_status(uint32_t value)
{
	for (unsigned int i = 0; i < HPET_TIMERS; i++) {
		if (value & 1u << i)
			set_level(&hpet.timer[i], false);
	}
	hpet.status &= ~value;
}

static void write_word(uint64_t reg, uint32_t value)
{
	uint64_t now = loop_now_ns();

	if (reg >= 0x100 && reg < 0x100 + 0x20 * HPET_TIMERS) {
		write_timer(&hpet.timer[(reg - 0x100) / 0x20], (reg - 0x100) % 0x20, value);
	} else if (reg == 0x10) {
		write_config(value, now);
	} else if (reg == 0x20) {
		write_status(value);
	} else if (reg == 0xf0) {
		hpet.counter = value;
		hpet.start_ns = now;
		arm_all(now);
	}
}

static uint32_t read_timer(const struct timer *t, uint64_t reg)
{
	switch (reg) {
	case 0x00:
		return t->config;
	case 0x04:
		return ROUTES;
	case 0x08:
		return t->comparator;
	case 0x10:
		return (uint32_t)t->fsb;
	case 0x14:
		return (uint32_t)(t->fsb >> 32);
	default:
		return 0;
	}
}

static uint32_t read_word(uint64_t reg)
{
	if (reg >= 0x100 && reg < 0x100 + 0x20 * HPET_TIMERS)
		return read_timer(&hpet.timer[(reg - 0x100) / 0x20], (reg - 0x100) % 0x20);
	switch (reg) {
	case 0x00:
		return HPET_BLOCK_ID;
	case 0x04:
		return PERIOD_FS;
	case 0x10:
		return hpet.config;
	case 0x20:
		return hpet.status;
	case 0xf0:
		return count_at(loop_now_ns());
	default:
		return 0;
	}
}

static void hpet_io(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	if (a->size < 4 || offset % a->size) {
		if (!a->is_write)
			a->value = 0;
		return;
	}
	pthread_mutex_lock(&hpet.lock);
	if (a->is_write) {
		write_word(offset, (uint32_t)a->value);
		if (a->size == 8)
			write_word(offset + 4, (uint32_t)(a->value >> 32));
	} else {
		a->value = read_word(offset);
		if (a->size == 8)
			a->value |= (uint64_t)read_word(offset + 4) << 32;
	}
	pthread_mutex_unlock(&hpet.lock);
}

static void hpet_reset(struct dm_device *d)
{
	(void)d;
	pthread_mutex_lock(&hpet.lock);
	hpet.config = hpet.status = hpet.counter = 0;
	legacy = false;
	for (unsigned int i = 0; i < HPET_TIMERS; i++) {
		struct timer *t = &hpet.timer[i];

		set_level(t, false);
		t->config = T_PERIODIC_CAP | T_FSB_CAP;
		t->comparator = 0xffffffffu;
		t->period = 0;
		t->fsb = 0;
		loop_timer_set(t->handle, 0, 0);
	}
	pthread_mutex_unlock(&hpet.lock);
}

static void hpet_destroy(struct dm_device *d)
{
	(void)d;
	io_unregister(IO_MMIO, HPET_BASE);
	for (unsigned int i = 0; i < HPET_TIMERS; i++) {
		loop_del(hpet.timer[i].handle);
		hpet.timer[i].handle = 0;
	}
}

static int hpet_init(struct dm_device *d, const char *opts)
{
	int err = 0;

	(void)opts;
	for (unsigned int i = 0; i < HPET_TIMERS && !err; i++) {
		hpet.timer[i].handle = loop_add_timer(on_timer, &hpet.timer[i]);
		err = hpet.timer[i].handle ? 0 : -errno;
	}
	hpet_reset(d);
	if (!err)
		err = io_register(&(struct io_range){ "hpet", IO_MMIO, HPET_BASE, 0x400, 0, hpet_io, NULL });
	if (err)
		hpet_destroy(d);
	return err;
}

static const struct dm_device_class hpet_class = {
	.name = "hpet",
	.kind = DM_PLATFORM,
	.order = 40,
	.init = hpet_init,
	.destroy = hpet_destroy,
	.reset = hpet_reset,
};
DM_DEVICE(hpet_class);
