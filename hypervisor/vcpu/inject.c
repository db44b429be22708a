/* SPDX-License-Identifier: BSD-3-Clause */
/* The order in which events go in: what was interrupted, NMI, 8259, local APIC. */
#include "vcpu/inject.h"

#include "vcpu/backend.h"
#include "x86/exception.h"

static void queue(struct vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error)
{
	vcpu->event.type = EVENT_EXCEPTION;
	vcpu->event.vector = vector;
	vcpu->event.has_error = has_error;
	vcpu->event.error = error;
}

bool inject_exception(struct vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error)
{
	uint8_t first = vcpu->event.vector;

	if (vcpu->event.type != EVENT_EXCEPTION) {
		/* An interrupt that was on its way stays pending in the instruction's stead. */
		queue(vcpu, vector, has_error, error);
		return true;
	}
	if (first == EXC_DF)
		return false;
	if ((exception_is_contributory(first) && exception_is_contributory(vector)) ||
	    (first == EXC_PF && (exception_is_contributory(vector) || vector == EXC_PF)))
		queue(vcpu, EXC_DF, true, 0);
	else
		queue(vcpu, vector, has_error, error);
	return true;
}

bool inject_page_fault(struct vcpu *vcpu, gva_t address, uint32_t error)
{
	vcpu_backend->reg_set(vcpu, VREG_CR2, address);
	return inject_exception(vcpu, EXC_PF, true, error);
}

static bool inject_nmi(struct vcpu *vcpu)
{
	if (!vcpu->nmi_pending || vcpu->nmi_masked || vcpu->event.type != EVENT_NONE)
		return false;
	vcpu->nmi_pending = false;
	vcpu->event.type = EVENT_NMI;
	vcpu->event.vector = EXC_NMI;
	vcpu->event.has_error = false;
	vcpu_backend->mask_nmi(vcpu);
	return true;
}

static void inject_pic(struct vcpu *vcpu, struct vpic *pic)
{
	vcpu_backend->offer(vcpu, -1);
	vcpu->offer_made = -1;
	if (!vcpu_backend->can_interrupt(vcpu)) {
		vcpu_backend->want_window(vcpu);
		return;
	}
	vcpu->event.type = EVENT_INTERRUPT;
	vcpu->event.vector = vpic_acknowledge(pic);
	vcpu->event.has_error = false;
}

void inject_pending_slow(struct vcpu *vcpu, struct vpic *pic)
{
	int vector;

	if (unlikely(vcpu->nmi_pending))
		(void)inject_nmi(vcpu);
	if (unlikely(vcpu->pic_pending) && vlapic_accepts_pic(&vcpu->vlapic)) {
		if (vpic_pending(pic)) {
			inject_pic(vcpu, pic);
			return;
		}
		vcpu->pic_pending = false;
	}
	if (vcpu_backend->post != NULL && vcpu_backend->post(vcpu))
		return;
	vector = vlapic_waiting(&vcpu->vlapic);
	if (vector != vcpu->offered) {
		vcpu_backend->offer(vcpu, vector);
		vcpu->offer_made = vector;
	}
}

void inject_show_priority(struct vcpu *vcpu)
{
	vcpu->tpr_shown = (uint8_t)(vcpu->vlapic.tpr >> 4);
	vcpu_backend->tpr_set(vcpu, vcpu->tpr_shown);
}

/* The offered vector was taken when the offer is gone; CR8 was written when the priority moved. */
void inject_settle_slow(struct vcpu *vcpu)
{
	if (vcpu->cr8 != vcpu->tpr_shown) {
		vlapic_cr8_set(&vcpu->vlapic, vcpu->cr8);
		vcpu->tpr_shown = vcpu->cr8;
	}
	if (vcpu->offer_made >= 0 && vcpu->offered < 0) {
		vlapic_taken(&vcpu->vlapic, (uint8_t)vcpu->offer_made);
		vcpu->offer_made = -1;
	}
}
