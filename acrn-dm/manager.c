/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A few clients at a time, each with its own half message. All on the loop thread. What is no message of ours ends its
 * connection; a message of unknown number is not answered.
 */
#include "manager.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "ctl/message.h"
#include "log.h"
#include "loop.h"
#include "monitor.h"
#include "vm.h"
#include "vm_event.h"

#define CLIENTS	8

struct client {
	int fd;		/* -1: free */
	loop_handle watch;
	size_t len;
	struct mngr_message m;
};

static struct {
	struct sockaddr_un at;
	int fd;
	loop_handle watch;
	struct client client[CLIENTS];
} mngr = { .fd = -1 };

static void drop(struct client *c)
{
	loop_del(c->watch);
	close(c->fd);
	c->fd = -1;
}

static int32_t stop(const struct mngr_message *m)
{
	if (m->data.stop.force)
		vm_request(VM_POWEROFF);
	else
		vm_event_ask_poweroff();
	return 0;
}

static int32_t query(const struct mngr_message *m)
{
	(void)m;
	return MNGR_RUNNING;
}

static int32_t rescan(const struct mngr_message *m)
{
	char text[sizeof(m->data.devargs) + 1] = "";

	memcpy(text, m->data.devargs, sizeof(m->data.devargs));
	return monitor_rescan(text);
}

/* Suspend to RAM is not built: the sender is told so. */
static int32_t refuse(const struct mngr_message *m)
{
	log_notice("the manager asks to %s, which is not built", m->id == MNGR_SUSPEND ? "suspend" : "resume");
	return -1;
}

static int32_t (*const handlers[])(const struct mngr_message *m) = {
	[MNGR_STOP] = stop,
	[MNGR_SUSPEND] = refuse,
	[MNGR_RESUME] = refuse,
	[MNGR_QUERY] = query,
	[MNGR_BLKRESCAN] = rescan,
};

static void serve(struct client *c)
{
	struct mngr_message answer = { .magic = MNGR_MAGIC, .id = c->m.id, .timestamp = c->m.timestamp };

	if (c->m.id >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[c->m.id])
		return;
	answer.data.err = handlers[c->m.id](&c->m);
	if (send(c->fd, &answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(answer))
		log_warn("a client of the manager socket does not take its answer");
}

static void on_client(int fd, unsigned int events, void *arg)
{
	struct client *c = arg;
	ssize_t n = recv(fd, (char *)&c->m + c->len, sizeof(c->m) - c->len, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->len += (size_t)n;
	if (c->len >= sizeof(c->m.magic) && c->m.magic != MNGR_MAGIC) {
		log_warn("a client of the manager socket speaks another language");
		drop(c);
	} else if (c->len == sizeof(c->m)) {
		c->len = 0;
		serve(c);
	}
}

static void on_connect(int fd, unsigned int events, void *arg)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	(void)arg;
	if (peer < 0)
		return;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c = &mngr.client[i];

		if (c->fd >= 0)
			continue;
		c->watch = loop_add(peer, LOOP_READ, on_client, c);
		if (!c->watch)
			break;
		c->fd = peer;
		c->len = 0;
		return;
	}
	log_warn("the manager socket has no room for another client");
	close(peer);
}

static int listen_there(void)
{
	mngr.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (mngr.fd < 0)
		return -errno;
	if (bind(mngr.fd, (struct sockaddr *)&mngr.at, sizeof(mngr.at)) < 0 ||
	    chmod(mngr.at.sun_path, 0660) < 0 || listen(mngr.fd, CLIENTS) < 0)
		return -errno;
	mngr.watch = loop_add(mngr.fd, LOOP_READ, on_connect, NULL);
	return mngr.watch ? 0 : -errno;
}

int manager_init(const char *dir)
{
	int err;

	for (unsigned int i = 0; i < CLIENTS; i++)
		mngr.client[i].fd = -1;
	if (access(dir, W_OK | X_OK) < 0)
		return 0;
	mngr.at.sun_family = AF_UNIX;
	if ((size_t)snprintf(mngr.at.sun_path, sizeof(mngr.at.sun_path), "%s/%s" MNGR_MIDDLE "%d" MNGR_SUFFIX, dir,
			     config.vm_name, (int)getpid()) >= sizeof(mngr.at.sun_path))
		err = -ENAMETOOLONG;
	else
		err = listen_there();
	if (err)
		log_err("the manager socket in %s: %s", dir, strerror(-err));
	return err;
}

void manager_exit(void)
{
	if (mngr.fd < 0)
		return;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (mngr.client[i].fd >= 0)
			drop(&mngr.client[i]);
	}
	loop_del(mngr.watch);
	close(mngr.fd);
	mngr.fd = -1;
	unlink(mngr.at.sun_path);
}
