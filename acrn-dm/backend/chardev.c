/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine of character back ends: a peer descriptor that may come and go, a buffer for what it does not
 * take at once. stdio and files are written directly, because their descriptors are shared with others and
 * stay blocking.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/chardev_internal.h"
#include "log.h"

#define READ_SIZE	512
#define RETRY_NS	1000000000ull
#define ESCAPE		1	/* Ctrl-a */

static void on_peer(int fd, unsigned int events, void *arg);

static bool is_direct(const struct chardev *c)
{
	return c->kind == CHARDEV_STDIO || c->kind == CHARDEV_FILE;
}

/* With the lock held. */
static void watch_peer(struct chardev *c)
{
	if (c->watch)
		loop_mod(c->watch, (c->input_on ? LOOP_READ : 0) | (c->out_len || c->short_write ? LOOP_WRITE : 0));
}

int chardev_set_peer(struct chardev *c, int fd)
{
	int err = 0;

	pthread_mutex_lock(&c->lock);
	c->fd = fd;
	if (c->kind != CHARDEV_FILE) {
		c->watch = loop_add(fd, c->input_on ? LOOP_READ : 0, on_peer, c);
		/* EPERM: a file or /dev/null on stdin, which has nothing to wait for. */
		if (!c->watch && !(c->kind == CHARDEV_STDIO && errno == EPERM))
			err = -errno;
	}
	if (err) {
		close(fd);
		c->fd = -1;
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

static void on_retry(uint64_t count, void *arg)
{
	(void)count;
	chardev_connect(arg);
}

/* The peer went: on the loop thread. */
static void drop_peer(struct chardev *c)
{
	loop_handle watch;

	pthread_mutex_lock(&c->lock);
	watch = c->watch;
	c->watch = 0;
	loop_del(watch);
	if (c->kind != CHARDEV_STDIO) {
		close(c->fd);
		c->fd = -1;
	}
	c->out_len = 0;
	pthread_mutex_unlock(&c->lock);

	if (c->kind == CHARDEV_LISTEN)
		loop_mod(c->listen_watch, LOOP_READ);
	if (c->kind == CHARDEV_CONNECT)
		loop_timer_set(c->retry, loop_now_ns() + RETRY_NS, 0);
	if (c->client.connected && c->kind != CHARDEV_STDIO)
		c->client.connected(c->client.arg, false);
	if (c->client.writable)
		c->client.writable(c->client.arg);
}

/* On a terminal, Ctrl-a x ends the VM and Ctrl-a twice is one Ctrl-a. Returns what is left for the guest. */
static size_t filter_escape(struct chardev *c, uint8_t *buf, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		if (!c->escaped && buf[i] == ESCAPE) {
			c->escaped = true;
			continue;
		}
		if (c->escaped && (buf[i] == 'x' || buf[i] == 'X'))
			kill(getpid(), SIGINT);
		else
			buf[out++] = buf[i];
		c->escaped = false;
	}
	return out;
}

static void read_peer(struct chardev *c, int fd)
{
	uint8_t buf[READ_SIZE];
	ssize_t n = read(fd, buf, sizeof(buf));
	size_t len = n > 0 ? (size_t)n : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_peer(c);
		return;
	}
	if (c->kind == CHARDEV_STDIO && c->has_termios)
		len = filter_escape(c, buf, len);
	if (len && c->client.input)
		c->client.input(c->client.arg, buf, len);
}

