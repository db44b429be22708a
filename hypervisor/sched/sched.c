/* SPDX-License-Identifier: BSD-3-Clause */
/* Borrowed virtual time over a handful of entities per CPU: a linear scan is the fast way. */
#include "sched/sched.h"

#include "lib/atomic.h"
#include "lib/errno.h"

void sched_cpu_init(struct sched_cpu *cpu, uint64_t slice)
{
	spinlock_init(&cpu->lock);
	list_init(&cpu->entities);
	cpu->current = NULL;
	cpu->turn = NULL;
	cpu->started = 0;
	cpu->virtual_time = 0;
	cpu->slice = slice;
	cpu->resched = 0;
	cpu->claims = 0;
	cpu->is_exclusive = false;
}

int sched_claim(struct sched_cpu *cpu, bool is_exclusive)
{
	bool is_free;

	spinlock_lock(&cpu->lock);
	is_free = cpu->claims == 0 || (!is_exclusive && !cpu->is_exclusive);
	if (is_free) {
		cpu->claims++;
		cpu->is_exclusive = is_exclusive;
	}
	spinlock_unlock(&cpu->lock);
	return is_free ? 0 : -EBUSY;
}

void sched_release(struct sched_cpu *cpu)
{
	spinlock_lock(&cpu->lock);
	cpu->claims--;
	cpu->is_exclusive = false;
	spinlock_unlock(&cpu->lock);
}

void sched_add(struct sched_cpu *cpu, struct sched_entity *e, uint32_t weight)
{
	e->runnable = 0;
	e->weight = weight;
	e->virtual_time = 0;
	e->is_woken = true;
	spinlock_lock(&cpu->lock);
	list_insert_before(&cpu->entities, &e->node);
	e->is_listed = true;
	spinlock_unlock(&cpu->lock);
}

void sched_remove(struct sched_cpu *cpu, struct sched_entity *e)
{
	spinlock_lock(&cpu->lock);
	if (e->is_listed) {
		list_remove(&e->node);
		e->is_listed = false;
	}
	if (cpu->current == e)
		cpu->current = NULL;
	spinlock_unlock(&cpu->lock);
}

bool sched_has_turn(struct sched_cpu *cpu, const struct sched_entity *e)
{
	return atomic_load(&cpu->turn) == e;
}

bool sched_wake(struct sched_cpu *cpu, struct sched_entity *e)
{
	if (atomic_load_relaxed(&e->runnable) != 0 || atomic_swap(&e->runnable, 1U) != 0)
		return false;
	atomic_store(&cpu->resched, 1U);
	return true;
}

void sched_block(struct sched_entity *e)
{
	e->is_woken = true;
	(void)atomic_swap(&e->runnable, 0U);
}

/* Charges current for its turn; its virtual time now, 0 when there is none. */
static uint64_t account(struct sched_cpu *cpu, uint64_t now)
{
	struct sched_entity *e = cpu->current;

	if (e != NULL)
		e->virtual_time += (now - cpu->started) * SCHED_WEIGHT_DEFAULT / e->weight;
	cpu->started = now;
	return e != NULL ? e->virtual_time : 0U;
}

/*
 * Moves the CPU's virtual time on: to the least advanced of those that stayed runnable, or, when all
 * slept, to the one that ran last. Were it forgotten when all sleep, one who ran for an hour would
 * then wait an hour for a newcomer.
 */
static void advance(struct sched_cpu *cpu, uint64_t least, uint64_t ran)
{
	cpu->virtual_time = MAX(cpu->virtual_time, least == ~0UL ? ran : least);
}

/*
 * One who slept does not save up time: it comes back at most one slice behind the others, which
 * lets it run at once but not for long.
 */
static void catch_up(const struct sched_cpu *cpu, struct sched_entity *e)
{
	uint64_t back = MIN(cpu->virtual_time, cpu->slice);

	e->is_woken = false;
	e->virtual_time = MAX(e->virtual_time, cpu->virtual_time - back);
}

struct sched_entity *sched_pick(struct sched_cpu *cpu, uint64_t now)
{
	struct sched_entity *best = NULL;
	uint64_t least = ~0UL, ran = account(cpu, now);
	struct list *node;

	atomic_store(&cpu->resched, 0U);
	spinlock_lock(&cpu->lock);
	list_for_each(node, &cpu->entities) {
		struct sched_entity *e = list_entry(node, struct sched_entity, node);

		if (atomic_load(&e->runnable) != 0 && !e->is_woken && e->virtual_time < least)
			least = e->virtual_time;
	}
	advance(cpu, least, ran);
	list_for_each(node, &cpu->entities) {
		struct sched_entity *e = list_entry(node, struct sched_entity, node);

		if (atomic_load(&e->runnable) == 0)
			continue;
		if (e->is_woken)
			catch_up(cpu, e);
		if (best == NULL || e->virtual_time < best->virtual_time)
			best = e;
	}
	cpu->current = best;
	atomic_store(&cpu->turn, best);
	spinlock_unlock(&cpu->lock);
	return best;
}

uint64_t sched_deadline(struct sched_cpu *cpu, uint64_t now)
{
	struct list *node;
	bool has_rival = false;

	spinlock_lock(&cpu->lock);
	list_for_each(node, &cpu->entities) {
		struct sched_entity *e = list_entry(node, struct sched_entity, node);

		if (e != cpu->current && atomic_load(&e->runnable) != 0)
			has_rival = true;
	}
	spinlock_unlock(&cpu->lock);
	return has_rival ? now + cpu->slice : ~0UL;
}
