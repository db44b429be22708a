/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Atomic access to words that several CPUs share. Loads acquire and stores release unless the name
 * says relaxed; read-modify-write operations are full barriers, as locked instructions are on x86.
 */
#pragma once

#include "lib/types.h"

#define atomic_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomic_swap(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Stores want when *p is expect; true when it did. */
#define atomic_cas(p, expect, want)                                                                \
	({                                                                                         \
		__typeof__(*(p)) expect_ = (expect);                                               \
		__atomic_compare_exchange_n((p), &expect_, (want), false, __ATOMIC_SEQ_CST,        \
					    __ATOMIC_SEQ_CST);                                     \
	})

static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}