/* With the lock held: hands buffered output to the peer. */
static void flush(struct chardev *c)
{
	while (c->out_len) {
		ssize_t n = write(c->fd, c->out, c->out_len);

		if (n <= 0)
			return;		/* full; or gone, which the next read tells */
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
}

static void on_peer(int fd, unsigned int events, void *arg)
{
	struct chardev *c = arg;
	bool tell = false;

	if (events & LOOP_WRITE) {
		pthread_mutex_lock(&c->lock);
		if (c->fd >= 0)
			flush(c);
		if (c->out_len < CHARDEV_OUT_SIZE / 2) {
			tell = c->short_write;
			c->short_write = false;
		}
		watch_peer(c);
		pthread_mutex_unlock(&c->lock);
	}
	if (tell && c->client.writable)
		c->client.writable(c->client.arg);
	if (events & (LOOP_READ | LOOP_HUP))
		read_peer(c, fd);
}

static void on_listen(int fd, unsigned int events, void *arg)
{
	struct chardev *c = arg;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (peer < 0)
		return;
	if (c->fd >= 0 || chardev_set_peer(c, peer) != 0) {
		if (c->fd >= 0)
			close(peer);
		return;
	}
	loop_mod(c->listen_watch, 0);
	if (c->client.connected)
		c->client.connected(c->client.arg, true);
}

int chardev_listen(struct chardev *c)
{
	c->listen_watch = loop_add(c->listen_fd, LOOP_READ, on_listen, c);
	return c->listen_watch ? 0 : -errno;
}

int chardev_connect(struct chardev *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (!c->retry)
		c->retry = loop_add_timer(on_retry, c);
	if (fd < 0 || !c->retry) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	memcpy(sun.sun_path, c->path, strlen(c->path) + 1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		close(fd);
		return loop_timer_set(c->retry, loop_now_ns() + RETRY_NS, 0);
	}
	if (chardev_set_peer(c, fd) == 0 && c->client.connected)
		c->client.connected(c->client.arg, true);
	return 0;
}

/* Output to a shared, blocking descriptor: as long as it takes at least something within 100 ms. */
static size_t write_direct(int fd, const uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t n;

		if (poll(&p, 1, 100) <= 0)
			break;
		n = write(fd, buf + done, len - done < READ_SIZE ? len - done : READ_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return len;	/* nobody listens any more: dropped */
		done += (size_t)n;
	}
	return len;
}

static size_t write_buffered(struct chardev *c, const uint8_t *buf, size_t len)
{
	size_t done = 0, room;

	if (c->out_len == 0) {
		ssize_t n = write(c->fd, buf, len);

		done = n > 0 ? (size_t)n : 0;
	}
	room = CHARDEV_OUT_SIZE - c->out_len;
	if (room > len - done)
		room = len - done;
	memcpy(c->out + c->out_len, buf + done, room);
	c->out_len += room;
	done += room;
	c->short_write = done < len;
	if (c->out_len || c->short_write)
		watch_peer(c);
	return done;
}

size_t chardev_write(struct chardev *c, const void *buf, size_t len)
{
	size_t done = len;

	pthread_mutex_lock(&c->lock);
	if (c->echoes)
		write_direct(STDOUT_FILENO, buf, len);
	if (is_direct(c))
		done = write_direct(c->kind == CHARDEV_STDIO ? STDOUT_FILENO : c->fd, buf, len);
	else if (c->fd >= 0 && len)
		done = write_buffered(c, buf, len);
	pthread_mutex_unlock(&c->lock);
	return done;
}

void chardev_input_enable(struct chardev *c, bool enable)
{
	pthread_mutex_lock(&c->lock);
	if (c->input_on != enable) {
		c->input_on = enable;
		watch_peer(c);
	}
	pthread_mutex_unlock(&c->lock);
}

bool chardev_is_connected(struct chardev *c)
{
	bool yes;

	pthread_mutex_lock(&c->lock);
	yes = is_direct(c) || c->kind == CHARDEV_NULL || c->fd >= 0;
	pthread_mutex_unlock(&c->lock);
	return yes;
}

static void flush_last(struct chardev *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };

	if (c->out_len && poll(&p, 1, 100) == 1)
		flush(c);
}

void chardev_close(struct chardev *c)
{
	if (!c)
		return;
	loop_del(c->listen_watch);
	loop_del(c->retry);
	loop_del(c->watch);
	chardev_forget_stdio(c);
	if (c->has_termios && c->kind != CHARDEV_STDIO && c->fd >= 0)
		tcsetattr(c->fd, TCSANOW, &c->termios);
	if (c->fd >= 0 && c->kind != CHARDEV_STDIO) {
		flush_last(c);
		close(c->fd);
	}
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	if (c->owns_path)
		unlink(c->path);
	pthread_mutex_destroy(&c->lock);
	free(c->path);
	free(c->out);
	free(c);
}
