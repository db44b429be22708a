/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of acrnctl, on folders of the test's own, with device models that are only sockets. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/add.h"
#include "ctl/command.h"
#include "ctl/message.h"
#include "fake_service.h"
#include "fake_vm.h"

extern const struct ctl_command *const __start_ctl_table[], *const __stop_ctl_table[];

static char conf[64], sockets[64], path[192];
static char output[4096];

/* acrnctl's own part: the command runs with these words, and what it prints is in output. */
static int command(const char *name, ...)
{
	char *words[8], file[] = "/tmp/acrn-out-XXXXXX";
	int count = 0, status = -1, out = mkstemp(file), saved[2] = { dup(1), dup(2) };
	va_list ap;
	ssize_t n;

	va_start(ap, name);
	while ((words[count] = va_arg(ap, char *)))
		count++;
	va_end(ap);
	fflush(stdout);
	dup2(out, 1);
	dup2(out, 2);
	for (const struct ctl_command *const *c = __start_ctl_table; c < __stop_ctl_table; c++) {
		if (strcmp((*c)->name, name) == 0 && count >= (*c)->least && count <= (*c)->most)
			status = (*c)->run(count, words);
	}
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	n = pread(out, output, sizeof(output) - 1, 0);
	output[n > 0 ? n : 0] = '\0';
	close(out);
	unlink(file);
	return status;
}

