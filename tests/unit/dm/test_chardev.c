/* SPDX-License-Identifier: BSD-3-Clause */
/* Character back ends: who may reach them, that bytes arrive, and that nobody can make the writer wait. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/chardev_internal.h"
#include "config.h"
#include "dm/patience.h"
#include "loop.h"

static char got[64];
static volatile size_t got_len;
static volatile int connections;
static pthread_t loop_thread;
static char dir[64], path[100], spec[160];

static void on_input(void *arg, const uint8_t *buf, size_t len)
{
	(void)arg;
	for (size_t i = 0; i < len && got_len < sizeof(got); i++)
		got[got_len++] = (char)buf[i];
}

static void on_connected(void *arg, bool is_connected)
{
	(void)arg;
	connections += is_connected ? 1 : -1;
}

static const struct chardev_client client = { .input = on_input, .connected = on_connected };

static void *run(void *arg)
{
	(void)arg;
	loop_run();
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	got_len = 0;
	connections = 0;
	snprintf(dir, sizeof(dir), "/tmp/chardev-XXXXXX");
	if (!mkdtemp(dir) || loop_init() != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	return pthread_create(&loop_thread, NULL, run, NULL);
}

static int teardown(void **state)
{
	(void)state;
	loop_stop();
	pthread_join(loop_thread, NULL);
	loop_exit();
	unlink(path);
	return rmdir(dir);
}

static int connect_unix(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static bool has_loopback(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), err = bind(fd, (struct sockaddr *)&a, sizeof(a));

	close(fd);
	return err == 0;
}

static struct chardev *open_tcp(uint16_t *port)
{
	struct chardev *c = NULL;

	for (*port = 42000; !c && *port < 42050; (*port)++) {
		snprintf(spec, sizeof(spec), "tcp:%u", *port);
		c = chardev_open(spec, "test", &client);
	}
	(*port)--;
	return c;
}

static void tcp_listens_on_the_loopback_address_only(void **state)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	uint16_t port;
	struct chardev *c = open_tcp(&port);

	(void)state;
	if (!has_loopback())
		skip();
	assert_non_null(c);
	assert_int_equal(getsockname(c->listen_fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(ntohl(sin.sin_addr.s_addr), INADDR_LOOPBACK);
	chardev_close(c);
}

static void bytes_go_both_ways(void **state)
{
	char buf[8] = "";
	struct chardev *c;
	int fd;

	(void)state;
	snprintf(spec, sizeof(spec), "socket:%s", path);
	c = chardev_open(spec, "test", &client);
	assert_non_null(c);
	assert_int_equal(chardev_write(c, "lost", 4), 4);	/* nobody is there */
	fd = connect_unix();
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_true(BECOMES(got_len == 5));
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(chardev_write(c, "you", 3), 3);
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "you");
	close(fd);
	assert_true(BECOMES(connections == 0));
	fd = connect_unix();		/* and another one may come */
	assert_int_equal(write(fd, "2", 1), 1);
	assert_true(BECOMES(got_len == 6));
	close(fd);
	chardev_close(c);
}

static void socket_is_not_for_others(void **state)
{
	struct chardev *c;
	struct stat st;

	(void)state;
	snprintf(spec, sizeof(spec), "socket:%s:server", path);
	c = chardev_open(spec, "test", &client);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	chardev_close(c);
	assert_int_not_equal(stat(path, &st), 0);
}

static void stalled_peer_does_not_hold_the_writer(void **state)
{
	static char block[4096];
	size_t taken = 0;
	struct chardev *c;
	int fd;

	(void)state;
	snprintf(spec, sizeof(spec), "socket:%s", path);
	c = chardev_open(spec, "test", &client);
	fd = connect_unix();
	assert_true(BECOMES(connections == 1));
	for (int i = 0; i < 1000; i++)	/* for ever, if it could be held */
		taken += chardev_write(c, block, sizeof(block));
	assert_true(taken < 1000 * sizeof(block));
	close(fd);
	chardev_close(c);
}

static void stopped_input_stays_in_the_socket(void **state)
{
	struct chardev *c;
	int fd;

	(void)state;
	snprintf(spec, sizeof(spec), "socket:%s", path);
	c = chardev_open(spec, "test", &client);
	chardev_input_enable(c, false);
	fd = connect_unix();
	assert_int_equal(write(fd, "x", 1), 1);
	usleep(50000);
	assert_int_equal(got_len, 0);
	chardev_input_enable(c, true);
	assert_true(BECOMES(got_len == 1));
	close(fd);
	chardev_close(c);
}

