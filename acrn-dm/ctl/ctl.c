/* SPDX-License-Identifier: BSD-3-Clause */
/* What several commands of acrnctl need. */
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/command.h"

#define ANSWER_SECONDS	5

struct vms_places ctl_places;
static struct vms_vm vms[VMS_MAX];
static int vm_count;

int ctl_complain(const char *what, const char *why)
{
	fprintf(stderr, "acrnctl: %s: %s\n", what, why);
	return 1;
}

int ctl_find_all(void)
{
	int count = vms_find(&ctl_places, vms);

	vm_count = count < 0 ? 0 : count;
	return count < 0 ? ctl_complain("the VMs cannot be listed", strerror(-count)) : 0;
}

const struct vms_vm *ctl_vm(int index)
{
	return &vms[index];
}

int ctl_vm_count(void)
{
	return vm_count;
}

const struct vms_vm *ctl_find(const char *name)
{
	for (int i = 0; i < vm_count; i++) {
		if (strcmp(vms[i].name, name) == 0)
			return &vms[i];
	}
	ctl_complain(name, "there is no file of that name in /etc/acrn/vm, and no such VM runs");
	return NULL;
}

int ctl_ask(const struct vms_vm *vm, struct mngr_message *m)
{
	int err = client_ask(vm->socket, m, ANSWER_SECONDS);

	if (err)
		return ctl_complain(vm->name, strerror(-err));
	return m->data.err == 0 ? 0 : ctl_complain(vm->name, "the device model refuses");
}
