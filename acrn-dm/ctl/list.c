/* SPDX-License-Identifier: BSD-3-Clause */
/* acrnctl list: the VMs as a table for people, or as JSON for programs. */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

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
	for (int i = 0; i < ctl_vm_count(); i++) {
		const struct vms_vm *vm = ctl_vm(i);

		printf("%s\n  { \"name\": ", i ? "," : "");
		print_json_string(vm->name);
		printf(", \"state\": \"%s\", \"pid\": %d, \"configured\": %s, \"script\": %s }", vms_state_name(vm),
		       vm->pid, vm->has_conf || vm->has_script ? "true" : "false", vm->has_script ? "true" : "false");
	}
	puts(ctl_vm_count() ? "\n]" : "]");
}

static void print_table(void)
{
	printf("%-*s  %-9s  %s\n", VMS_NAME_MAX, "NAME", "STATE", "PID");
	for (int i = 0; i < ctl_vm_count(); i++) {
		const struct vms_vm *vm = ctl_vm(i);

		printf("%-*s  %-9s  ", VMS_NAME_MAX, vm->name, vms_state_name(vm));
		if (vm->pid)
			printf("%d\n", vm->pid);
		else
			puts("-");
	}
}

static int list(int argc, char **argv)
{
	bool is_json = argc == 1 && strcmp(argv[0], "--json") == 0;

	if (argc > 0 && !is_json)
		return ctl_complain(argv[0], "list takes no word but --json") + 1;
	if (ctl_find_all() != 0)
		return 1;
	if (is_json)
		print_json();
	else
		print_table();
	return 0;
}

static const struct ctl_command list_command = {
	.name = "list", .words = "[--json]", .most = 1, .run = list,
	.help = "all VMs and their states",
	.manual = "Name, state (stopped, started, untracked, suspended, unknown) and process of each VM, as a table\n"
		  "or as JSON. A VM that was started by hand is \"untracked\".",
};
CTL_COMMANDS(&list_command);
