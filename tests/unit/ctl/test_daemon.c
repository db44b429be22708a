/* SPDX-License-Identifier: BSD-3-Clause */
/* acrnd over its socket: what it starts, wakes and stops, and that it remembers timers. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/daemon.h"
#include "ctl/timers.h"
#include "fake_service.h"
#include "fake_vm.h"
#include "loop.h"

#define PATIENCE	30	/* seconds */

static char conf[64], sockets[64], timers[128], path[160];
static pthread_t thread;
static volatile bool has_ended;

static void put(const char *folder, const char *name)
{
	char file[192];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
}

static void *serve(void *arg)
{
	(void)arg;
	loop_run();
	has_ended = true;
	return NULL;
}

static void begin(void)
{
	struct daemon_places places = { { conf, sockets }, timers };

	has_ended = false;
	assert_int_equal(loop_init(), 0);
	assert_int_equal(daemon_init(&places, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void end(void)
{
	loop_stop();
	pthread_join(thread, NULL);
	daemon_exit();
	loop_exit();
}

static int setup(void **state)
{
	(void)state;
	strcpy(conf, "/tmp/acrn-conf-XXXXXX");
	strcpy(sockets, "/tmp/acrn-mngr-XXXXXX");
	assert_non_null(mkdtemp(conf));
	assert_non_null(mkdtemp(sockets));
	snprintf(timers, sizeof(timers), "%s/timer_list", conf);
	snprintf(path, sizeof(path), "%s/acrnd.%d.socket", sockets, (int)getpid());
	service_calls[0] = '\0';
	service_status = 0;
	return 0;
}

static int teardown(void **state)
{
	char line[160];

	(void)state;
	snprintf(line, sizeof(line), "rm -rf %s %s", conf, sockets);
	return system(line);
}

static bool comes(bool (*is_there)(void))
{
	time_t give_up = time(NULL) + PATIENCE;

	while (!is_there() && time(NULL) < give_up)
		usleep(5000);
	return is_there();
}

static int32_t ask(uint32_t id)
{
	struct mngr_message m = { .id = id };

	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	return m.data.err;
}

static int32_t set_timer(const char *name, int64_t at)
{
	struct mngr_message m = { .id = MNGR_TIMER, .data.timer.at = at };

	strncpy(m.data.timer.name, name, sizeof(m.data.timer.name));
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	return m.data.err;
}

static bool has_started_old(void)
{
	return strstr(service_calls, "start old.script\n") != NULL;
}

static void added_scripts_are_started_and_only_those(void **state)
{
	struct fake_vm vm = { 0 };

	(void)state;
	put(conf, "web.conf");		/* a service of its own */
	put(conf, "old.sh");
	put(conf, "runs.sh");
	fake_vm_start(&vm, sockets, "runs");
	begin();
	assert_true(comes(has_started_old));
	end();
	assert_string_equal(service_calls, "start old.script\n");
	fake_vm_end(&vm);
	assert_int_equal(access(path, F_OK), -1);
}

static bool has_started_web(void)
{
	return strstr(service_calls, "start web.vm\n") != NULL;
}

static void a_timer_that_is_due_starts_its_vm(void **state)
{
	(void)state;
	put(conf, "web.conf");
	begin();
	assert_int_equal(set_timer("web", time(NULL) + 100000), 0);
	assert_int_equal(timers_next() > time(NULL), 1);
	assert_string_equal(service_calls, "");
	assert_int_equal(set_timer("web", time(NULL) - 1), 0);
	assert_true(comes(has_started_web));
	assert_int_equal(set_timer("", 5), -1);
	assert_int_equal(set_timer("web", -5), -1);
	assert_int_equal(set_timer("0123456789abcdef", 5), -1);
	end();
}

static struct fake_vm sleeper;

static bool is_resumed(void)
{
	return sleeper.last_id == MNGR_RESUME;
}

static void a_vm_that_sleeps_is_resumed_by_its_timer(void **state)
{
	(void)state;
	sleeper = (struct fake_vm){ .state = MNGR_SUSPENDED };
	fake_vm_start(&sleeper, sockets, "bed");
	begin();
	assert_int_equal(set_timer("bed", 1), 0);
	assert_true(comes(is_resumed));
	end();
	assert_string_equal(service_calls, "");
	fake_vm_end(&sleeper);
}

static void timers_outlive_the_daemon(void **state)
{
	char name[TIMERS_NAME_MAX + 1];
	FILE *f;

	(void)state;
	begin();
	assert_int_equal(set_timer("web", 7000000000), 0);
	assert_int_equal(set_timer("b", 8000000000), 0);
	assert_int_equal(set_timer("web", 9000000000), 0);	/* one a VM */
	end();
	f = fopen(timers, "a");
	fputs("nonsense\nx\ty\n\t5\nneg\t-4\n", f);
	fclose(f);
	assert_int_equal(timers_read(timers), 0);
	assert_int_equal(timers_next(), 8000000000);
	assert_false(timers_take(7999999999, name));
	assert_true(timers_take(9000000000, name));
	assert_true(timers_take(9000000000, name));
	assert_false(timers_take(9000000000, name));
	assert_int_equal(timers_read(timers), 0);		/* taken from the file too */
	assert_int_equal(timers_next(), -1);
}

static void the_answer_to_stop_comes_when_all_are_gone(void **state)
{
	struct fake_vm a = { 0 }, b = { 0 };

	(void)state;
	fake_vm_start(&a, sockets, "a");
	fake_vm_start(&b, sockets, "b");
	begin();
	assert_int_equal(ask(MNGR_ALL_STOP), 0);
	assert_int_equal(a.last_id, MNGR_STOP);
	assert_int_equal(b.last_id, MNGR_STOP);
	end();
	fake_vm_end(&a);
	fake_vm_end(&b);
}

static void a_vm_that_stays_is_told_of(void **state)
{
	struct mngr_message m = { .id = MNGR_ALL_STOP, .data.stop = { .force = 1, .timeout = 1 } };
	struct fake_vm vm = { .is_stubborn = true };

	(void)state;
	fake_vm_start(&vm, sockets, "vm");
	begin();
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.err, -1);
	assert_int_equal(vm.last_force, 1);
	assert_int_equal(ask(MNGR_ALL_SUSPEND), -1);
	assert_int_equal(vm.last_id, MNGR_SUSPEND);
	assert_int_equal(ask(MNGR_ALL_RESUME), 0);	/* nobody sleeps */
	assert_int_equal(vm.last_id, MNGR_SUSPEND);
	end();
	fake_vm_end(&vm);
}

static bool loop_has_ended(void)
{
	return has_ended;
}

static void at_its_end_it_stops_what_runs(void **state)
{
	struct daemon_places places = { { conf, sockets }, timers };
	struct fake_vm vm = { 0 };

	(void)state;
	fake_vm_start(&vm, sockets, "vm");
	assert_int_equal(loop_init(), 0);
	assert_int_equal(daemon_init(&places, 60), 0);
	daemon_end();
	has_ended = false;
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	assert_true(comes(loop_has_ended));
	pthread_join(thread, NULL);
	daemon_exit();
	loop_exit();
	assert_int_equal(vm.last_id, MNGR_STOP);
	assert_int_equal(vm.last_force, 0);
	fake_vm_end(&vm);
}

static void unknown_reasons_and_numbers(void **state)
{
	struct mngr_message m = { .id = MNGR_REASON };

	(void)state;
	begin();
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.reason, 0);
	m = (struct mngr_message){ .id = MNGR_NOTIFY, .data.state = 3 };
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.err, 0);
	m = (struct mngr_message){ .id = MNGR_QUERY };
	assert_int_equal(client_ask(path, &m, 1), -ETIMEDOUT);
	end();
}

