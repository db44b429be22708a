/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses that the device model carries out: the hypervisor's side of the request page.
 *
 *   vCPU: slot := access, PENDING, upcall, BLOCKED ... COMPLETE seen, value taken, FREE, goes on
 *
 * The page is the Service VM's memory: it is written whole, and of what comes back only the state
 * and the value are used.
 */
#pragma once

#include "vm/vm.h"

/* A VM's forward function: posts vcpu->io to the device model. */
enum exit_result ioreq_forward(struct vcpu *vcpu);

/* Memory of a lent range that is missing at gpa: asks for it and has the vCPU try again what it did. */
enum exit_result ioreq_fetch(struct vcpu *vcpu, gpa_t gpa);

/* Makes the page at hpa (of the Service VM, checked by the caller) the VM's: all slots FREE. */
void ioreq_set_page(struct vm *vm, hpa_t hpa);

/* What was asked or answered is forgotten: all slots FREE again, after a reset. */
void ioreq_reset(struct vm *vm);

/* True when any of the VM's slots is PENDING. */
bool ioreq_is_pending(struct vm *vm);

/* Raises the upcall interrupt in the Service VM. */
void ioreq_upcall(void);
int ioreq_set_upcall_vector(uint64_t vector);
