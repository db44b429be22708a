/* SPDX-License-Identifier: BSD-3-Clause */
/* VMs as services of systemd: acrn-vm@NAME for a file NAME.conf, acrn-script@NAME for an added script. */
#pragma once

#include "ctl/vms.h"

/* systemctl VERB on the VM's service; systemctl's own messages are shown. 0, or 1 after a line that says why. */
int service_do(const char *verb, const struct vms_vm *vm);
/* The same, without waiting for the service. */
int service_begin(const char *verb, const struct vms_vm *vm);
