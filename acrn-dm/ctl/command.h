/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands of acrnctl announce themselves: CTL_COMMANDS() puts descriptions in a linker section, in the order in which
 * the Makefile lists the files. A new command is one new file and one word there; --help, the manual page and the
 * completion follow from the description.
 */
#pragma once

#include <stdbool.h>

#include "ctl/vms.h"

struct ctl_command {
	const char *name;
	const char *words;	/* as --help shows them */
	const char *help;	/* one line; NULL: not shown, for our own use */
	const char *manual;	/* sentences for the manual page, in roff; NULL: the line of --help will do */
	int least, most;	/* words */
	/* argv[0] is the first word. Returns the exit status: 0, 1 it could not be done, 2 wrong words. */
	int (*run)(int argc, char **argv);
};

/* CTL_COMMANDS(&this, &that); in --help they come in that order. */
#define CTL_COMMANDS(...)                                                                          \
	static const struct ctl_command *const ctl_commands[]                                      \
		__attribute__((used, section("ctl_table"), aligned(sizeof(void *)))) = { __VA_ARGS__ }

/* Where VMs are looked for; an installed system's folders. Tests set others. */
extern struct vms_places ctl_places;

/* "acrnctl: WHAT: WHY" on standard error. Returns 1. */
int ctl_complain(const char *what, const char *why);
/* Reads the list of VMs: 0, or 1 after a complaint. */
int ctl_find_all(void);
/* The VMs that ctl_find_all() found. */
const struct vms_vm *ctl_vm(int index);
int ctl_vm_count(void);
/* The VM of that name, or NULL after a complaint. */
const struct vms_vm *ctl_find(const char *name);
/* Sends a question to the VM's device model: 0, or 1 after a complaint. */
struct mngr_message;
int ctl_ask(const struct vms_vm *vm, struct mngr_message *m);
