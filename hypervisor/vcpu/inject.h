/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events on their way into a guest. A second exception while one waits becomes what the manual says
 * it becomes (SDM 3A table 6-5): a double fault, or a shutdown.
 */
#pragma once

#include "vcpu/vcpu.h"
#include "vdev/vpic.h"

/* Queues an exception for the next entry. Returns false when the vCPU shuts down (triple fault). */
bool inject_exception(struct vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error);

/* #PF: also sets CR2. */
bool inject_page_fault(struct vcpu *vcpu, gva_t address, uint32_t error);

/* Around each run: tells the CPU the task priority; takes in what it did with priority and offer. */
void inject_show_priority(struct vcpu *vcpu);
void inject_settle(struct vcpu *vcpu);

/* Puts the best of what is pending (NMI, 8259, vlapic) in for the next entry. Hot: each entry. */
void inject_pending(struct vcpu *vcpu, struct vpic *pic);
