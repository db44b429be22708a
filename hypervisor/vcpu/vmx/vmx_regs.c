/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registers of a VMCS by neutral names. CR0 and CR4 are two fields each: what the CPU has, which VMX
 * restricts, and what the guest sees in the bits that are not its own (SDM 3C 25.6.6).
 */
#include "hw/cpu.h"
#include "lib/panic.h"
#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"
#include "x86/cr.h"

/* PE and PG are the guest's own: it is unrestricted (SDM 3D appendix A.7). */
static uint64_t cr0_real(uint64_t value)
{
	value &= ~(CR0_CD | CR0_NW);
	value |= vmx_features.cr0_fixed0 & ~(CR0_PE | CR0_PG);
	return value & vmx_features.cr0_fixed1;
}

static uint64_t cr4_real(uint64_t value)
{
	return (value | vmx_features.cr4_fixed0 | CR4_MCE) & vmx_features.cr4_fixed1;
}

static void efer_set(uint64_t value)
{
	vmcs_write(VMCS_GUEST_EFER, value);
	vmcs_write(VMCS_ENTRY_CONTROLS,
		   vmx_features.entry | ((value & EFER_LMA) != 0 ? VMX_ENTRY_IA32E : 0U));
}

static uint64_t reg_read(struct vcpu *vcpu, enum vcpu_reg reg)
{
	switch (reg) {
	case VREG_RFLAGS:
		return vmcs_read(VMCS_GUEST_RFLAGS);
	case VREG_CR0:
		return (vmcs_read(VMCS_GUEST_CR0) & VMX_CR0_GUESTS) |
		       (vmcs_read(VMCS_CR0_SHADOW) & ~VMX_CR0_GUESTS);
	case VREG_CR2:
		return vmx_is_loaded(vcpu) ? cr2_read() : vmx_of(vcpu)->cr2;
	case VREG_CR3:
		return vmcs_read(VMCS_GUEST_CR3);
	case VREG_CR4:
		return (vmcs_read(VMCS_GUEST_CR4) & VMX_CR4_GUESTS) |
		       (vmcs_read(VMCS_CR4_SHADOW) & ~VMX_CR4_GUESTS);
	case VREG_EFER:
		return vmcs_read(VMCS_GUEST_EFER);
	case VREG_PAT:
		return vmcs_read(VMCS_GUEST_PAT);
	case VREG_DR6:
		return vmx_is_loaded(vcpu) ? dr6_read() : vmx_of(vcpu)->dr6;
	case VREG_DR7:
		return vmcs_read(VMCS_GUEST_DR7);
	case VREG_COUNT:
		break;
	}
	panic("no register %d", (int)reg);
}

uint64_t vmx_reg_get(struct vcpu *vcpu, enum vcpu_reg reg)
{
	uint64_t value;

	vmx_open(vcpu);
	value = reg_read(vcpu, reg);
	vmx_close(vcpu);
	return value;
}

static void reg_write(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	switch (reg) {
	case VREG_RFLAGS:
		vmcs_write(VMCS_GUEST_RFLAGS, value);
		return;
	case VREG_CR0:
		vmcs_write(VMCS_CR0_SHADOW, value);
		vmcs_write(VMCS_GUEST_CR0, cr0_real(value));
		vmx_of(vcpu)->due |= VMX_DUE_PDPTES;
		return;
	case VREG_CR2:
		vmx_of(vcpu)->cr2 = value;
		if (vmx_is_loaded(vcpu))
			cr2_write(value);
		return;
	case VREG_CR3:
		vmcs_write(VMCS_GUEST_CR3, value);
		vmx_of(vcpu)->due |= VMX_DUE_PDPTES;
		return;
	case VREG_CR4:
		vmcs_write(VMCS_CR4_SHADOW, value);
		vmcs_write(VMCS_GUEST_CR4, cr4_real(value));
		vmx_of(vcpu)->due |= VMX_DUE_PDPTES;
		return;
	case VREG_EFER:
		efer_set(value);
		return;
	case VREG_PAT:
		vmcs_write(VMCS_GUEST_PAT, value);
		return;
	case VREG_DR6:
		vmx_of(vcpu)->dr6 = value;
		if (vmx_is_loaded(vcpu))
			dr6_write(value);
		return;
	case VREG_DR7:
		vmcs_write(VMCS_GUEST_DR7, value);
		return;
	case VREG_COUNT:
		break;
	}
	panic("no register %d", (int)reg);
}

