/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: file descriptors and timers, served by the thread in loop_run(). Callbacks run there,
 * one at a time, with no lock of ours held. A handle is index and generation: a removed entry never
 * fires, even where its event was already fetched, and a stale handle is harmless.
 *
 * A callback may add, change and remove any entry, its own included. loop_del() from another thread
 * waits until the callback of that entry has returned: do not hold a lock there that the callback takes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t loop_handle;	/* 0 is never a valid handle */

#define LOOP_READ	1u
#define LOOP_WRITE	2u
#define LOOP_HUP	4u	/* only reported, always */

/* events: what came, LOOP_* bits; the fd is not closed by the loop. */
typedef void (*loop_fd_cb)(int fd, unsigned int events, void *arg);
/* count: expirations since the last call, at least 1. */
typedef void (*loop_timer_cb)(uint64_t count, void *arg);

int loop_init(void);
void loop_exit(void);

/* Serves events until loop_stop(); the stop request is then consumed. Returns 0 or -errno. */
int loop_run(void);
/* Makes loop_run() return; from any thread, and safe in a signal handler. */
void loop_stop(void);

/* Watches fd for the LOOP_READ / LOOP_WRITE bits of events. Returns a handle, or 0 with errno set. */
loop_handle loop_add(int fd, unsigned int events, loop_fd_cb cb, void *arg);
/* Changes the watched bits (0: pause; a hang-up is then not reported either). Does not wait. */
int loop_mod(loop_handle h, unsigned int events);

/* A timer on CLOCK_MONOTONIC, not armed yet. Returns a handle, or 0 with errno set. */
loop_handle loop_add_timer(loop_timer_cb cb, void *arg);
/* First expiry at the absolute time first_ns of CLOCK_MONOTONIC (0 disarms), then each period_ns (0: once). */
int loop_timer_set(loop_handle h, uint64_t first_ns, uint64_t period_ns);

/* Removes an entry of either kind; 0 and stale handles are ignored. See above for waiting. */
void loop_del(loop_handle h);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t loop_now_ns(void);
