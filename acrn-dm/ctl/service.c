/* SPDX-License-Identifier: BSD-3-Clause */
/* One systemctl a question. */
#include "ctl/service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int complain(const char *why)
{
	fprintf(stderr, "systemctl: %s\n", why);
	return 1;
}

static int run(const char *verb, const char *option, const char *unit)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("systemctl", "systemctl", option, verb, "--", unit, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return complain(strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return complain("cannot be run");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int do_it(const char *verb, const char *option, const struct vms_vm *vm)
{
	char unit[64];

	snprintf(unit, sizeof(unit), "acrn-%s@%s.service", vm->has_conf ? "vm" : "script", vm->name);
	return run(verb, option, unit);
}

int service_do(const char *verb, const struct vms_vm *vm)
{
	return do_it(verb, "--no-ask-password", vm);
}

int service_begin(const char *verb, const struct vms_vm *vm)
{
	return do_it(verb, "--no-block", vm);
}
