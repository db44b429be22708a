/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrnctl console: this terminal becomes that of a VM whose own standard input is none, as in a service; acrn-dm then
 * has a socket for it. Ctrl-] goes back.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/message.h"

#define LEAVE	0x1d	/* Ctrl-] */

static struct termios before;
static bool is_raw;

static void make_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return;		/* a pipe, as in scripts */
	raw = before;
	cfmakeraw(&raw);
	is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void make_cooked(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	is_raw = false;
}

static int connect_to(const struct vms_vm *vm)
{
	const char *dir = ctl_places.sockets ? ctl_places.sockets : MNGR_DIR;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if ((size_t)snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s" MNGR_CONSOLE "%d" MNGR_SUFFIX, dir, vm->name,
			     vm->pid) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd < 0 ? -errno : fd;
}

static bool write_all(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			buf += n, len -= (size_t)n;
	}
	return true;
}

/* One piece from here to there; false at the end, and at Ctrl-] of a terminal. */
static bool move(int from, int to)
{
	char buf[512], *leave;
	ssize_t n = read(from, buf, sizeof(buf));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	leave = is_raw && from == STDIN_FILENO ? memchr(buf, LEAVE, (size_t)n) : NULL;
	return write_all(to, buf, leave ? (size_t)(leave - buf) : (size_t)n) && !leave;
}

/* Until the VM or the person goes. At the end of a piped input what the VM says is still shown. */
static void talk(int fd)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents && !move(fd, STDOUT_FILENO))
			return;
		if (p[1].revents && !move(STDIN_FILENO, fd)) {
			if (is_raw)
				return;
			shutdown(fd, SHUT_WR);
			p[1].fd = -1;
		}
	}
}

static int console(int argc, char **argv)
{
	const struct vms_vm *vm = ctl_find_all() == 0 ? ctl_find(argv[0]) : NULL;
	int fd;

	(void)argc;
	if (!vm)
		return 1;
	if (!vm->socket[0])
		return ctl_complain(vm->name, "it does not run");
	fd = connect_to(vm);
	if (fd == -ENOENT)
		return ctl_complain(vm->name, "its console is elsewhere: on a terminal, or where its options say");
	if (fd < 0)
		return ctl_complain(vm->name, strerror(-fd));
	make_raw();
	if (is_raw)
		fprintf(stderr, "console of %s; Ctrl-] goes back\r\n", vm->name);
	talk(fd);
	make_cooked();
	close(fd);
	return 0;
}

static const struct ctl_command console_command = {
	.name = "console", .words = "VM", .least = 1, .most = 1, .run = console,
	.help = "this terminal becomes the VM's; Ctrl-] goes back",
	.manual = "Makes this terminal that of a VM whose serial port or console is on\n.B stdio\n"
		  "and which has no terminal of its own, as in a service. What the VM says goes to the journal too.\n"
		  "Ctrl-] goes back. One at a time.",
};
CTL_COMMANDS(&console_command);
