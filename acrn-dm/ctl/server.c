/* SPDX-License-Identifier: BSD-3-Clause */
/* See server.h. A peer is a place in the table and how often that was taken, so that late answers miss strangers. */
#include "ctl/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"

#define CLIENTS	8

struct client {
	int fd;		/* -1: free */
	uint32_t taken;
	loop_handle watch;
	size_t len;
	struct mngr_message m;
};

static struct {
	struct sockaddr_un at;
	int fd;
	loop_handle watch;
	server_handler handler;
	struct client client[CLIENTS];
} server = { .fd = -1 };

static void drop(struct client *c)
{
	loop_del(c->watch);
	close(c->fd);
	c->fd = -1;
}

static void send_answer(struct client *c, const struct mngr_message *m)
{
	if (send(c->fd, m, sizeof(*m), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(*m))
		log_warn("a client of the manager socket does not take its answer");
}

static void serve(struct client *c)
{
	uint64_t peer = (uint64_t)c->taken << 32 | (uint64_t)(c - server.client);
	struct mngr_message m = c->m;

	if (server.handler(&m, peer) == SERVER_ANSWER)
		send_answer(c, &m);
}

void server_answer(uint64_t peer, uint32_t id, int32_t err)
{
	struct mngr_message m = { .magic = MNGR_MAGIC, .id = id, .data.err = err };
	struct client *c = &server.client[peer & 0xffffffff];

	if (c->fd >= 0 && c->taken == peer >> 32)
		send_answer(c, &m);
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
		struct client *c = &server.client[i];

		if (c->fd >= 0)
			continue;
		c->watch = loop_add(peer, LOOP_READ, on_client, c);
		if (!c->watch)
			break;
		c->fd = peer;
		c->len = 0;
		c->taken++;
		return;
	}
	log_warn("the manager socket has no room for another client");
	close(peer);
}

static int listen_there(void)
{
	server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server.fd < 0)
		return -errno;
	if (bind(server.fd, (struct sockaddr *)&server.at, sizeof(server.at)) < 0 ||
	    chmod(server.at.sun_path, 0660) < 0 || listen(server.fd, CLIENTS) < 0)
		return -errno;
	server.watch = loop_add(server.fd, LOOP_READ, on_connect, NULL);
	return server.watch ? 0 : -errno;
}

int server_init(const char *path, server_handler handler)
{
	for (unsigned int i = 0; i < CLIENTS; i++)
		server.client[i].fd = -1;
	server.handler = handler;
	server.at.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(server.at.sun_path))
		return -ENAMETOOLONG;
	strcpy(server.at.sun_path, path);
	return listen_there();
}

void server_exit(void)
{
	if (server.fd < 0)
		return;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (server.client[i].fd >= 0)
			drop(&server.client[i]);
	}
	loop_del(server.watch);
	close(server.fd);
	server.fd = -1;
	unlink(server.at.sun_path);
}
