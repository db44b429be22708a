/* SPDX-License-Identifier: BSD-3-Clause */
/* See fake_service.h. */
#include "fake_service.h"

#include <stdio.h>
#include <string.h>

#include "ctl/service.h"

char service_calls[1024];
int service_status;

int service_do(const char *verb, const struct vms_vm *vm)
{
	size_t len = strlen(service_calls);

	snprintf(service_calls + len, sizeof(service_calls) - len, "%s %s.%s\n", verb, vm->name,
		 vm->has_conf ? "vm" : "script");
	return service_status;
}

int service_begin(const char *verb, const struct vms_vm *vm)
{
	return service_do(verb, vm);
}
