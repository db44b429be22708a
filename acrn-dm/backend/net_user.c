/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network without privileges: libslirp in a thread of its own, behind one end of a socket pair whose other end stands
 * for a tap. A forwarded port is on 127.0.0.1 unless an address is given.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net.h"
#include "log.h"
#include "loop.h"
#include "virtio/worker.h"

#define POLLS_MAX	512u
#define FRAME_MAX	65536u
#define BATCH		64u

struct timer {
	SlirpTimerCb run;
	void *arg;
	int64_t at_ms;		/* -1: not armed */
	struct timer *next;
};

struct netdev_user {
	struct worker worker;
	Slirp *slirp;
	int fd;			/* our end */
	struct timer *timers;
	unsigned int polls;
	struct pollfd poll[POLLS_MAX];
	uint8_t frame[NETDEV_HEADER + FRAME_MAX];
};

/* --- what the library calls --------------------------------------------------------------------------- */

static ssize_t to_guest(const void *frame, size_t len, void *opaque)
{
	struct netdev_user *u = opaque;
	uint8_t header[NETDEV_HEADER] = { 0 };
	struct iovec iov[2] = { { header, sizeof(header) }, { (void *)frame, len } };

	if (writev(u->fd, iov, 2) < 0 && errno != EAGAIN)	/* a guest that does not read loses frames */
		log_guest("virtio-net: user: a frame of %zu bytes: %s", len, strerror(errno));
	return (ssize_t)len;
}

static void guest_error(const char *message, void *opaque)
{
	(void)opaque;
	log_guest("virtio-net: user: %s", message);
}

static int64_t clock_ns(void *opaque)
{
	(void)opaque;
	return (int64_t)loop_now_ns();
}

static void *timer_new(SlirpTimerCb run, void *arg, void *opaque)
{
	struct netdev_user *u = opaque;
	struct timer *t = calloc(1, sizeof(*t));

	if (!t)
		abort();	/* the library cannot be told; without its timers it is of no use */
	*t = (struct timer){ .run = run, .arg = arg, .at_ms = -1, .next = u->timers };
	u->timers = t;
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct netdev_user *u = opaque;

	for (struct timer **p = &u->timers; *p; p = &(*p)->next) {
		if (*p != timer)
			continue;
		*p = (*p)->next;
		break;
	}
	free(timer);
}

static void timer_mod(void *timer, int64_t at_ms, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->at_ms = at_ms;
}

static void nothing_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void nothing(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = to_guest,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = nothing_fd,
	.unregister_poll_fd = nothing_fd,
	.notify = nothing,
};

/* --- the thread -------------------------------------------------------------------------------------- */

static int add_poll(int fd, int events, void *opaque)
{
	struct netdev_user *u = opaque;
	short wanted = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
			       (events & SLIRP_POLL_PRI ? POLLPRI : 0));

	if (u->polls == POLLS_MAX)
		return -1;
	u->poll[u->polls] = (struct pollfd){ .fd = fd, .events = wanted };
	return (int)u->polls++;
}

static int get_revents(int index, void *opaque)
{
	const struct netdev_user *u = opaque;
	short got = index >= 0 && (unsigned int)index < u->polls ? u->poll[index].revents : 0;

	return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
	       (got & POLLPRI ? SLIRP_POLL_PRI : 0) | (got & POLLERR ? SLIRP_POLL_ERR : 0) |
	       (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static int64_t now_ms(void)
{
	return (int64_t)(loop_now_ns() / 1000000u);
}

/* Milliseconds until the first timer, at most `limit`. */
static uint32_t next_timer(const struct netdev_user *u, uint32_t limit)
{
	int64_t now = now_ms();

	for (const struct timer *t = u->timers; t; t = t->next) {
		if (t->at_ms >= 0 && t->at_ms - now < (int64_t)limit)
			limit = t->at_ms > now ? (uint32_t)(t->at_ms - now) : 0;
	}
	return limit;
}

static void run_timers(struct netdev_user *u)
{
	struct timer *next;

	for (struct timer *t = u->timers; t; t = next) {
		next = t->next;
		if (t->at_ms < 0 || t->at_ms > now_ms())
			continue;
		t->at_ms = -1;
		t->run(t->arg);
	}
}

static void from_guest(struct netdev_user *u)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		ssize_t n = read(u->fd, u->frame, sizeof(u->frame));

		if (n <= (ssize_t)NETDEV_HEADER)
			return;
		slirp_input(u->slirp, u->frame + NETDEV_HEADER, (int)n - (int)NETDEV_HEADER);
	}
}

