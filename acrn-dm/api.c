/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connections of --api-socket. A line that is too long, or a client that does not read its answers, ends that
 * client. Events come from any thread: they wait in a small ring, and the loop thread, woken by an eventfd, sends them.
 */
#include "api.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api_internal.h"
#include "config.h"
#include "log.h"
#include "loop.h"

#define CLIENTS_MAX	8u
#define LINE_MAX_LEN	65536u
#define EVENTS_MAX	64u
#define NAME_LEN	32u

struct client {
	int fd;
	loop_handle watch;
	struct api_client state;
	size_t len;
	char line[LINE_MAX_LEN];
};

struct event {
	char name[NAME_LEN];
	char device[NAME_LEN];
	uint64_t time_ns;
};

static struct {
	int listen_fd;
	loop_handle listen_watch, event_watch;
	struct client *client[CLIENTS_MAX];
	bool owns_path;

	pthread_mutex_t lock;	/* the rest */
	int event_fd;
	unsigned int events, lost;
	struct event event[EVENTS_MAX];
} api = { .listen_fd = -1, .event_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

static void drop(unsigned int i)
{
	struct client *c = api.client[i];

	loop_del(c->watch);
	close(c->fd);
	free(c);
	api.client[i] = NULL;
}

/* One object and a newline, at once or not at all. */
static bool send_object(struct client *c, cJSON *object)
{
	char *text = object ? cJSON_PrintUnformatted(object) : NULL;
	size_t len = text ? strlen(text) : 0;
	bool ok = false;

	cJSON_Delete(object);
	if (text) {
		text[len++] = '\n';	/* in place of the NUL: the length goes along */
		ok = send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
	}
	cJSON_free(text);
	return ok;
}

static bool run_line(struct client *c, const char *line, size_t len)
{
	cJSON *request = cJSON_ParseWithLength(line, len);
	bool ok = send_object(c, api_answer(&c->state, request));

	cJSON_Delete(request);
	return ok;
}

/* Takes the complete lines out of the buffer. */
static bool run_lines(struct client *c)
{
	char *end;

	while ((end = memchr(c->line, '\n', c->len)) != NULL) {
		size_t len = (size_t)(end - c->line);

		if (len > 0 && !run_line(c, c->line, len))
			return false;
		c->len -= len + 1;
		memmove(c->line, end + 1, c->len);
	}
	return c->len < sizeof(c->line);
}

static void on_input(int fd, unsigned int events, void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg;
	struct client *c = api.client[i];
	ssize_t n;

	(void)events;
	n = read(fd, c->line + c->len, sizeof(c->line) - c->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->len += (size_t)n;
	if (n <= 0 || !run_lines(c))
		drop(i);
}

static void on_connect(int fd, unsigned int events, void *arg)
{
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c;
	unsigned int i = 0;

	(void)events;
	(void)arg;
	while (i < CLIENTS_MAX && api.client[i])
		i++;
	c = peer >= 0 && i < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		if (peer >= 0)
			close(peer);
		return;
	}
	c->fd = peer;
	api.client[i] = c;
	c->watch = loop_add(peer, LOOP_READ, on_input, (void *)(uintptr_t)i);
	if (!c->watch || !send_object(c, api_greeting()))
		drop(i);
}

/* --- events ------------------------------------------------------------------------------------------ */

void api_event(const char *name, const char *device)
{
	pthread_mutex_lock(&api.lock);
	if (api.event_fd >= 0 && api.events < EVENTS_MAX) {
		struct event *e = &api.event[api.events++];

		snprintf(e->name, sizeof(e->name), "%s", name);
		snprintf(e->device, sizeof(e->device), "%s", device ? device : "");
		e->time_ns = loop_now_ns();
		(void)eventfd_write(api.event_fd, 1);
	} else if (api.event_fd >= 0) {
		api.lost++;
	}
	pthread_mutex_unlock(&api.lock);
}

static cJSON *event_object(const struct event *e, unsigned int lost)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "event", e->name);
	cJSON_AddNumberToObject(o, "time_ns", (double)e->time_ns);
	if (e->device[0])
		cJSON_AddStringToObject(o, "device", e->device);
	if (lost)
		cJSON_AddNumberToObject(o, "lost", lost);
	return o;
}

static void on_events(int fd, unsigned int events, void *arg)
{
	struct event copy[EVENTS_MAX];
	unsigned int n, lost;
	eventfd_t count;

	(void)events;
	(void)arg;
	(void)eventfd_read(fd, &count);
	pthread_mutex_lock(&api.lock);
	n = api.events;
	lost = api.lost;
	memcpy(copy, api.event, n * sizeof(copy[0]));
	api.events = api.lost = 0;
	pthread_mutex_unlock(&api.lock);
	for (unsigned int k = 0; k < n; k++)
		for (unsigned int i = 0; i < CLIENTS_MAX; i++)
			if (api.client[i] && api.client[i]->state.wants_events &&
			    !send_object(api.client[i], event_object(&copy[k], k + 1 == n ? lost : 0)))
				drop(i);
}

/* --- life -------------------------------------------------------------------------------------------- */

static int bind_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int err = 0;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	/* One that nobody listens on any more is in the way; anything else is left alone. */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		if (connect(api.listen_fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return -EADDRINUSE;
		(void)unlink(path);
		close(api.listen_fd);
		api.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	mask = umask(0117);
	if (bind(api.listen_fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		err = -errno;
	umask(mask);
	api.owns_path = !err;
	return !err && listen(api.listen_fd, CLIENTS_MAX) != 0 ? -errno : err;
}

int api_init(void)
{
	int err;

	if (!config.api_socket)
		return 0;
	api.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	api.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = api.listen_fd < 0 || api.event_fd < 0 ? -errno : bind_socket(config.api_socket);
	if (!err) {
		api.listen_watch = loop_add(api.listen_fd, LOOP_READ, on_connect, NULL);
		api.event_watch = loop_add(api.event_fd, LOOP_READ, on_events, NULL);
		err = api.listen_watch && api.event_watch ? 0 : -errno;
	}
	if (err)
		log_err("--api-socket %s: %s", config.api_socket, strerror(-err));
	return err;
}

void api_exit(void)
{
	int fd = api.event_fd;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++)
		if (api.client[i])
			drop(i);
	loop_del(api.listen_watch);
	loop_del(api.event_watch);
	api.listen_watch = api.event_watch = 0;
	if (api.listen_fd >= 0)
		close(api.listen_fd);
	if (api.owns_path)
		(void)unlink(config.api_socket);
	api.owns_path = false;
	pthread_mutex_lock(&api.lock);
	api.event_fd = -1;
	api.events = 0;
	pthread_mutex_unlock(&api.lock);
	if (fd >= 0)
		close(fd);
	api.listen_fd = -1;
}
