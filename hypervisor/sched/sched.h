/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who runs next on a physical CPU: borrowed virtual time. Every entity is bound to one CPU; each CPU
 * has a short list of them and picks the runnable one that is least advanced in virtual time. Pure:
 * the time comes in as an argument, in TSC ticks.
 *
 * An entity becomes runnable from any CPU (sched_wake: one atomic store), blocks only itself.
 *
 * Whoever means to run on a CPU claims it first, for as long as it exists; a claim may be for the CPU alone.
 */
#pragma once

#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"

struct sched_entity {
	struct list node;      /* on its CPU's list */
	uint32_t runnable;     /* shared */
	uint32_t weight;       /* 1..128; 64 is ordinary */
	uint64_t virtual_time; /* ticks used, scaled by 64 / weight; owner CPU only */
	bool is_woken;	       /* became runnable since it last ran */
	bool is_listed;
};

struct sched_cpu {
	struct spinlock lock; /* of the list; below a VM's lock, nothing is taken under it */
	struct list entities;
	struct sched_entity *current; /* owner CPU only */
	struct sched_entity *turn;    /* whose turn is not over yet, on the list or off it; shared */
	uint64_t started;	      /* when current was picked */
	uint64_t virtual_time;	      /* how far all are; never goes back; owner CPU only */
	uint64_t slice;		      /* ticks an entity may run while others wait */
	uint32_t resched;	      /* shared: somebody woke, pick again */
	unsigned int claims;	      /* under the lock, as the next */
	bool is_exclusive;	      /* the one claim that there is allows no other */
};

#define SCHED_WEIGHT_DEFAULT 64U

void sched_cpu_init(struct sched_cpu *cpu, uint64_t slice);

/* -EBUSY: the CPU is one's alone already, or is wanted alone and somebody is there. Any CPU. */
int sched_claim(struct sched_cpu *cpu, bool is_exclusive);
void sched_release(struct sched_cpu *cpu);

/* Adds an entity that is not runnable yet. Any CPU. */
void sched_add(struct sched_cpu *cpu, struct sched_entity *e, uint32_t weight);

/* Takes it off. Any CPU; where it is current, only its own, and its turn goes on until the CPU picks again. */
void sched_remove(struct sched_cpu *cpu, struct sched_entity *e);

/* Whether e's turn is under way. Any CPU; once false of an entity that is off the list, it stays so. */
bool sched_has_turn(struct sched_cpu *cpu, const struct sched_entity *e);

/* Makes e runnable; true when it was not: then its CPU should be kicked. Any CPU. */
bool sched_wake(struct sched_cpu *cpu, struct sched_entity *e);

/* current stops being runnable. The caller looks at its wake conditions once more afterwards. */
void sched_block(struct sched_entity *e);

/* The entity to run from now on, NULL when none is runnable; accounts the one that ran until now. */
struct sched_entity *sched_pick(struct sched_cpu *cpu, uint64_t now);

/* When current's turn must end (TSC), ~0 when nobody else is runnable. */
uint64_t sched_deadline(struct sched_cpu *cpu, uint64_t now);
