/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw SVM exit codes to neutral words: one table, one small decoder each. Lengths come from the CPU
 * where it saves the next RIP, else from the instruction itself. Source: APM 2 15.7-15.14, app. C.
 */
#include "vcpu/svm/svm.h"
#include "x86/cr.h"
#include "x86/exception.h"

typedef void (*decoder)(struct vcpu *vcpu, struct vmcb *vmcb);

static gva_t code_address(const struct vmcb *vmcb)
{
	return (vmcb->cs.attr & VMCB_ATTR_L) != 0 && (vmcb->efer & EFER_LMA) != 0 ?
		       vmcb->rip :
		       (vmcb->cs.base + vmcb->rip) & 0xFFFFFFFFUL;
}

static void set_length(struct vcpu *vcpu, struct vmcb *vmcb, uint16_t opcode)
{
	vcpu->exit.insn_len =
		svm_features.nrips ?
			(uint8_t)(vmcb->next_rip - vmcb->rip) :
			(uint8_t)vcpu_insn_length(vcpu, code_address(vmcb), vmcb->cr3, opcode);
}

static void decode_cpuid(struct vcpu *vcpu, struct vmcb *vmcb)
{
	set_length(vcpu, vmcb, 0x0FA2);
}

static void decode_msr(struct vcpu *vcpu, struct vmcb *vmcb)
{
	vcpu->exit.msr.is_write = vmcb->exit_info1 != 0;
	set_length(vcpu, vmcb, vmcb->exit_info1 != 0 ? 0x0F30 : 0x0F32);
}

static void decode_hlt(struct vcpu *vcpu, struct vmcb *vmcb)
{
	set_length(vcpu, vmcb, 0xF4);
	vmcb->int_state &= ~SVM_INT_SHADOW;
}

static void decode_long(struct vcpu *vcpu, struct vmcb *vmcb)
{
	set_length(vcpu, vmcb, 0);
}

static void decode_vmmcall(struct vcpu *vcpu, struct vmcb *vmcb)
{
	set_length(vcpu, vmcb, 0x0F01);
	if (vcpu->exit.insn_len == 2)
		vcpu->exit.insn_len = 3;
}

/* Emulated processors leave the bits for the address size of INS and OUTS clear. */
static uint8_t string_addr_size(struct vcpu *vcpu)
{
	enum insn_mode mode;
	const struct insn *insn = vcpu_decode(vcpu, &mode);

	return insn != NULL ? insn->addr_size : sizeof(uint64_t);
}

static void decode_io(struct vcpu *vcpu, struct vmcb *vmcb)
{
	uint32_t info = (uint32_t)vmcb->exit_info1;

	vcpu->exit.io.port = (uint16_t)(info >> 16);
	vcpu->exit.io.size = (info >> 4) & 7U;
	vcpu->exit.io.is_in = (info & 1U) != 0;
	vcpu->exit.io.is_string = (info & 4U) != 0;
	vcpu->exit.io.is_rep = (info & 8U) != 0;
	vcpu->exit.io.addr_size = (uint8_t)(((info >> 7) & 7U) * 2U);
	if (unlikely(vcpu->exit.io.is_string && vcpu->exit.io.addr_size == 0))
		vcpu->exit.io.addr_size = string_addr_size(vcpu);
	vcpu->exit.insn_len = (uint8_t)(vmcb->exit_info2 - vmcb->rip);
}

static void decode_npf(struct vcpu *vcpu, struct vmcb *vmcb)
{
	vcpu->exit.mem.gpa = vmcb->exit_info2;
	vcpu->exit.mem.kind = (vmcb->exit_info1 & PFERR_I) != 0	  ? MEM_FETCH :
			      (vmcb->exit_info1 & NPF_WALK) != 0 ? MEM_WALK :
								   MEM_DATA;
}

static void decode_exception(struct vcpu *vcpu, struct vmcb *vmcb)
{
	vcpu->exit.exception.vector = (uint8_t)(vmcb->exit_code - SVM_EXIT_EXCEPTION);
	vcpu->exit.exception.has_error =
		exception_has_error_code(vcpu->exit.exception.vector);
	vcpu->exit.exception.error = (uint32_t)vmcb->exit_info1;
	vcpu->exit.exception.address = vmcb->exit_info2;
}

static void decode_window(struct vcpu *vcpu, struct vmcb *vmcb)
{
	vmcb->intercept1 &= ~SVM_I1_VINTR;
	vmcb->int_ctl &= ~(SVM_V_IRQ | SVM_V_IGN_TPR);
	vcpu->offered = -1;
}

/* The guest is about to leave its NMI handler; the mask lifts when RIP has moved on (APM 2 15.20). */
static void decode_iret(struct vcpu *vcpu, struct vmcb *vmcb)
{
	vmcb->intercept1 &= ~SVM_I1_IRET;
	svm_of(vcpu)->iret_rip = vmcb->rip;
}

