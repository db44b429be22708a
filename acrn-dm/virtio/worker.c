/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that wait for notifications (worker.h).
 */
#include "virtio/worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"

static void *thread(void *arg)
{
	struct worker *w = arg;

	confine_thread(w->role);
	w->run(w->arg);
	return NULL;
}

/* Threads inherit the mask of their maker. */
static int create_without_signals(struct worker *w)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, NULL, thread, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static void close_fds(struct worker *w)
{
	if (w->stop_fd >= 0)
		close(w->stop_fd);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
}

int worker_start(struct worker *w, const char *name, void (*run)(void *arg), void *arg)
{
	int err;

	w->run = run;
	w->arg = arg;
	w->watches = false;
	w->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = w->stop_fd < 0 || w->epoll_fd < 0 ? errno : create_without_signals(w);
	if (err) {
		log_err("%s: cannot start a thread: %s", name, strerror(err));
		close_fds(w);
		return -err;
	}
	pthread_setname_np(w->thread, name);
	w->running = true;
	return 0;
}

void worker_stop(struct worker *w)
{
	if (!w->running)
		return;
	(void)eventfd_write(w->stop_fd, 1);
	pthread_join(w->thread, NULL);
	close_fds(w);
	w->running = false;
}

bool worker_wait(struct worker *w, struct pollfd *fds, unsigned int n)
{
	struct pollfd all[WORKER_FDS_MAX + 1];
	int r;

	memcpy(all, fds, n * sizeof(*fds));
	all[n] = (struct pollfd){ .fd = w->stop_fd, .events = POLLIN };
	do {
		r = poll(all, n + 1, -1);
	} while (r < 0 && errno == EINTR);
	if (r < 0) {
		log_err("poll in a device thread: %s", strerror(errno));
		return false;
	}
	memcpy(fds, all, n * sizeof(*fds));
	return all[n].revents == 0;
}

static bool watch(struct worker *w, int event_fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	struct epoll_event stop = { .events = EPOLLIN, .data.u32 = 1 };

	w->watches = epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, event_fd, &event) == 0 &&
		     epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->stop_fd, &stop) == 0;
	if (!w->watches)
		log_err("epoll in a device thread: %s", strerror(errno));
	return w->watches;
}

bool worker_wait_one(struct worker *w, int event_fd)
{
	struct epoll_event got[2];
	bool stop = false;
	int n;

	if (!w->watches && !watch(w, event_fd))
		return false;
	do {
		n = epoll_wait(w->epoll_fd, got, 2, -1);
	} while (n < 0 && errno == EINTR);
	for (int i = 0; i < n; i++)
		stop |= got[i].data.u32 == 1;
	return n > 0 && !stop;
}

void worker_consume(int event_fd)
{
	eventfd_t value;

	/* EAGAIN: another thread took it. */
	(void)eventfd_read(event_fd, &value);
}