/* What a client of the original sends, byte by byte, and what it is sent; the union's tail is whatever it was. */
static void the_bytes_are_those_of_the_originals_tools(void **state)
{
	static const unsigned char head[] = {
		0x76, 0x6d, 0x6d, 0x20, 0x6d, 0x73, 0x67, 0,	/* magic */
		9, 0, 0, 0, 0, 0, 0, 0,				/* ACRND_TIMER */
		1, 2, 3, 4, 0, 0, 0, 0,				/* timestamp */
		'w', 'e', 'b', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x51, 0x01, 0, 1, 0, 0, 0,
	};
	unsigned char bytes[280];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	begin();
	strcpy(at.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	memset(bytes, 0xcc, sizeof(bytes));
	memcpy(bytes, head, sizeof(head));
	/* in two pieces, as a stream may deliver it */
	assert_int_equal(send(fd, bytes, 100, 0), 100);
	assert_int_equal(send(fd, bytes + 100, 180, 0), 180);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), 280);
	assert_memory_equal(bytes, head, 12);
	assert_memory_equal(bytes + 24, "\0\0\0\0", 4);
	assert_int_equal(timers_next(), 0x100015180);
	close(fd);
	end();
}

/* The Service VM's part that knows why the machine woke up: one question, one answer. */
static void *know_the_reason(void *arg)
{
	struct mngr_message m;
	int fd = accept(*(int *)arg, NULL, NULL);

	if (recv(fd, &m, sizeof(m), MSG_WAITALL) == (ssize_t)sizeof(m) && m.id == MNGR_WAKEUP_REASON) {
		m.data.reason = 0x2000000000000002;
		(void)!write(fd, &m, sizeof(m));
	}
	close(fd);
	return NULL;
}

static void the_reason_is_asked_of_who_knows_it(void **state)
{
	struct mngr_message m = { .id = MNGR_REASON };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t other;

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/service-vm-lcs.%d.socket", sockets, (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(pthread_create(&other, NULL, know_the_reason, &fd), 0);
	begin();
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.reason, 0x2000000000000002);
	end();
	pthread_join(other, NULL);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(added_scripts_are_started_and_only_those),
		TEST(a_timer_that_is_due_starts_its_vm),
		TEST(a_vm_that_sleeps_is_resumed_by_its_timer),
		TEST(timers_outlive_the_daemon),
		TEST(the_answer_to_stop_comes_when_all_are_gone),
		TEST(a_vm_that_stays_is_told_of),
		TEST(at_its_end_it_stops_what_runs),
		TEST(unknown_reasons_and_numbers),
		TEST(the_bytes_are_those_of_the_originals_tools),
		TEST(the_reason_is_asked_of_who_knows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
