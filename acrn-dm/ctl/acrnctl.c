/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrnctl: lists, starts and stops User VMs. One table of commands, from which --help comes, too. Exit status 0, 1 when
 * something could not be done, 2 for wrong words.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/vms.h"

#define ANSWER_SECONDS	5
#define STOP_SECONDS	25	/* acrn-dm switches the VM off 15 s after the power button */

static struct vms_vm vms[VMS_MAX];
static int vm_count;

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "acrnctl: %s: %s\n", what, why);
	return 1;
}

static int find_all(void)
{
	vm_count = vms_find(NULL, vms);
	return vm_count < 0 ? complain("the VMs cannot be listed", strerror(-vm_count)) : 0;
}

static struct vms_vm *find(const char *name)
{
	for (int i = 0; i < vm_count; i++) {
		if (strcmp(vms[i].name, name) == 0)
			return &vms[i];
	}
	complain(name, "there is no /etc/acrn/vm file of that name, and no such VM runs");
	return NULL;
}

/* --- list --- */

static void print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void print_json(void)
{
	putchar('[');
	for (int i = 0; i < vm_count; i++) {
		printf("%s\n  { \"name\": ", i ? "," : "");
		print_json_string(vms[i].name);
		printf(", \"state\": \"%s\", \"pid\": %d, \"configured\": %s }", vms_state_name(&vms[i]), vms[i].pid,
		       vms[i].is_configured ? "true" : "false");
	}
	puts(vm_count ? "\n]" : "]");
}

static int list(int argc, char **argv)
{
	bool is_json = argc == 1 && strcmp(argv[0], "--json") == 0;

	if (argc > 0 && !is_json)
		return complain(argv[0], "list takes no word but --json") + 1;
	if (find_all() != 0)
		return 1;
	if (is_json) {
		print_json();
		return 0;
	}
	printf("%-*s  %-9s  %s\n", VMS_NAME_MAX, "NAME", "STATE", "PID");
	for (int i = 0; i < vm_count; i++) {
		printf("%-*s  %-9s  ", VMS_NAME_MAX, vms[i].name, vms_state_name(&vms[i]));
		if (vms[i].pid)
			printf("%d\n", vms[i].pid);
		else
			puts("-");
	}
	return 0;
}

/* --- start, stop, reset --- */

/* systemctl VERB acrn-vm@NAME.service; its own messages are shown. */
static int systemctl(const char *verb, const char *name)
{
	char unit[64];
	int status;
	pid_t pid;

	snprintf(unit, sizeof(unit), "acrn-vm@%s.service", name);
	pid = fork();
	if (pid == 0) {
		execlp("systemctl", "systemctl", verb, "--", unit, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return complain("systemctl", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return complain("systemctl", "cannot be run");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int start_vm(const struct vms_vm *vm)
{
	if (vm->state != VMS_STOPPED)
		return complain(vm->name, "it runs already");
	return systemctl("start", vm->name);
}

static int ask(const struct vms_vm *vm, struct mngr_message *m)
{
	int err = client_ask(vm->socket, m, ANSWER_SECONDS);

	if (err)
		return complain(vm->name, strerror(-err));
	return m->data.err == 0 ? 0 : complain(vm->name, "the device model refuses");
}

static int stop_vm(const struct vms_vm *vm, bool force)
{
	struct mngr_message m = { .id = MNGR_STOP, .data.stop.force = force };

	if (!vm->socket[0])
		return complain(vm->name, "it does not run");
	return ask(vm, &m);
}

static int start(int argc, char **argv)
{
	int status = find_all();

	for (int i = 0; i < argc && vm_count >= 0; i++) {
		const struct vms_vm *vm = find(argv[i]);

		status |= vm ? start_vm(vm) : 1;
	}
	return status;
}

static bool is_force(const char *word)
{
	return strcmp(word, "-f") == 0 || strcmp(word, "--force") == 0;
}

static int stop(int argc, char **argv)
{
	bool force = false;
	int status = find_all(), names = 0;

	for (int i = 0; i < argc; i++)
		force |= is_force(argv[i]);
	for (int i = 0; i < argc && vm_count >= 0; i++) {
		const struct vms_vm *vm;

		if (is_force(argv[i]))
			continue;
		names++;
		vm = find(argv[i]);
		status |= vm ? stop_vm(vm, force) : 1;
	}
	return names ? status : complain("stop", "which VM?") + 1;
}

/* Until the VM is gone. */
static bool wait_stopped(const char *name)
{
	for (int tenths = 0; tenths < STOP_SECONDS * 10; tenths++) {
		const struct vms_vm *vm;

		if (find_all() != 0)
			return false;
		vm = find(name);
		if (!vm || vm->state == VMS_STOPPED)
			return vm != NULL;
		usleep(100000);
	}
	return false;
}

static int reset(int argc, char **argv)
{
	const struct vms_vm *vm = find_all() == 0 ? find(argv[0]) : NULL;

	(void)argc;
	if (!vm)
		return 1;
	if (!vm->is_configured)
		return complain(vm->name, "it has no file in /etc/acrn/vm, so it could not be started again");
	if (stop_vm(vm, false) != 0)
		return 1;
	if (!wait_stopped(argv[0]))
		return complain(argv[0], "it did not stop in time");
	/* the service takes a moment to notice */
	return systemctl("restart", argv[0]);
}

static int blkrescan(int argc, char **argv)
{
	struct mngr_message m = { .id = MNGR_BLKRESCAN };
	const struct vms_vm *vm = find_all() == 0 ? find(argv[0]) : NULL;

	(void)argc;
	if (!vm)
		return 1;
	if (!vm->socket[0])
		return complain(vm->name, "it does not run");
	if (strlen(argv[1]) >= sizeof(m.data.devargs))
		return complain(argv[1], "longer than 255 bytes");
	strcpy(m.data.devargs, argv[1]);
	return ask(vm, &m);
}

/* --- the table --- */

static const struct command {
	const char *name, *words, *help;
	int least, most;	/* words */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "list", "[--json]", "all VMs and their states", 0, 1, list },
	{ "start", "VM...", "starts the service acrn-vm@VM", 1, VMS_MAX, start },
	{ "stop", "[-f] VM...", "presses the power button; -f, --force: switches off at once", 1, VMS_MAX, stop },
	{ "reset", "VM", "stop, then start", 1, 1, reset },
	{ "blkrescan", "VM SLOT,FILE", "puts a file into an empty virtio-blk slot", 2, 2, blkrescan },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *to)
{
	fprintf(to, "acrnctl COMMAND\n");
	for (unsigned int i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-9s %-13s %s\n", commands[i].name, commands[i].words, commands[i].help);
	fprintf(to, "  --help, --version\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0) {
		printf("acrnctl %s\n", DM_VERSION);
		return 0;
	}
	for (unsigned int i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, name) != 0)
			continue;
		if (argc - 2 < c->least || argc - 2 > c->most) {
			fprintf(stderr, "acrnctl: usage: acrnctl %s %s\n", c->name, c->words);
			return 2;
		}
		return c->run(argc - 2, argv + 2);
	}
	if (*name)
		fprintf(stderr, "acrnctl: there is no command \"%s\"\n", name);
	print_help(stderr);
	return 2;
}
