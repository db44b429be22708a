/* SPDX-License-Identifier: BSD-3-Clause */
/* The manager socket from both ends: acrn-dm's server on a loop of its own, acrnctl's client and list. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "ctl/client.h"
#include "ctl/vms.h"
#include "dm/patience.h"
#include "loop.h"
#include "manager.h"
#include "monitor.h"
#include "vm.h"
#include "vm_event.h"

static char dir[64], conf[64], path[128];
static pthread_t thread;
static enum vm_request requested;
static unsigned int asked;
static char rescanned[257];

/* --- what the server calls --- */

void vm_request(enum vm_request what)
{
	requested = what;
}

void vm_event_ask_poweroff(void)
{
	asked++;
}

int monitor_rescan(const char *arguments)
{
	strcpy(rescanned, arguments);
	return strncmp(arguments, "3,", 2) == 0 ? 0 : -EINVAL;
}

static void *serve(void *arg)
{
	(void)arg;
	loop_run();
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/acrn-mngr-XXXXXX");
	strcpy(conf, "/tmp/acrn-conf-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_non_null(mkdtemp(conf));
	config.vm_name = "a.monitor.b";
	assert_int_equal(loop_init(), 0);
	assert_int_equal(manager_init(dir), 0);
	snprintf(path, sizeof(path), "%s/a.monitor.b.monitor.%d.socket", dir, (int)getpid());
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	requested = VM_NONE;
	asked = 0;
	return 0;
}

static int teardown(void **state)
{
	char command[192];

	(void)state;
	loop_stop();
	pthread_join(thread, NULL);
	manager_exit();
	loop_exit();
	assert_int_equal(access(path, F_OK), -1);
	snprintf(command, sizeof(command), "rm -rf %s %s", dir, conf);
	assert_int_equal(system(command), 0);
	return 0;
}

/* --- the protocol --- */

static void the_socket_is_for_owner_and_group(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void a_running_vm_says_so(void **state)
{
	struct mngr_message m = { .id = MNGR_QUERY };

	(void)state;
	memset(&m.data, 0xff, sizeof(m.data));
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.state, MNGR_RUNNING);
}

static void stop_presses_the_button_and_force_switches_off(void **state)
{
	struct mngr_message m = { .id = MNGR_STOP };

	(void)state;
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.err, 0);
	assert_int_equal(asked, 1);
	assert_int_equal(requested, VM_NONE);
	m = (struct mngr_message){ .id = MNGR_STOP, .data.stop.force = 1 };
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(requested, VM_POWEROFF);
	assert_int_equal(asked, 1);
}

static void a_file_is_put_into_a_slot(void **state)
{
	struct mngr_message m = { .id = MNGR_BLKRESCAN };

	(void)state;
	strcpy(m.data.devargs, "3,/a/file");
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.err, 0);
	assert_string_equal(rescanned, "3,/a/file");
	strcpy(m.data.devargs, "4,/a/file");
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.err, -EINVAL);
	/* all 256 bytes are text, without an end */
	memset(m.data.devargs, 'x', sizeof(m.data.devargs));
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(strlen(rescanned), 256);
}

static void suspend_is_refused(void **state)
{
	struct mngr_message m = { .id = MNGR_SUSPEND };

	(void)state;
	assert_int_equal(client_ask(path, &m, PATIENCE), 0);
	assert_int_equal(m.data.err, -1);
}

static void an_unknown_number_is_not_answered(void **state)
{
	struct mngr_message m = { .id = 9 };

	(void)state;
	assert_int_equal(client_ask(path, &m, 1), -ETIMEDOUT);
	m = (struct mngr_message){ .id = 0xffffffff };
	assert_int_equal(client_ask(path, &m, 1), -ETIMEDOUT);
}

static int connect_raw(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(to.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void another_language_ends_the_connection(void **state)
{
	int fd = connect_raw();
	char byte;

	(void)state;
	assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	a_running_vm_says_so(NULL);
}

static void a_message_may_come_in_pieces_and_clients_may_leave(void **state)
{
	struct mngr_message m = { .magic = MNGR_MAGIC, .id = MNGR_QUERY }, answer;
	int half = connect_raw(), fd = connect_raw();

	(void)state;
	assert_int_equal(send(half, &m, 100, 0), 100);
	close(half);
	for (size_t at = 0; at < sizeof(m); at += 40) {
		assert_int_equal(send(fd, (char *)&m + at, 40, 0), 40);
		usleep(1000);
	}
	assert_int_equal(recv(fd, &answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
	assert_int_equal(answer.data.state, MNGR_RUNNING);
	close(fd);
	for (int i = 0; i < 100; i++)
		a_running_vm_says_so(NULL);
}

/* --- the list --- */

static void touch(const char *folder, const char *name)
{
	char file[256];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
}

static void files_and_sockets_make_the_list(void **state)
{
	struct vms_places places = { conf, dir };
	struct vms_vm vm[VMS_MAX];

	(void)state;
	touch(conf, "web.conf");
	touch(conf, "README");
	touch(conf, ".conf");
	touch(conf, "a-name-that-is-too-long.conf");
	touch(dir, "dead.monitor.99999999.socket");	/* no such process */
	touch(dir, "odd.monitor.x.socket");
	assert_int_equal(vms_find(&places, vm), 2);
	assert_string_equal(vm[0].name, "a.monitor.b");
	assert_string_equal(vms_state_name(&vm[0]), "untracked");
	assert_int_equal(vm[0].pid, getpid());
	assert_string_equal(vm[1].name, "web");
	assert_string_equal(vms_state_name(&vm[1]), "stopped");
	assert_int_equal(vm[1].pid, 0);

	touch(conf, "a.monitor.b.conf");
	assert_int_equal(vms_find(&places, vm), 2);
	assert_string_equal(vms_state_name(&vm[0]), "started");
}

static void missing_folders_hold_nothing(void **state)
{
	struct vms_places places = { "/nowhere/conf", "/nowhere/sockets" };
	struct vms_vm vm[VMS_MAX];

	(void)state;
	assert_int_equal(vms_find(&places, vm), 0);
	assert_int_equal(manager_init("/nowhere"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_socket_is_for_owner_and_group, setup, teardown),
		cmocka_unit_test_setup_teardown(a_running_vm_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(stop_presses_the_button_and_force_switches_off, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_put_into_a_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(suspend_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_number_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(another_language_ends_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(a_message_may_come_in_pieces_and_clients_may_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(files_and_sockets_make_the_list, setup, teardown),
		cmocka_unit_test(missing_folders_hold_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
