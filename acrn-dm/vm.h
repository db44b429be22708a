/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of the VM: made once, started, reset as often as the guest asks, destroyed on every way out. A
 * device only says what it wants by vm_request(); the main thread does it, so no lock of a device is held
 * then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum vm_request {
	VM_NONE,
	VM_RESET,	/* the guest rebooted */
	VM_POWEROFF,	/* the guest powered off, or somebody asks for it */
	VM_DEBUG_EXIT,	/* end with the status given to vm_request_exit() */
	VM_FAILED,	/* end with status 1 */
};

/* From any thread; the strongest request wins (the order above). */
void vm_request(enum vm_request what);
/* VM_DEBUG_EXIT with that status. */
void vm_request_exit(int status);

/* Makes memory, VM and devices as config says. Returns 0 or -errno, everything undone then (logged). */
int vm_create(void);
/* Loads the guest, starts it, serves it until it ends. Returns the exit status of the process. */
int vm_run(void);
void vm_destroy(void);

/* On the main thread: from reset to reset the guest stops and goes on. -EOPNOTSUPP: the hypervisor cannot. */
int vm_pause(void);
int vm_resume(void);
bool vm_is_paused(void);

unsigned int vm_vcpu_count(void);
/* The local APIC id of a vCPU, as the hypervisor gives it. */
uint32_t vm_apic_id(unsigned int vcpu);
