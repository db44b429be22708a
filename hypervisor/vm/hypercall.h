/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hypercalls: one table from id to handler with what must hold before it is called. Handlers get the
 * caller and its two parameters, validate all, then act. Source: spec 1.2-1.5 and abi/acrn/.
 */
#pragma once

#include <acrn/hypercall.h>

#include "vm/vm.h"

struct hypercall {
	struct vcpu *caller;
	struct vm *target; /* locked; NULL for calls that name no VM */
	uint64_t rdi, rsi;
};

/* Copies a parameter block of the caller; -EFAULT. */
int hypercall_read(const struct hypercall *call, gpa_t gpa, void *buf, size_t size);
int hypercall_write(const struct hypercall *call, gpa_t gpa, const void *buf, size_t size);

/* hypercall_vm.c */
int64_t hc_get_api_version(struct hypercall *call);
int64_t hc_offline_cpu(struct hypercall *call);
int64_t hc_create_vm(struct hypercall *call);
int64_t hc_destroy_vm(struct hypercall *call);
int64_t hc_start_vm(struct hypercall *call);
int64_t hc_pause_vm(struct hypercall *call);
int64_t hc_create_vcpu(struct hypercall *call);
int64_t hc_reset_vm(struct hypercall *call);
int64_t hc_set_vcpu_regs(struct hypercall *call);
int64_t hc_pm_get_cpu_state(struct hypercall *call);

/* hypercall_dev.c */
int64_t hc_set_ptdev_intr(struct hypercall *call);
int64_t hc_reset_ptdev_intr(struct hypercall *call);
int64_t hc_assign_pcidev(struct hypercall *call);
int64_t hc_deassign_pcidev(struct hypercall *call);
int64_t hc_assign_mmiodev(struct hypercall *call);
int64_t hc_deassign_mmiodev(struct hypercall *call);
/* Devices of the hypervisor's own cannot be made for a VM: -ENODEV and a line in the log. */
int64_t hc_no_vdev(struct hypercall *call);

/* hypercall_memory.c */
int64_t hc_set_memory_regions(struct hypercall *call);
int64_t hc_gpa_to_hpa(struct hypercall *call);
int64_t hc_write_protect_page(struct hypercall *call);

/* hypercall_irq.c */
int64_t hc_set_callback_vector(struct hypercall *call);
int64_t hc_inject_msi(struct hypercall *call);
int64_t hc_intr_monitor(struct hypercall *call);
int64_t hc_set_irqline(struct hypercall *call);
int64_t hc_set_ioreq_buffer(struct hypercall *call);
int64_t hc_notify_request_finish(struct hypercall *call);

/* hypercall_ring.c */
int64_t hc_setup_sbuf(struct hypercall *call);
int64_t hc_asyncio_assign(struct hypercall *call);
int64_t hc_asyncio_deassign(struct hypercall *call);

/* watchdog.c */
int64_t hc_disarm_watchdog(struct hypercall *call);

/* Waits for a request of the target: the caller's vCPU blocks, so it is an exit of its own. */
enum exit_result hypercall_notify_and_wait(struct vcpu *caller);
