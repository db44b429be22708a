/* SPDX-License-Identifier: BSD-3-Clause */
/* What a service manager gets to hear, over a socket of ours. */
#include "unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

static int listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	return fd;
}

static void assert_heard(const char *name)
{
	int fd = listen_at(name);
	char text[32] = "";

	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify("READY=1"), 0);
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	close(fd);
}

static void a_path_and_an_abstract_name_are_told(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@acrn-test-%d", (int)getpid());
	assert_heard(name);
	snprintf(name, sizeof(name), "/tmp/acrn-test-%d", (int)getpid());
	assert_heard(name);
	unlink(name);
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify("READY=1"), 0);
}

static void a_socket_that_does_not_answer_is_an_error(void **state)
{
	(void)state;
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nowhere/socket", 1);
	assert_int_equal(notify("READY=1"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_and_an_abstract_name_are_told),
		cmocka_unit_test(without_a_manager_nothing_happens),
		cmocka_unit_test(a_socket_that_does_not_answer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
