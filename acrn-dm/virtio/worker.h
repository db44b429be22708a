/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that waits for notifications. It is confined (confine.h), and all signals are blocked in it, so that those
 * of the program reach the main thread; it ends only by worker_stop(), which waits for it.
 */
#pragma once

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

#include "confine.h"

#define WORKER_FDS_MAX	20

struct worker {
	pthread_t thread;
	bool running;
	enum confine_role role;	/* set before the start; 0 is that of a device */
	int stop_fd;		/* eventfd */
	int epoll_fd;		/* of worker_wait_one(); made at the start, while system calls are not filtered yet */
	bool watches;		/* worker_wait_one() was called */
	void (*run)(void *arg);
	void *arg;
};

/* Starts run(arg) in a thread of that name (at most 15 characters). Returns 0 or -errno, logged. */
int worker_start(struct worker *w, const char *name, void (*run)(void *arg), void *arg);
/* Makes worker_wait() return false and waits for the thread's end. Harmless if it never started. */
void worker_stop(struct worker *w);
/*
 * For the thread itself: waits until one of fds[0 .. n) has one of its events (n at most WORKER_FDS_MAX; a negative fd
 * is skipped). False: the thread must return.
 */
bool worker_wait(struct worker *w, struct pollfd *fds, unsigned int n);
/*
 * For one of several threads that wait for the same event_fd: each signal wakes one of those that wait, so the others
 * can be busy meanwhile. False: the thread must return.
 */
bool worker_wait_one(struct worker *w, int event_fd);
/* Takes what an eventfd holds, so that it does not wake us again. */
void worker_consume(int event_fd);
