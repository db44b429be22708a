/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening the kinds of character back ends by their text. TCP listens on the loopback address only. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/chardev_internal.h"
#include "config.h"
#include "ctl/message.h"
#include "log.h"

static atomic_bool stdio_taken;
static struct chardev *stdio_user;

void chardev_make_raw(struct chardev *c, int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &c->termios) != 0)
		return;		/* not a terminal */
	raw = c->termios;
	cfmakeraw(&raw);
	if (c->kind == CHARDEV_STDIO)
		raw.c_oflag |= OPOST | ONLCR;	/* our own messages go there as well */
	c->has_termios = tcsetattr(fd, TCSANOW, &raw) == 0;
}

/* Whatever way the process ends, the terminal must be usable again. */
static void restore_terminal(void)
{
	if (stdio_user && stdio_user->has_termios)
		tcsetattr(STDIN_FILENO, TCSANOW, &stdio_user->termios);
}

void chardev_forget_stdio(struct chardev *c)
{
	if (stdio_user != c)
		return;
	restore_terminal();
	stdio_user = NULL;
	atomic_store(&stdio_taken, false);
}

static bool is_null_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static int open_stdio(struct chardev *c, const char *arg)
{
	static bool registered;

	(void)arg;
	if (atomic_exchange(&stdio_taken, true)) {
		log_err("%s: stdio is used by another device", c->title);
		return -EBUSY;
	}
	stdio_user = c;
	if (is_null_device(STDIN_FILENO)) {
		int err = chardev_open_console(c, MNGR_DIR);

		if (err != -ENOENT)
			return err;
	}
	c->kind = CHARDEV_STDIO;
	chardev_make_raw(c, STDIN_FILENO);
	if (!registered)
		atexit(restore_terminal);
	registered = true;
	return chardev_set_peer(c, STDIN_FILENO);
}

static int open_pty(struct chardev *c, const char *arg)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	char name[64];
	int slave;

	if (fd < 0)
		return -errno;
	if (grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, name, sizeof(name)) != 0) {
		close(fd);
		return -errno;
	}
	/* Our own hand on the slave keeps the pair alive while nobody else has it open. */
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave >= 0) {
		chardev_make_raw(c, slave);
		c->has_termios = false;
		c->listen_fd = slave;
	}
	if (*arg) {
		if (symlink(name, arg) != 0) {
			close(fd);
			return -errno;
		}
		c->path = strdup(arg);
		c->owns_path = c->path != NULL;
	}
	printf("%s redirected to %s\n", c->title, name);
	fflush(stdout);
	c->kind = CHARDEV_STREAM;
	return chardev_set_peer(c, fd);
}

static int open_tty(struct chardev *c, const char *arg)
{
	int fd = open(arg, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode)) {
		close(fd);
		return -ENOTTY;
	}
	c->kind = CHARDEV_STREAM;
	chardev_make_raw(c, fd);
	return chardev_set_peer(c, fd);
}

static int open_file(struct chardev *c, const char *arg)
{
	int fd = open(arg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	if (fd < 0)
		return -errno;
	c->kind = CHARDEV_FILE;
	return chardev_set_peer(c, fd);
}

static int listen_on(struct chardev *c, const struct sockaddr *sa, socklen_t len)
{
	int one = 1;

	c->kind = CHARDEV_LISTEN;
	c->listen_fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0)
		return -errno;
	if (sa->sa_family == AF_INET &&
	    setsockopt(c->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
		return -errno;
	if (bind(c->listen_fd, sa, len) != 0 || listen(c->listen_fd, 1) != 0)
		return -errno;
	return chardev_listen(c);
}

static int open_tcp(struct chardev *c, const char *arg)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char *end;
	unsigned long port = strtoul(arg, &end, 10);

	if (*end || end == arg || port < 1 || port > 65535)
		return -EINVAL;
	sin.sin_port = htons((uint16_t)port);
	return listen_on(c, (struct sockaddr *)&sin, sizeof(sin));
}

/* A socket left behind by a process that is gone; one that is in use stays. */
static void remove_stale(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (lstat(sun->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) != 0 && errno == ECONNREFUSED)
		unlink(sun->sun_path);
	close(fd);
}

static int open_socket_server(struct chardev *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int err;

	memcpy(sun.sun_path, c->path, strlen(c->path) + 1);
	remove_stale(&sun);
	old = umask(0117);	/* start-up is single-threaded */
	err = listen_on(c, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	c->owns_path = err == 0;
	return err;
}

int chardev_open_console(struct chardev *c, const char *dir)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (access(dir, W_OK | X_OK) < 0)
		return -ENOENT;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s" MNGR_CONSOLE "%d" MNGR_SUFFIX, dir, config.vm_name,
			     (int)getpid()) >= sizeof(path))
		return -ENAMETOOLONG;
	c->path = strdup(path);
	if (!c->path)
		return -ENOMEM;
	c->echoes = true;
	return open_socket_server(c);
}

static int open_socket(struct chardev *c, const char *arg)
{
	size_t len = strcspn(arg, ":");

	if (len == 0 || len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -EINVAL;
	c->path = strndup(arg, len);
	if (!c->path)
		return -ENOMEM;
	if (!arg[len] || strcmp(arg + len, ":server") == 0)
		return open_socket_server(c);
	if (strcmp(arg + len, ":client") != 0)
		return -EINVAL;
	c->kind = CHARDEV_CONNECT;
	return chardev_connect(c);
}

static int open_null(struct chardev *c, const char *arg)
{
	(void)arg;
	c->kind = CHARDEV_NULL;
	return 0;
}

static const struct {
	const char *name;
	bool needs_arg;
	int (*open)(struct chardev *c, const char *arg);
} kinds[] = {
	{ "stdio", false, open_stdio },
	{ "pty", false, open_pty },
	{ "tcp", true, open_tcp },
	{ "file", true, open_file },
	{ "tty", true, open_tty },
	{ "socket", true, open_socket },
	{ "null", false, open_null },
};

static int open_kind(struct chardev *c, const char *spec)
{
	size_t len = strcspn(spec, ":");
	const char *arg = spec[len] ? spec + len + 1 : "";

	if (*spec == '/')
		return open_tty(c, spec);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) == len && memcmp(kinds[i].name, spec, len) == 0)
			return kinds[i].needs_arg && !*arg ? -EINVAL : kinds[i].open(c, arg);
	}
	return -EINVAL;
}

struct chardev *chardev_open(const char *spec, const char *title, const struct chardev_client *client)
{
	struct chardev *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return NULL;
	snprintf(c->title, sizeof(c->title), "%s", title);
	c->client = *client;
	c->fd = c->listen_fd = -1;
	c->input_on = true;
	pthread_mutex_init(&c->lock, NULL);
	c->out = malloc(CHARDEV_OUT_SIZE);
	err = c->out ? open_kind(c, spec) : -ENOMEM;
	if (err) {
		log_err("%s: cannot open \"%s\": %s", title, spec,
			err == -EINVAL ? "not a known back end" : strerror(-err));
		chardev_close(c);
		return NULL;
	}
	return c;
}
