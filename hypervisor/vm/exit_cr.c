/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MOV to and from control registers, where the hardware wants us to keep some of their bits: the
 * checks that the instruction makes (SDM 3A 2.5, SDM 2B MOV to CR), then the back end decides which
 * bits the CPU really gets.
 */
#include "vcpu/backend.h"
#include "vm/exit.h"
#include "x86/cr.h"
#include "x86/exception.h"

#define CR8_MAX 15U

static uint64_t get(struct vcpu *vcpu, enum vcpu_reg reg)
{
	return vcpu_backend->reg_get(vcpu, reg);
}

/* Turning paging on with EFER.LME enters long mode; the combinations that may not be. */
static bool may_page(struct vcpu *vcpu, uint64_t efer)
{
	struct segment cs;

	if ((efer & EFER_LME) == 0)
		return true;
	vcpu_backend->seg_get(vcpu, SEG_CS, &cs);
	return (get(vcpu, VREG_CR4) & CR4_PAE) != 0 && (cs.attr & SEG_L) == 0;
}

static bool set_cr0(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = get(vcpu, VREG_CR0);
	uint64_t efer = get(vcpu, VREG_EFER);

	value |= CR0_ET;
	if (value >> 32 != 0 || ((value & CR0_PG) != 0 && (value & CR0_PE) == 0) ||
	    ((value & CR0_NW) != 0 && (value & CR0_CD) == 0))
		return false;
	if ((~old & value & CR0_PG) != 0) {
		if (!may_page(vcpu, efer))
			return false;
		if ((efer & EFER_LME) != 0)
			vcpu_backend->reg_set(vcpu, VREG_EFER, efer | EFER_LMA);
	} else if ((old & ~value & CR0_PG) != 0) {
		if ((get(vcpu, VREG_CR4) & CR4_PCIDE) != 0 || vcpu_mode(vcpu) == INSN_MODE_64)
			return false;
		vcpu_backend->reg_set(vcpu, VREG_EFER, efer & ~EFER_LMA);
	}
	vcpu_backend->reg_set(vcpu, VREG_CR0, value & CR0_KNOWN);
	return true;
}

static bool set_cr4(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = get(vcpu, VREG_CR4);
	bool is_long = (get(vcpu, VREG_EFER) & EFER_LMA) != 0;

	if ((value & ~CR4_KNOWN) != 0 || (is_long && (value & CR4_PAE) == 0))
		return false;
	if ((~old & value & CR4_PCIDE) != 0 &&
	    (!is_long || (get(vcpu, VREG_CR3) & CR3_PCID_MASK) != 0))
		return false;
	vcpu_backend->reg_set(vcpu, VREG_CR4, value);
	return true;
}

static bool set_cr8(struct vcpu *vcpu, uint64_t value)
{
	if (value > CR8_MAX)
		return false;
	vlapic_cr8_set(&vcpu->vlapic, (uint8_t)value);
	return true;
}

enum exit_result exit_cr(struct vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->exit;
	uint64_t *operand = &vcpu->gpr[exit->cr.reg];
	uint64_t value = vcpu_mode(vcpu) == INSN_MODE_64 ? *operand : (uint32_t)*operand;
	bool is_good = false;

	if (!exit->cr.is_write && exit->cr.number == 8) {
		*operand = vcpu->vlapic.tpr >> 4;
		return EXIT_HANDLED;
	}
	if (exit->cr.is_write && exit->cr.number == 0)
		is_good = set_cr0(vcpu, value);
	else if (exit->cr.is_write && exit->cr.number == 4)
		is_good = set_cr4(vcpu, value);
	else if (exit->cr.is_write && exit->cr.number == 8)
		is_good = set_cr8(vcpu, value);
	return is_good ? EXIT_HANDLED : exit_fault_code(vcpu, EXC_GP, 0);
}
