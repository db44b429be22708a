/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VMs of this machine: those with a file /etc/acrn/vm/NAME.conf, which run as service acrn-vm@NAME; those with a
 * launch script NAME.sh there, which run as acrn-script@NAME; and those that somebody started by hand, which only
 * their socket tells of ("untracked").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define VMS_MAX		128
#define VMS_NAME_MAX	15
#define VMS_ARGS_MAX	32	/* words that a script is run with */
#define VMS_CONF_DIR	"/etc/acrn/vm"

enum vms_state {
	VMS_STOPPED,
	VMS_STARTED,
	VMS_SUSPENDED,
	VMS_UNKNOWN,	/* its socket does not answer */
};

struct vms_vm {
	char name[VMS_NAME_MAX + 1];
	char socket[108];	/* "" if it does not run */
	enum vms_state state;
	bool has_conf;		/* NAME.conf; then a script of that name is not looked at */
	bool has_script;
	int pid;		/* 0 if it does not run */
};

/* Where to look; the folders of an installed system if NULL. */
struct vms_places {
	const char *conf;	/* NAME.conf, NAME.sh */
	const char *sockets;	/* NAME.monitor.PID.socket */
};

/*
 * Fills `vm` (VMS_MAX) sorted by name and returns how many, or -errno. A folder that is missing holds nothing; the
 * socket of a process that is gone is not a VM.
 */
int vms_find(const struct vms_places *places, struct vms_vm *vm);
/* The path (108 bytes) of the socket PREFIX<PID>.socket of a process that is there; false: there is none. */
bool vms_find_socket(const struct vms_places *places, const char *prefix, char *path);
/* "started" and so on; "untracked" for a running VM without a file. */
const char *vms_state_name(const struct vms_vm *vm);
/* Whether the text can be a VM's name: 1 to 15 characters, no blank, slash or control character, no dot in front. */
bool vms_is_name(const char *text);