static const struct {
	enum exit_reason reason;
	decoder decode;
} exits[SVM_EXIT_XSETBV + 1] = {
	[SVM_EXIT_EXCEPTION ... SVM_EXIT_EXCEPTION + 31] = { EXIT_EXCEPTION, decode_exception },
	[SVM_EXIT_INTR] = { EXIT_INTERRUPT, NULL },
	[SVM_EXIT_NMI] = { EXIT_INTERRUPT, NULL },
	[SVM_EXIT_SMI] = { EXIT_INTERRUPT, NULL },
	[SVM_EXIT_INIT] = { EXIT_INTERRUPT, NULL },
	[SVM_EXIT_VINTR] = { EXIT_WINDOW, decode_window },
	[SVM_EXIT_RDPMC] = { EXIT_PROTECTED, NULL },
	[SVM_EXIT_CPUID] = { EXIT_CPUID, decode_cpuid },
	[SVM_EXIT_IRET] = { EXIT_NONE, decode_iret },
	[SVM_EXIT_INVD] = { EXIT_WBINVD, decode_long },
	[SVM_EXIT_PAUSE] = { EXIT_PAUSE, decode_long },
	[SVM_EXIT_HLT] = { EXIT_HLT, decode_hlt },
	[SVM_EXIT_INVLPGA] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_IOIO] = { EXIT_IO, decode_io },
	[SVM_EXIT_MSR] = { EXIT_MSR, decode_msr },
	[SVM_EXIT_SHUTDOWN] = { EXIT_SHUTDOWN, NULL },
	[SVM_EXIT_VMRUN] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_VMMCALL] = { EXIT_HYPERCALL, decode_vmmcall },
	[SVM_EXIT_VMLOAD] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_VMSAVE] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_STGI] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_CLGI] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_SKINIT] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_WBINVD] = { EXIT_WBINVD, decode_long },
	[SVM_EXIT_MONITOR] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_MWAIT] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_MWAIT_ARMED] = { EXIT_UNDEFINED, NULL },
	[SVM_EXIT_XSETBV] = { EXIT_XSETBV, decode_long },
};

/* An event that was on its way in when the exit came goes in again (APM 2 15.7.2). */
static void requeue_event(struct vcpu *vcpu, const struct vmcb *vmcb)
{
	static const uint8_t type[8] = {
		[SVM_EVENT_INTR] = EVENT_INTERRUPT,
		[SVM_EVENT_NMI] = EVENT_NMI,
		[SVM_EVENT_EXCEPTION] = EVENT_EXCEPTION,
		[SVM_EVENT_SOFTWARE] = EVENT_SOFTWARE,
	};
	uint64_t info = vmcb->exit_int_info;

	vcpu->event.type = type[(info >> SVM_EVENT_TYPE_SHIFT) & 7U];
	vcpu->event.vector = (uint8_t)info;
	vcpu->event.has_error = (info & SVM_EVENT_ERROR) != 0;
	vcpu->event.error = (uint32_t)(info >> 32);
	/* INTn and INT3 restart with their instruction; injecting would skip it without next RIP. */
	if (vcpu->event.type == EVENT_SOFTWARE ||
	    (vcpu->event.type == EVENT_EXCEPTION &&
	     (vcpu->event.vector == EXC_BP || vcpu->event.vector == EXC_OF)))
		vcpu->event.type = EVENT_NONE;
	/* An offer that the CPU has not taken off the table will be made again by the CPU. */
	if (vcpu->event.type == EVENT_INTERRUPT && (vmcb->int_ctl & SVM_V_IRQ) != 0 &&
	    vmcb->int_vector == vcpu->event.vector)
		vcpu->event.type = EVENT_NONE;
}

void svm_exit_decode(struct vcpu *vcpu, struct vmcb *vmcb)
{
	uint64_t code = vmcb->exit_code;
	struct vcpu_exit *exit = &vcpu->exit;

	exit->raw = code;
	exit->insn_len = 0;
	if (unlikely((vmcb->exit_int_info & SVM_EVENT_VALID) != 0))
		requeue_event(vcpu, vmcb);
	if (unlikely(vcpu->nmi_masked) && vmcb->rip != svm_of(vcpu)->iret_rip &&
	    svm_of(vcpu)->iret_rip != ~0UL) {
		vcpu->nmi_masked = false;
		svm_of(vcpu)->iret_rip = ~0UL;
	}
	if (likely(code < ARRAY_SIZE(exits))) {
		exit->reason = exits[code].reason;
		if (exit->reason == EXIT_NONE && exits[code].decode == NULL)
			exit->reason = EXIT_UNKNOWN;
		if (exits[code].decode != NULL)
			exits[code].decode(vcpu, vmcb);
	} else if (code == SVM_EXIT_NPF) {
		exit->reason = EXIT_MEMORY;
		decode_npf(vcpu, vmcb);
	} else {
		exit->reason = code == SVM_EXIT_INVALID ? EXIT_INVALID_STATE : EXIT_UNKNOWN;
	}
}