static void put(const char *folder, const char *name, const char *text)
{
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	(void)state;
	strcpy(conf, "/tmp/acrn-conf-XXXXXX");
	strcpy(sockets, "/tmp/acrn-mngr-XXXXXX");
	assert_non_null(mkdtemp(conf));
	assert_non_null(mkdtemp(sockets));
	ctl_places = (struct vms_places){ conf, sockets };
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

static void the_list_is_a_table_or_json(void **state)
{
	struct fake_vm vm = { 0 };
	char want[512];

	(void)state;
	assert_int_equal(command("list", "--json", NULL), 0);
	assert_string_equal(output, "[]\n");
	put(conf, "web.conf", "");
	put(conf, "old.sh", "");
	fake_vm_start(&vm, sockets, "by\"hand");
	assert_int_equal(command("list", NULL), 0);
	snprintf(want, sizeof(want), "NAME             STATE      PID\nby\"hand          untracked  %d\n"
		 "old              stopped    -\nweb              stopped    -\n", (int)getpid());
	assert_string_equal(output, want);
	assert_int_equal(command("list", "--json", NULL), 0);
	snprintf(want, sizeof(want), "[\n  { \"name\": \"by\\\"hand\", \"state\": \"untracked\", \"pid\": %d, "
		 "\"configured\": false, \"script\": false },\n", (int)getpid());
	assert_memory_equal(output, want, strlen(want));
	assert_non_null(strstr(output, "\"old\", \"state\": \"stopped\", \"pid\": 0, "
			       "\"configured\": true, \"script\": true"));
	assert_int_equal(command("list", "all", NULL), 2);
	fake_vm_end(&vm);
}

static void a_vm_is_started_as_the_service_that_it_is(void **state)
{
	(void)state;
	put(conf, "web.conf", "");
	put(conf, "old.sh", "");
	assert_int_equal(command("start", "web", "old", NULL), 0);
	assert_string_equal(service_calls, "start web.vm\nstart old.script\n");
	service_status = 1;
	assert_int_equal(command("start", "web", NULL), 1);
	assert_int_equal(command("start", "nobody", NULL), 1);
	assert_non_null(strstr(output, "nobody"));
}

static void what_runs_is_stopped_gently_or_by_force(void **state)
{
	struct fake_vm vm = { .is_stubborn = true };

	(void)state;
	put(conf, "web.conf", "");
	assert_int_equal(command("stop", "web", NULL), 1);
	assert_non_null(strstr(output, "does not run"));
	fake_vm_start(&vm, sockets, "web");
	assert_int_equal(command("start", "web", NULL), 1);
	assert_non_null(strstr(output, "runs already"));
	assert_int_equal(command("stop", "web", NULL), 0);
	assert_int_equal(vm.last_id, MNGR_STOP);
	assert_int_equal(vm.last_force, 0);
	assert_int_equal(command("stop", "web", "--force", NULL), 0);
	assert_int_equal(vm.last_force, 1);
	assert_int_equal(command("stop", "-f", NULL), 2);
	fake_vm_end(&vm);
}

static void reset_waits_for_the_end(void **state)
{
	struct fake_vm vm = { 0 };

	(void)state;
	put(conf, "web.conf", "");
	fake_vm_start(&vm, sockets, "web");
	assert_int_equal(command("reset", "web", NULL), 0);
	assert_int_equal(vm.last_id, MNGR_STOP);
	assert_string_equal(service_calls, "restart web.vm\n");
	fake_vm_end(&vm);
	fake_vm_start(&vm, sockets, "by-hand");
	assert_int_equal(command("reset", "by-hand", NULL), 1);
	assert_non_null(strstr(output, "could not be started again"));
	fake_vm_end(&vm);
}

static void a_disk_is_named_to_the_device_model(void **state)
{
	struct fake_vm vm = { 0 };
	char longest[300];

	(void)state;
	fake_vm_start(&vm, sockets, "vm");
	assert_int_equal(command("blkrescan", "vm", "3,/a/file", NULL), 0);
	assert_int_equal(vm.last_id, MNGR_BLKRESCAN);
	assert_string_equal(vm.devargs, "3,/a/file");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(command("blkrescan", "vm", longest, NULL), 1);
	fake_vm_end(&vm);
}

/* The name comes out of the script's own doing, its words included; the true device model is not started. */
static void a_script_is_added_under_the_name_it_gives(void **state)
{
	char script[128], text[256];
	struct stat st;
	FILE *f;

	(void)state;
	put(sockets, "launch", "#!/bin/sh\nset -e\nDM=/usr/bin/acrn-dm\nname=vm$1\n"
	    "$DM -m 1G \\\n -s 0,hostbridge $name\n");
	strcpy(script, path);
	assert_int_equal(command("add", script, "7", "two words", NULL), 0);
	assert_string_equal(output, "vm7 added\n");
	snprintf(path, sizeof(path), "%s/vm7.sh", conf);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	f = fopen(path, "r");
	assert_int_equal(fread(text, 1, 17, f), 17);
	assert_memory_equal(text, "#!/bin/sh\nset -e\n", 17);
	fclose(f);
	snprintf(path, sizeof(path), "%s/vm7.args", conf);
	f = fopen(path, "r");
	assert_int_equal(fread(text, 1, sizeof(text), f), 12);
	assert_memory_equal(text, "7\ntwo words\n", 12);
	fclose(f);
	assert_int_equal(command("add", script, "7", NULL), 1);
	assert_non_null(strstr(output, "already"));
	assert_int_equal(command("add", script, "8", NULL), 0);
	snprintf(path, sizeof(path), "%s/vm8.args", conf);
	assert_int_equal(command("del", "vm7", "vm8", NULL), 0);
	assert_int_equal(rmdir(conf), 0);
	assert_int_equal(mkdir(conf, 0700), 0);
}

static void a_script_without_an_interpreter_line_is_for_sh(void **state)
{
	(void)state;
	put(sockets, "launch", "acrn-dm plain\n");
	assert_int_equal(command("add", path, NULL), 0);
	assert_string_equal(output, "plain added\n");
}

static void what_names_no_vm_is_not_added(void **state)
{
	(void)state;
	put(sockets, "launch", "#!/bin/sh\nexit 0\n");
	assert_int_equal(command("add", path, NULL), 1);
	assert_non_null(strstr(output, "did not come to a call of acrn-dm"));
	put(sockets, "launch", "#!/bin/sh\nacrn-dm -m 1G ../../etc/x\n");
	assert_int_equal(command("add", path, NULL), 1);
	assert_non_null(strstr(output, "no name of a VM"));
	put(sockets, "launch", "#!/bin/sh\nacrn-dm a-name-that-is-too-long\n");
	assert_int_equal(command("add", path, NULL), 1);
	assert_int_equal(command("add", "/nowhere/x", NULL), 1);
	assert_int_equal(command("add", path, "a\nb", NULL), 1);
	assert_non_null(strstr(output, "line break"));
	assert_int_equal(rmdir(conf), 0);
	assert_int_equal(mkdir(conf, 0700), 0);
}

static void only_what_was_added_and_is_stopped_is_deleted(void **state)
{
	struct fake_vm vm = { 0 };

	(void)state;
	put(conf, "web.conf", "");
	put(conf, "old.sh", "");
	assert_int_equal(command("del", "web", NULL), 1);
	fake_vm_start(&vm, sockets, "old");
	assert_int_equal(command("del", "old", NULL), 1);
	assert_non_null(strstr(output, "stop it first"));
	fake_vm_end(&vm);
	assert_int_equal(command("del", "old", NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* The console of a VM: what comes from standard input goes there, and at its end what the VM says is still shown. */
static void *answer_console(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);
	char byte;

	while (read(fd, &byte, 1) == 1)
		(void)!write(fd, &(char){ (char)(byte + 1) }, 1);
	close(fd);
	return NULL;
}

static void the_console_goes_both_ways(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), in[2], saved = dup(0);
	struct fake_vm vm = { 0 };
	pthread_t thread;

	(void)state;
	fake_vm_start(&vm, sockets, "vm");
	assert_int_equal(command("console", "vm", NULL), 1);
	assert_non_null(strstr(output, "elsewhere"));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/vm.console.%d.socket", sockets, (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, answer_console, &fd), 0);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(write(in[1], "HAL", 3), 3);
	close(in[1]);
	dup2(in[0], 0);
	assert_int_equal(command("console", "vm", NULL), 0);
	dup2(saved, 0);
	assert_string_equal(output, "IBM");
	pthread_join(thread, NULL);
	close(fd);
	fake_vm_end(&vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_list_is_a_table_or_json),
		TEST(a_vm_is_started_as_the_service_that_it_is),
		TEST(what_runs_is_stopped_gently_or_by_force),
		TEST(reset_waits_for_the_end),
		TEST(a_disk_is_named_to_the_device_model),
		TEST(a_script_is_added_under_the_name_it_gives),
		TEST(a_script_without_an_interpreter_line_is_for_sh),
		TEST(what_names_no_vm_is_not_added),
		TEST(only_what_was_added_and_is_stopped_is_deleted),
		TEST(the_console_goes_both_ways),
	};
	const char *name = strrchr(argv[0], '/');

	/* as acrnctl's own main does */
	if (strcmp(name ? name + 1 : argv[0], "acrn-dm") == 0)
		return add_take_name(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
