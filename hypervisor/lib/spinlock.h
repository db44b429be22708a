/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticket spinlocks. The hypervisor runs with interrupts off wherever it can take a lock, so there
 * is no interrupt-saving form. Each lock's place in the order is written where it is declared.
 * A CPU that holds a lock must not wait for another CPU (smp_call), nor may it be waited for.
 */
#pragma once

#include "lib/atomic.h"

struct spinlock {
	uint32_t next;	/* the ticket the next comer draws */
	uint32_t owner; /* the ticket being served */
};

static inline void spinlock_init(struct spinlock *lock)
{
	lock->next = 0;
	lock->owner = 0;
}

static inline void spinlock_lock(struct spinlock *lock)
{
	uint32_t ticket = atomic_fetch_add(&lock->next, 1U);

	while (atomic_load(&lock->owner) != ticket)
		cpu_relax();
}

static inline void spinlock_unlock(struct spinlock *lock)
{
	atomic_store(&lock->owner, lock->owner + 1U);
}