void vmx_reg_set(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	vmx_open(vcpu);
	reg_write(vcpu, reg, value);
	vmx_close(vcpu);
}

void vmx_seg_get(struct vcpu *vcpu, enum x86_seg seg, struct segment *s)
{
	vmx_open(vcpu);
	s->selector = (uint16_t)vmcs_read(vmcs_of_segment(VMCS_GUEST_SELECTOR, seg));
	s->attr = (uint32_t)vmcs_read(vmcs_of_segment(VMCS_GUEST_RIGHTS, seg));
	s->limit = (uint32_t)vmcs_read(vmcs_of_segment(VMCS_GUEST_LIMIT, seg));
	s->base = vmcs_read(vmcs_of_segment(VMCS_GUEST_BASE, seg));
	vmx_close(vcpu);
}

/* An entry wants limit and granularity to agree, and an absent segment to be marked unusable. */
void vmx_seg_set(struct vcpu *vcpu, enum x86_seg seg, const struct segment *s)
{
	uint32_t attr = s->attr & ~(SEG_G | SEG_UNUSABLE);
	uint32_t limit = s->limit;

	if (limit > 0xFFFFFU) {
		attr |= SEG_G;
		limit |= 0xFFFU;
	}
	if ((attr & SEG_P) == 0)
		attr |= SEG_UNUSABLE;
	vmx_open(vcpu);
	vmcs_write(vmcs_of_segment(VMCS_GUEST_SELECTOR, seg), s->selector);
	vmcs_write(vmcs_of_segment(VMCS_GUEST_RIGHTS, seg), attr);
	vmcs_write(vmcs_of_segment(VMCS_GUEST_LIMIT, seg), limit);
	vmcs_write(vmcs_of_segment(VMCS_GUEST_BASE, seg), s->base);
	vmx_close(vcpu);
}

static inline enum insn_mode mode(void)
{
	uint64_t rights = vmcs_read(vmcs_of_segment(VMCS_GUEST_RIGHTS, SEG_CS));

	if (likely((rights & SEG_L) != 0 && (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) != 0))
		return INSN_MODE_64;
	return (rights & SEG_DB) != 0 ? INSN_MODE_32 : INSN_MODE_16;
}

/* Hot, as is vmx_cpl: nearly always the VMCS is the current one, and nothing has to be saved for a call. */
enum insn_mode vmx_mode(struct vcpu *vcpu)
{
	enum insn_mode m;

	if (likely(vmx_is_current(vcpu)))
		return mode();
	vmx_open(vcpu);
	m = mode();
	vmx_close(vcpu);
	return m;
}

/* SDM 3C 25.4.1: the privilege level is SS.DPL. */
static inline unsigned int cpl(void)
{
	return (unsigned int)(vmcs_read(vmcs_of_segment(VMCS_GUEST_RIGHTS, SEG_SS)) >> SEG_DPL_SHIFT) & 3U;
}

unsigned int vmx_cpl(struct vcpu *vcpu)
{
	unsigned int level;

	if (likely(vmx_is_current(vcpu)))
		return cpl();
	vmx_open(vcpu);
	level = cpl();
	vmx_close(vcpu);
	return level;
}

void vmx_table_set(struct vcpu *vcpu, bool is_idt, const struct desc_table *t)
{
	vmx_open(vcpu);
	vmcs_write(is_idt ? VMCS_GUEST_IDTR_BASE : VMCS_GUEST_GDTR_BASE, t->base);
	vmcs_write(is_idt ? VMCS_GUEST_IDTR_LIMIT : VMCS_GUEST_GDTR_LIMIT, t->limit);
	vmx_close(vcpu);
}

#define CR3_PDPT 0xFFFFFFE0UL /* of PAE paging */

void vmx_load_pdptes(struct vcpu *vcpu)
{
	uint64_t pdpte[4] = { 0 };
	bool is_pae = (vmcs_read(VMCS_GUEST_CR0) & CR0_PG) != 0 &&
		      (vmcs_read(VMCS_GUEST_CR4) & CR4_PAE) != 0 &&
		      (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) == 0;

	if (!is_pae)
		return;
	/* A table that is not there has no entries: the guest faults at its next access. */
	(void)gpa_space_read(&vcpu->group->space, vmcs_read(VMCS_GUEST_CR3) & CR3_PDPT, pdpte,
			     sizeof(pdpte));
	for (unsigned int i = 0; i < ARRAY_SIZE(pdpte); i++)
		vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2U * i), pdpte[i]);
}
