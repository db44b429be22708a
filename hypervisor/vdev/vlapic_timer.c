/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running count is kept as the TSC value at which it stood at its initial count, so that reading
 * it is arithmetic and nothing ticks. Source: SDM 3A 11.5.4.
 */
#include "vdev/vlapic_timer.h"

#include "x86/apic.h"

/* The reserved mode 3 behaves as TSC-deadline. */
static bool is_deadline_lvt(uint32_t lvt)
{
	return (lvt & APIC_TIMER_DEADLINE) != 0;
}

static bool is_deadline_mode(const struct vlapic *v)
{
	return is_deadline_lvt(v->lvt[VLAPIC_LVT_TIMER]);
}

static bool is_periodic(const struct vlapic *v)
{
	return (v->lvt[VLAPIC_LVT_TIMER] & APIC_TIMER_MODE_MASK) == APIC_TIMER_PERIODIC;
}

static bool is_masked(const struct vlapic *v)
{
	return (v->lvt[VLAPIC_LVT_TIMER] & APIC_LVT_MASKED) != 0;
}

static uint64_t now(const struct vlapic *v)
{
	return v->ops->tsc(v->ctx);
}

static uint64_t never_zero(uint64_t deadline)
{
	return deadline == 0 ? 1U : deadline;
}

static void tell(struct vlapic *v, uint64_t deadline)
{
	if (deadline == 0 && !v->timer_is_set)
		return;
	v->timer_is_set = deadline != 0;
	v->ops->timer_set(v->ctx, deadline);
}

static void stop(struct vlapic *v)
{
	v->timer_deadline = 0;
	tell(v, 0);
}

/* Counts on from remaining, which is at most timer_initial, at time tsc. */
static void start(struct vlapic *v, uint64_t tsc, uint32_t remaining)
{
	uint64_t divisor = apic_timer_divisor(v->timer_divide);

	if (remaining == 0) {
		stop(v);
		return;
	}
	v->timer_start = tsc - (v->timer_initial - remaining) * divisor;
	v->timer_deadline = never_zero(tsc + remaining * divisor);
	/* A masked periodic timer would only wake us to re-arm it. */
	tell(v, is_periodic(v) && is_masked(v) ? 0 : v->timer_deadline);
}

static uint32_t count_at(const struct vlapic *v, uint64_t tsc)
{
	uint64_t elapsed = tsc - v->timer_start;

	if (v->timer_deadline == 0 || is_deadline_mode(v))
		return 0;
	if ((int64_t)elapsed < 0)
		return v->timer_initial; /* the TSC went back under us */
	elapsed /= apic_timer_divisor(v->timer_divide);
	if (elapsed < v->timer_initial)
		return v->timer_initial - (uint32_t)elapsed;
	return is_periodic(v) ? v->timer_initial - (uint32_t)(elapsed % v->timer_initial) : 0;
}

uint32_t vlapic_timer_current(const struct vlapic *v)
{
	return v->timer_deadline == 0 ? 0 : count_at(v, now(v));
}

void vlapic_timer_reset(struct vlapic *v)
{
	stop(v);
	v->timer_initial = 0;
	v->timer_divide = 0;
	v->timer_start = 0;
}

void vlapic_timer_write_initial(struct vlapic *v, uint32_t count)
{
	if (is_deadline_mode(v))
		return;
	v->timer_initial = count;
	start(v, now(v), count);
}

void vlapic_timer_write_divide(struct vlapic *v, uint32_t divide)
{
	uint64_t tsc = now(v);
	uint32_t remaining = count_at(v, tsc);

	v->timer_divide = divide & 0xBU;
	if (remaining != 0)
		start(v, tsc, remaining);
}

void vlapic_timer_write_lvt(struct vlapic *v, uint32_t lvt)
{
	uint32_t old = v->lvt[VLAPIC_LVT_TIMER];
	uint64_t tsc;
	uint32_t remaining;

	if (lvt == old)
		return;
	if (v->timer_deadline == 0 || is_deadline_lvt(old) || is_deadline_lvt(lvt)) {
		atomic_store_relaxed(&v->lvt[VLAPIC_LVT_TIMER], lvt);
		/* Going to or from TSC-deadline disarms (SDM 3A 11.5.4.1). */
		if (is_deadline_lvt(old) != is_deadline_lvt(lvt)) {
			v->timer_initial = 0;
			stop(v);
		}
		return;
	}
	tsc = now(v);
	remaining = count_at(v, tsc);
	atomic_store_relaxed(&v->lvt[VLAPIC_LVT_TIMER], lvt);
	/* Nothing remains when the end has come but its expiry has not: let that arrive. */
	if (remaining != 0)
		start(v, tsc, remaining);
}

uint64_t vlapic_timer_read_deadline(const struct vlapic *v)
{
	return is_deadline_mode(v) ? v->timer_deadline : 0;
}

void vlapic_timer_write_deadline(struct vlapic *v, uint64_t deadline)
{
	if (!is_deadline_mode(v))
		return;
	v->timer_deadline = deadline;
	if (deadline != 0 && deadline <= now(v))
		vlapic_timer_expired(v);
	else
		tell(v, deadline);
}

/* The first end of a period after tsc, or the floor after it. */
static uint64_t next_period(const struct vlapic *v, uint64_t tsc)
{
	uint64_t period = (uint64_t)v->timer_initial * apic_timer_divisor(v->timer_divide);
	uint64_t missed = (tsc - v->timer_deadline) / period;
	uint64_t next = v->timer_deadline + (missed + 1U) * period;

	return MAX(next, tsc + (period < VLAPIC_TIMER_MIN_PERIOD ? VLAPIC_TIMER_MIN_PERIOD : 0U));
}

void vlapic_timer_expired(struct vlapic *v)
{
	uint64_t tsc;

	if (v->timer_deadline == 0)
		return;
	tsc = now(v);
	if (tsc < v->timer_deadline) {
		tell(v, v->timer_deadline);
		return;
	}
	if (is_periodic(v)) {
		v->timer_deadline = next_period(v, tsc);
		tell(v, is_masked(v) ? 0 : v->timer_deadline);
	} else {
		stop(v);
	}
	vlapic_deliver_local(v, VLAPIC_LVT_TIMER);
}

void vlapic_tsc_moved(struct vlapic *v, int64_t delta)
{
	if (v->timer_deadline == 0)
		return;
	if (is_deadline_mode(v)) {
		vlapic_timer_write_deadline(v, v->timer_deadline);
		return;
	}
	v->timer_start += (uint64_t)delta;
	v->timer_deadline = never_zero(v->timer_deadline + (uint64_t)delta);
	if (v->timer_is_set)
		tell(v, v->timer_deadline);
}
