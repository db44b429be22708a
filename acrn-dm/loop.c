/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epoll with owned life times. An entry is found by index and generation under the lock each time, never by
 * pointer; epoll's own data carries both. The running entry is marked so that loop_del() can wait for it.
 */
#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_ENTRIES	1024
#define MAX_EVENTS	32

struct entry {
	uint32_t generation;	/* odd: in use */
	uint32_t events;
	bool is_timer;
	int fd;
	loop_fd_cb fd_cb;
	loop_timer_cb timer_cb;
	void *arg;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	int epoll_fd;
	int stop_fd;
	pthread_t thread;
	bool running;
	loop_handle current;	/* whose callback runs now */
	struct entry entry[MAX_ENTRIES];
} loop = { .lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER, .epoll_fd = -1, .stop_fd = -1 };

static loop_handle make_handle(unsigned int index)
{
	return (loop_handle)loop.entry[index].generation << 32 | index;
}

/* With the lock held. */
static struct entry *find(loop_handle h)
{
	uint32_t index = (uint32_t)h;

	if (h == 0 || index >= MAX_ENTRIES || loop.entry[index].generation != h >> 32)
		return NULL;
	return &loop.entry[index];
}

uint64_t loop_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int loop_init(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0 };

	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop.epoll_fd < 0 || loop.stop_fd < 0 ||
	    epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.stop_fd, &ev) != 0) {
		int err = -errno;

		loop_exit();
		return err;
	}
	return 0;
}

void loop_exit(void)
{
	for (unsigned int i = 0; i < MAX_ENTRIES; i++) {
		if (loop.entry[i].generation & 1)
			loop_del(make_handle(i));
	}
	if (loop.epoll_fd >= 0)
		close(loop.epoll_fd);
	if (loop.stop_fd >= 0)
		close(loop.stop_fd);
	loop.epoll_fd = loop.stop_fd = -1;
}

static uint32_t to_epoll(unsigned int events)
{
	return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) | (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

/* With the lock held: puts *e in a free place and under epoll. A paused entry is not in epoll at all. */
static loop_handle add_locked(const struct entry *e)
{
	struct epoll_event ev = { .events = to_epoll(e->events) };

	for (unsigned int i = 0; i < MAX_ENTRIES; i++) {
		uint32_t generation = loop.entry[i].generation;

		if (generation & 1)
			continue;
		loop.entry[i] = *e;
		loop.entry[i].generation = generation + 1;
		ev.data.u64 = make_handle(i);
		if (!e->events || epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, e->fd, &ev) == 0)
			return make_handle(i);
		loop.entry[i].generation = generation + 2;
		return 0;
	}
	errno = ENOSPC;
	return 0;
}

static loop_handle add(const struct entry *e)
{
	loop_handle h;

	pthread_mutex_lock(&loop.lock);
	h = add_locked(e);
	pthread_mutex_unlock(&loop.lock);
	return h;
}

loop_handle loop_add(int fd, unsigned int events, loop_fd_cb cb, void *arg)
{
	struct entry e = { .fd = fd, .events = events, .fd_cb = cb, .arg = arg };

	return add(&e);
}

loop_handle loop_add_timer(loop_timer_cb cb, void *arg)
{
	struct entry e = { .is_timer = true, .events = LOOP_READ, .timer_cb = cb, .arg = arg };
	loop_handle h;

	e.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (e.fd < 0)
		return 0;
	h = add(&e);
	if (!h)
		close(e.fd);
	return h;
}

int loop_mod(loop_handle h, unsigned int events)
{
	struct epoll_event ev = { .events = to_epoll(events), .data.u64 = h };
	struct entry *e;
	int op, err = 0;

	pthread_mutex_lock(&loop.lock);
	e = find(h);
	if (!e) {
		err = -ENOENT;
	} else if (e->events != events) {
		op = !events ? EPOLL_CTL_DEL : !e->events ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
		if (epoll_ctl(loop.epoll_fd, op, e->fd, &ev) != 0)
			err = -errno;
		else
			e->events = events;
	}
	pthread_mutex_unlock(&loop.lock);
	return err;
}

int loop_timer_set(loop_handle h, uint64_t first_ns, uint64_t period_ns)
{
	struct itimerspec its = {
		.it_value = { (time_t)(first_ns / 1000000000u), (long)(first_ns % 1000000000u) },
		.it_interval = { (time_t)(period_ns / 1000000000u), (long)(period_ns % 1000000000u) },
	};
	struct entry *e;
	int err = 0;

	pthread_mutex_lock(&loop.lock);
	e = find(h);
	if (!e || !e->is_timer)
		err = -ENOENT;
	else if (timerfd_settime(e->fd, TFD_TIMER_ABSTIME, &its, NULL) != 0)
		err = -errno;
	pthread_mutex_unlock(&loop.lock);
	return err;
}

void loop_del(loop_handle h)
{
	struct entry *e;

	pthread_mutex_lock(&loop.lock);
	e = find(h);
	if (e) {
		if (e->events)
			epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, e->fd, NULL);
		if (e->is_timer)
			close(e->fd);
		e->generation++;
	}
	while (loop.current == h && h && !pthread_equal(loop.thread, pthread_self()))
		pthread_cond_wait(&loop.idle, &loop.lock);
	pthread_mutex_unlock(&loop.lock);
}

/* Runs the callback of one event, if its entry is still the one that epoll meant. */
static void serve(const struct epoll_event *ev)
{
	unsigned int events = (ev->events & EPOLLIN ? LOOP_READ : 0) | (ev->events & EPOLLOUT ? LOOP_WRITE : 0) |
			      (ev->events & (EPOLLHUP | EPOLLERR) ? LOOP_HUP : 0);
	struct entry copy;
	uint64_t count;
	struct entry *e;

	pthread_mutex_lock(&loop.lock);
	e = find(ev->data.u64);
	/* The expirations are read under the lock: loop_del() closes the timer there. */
	if (!e || (e->is_timer && read(e->fd, &count, sizeof(count)) != (ssize_t)sizeof(count))) {
		pthread_mutex_unlock(&loop.lock);
		return;
	}
	copy = *e;
	loop.current = ev->data.u64;
	pthread_mutex_unlock(&loop.lock);

	if (copy.is_timer)
		copy.timer_cb(count, copy.arg);
	else
		copy.fd_cb(copy.fd, events, copy.arg);

	pthread_mutex_lock(&loop.lock);
	loop.current = 0;
	pthread_cond_broadcast(&loop.idle);
	pthread_mutex_unlock(&loop.lock);
}

int loop_run(void)
{
	struct epoll_event ev[MAX_EVENTS];
	uint64_t count;

	loop.thread = pthread_self();
	for (;;) {
		int n = epoll_wait(loop.epoll_fd, ev, MAX_EVENTS, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			if (ev[i].data.u64 != 0)
				serve(&ev[i]);
		}
		if (read(loop.stop_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
			return 0;
	}
}

void loop_stop(void)
{
	uint64_t one = 1;
	int saved = errno;
	ssize_t n = write(loop.stop_fd, &one, sizeof(one));

	(void)n;	/* cannot fail but with a full counter, which also stops the loop */
	errno = saved;
}