static void a_client_finds_its_server(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	struct chardev *c;
	char buf[8] = "";

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(server, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(server, 1), 0);
	snprintf(spec, sizeof(spec), "socket:%s:client", path);
	c = chardev_open(spec, "test", &client);
	assert_non_null(c);
	fd = accept(server, NULL, NULL);
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_true(BECOMES(got_len == 5));
	assert_int_equal(chardev_write(c, "you", 3), 3);
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	close(fd);
	fd = accept(server, NULL, NULL);	/* it comes again */
	assert_int_equal(write(fd, "!", 1), 1);
	assert_true(BECOMES(got_len == 6));
	close(fd);
	close(server);
	chardev_close(c);
}

static void a_terminal_device_is_used_raw(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct chardev *c;
	char buf[8] = "";

	(void)state;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	snprintf(spec, sizeof(spec), "tty:%s", ptsname(master));
	c = chardev_open(spec, "test", &client);
	assert_non_null(c);
	assert_int_equal(write(master, "\003q", 2), 2);
	assert_true(BECOMES(got_len == 2));
	assert_int_equal(chardev_write(c, "a\n", 2), 2);
	assert_int_equal(read(master, buf, sizeof(buf)), 2);	/* no CR was put in */
	chardev_close(c);
	assert_null(chardev_open("tty:/nowhere", "test", &client));
	close(master);
}

static void pty_is_a_terminal_under_a_known_name(void **state)
{
	struct chardev *c;
	int fd;

	(void)state;
	snprintf(spec, sizeof(spec), "pty:%s", path);
	c = chardev_open(spec, "test", &client);
	assert_non_null(c);
	fd = open(path, O_RDWR | O_NOCTTY);
	assert_true(isatty(fd));
	assert_int_equal(write(fd, "\003q", 2), 2);	/* raw: no signal */
	assert_true(BECOMES(got_len == 2));
	close(fd);
	chardev_close(c);
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = { "", "tcp", "tcp:", "tcp:0", "tcp:65536", "tcp:1x", "nothing:1",
					   "/nonexistent", "/etc/passwd", "socket:", "socket:/nonexistent/x",
					   "socket:/a:peer", "file:", "file:/nonexistent/x", "stdiox" };
	int before = dup(0), after;

	(void)state;
	close(before);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(chardev_open(bad[i], "test", &client));
	after = dup(0);			/* the same number: nothing leaked */
	close(after);
	assert_int_equal(before, after);
}

/* What the machine says is in the journal, whether somebody is attached or not. */
static void a_service_has_output_and_a_socket(void **state)
{
	struct chardev *c = chardev_open("null", "test", &client);
	char buf[8] = "", log[120];
	int out = dup(STDOUT_FILENO), fd;
	struct stat st;

	(void)state;
	assert_non_null(c);
	config.vm_name = "vm1";
	assert_int_equal(chardev_open_console(c, "/nowhere"), -ENOENT);
	assert_int_equal(chardev_open_console(c, dir), 0);
	snprintf(path, sizeof(path), "%s/vm1.console.%d.socket", dir, (int)getpid());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	snprintf(log, sizeof(log), "%s/log", dir);
	fd = open(log, O_RDWR | O_CREAT, 0600);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(chardev_write(c, "alone", 5), 5);
	dup2(out, STDOUT_FILENO);
	close(out);
	assert_int_equal(pread(fd, buf, sizeof(buf), 0), 5);
	assert_memory_equal(buf, "alone", 5);
	close(fd);
	unlink(log);

	fd = connect_unix();
	assert_int_equal(write(fd, "ls", 2), 2);
	assert_true(BECOMES(got_len == 2));
	assert_int_equal(chardev_write(c, "both", 4), 4);
	assert_int_equal(recv(fd, buf, 4, MSG_WAITALL), 4);
	assert_memory_equal(buf, "both", 4);
	close(fd);
	chardev_close(c);
	assert_int_equal(access(path, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tcp_listens_on_the_loopback_address_only),
		TEST(bytes_go_both_ways),
		TEST(socket_is_not_for_others),
		TEST(stalled_peer_does_not_hold_the_writer),
		TEST(stopped_input_stays_in_the_socket),
		TEST(a_client_finds_its_server),
		TEST(a_terminal_device_is_used_raw),
		TEST(pty_is_a_terminal_under_a_known_name),
		TEST(a_service_has_output_and_a_socket),
		TEST(nonsense_is_refused),
	};

	signal(SIGPIPE, SIG_IGN);	/* as acrn-dm does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
