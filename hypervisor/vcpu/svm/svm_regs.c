/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers of a VMCB by neutral names. FS, GS, LDTR and TR are fresh only after VMSAVE. */
#include "hw/cpu.h"
#include "lib/panic.h"
#include "vcpu/svm/svm.h"
#include "x86/cr.h"

static uint64_t *reg_field(struct vmcb *vmcb, enum vcpu_reg reg)
{
	switch (reg) {
	case VREG_RFLAGS:
		return &vmcb->rflags;
	case VREG_CR0:
		return &vmcb->cr0;
	case VREG_CR2:
		return &vmcb->cr2;
	case VREG_CR3:
		return &vmcb->cr3;
	case VREG_CR4:
		return &vmcb->cr4;
	case VREG_EFER:
		return &vmcb->efer;
	case VREG_PAT:
		return &vmcb->g_pat;
	case VREG_DR6:
		return &vmcb->dr6;
	case VREG_DR7:
		return &vmcb->dr7;
	case VREG_COUNT:
		break;
	}
	panic("no register %d", (int)reg);
}

/* The guest does not see SVME, which VMRUN demands. */
uint64_t svm_reg_get(struct vcpu *vcpu, enum vcpu_reg reg)
{
	uint64_t value = *reg_field(svm_of(vcpu)->vmcb, reg);

	return reg == VREG_EFER ? value & ~EFER_SVME : value;
}

void svm_reg_set(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	*reg_field(svm_of(vcpu)->vmcb, reg) = reg == VREG_EFER ? value | EFER_SVME : value;
}

static struct vmcb_seg *seg_field(struct vmcb *vmcb, enum x86_seg seg)
{
	static const uint16_t offset[SEG_COUNT] = {
		[SEG_ES] = offsetof(struct vmcb, es), [SEG_CS] = offsetof(struct vmcb, cs),
		[SEG_SS] = offsetof(struct vmcb, ss), [SEG_DS] = offsetof(struct vmcb, ds),
		[SEG_FS] = offsetof(struct vmcb, fs), [SEG_GS] = offsetof(struct vmcb, gs),
		[SEG_TR] = offsetof(struct vmcb, tr), [SEG_LDTR] = offsetof(struct vmcb, ldtr),
	};

	return (struct vmcb_seg *)((uint8_t *)vmcb + offset[seg]);
}

void svm_seg_get(struct vcpu *vcpu, enum x86_seg seg, struct segment *s)
{
	const struct vmcb_seg *v = seg_field(svm_of(vcpu)->vmcb, seg);

	if (seg >= SEG_FS)
		svm_sync(vcpu);
	s->selector = v->selector;
	s->attr = (v->attr & 0xFFU) | ((v->attr & 0xF00U) << 4);
	s->limit = v->limit;
	s->base = v->base;
}

void svm_seg_set(struct vcpu *vcpu, enum x86_seg seg, const struct segment *s)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;
	struct vmcb_seg *v = seg_field(vmcb, seg);

	svm_backend.put(vcpu);
	v->selector = s->selector;
	v->attr = (uint16_t)((s->attr & 0xFFU) | ((s->attr >> 4) & 0xF00U));
	v->limit = s->limit;
	v->base = s->base;
	if (seg == SEG_SS)
		vmcb->cpl = (uint8_t)segment_dpl(s);
}

enum insn_mode svm_mode(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;
	uint16_t attr = vmcb->cs.attr;

	if ((attr & VMCB_ATTR_L) != 0 && (vmcb->efer & EFER_LMA) != 0)
		return INSN_MODE_64;
	return (attr & VMCB_ATTR_DB) != 0 ? INSN_MODE_32 : INSN_MODE_16;
}

unsigned int svm_cpl(struct vcpu *vcpu)
{
	return svm_of(vcpu)->vmcb->cpl;
}

void svm_table_set(struct vcpu *vcpu, bool is_idt, const struct desc_table *t)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;
	struct vmcb_seg *v = is_idt ? &vmcb->idtr : &vmcb->gdtr;

	v->limit = t->limit;
	v->base = t->base;
}
