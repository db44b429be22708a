/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Posted interrupts (SDM 3C 30.6): another CPU leaves vectors for a guest that runs, in a descriptor of its vCPU, and
 * sends IRQ_POSTED; the CPU then takes them over, without an exit. Only vectors whose EOI nobody waits for go this way.
 *
 *   sender: vlapic.irr --vmx_post_remote--> descriptor, request, IRQ_POSTED    the CPU: descriptor --> page IRR
 *   owner, after an exit that came first:   descriptor --vmx_unpost--> vlapic.irr
 */
#include "vcpu/vmx/vmx.h"

#define POSTED_OUTSTANDING 1UL /* in control: the CPU is to look, or the owner */

bool vmx_post_remote(struct vcpu *vcpu)
{
	struct vlapic *v = &vcpu->vlapic;
	struct vmx_vcpu *x = vmx_of(vcpu);
	uint64_t left = 0;

	if (x->posted == NULL || atomic_load(&x->apic_controls) == 0)
		return false;
	for (unsigned int i = 0; i < 4U; i++) {
		uint64_t vectors = atomic_load(&v->irr[i]);
		/* Read after irr: whoever sends a level-triggered vector sets TMR first. */
		uint64_t level = atomic_load(&v->tmr[i]) | atomic_load_relaxed(&x->eoi_exits[i]);

		left |= vectors & level;
		vectors &= ~level;
		if (vectors == 0)
			continue;
		/* Its owner may be taking them too: each is moved by one of us. */
		vectors &= atomic_fetch_and(&v->irr[i], ~vectors);
		(void)atomic_fetch_or(&x->posted->requests[i], vectors);
	}
	(void)atomic_fetch_or(&x->posted->control, POSTED_OUTSTANDING);
	return left == 0;
}

void vmx_unpost(struct vcpu *vcpu)
{
	struct vmx_posted *posted = vmx_of(vcpu)->posted;

	if (posted == NULL || (atomic_load(&posted->control) & POSTED_OUTSTANDING) == 0)
		return;
	(void)atomic_fetch_and(&posted->control, ~POSTED_OUTSTANDING);
	for (unsigned int i = 0; i < 4U; i++) {
		uint64_t vectors = atomic_swap(&posted->requests[i], 0UL);

		if (vectors != 0)
			(void)atomic_fetch_or(&vcpu->vlapic.irr[i], vectors);
	}
	atomic_store(&vcpu->vlapic.irr_hint, 1U);
}
