/* SPDX-License-Identifier: BSD-3-Clause */
/* acrnctl start, stop, reset, blkrescan: what is done to a VM that is there. */
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/service.h"

#define STOP_SECONDS	25	/* acrn-dm switches the VM off 15 s after the power button */

static int start_vm(const struct vms_vm *vm)
{
	if (vm->state != VMS_STOPPED)
		return ctl_complain(vm->name, "it runs already");
	return service_do("start", vm);
}

static int start(int argc, char **argv)
{
	int status = ctl_find_all();

	for (int i = 0; i < argc; i++) {
		const struct vms_vm *vm = ctl_find(argv[i]);

		status |= vm ? start_vm(vm) : 1;
	}
	return status;
}

static int stop_vm(const struct vms_vm *vm, bool force)
{
	struct mngr_message m = { .id = MNGR_STOP, .data.stop.force = force };

	if (!vm->socket[0])
		return ctl_complain(vm->name, "it does not run");
	return ctl_ask(vm, &m);
}

static bool is_force(const char *word)
{
	return strcmp(word, "-f") == 0 || strcmp(word, "--force") == 0;
}

static int stop(int argc, char **argv)
{
	bool force = false;
	int status = ctl_find_all(), names = 0;

	for (int i = 0; i < argc; i++)
		force |= is_force(argv[i]);
	for (int i = 0; i < argc; i++) {
		const struct vms_vm *vm;

		if (is_force(argv[i]))
			continue;
		names++;
		vm = ctl_find(argv[i]);
		status |= vm ? stop_vm(vm, force) : 1;
	}
	return names ? status : ctl_complain("stop", "which VM?") + 1;
}

/* Until the VM is gone. */
static bool wait_stopped(const char *name)
{
	for (int tenths = 0; tenths < STOP_SECONDS * 10; tenths++) {
		const struct vms_vm *vm;

		if (ctl_find_all() != 0)
			return false;
		vm = ctl_find(name);
		if (!vm || vm->state == VMS_STOPPED)
			return vm != NULL;
		usleep(100000);
	}
	return false;
}

static int reset(int argc, char **argv)
{
	const struct vms_vm *vm = ctl_find_all() == 0 ? ctl_find(argv[0]) : NULL;

	(void)argc;
	if (!vm)
		return 1;
	if (!vm->has_conf && !vm->has_script)
		return ctl_complain(vm->name, "it has no file in /etc/acrn/vm, so it could not be started again");
	if (stop_vm(vm, false) != 0)
		return 1;
	if (!wait_stopped(argv[0]))
		return ctl_complain(argv[0], "it did not stop in time");
	vm = ctl_find(argv[0]);
	/* the service takes a moment to notice */
	return vm ? service_do("restart", vm) : 1;
}

static int blkrescan(int argc, char **argv)
{
	struct mngr_message m = { .id = MNGR_BLKRESCAN };
	const struct vms_vm *vm = ctl_find_all() == 0 ? ctl_find(argv[0]) : NULL;

	(void)argc;
	if (!vm)
		return 1;
	if (!vm->socket[0])
		return ctl_complain(vm->name, "it does not run");
	if (strlen(argv[1]) >= sizeof(m.data.devargs))
		return ctl_complain(argv[1], "longer than 255 bytes");
	strcpy(m.data.devargs, argv[1]);
	return ctl_ask(vm, &m);
}

static const struct ctl_command start_command = {
	.name = "start", .words = "VM...", .least = 1, .most = VMS_MAX, .run = start,
	.help = "starts VMs as services",
	.manual = "Starts the service of each VM.",
};

static const struct ctl_command stop_command = {
	.name = "stop", .words = "[-f] VM...", .least = 1, .most = VMS_MAX, .run = stop,
	.help = "presses the power button; -f, --force: switches off at once",
	.manual = "Presses the power button; acrn-dm switches the VM off after 15 seconds.\n"
		  ".BR \\-f \", \" \\-\\-force :\nat once.",
};

static const struct ctl_command reset_command = {
	.name = "reset", .words = "VM", .least = 1, .most = 1, .run = reset,
	.help = "stop, then start",
	.manual = "Stops the VM and starts it again.",
};

static const struct ctl_command blkrescan_command = {
	.name = "blkrescan", .words = "VM SLOT,FILE", .least = 2, .most = 2, .run = blkrescan,
	.help = "puts a file into an empty virtio-blk slot",
	.manual = "Puts a file into a slot that was given as\n.BR virtio\\-blk,nodisk .",
};
CTL_COMMANDS(&start_command, &stop_command, &reset_command, &blkrescan_command);