static void run(void *arg)
{
	struct netdev_user *u = arg;

	for (;;) {
		uint32_t timeout = 1000;
		int r;

		u->poll[0] = (struct pollfd){ .fd = u->worker.stop_fd, .events = POLLIN };
		u->poll[1] = (struct pollfd){ .fd = u->fd, .events = POLLIN };
		u->polls = 2;
		slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
		r = poll(u->poll, u->polls, (int)next_timer(u, timeout));
		if (u->poll[0].revents)
			return;
		slirp_pollfds_poll(u->slirp, r < 0, get_revents, u);
		run_timers(u);
		if (r > 0 && u->poll[1].revents & POLLIN)
			from_guest(u);
	}
}

/* --- life -------------------------------------------------------------------------------------------- */

struct forward {
	bool is_udp;
	struct in_addr host, guest;
	int host_port, guest_port;
};

/* "[ADDR]:PORT" */
static bool parse_end(char *text, struct in_addr *addr, int *port)
{
	char *colon = strrchr(text, ':'), *end;
	long n;

	if (!colon)
		return false;
	*colon = '\0';
	n = strtol(colon + 1, &end, 10);
	*port = (int)n;
	return colon[1] && !*end && n > 0 && n < 65536 && (!*text || inet_pton(AF_INET, text, addr) == 1);
}

static bool parse_forward(char *text, struct forward *f)
{
	char *dash = strchr(text, '-');

	f->is_udp = strncmp(text, "udp:", 4) == 0;
	f->host.s_addr = htonl(INADDR_LOOPBACK);
	f->guest.s_addr = 0;	/* the library takes the first address that DHCP gives */
	if (!dash || (!f->is_udp && strncmp(text, "tcp:", 4) != 0))
		return false;
	*dash = '\0';
	return parse_end(text + 4, &f->host, &f->host_port) && parse_end(dash + 1, &f->guest, &f->guest_port);
}

static int add_forward(struct netdev_user *u, char *text)
{
	char *shown = strdup(text);
	struct forward f;
	int err = 0;

	if (!shown)
		return -ENOMEM;
	if (!parse_forward(text, &f)) {
		log_err("virtio-net: hostfwd=%s is not tcp|udp:[ADDR]:PORT-[GUEST]:PORT", shown);
		err = -EINVAL;
	} else if (slirp_add_hostfwd(u->slirp, f.is_udp, f.host, f.host_port, f.guest, f.guest_port) < 0) {
		err = errno ? -errno : -EADDRINUSE;
		log_err("virtio-net: hostfwd=%s: %s", shown, strerror(-err));
	}
	free(shown);
	return err;
}

static Slirp *make_slirp(struct netdev_user *u, bool restricted)
{
	SlirpConfig c = {
		.version = 1,
		.restricted = restricted,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(0x0a000200),
		.vnetmask.s_addr = htonl(0xffffff00),
		.vhost.s_addr = htonl(0x0a000202),
		.vdhcp_start.s_addr = htonl(0x0a00020f),
		.vnameserver.s_addr = htonl(0x0a000203),
	};

	return slirp_new(&c, &callbacks, u);
}

static int start(struct netdev_user *u, const struct netdev_user_options *o)
{
	u->slirp = make_slirp(u, o->restricted);
	if (!u->slirp)
		return -ENOMEM;
	for (unsigned int i = 0; i < o->forwards; i++) {
		int err = add_forward(u, o->forward[i]);

		if (err)
			return err;
	}
	u->worker.role = CONFINE_NETWORK;
	return worker_start(&u->worker, "net-user", run, u);
}

int netdev_open_user(struct netdev *n, const struct netdev_user_options *o)
{
	struct netdev_user *u = calloc(1, sizeof(*u));
	int room = 1 << 20;
	int ends[2], err;

	*n = (struct netdev){ 0 };
	if (!u)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
		err = -errno;
		free(u);
		return err;
	}
	for (unsigned int i = 0; i < 2; i++)
		(void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));	/* less room loses frames */
	u->fd = ends[0];
	err = start(u, o);
	if (err) {
		netdev_close_user(u);
		close(ends[1]);
		return err;
	}
	*n = (struct netdev){ .queues = 1, .fd = { ends[1] }, .user = u };
	return 0;
}

void netdev_close_user(struct netdev_user *u)
{
	worker_stop(&u->worker);
	if (u->slirp)
		slirp_cleanup(u->slirp);
	while (u->timers)
		timer_free(u->timers, u);
	close(u->fd);
	free(u);
}
