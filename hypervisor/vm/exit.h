/* SPDX-License-Identifier: BSD-3-Clause */
/* How each exit is answered: one table from reason to handler. */
#pragma once

#include "vm/vm.h"

/* What happened is in vcpu->exit. */
enum exit_result exit_handle(struct vcpu *vcpu);

/* Exceptions for the guest; RETRY, so that the entry delivers them. */
enum exit_result exit_fault(struct vcpu *vcpu, uint8_t vector);	    /* without error code */
enum exit_result exit_fault_code(struct vcpu *vcpu, uint8_t vector, uint32_t error);
enum exit_result exit_page_fault(struct vcpu *vcpu, const struct vcpu_fault *fault);

/* exit_cpuid.c, exit_msr.c, exit_io.c, exit_mmio.c, hypercall.c */
enum exit_result exit_cpuid(struct vcpu *vcpu);
enum exit_result exit_cr(struct vcpu *vcpu);
enum exit_result exit_msr(struct vcpu *vcpu);
enum exit_result exit_io(struct vcpu *vcpu);
enum exit_result exit_memory(struct vcpu *vcpu);
enum exit_result exit_hypercall(struct vcpu *vcpu);

/*
 * Has vcpu->io carried out by whoever answers it, then vcpu->finish(vcpu). The one way in which a
 * port or memory access becomes a device's.
 */
enum exit_result exit_dispatch_io(struct vcpu *vcpu);
