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

/* Tells the CPU the task priority. */
void inject_show_priority(struct vcpu *vcpu);

/*
 * What the CPU did with the offer and with its copy of the priority since the entry; slow only when
 * it did something.
 */
void inject_settle_slow(struct vcpu *vcpu);

static inline void inject_settle(struct vcpu *vcpu)
{
	if (unlikely(vcpu->cr8 != vcpu->tpr_shown || vcpu->offer_made != vcpu->offered))
		inject_settle_slow(vcpu);
}

/* Puts the best of what is pending (NMI, 8259, vlapic) in for the next entry. */
void inject_pending_slow(struct vcpu *vcpu, struct vpic *pic);

static inline void inject_pending(struct vcpu *vcpu, struct vpic *pic)
{
	if (unlikely(vcpu->nmi_pending || vcpu->pic_pending || vcpu->offered >= 0 ||
		     atomic_load(&vcpu->vlapic.irr_hint) != 0))
		inject_pending_slow(vcpu, pic);
}
