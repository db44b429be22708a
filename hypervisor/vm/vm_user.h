/* SPDX-License-Identifier: BSD-3-Clause */
/* A User VM: all ports and all memory that no device here answers belong to its device model. */
#pragma once

#include "vm/vm.h"

/*
 * As vm_create, composed for a device model. pcpus 0: all that the Service VM has given up or
 * shares. -EINVAL also for more vCPUs than the request page has slots.
 */
int vm_user_create(const char *name, uint64_t flags, uint64_t pcpus, struct vm **out);
