/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw VMX exits to neutral words: one table, one small decoder each. The CPU gives the length of the
 * instruction itself. Source: SDM 3C 28.2, SDM 3D appendix C.
 */
#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"
#include "x86/cr.h"
#include "x86/exception.h"
#include "x86/msr.h"

typedef void (*decoder)(struct vcpu *vcpu);

static void decode_length(struct vcpu *vcpu)
{
	vcpu->exit.insn_len = (uint8_t)vmcs_read(VMCS_INSTRUCTION_LENGTH);
}

/* With posted interrupts the exit acknowledges the one that caused it. */
static void decode_interrupt(struct vcpu *vcpu)
{
	if ((vmx_features.exit & VMX_EXIT_ACKNOWLEDGE) != 0)
		vcpu->exit.acknowledged = (uint8_t)vmcs_read(VMCS_EXIT_EVENT);
}

static void decode_rdmsr(struct vcpu *vcpu)
{
	vcpu->exit.msr.is_write = false;
	decode_length(vcpu);
}

static void register_due(struct vcpu *vcpu, unsigned int offset)
{
	vmx_of(vcpu)->apic_written = (uint16_t)offset;
	vmx_of(vcpu)->due |= VMX_DUE_REGISTER;
}

static void decode_wrmsr(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->gpr[REG_RCX];

	vcpu->exit.msr.is_write = true;
	if (unlikely(msr == MSR_IA32_APIC_BASE)) {
		vmx_of(vcpu)->due |= VMX_DUE_MODE;
		atomic_store(&vcpu->vlapic.irr_hint, 1U); /* what waits in the page goes another way, maybe */
	} else if (msr >= X2APIC_MSR_FIRST && msr <= X2APIC_MSR_LAST) {
		register_due(vcpu, (msr - X2APIC_MSR_FIRST) * 16U);
	}
	decode_length(vcpu);
}

/* For an exit whose handling reads the guest's code. */
static void read_cr3(struct vcpu *vcpu)
{
	vcpu->cr3 = vmcs_read(VMCS_GUEST_CR3);
}

/* SDM 3C table 28-5. */
static void decode_io(struct vcpu *vcpu)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION);
	struct vcpu_exit *exit = &vcpu->exit;

	exit->io.port = (uint16_t)(info >> 16);
	exit->io.size = (uint8_t)((info & 7U) + 1U);
	exit->io.is_in = (info & 8U) != 0;
	exit->io.is_string = (info & 0x10U) != 0;
	exit->io.is_rep = (info & 0x20U) != 0;
	if (exit->io.is_string) {
		exit->io.addr_size =
			(uint8_t)(2U << ((vmcs_read(VMCS_INSTRUCTION_INFO) >> 7) & 7U));
		read_cr3(vcpu);
	}
	decode_length(vcpu);
}

/* SDM 3C table 28-3. What is not a move would need bits that we leave to the guest. */
static void decode_cr(struct vcpu *vcpu)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION);
	unsigned int access = (info >> 4) & 3U;

	if (access > 1U) {
		vcpu->exit.reason = EXIT_UNKNOWN;
		return;
	}
	vcpu->exit.cr.number = info & 0xFU;
	vcpu->exit.cr.is_write = access == 0;
	vcpu->exit.cr.reg = (info >> 8) & 0xFU;
	decode_length(vcpu);
}

static __attribute__((noinline)) void requeue(struct vcpu *vcpu, uint32_t info)
{
	static const uint8_t type[8] = {
		[VMX_EVENT_INTERRUPT] = EVENT_INTERRUPT,
		[VMX_EVENT_NMI] = EVENT_NMI,
		[VMX_EVENT_EXCEPTION] = EVENT_EXCEPTION,
		[VMX_EVENT_PRIVILEGED] = EVENT_EXCEPTION,
	};

	/* INTn, INT3 and INTO restart with their instruction, at which RIP still is: no type. */
	vcpu->event.type = type[(info >> VMX_EVENT_TYPE_SHIFT) & VMX_EVENT_TYPE];
	vcpu->event.vector = (uint8_t)info;
	vcpu->event.has_error = (info & VMX_EVENT_ERROR) != 0;
	if (vcpu->event.has_error)
		vcpu->event.error = (uint32_t)vmcs_read(VMCS_VECTORING_ERROR);
}

/* An event that was on its way in when the exit came goes in again (SDM 3C 28.2.4). */
static inline void requeue_event(struct vcpu *vcpu)
{
	uint32_t info = (uint32_t)vmcs_read(VMCS_VECTORING_EVENT);

	if (unlikely((info & VMX_EVENT_VALID) != 0))
		requeue(vcpu, info);
}

/* An IRET that faulted had already opened NMIs; it will be executed again (SDM 3C 28.2.3). */
static void mask_nmi_again(bool unblocked)
{
	if (unlikely(unblocked))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | VMX_BLOCKED_NMI);
}

/* SDM 3C table 28-7. */
static void decode_ept_violation(struct vcpu *vcpu)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION);

	read_cr3(vcpu);
	vcpu->exit.mem.gpa = vmcs_read(VMCS_GUEST_PHYSICAL);
	vcpu->exit.mem.kind = (info & 4U) != 0	       ? MEM_FETCH :
			      (info & 0x180U) == 0x80U ? MEM_WALK :
							 MEM_DATA;
	requeue_event(vcpu);
	mask_nmi_again((info & VMX_EVENT_NMI_UNBLOCKED) != 0 && vcpu->event.type == EVENT_NONE);
}

/* #DB: the CPU has changed neither DR6 nor DR7.GD, which its delivery would have (SDM 3C 28.1). */
static void debug_registers(struct vcpu *vcpu)
{
	uint64_t dr6 = vmx_reg_get(vcpu, VREG_DR6) & ~DR6_TRAPS;

	vmx_reg_set(vcpu, VREG_DR6, dr6 | vmcs_read(VMCS_QUALIFICATION));
	vmx_reg_set(vcpu, VREG_DR7, vmx_reg_get(vcpu, VREG_DR7) & ~DR7_GD);
}

static void decode_exception(struct vcpu *vcpu)
{
	uint32_t info = (uint32_t)vmcs_read(VMCS_EXIT_EVENT);

	read_cr3(vcpu);
	requeue_event(vcpu);
	if (((info >> VMX_EVENT_TYPE_SHIFT) & VMX_EVENT_TYPE) == VMX_EVENT_NMI) {
		vmx_take_nmi();
		vcpu->exit.reason = EXIT_INTERRUPT;
		return;
	}
	vcpu->exit.exception.vector = (uint8_t)info;
	vcpu->exit.exception.has_error = (info & VMX_EVENT_ERROR) != 0;
	vcpu->exit.exception.error = (uint32_t)vmcs_read(VMCS_EXIT_ERROR);
	vcpu->exit.exception.address = vmcs_read(VMCS_QUALIFICATION);
	if (vcpu->exit.exception.vector == EXC_DB)
		debug_registers(vcpu);
	mask_nmi_again((info & VMX_EVENT_NMI_UNBLOCKED) != 0 &&
		       vcpu->exit.exception.vector != EXC_DF);
}

/* What the CPU does not do for its own APIC page is done as for any device (SDM 3C table 28-6). */
static void decode_apic_access(struct vcpu *vcpu)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION);

	read_cr3(vcpu);
	vcpu->exit.mem.gpa = VLAPIC_DEFAULT_BASE + (info & 0xFFFU);
	vcpu->exit.mem.kind = ((info >> 12) & 0xFU) == 2U ? MEM_FETCH : MEM_DATA;
	register_due(vcpu, info & 0xFF0U);
	requeue_event(vcpu);
}

static void decode_apic_write(struct vcpu *vcpu)
{
	uint16_t offset = vmcs_read(VMCS_QUALIFICATION) & 0xFF0U;
	const uint8_t *page = vmx_of(vcpu)->virtual_apic;

	vcpu->exit.apic.offset = offset;
	vcpu->exit.apic.value = *(const uint32_t *)(const void *)(page + offset);
	vcpu->exit.apic.icr_high = *(const uint32_t *)(const void *)(page + APIC_ICR_HIGH);
	register_due(vcpu, offset);
}

static void decode_eoi(struct vcpu *vcpu)
{
	vcpu->exit.apic.vector = (uint8_t)vmcs_read(VMCS_QUALIFICATION);
}

/* Who wakes the vCPU looks at its vlapic. */
static void decode_hlt(struct vcpu *vcpu)
{
	if (vmx_of(vcpu)->apic_controls != 0)
		vmx_apic_pull(vcpu);
	decode_length(vcpu);
}

static void decode_window(struct vcpu *vcpu)
{
	vmx_set_controls(vmx_of(vcpu), VMX_CPU_INTERRUPT_WINDOW, false);
}

static void decode_nmi_window(struct vcpu *vcpu)
{
	vmx_set_controls(vmx_of(vcpu), VMX_CPU_NMI_WINDOW, false);
	vcpu->nmi_masked = false;
}

/* The offer that the priority held back is looked at again. */
static void decode_priority(struct vcpu *vcpu)
{
	vmx_set_threshold(vmx_of(vcpu), 0);
}

struct exit_row {
	enum exit_reason reason;
	decoder decode;
};

static const struct exit_row exits[VMX_EXIT_COUNT] = {
	[VMX_EXIT_EXCEPTION] = { EXIT_EXCEPTION, decode_exception },
	[VMX_EXIT_INTERRUPT] = { EXIT_INTERRUPT, decode_interrupt },
	[VMX_EXIT_TRIPLE_FAULT] = { EXIT_SHUTDOWN, NULL },
	[VMX_EXIT_INIT] = { EXIT_INTERRUPT, NULL },
	[VMX_EXIT_INTERRUPT_WINDOW] = { EXIT_WINDOW, decode_window },
	[VMX_EXIT_NMI_WINDOW] = { EXIT_NONE, decode_nmi_window },
	[VMX_EXIT_CPUID] = { EXIT_CPUID, decode_length },
	[VMX_EXIT_GETSEC] = { EXIT_UNDEFINED, NULL },
	[VMX_EXIT_HLT] = { EXIT_HLT, decode_hlt },
	[VMX_EXIT_INVD] = { EXIT_WBINVD, decode_length },
	[VMX_EXIT_RDPMC] = { EXIT_PROTECTED, NULL },
	[VMX_EXIT_VMCALL] = { EXIT_HYPERCALL, decode_length },
	[VMX_EXIT_VMCLEAR ... VMX_EXIT_VMXON] = { EXIT_UNDEFINED, NULL },
	[VMX_EXIT_CR] = { EXIT_CR, decode_cr },
	[VMX_EXIT_IO] = { EXIT_IO, decode_io },
	[VMX_EXIT_RDMSR] = { EXIT_MSR, decode_rdmsr },
	[VMX_EXIT_WRMSR] = { EXIT_MSR, decode_wrmsr },
	[VMX_EXIT_INVALID_STATE] = { EXIT_INVALID_STATE, NULL },
	[VMX_EXIT_MSR_LOAD] = { EXIT_INVALID_STATE, NULL },
	[VMX_EXIT_MWAIT] = { EXIT_UNDEFINED, NULL },
	[VMX_EXIT_MONITOR] = { EXIT_UNDEFINED, NULL },
	[VMX_EXIT_PAUSE] = { EXIT_PAUSE, decode_length },
	[VMX_EXIT_MACHINE_CHECK] = { EXIT_INVALID_STATE, NULL },
	[VMX_EXIT_TPR_BELOW] = { EXIT_NONE, decode_priority },
	[VMX_EXIT_APIC_ACCESS] = { EXIT_MEMORY, decode_apic_access },
	[VMX_EXIT_EOI] = { EXIT_EOI, decode_eoi },
	[VMX_EXIT_EPT_VIOLATION] = { EXIT_MEMORY, decode_ept_violation },
	[VMX_EXIT_INVEPT] = { EXIT_UNDEFINED, NULL },
	[VMX_EXIT_INVVPID] = { EXIT_UNDEFINED, NULL },
	[VMX_EXIT_WBINVD] = { EXIT_WBINVD, decode_length },
	[VMX_EXIT_XSETBV] = { EXIT_XSETBV, decode_length },
	[VMX_EXIT_APIC_WRITE] = { EXIT_APIC_WRITE, decode_apic_write },
};

void vmx_exit_decode(struct vcpu *vcpu)
{
	uint32_t code = (uint32_t)vmcs_read(VMCS_EXIT_REASON);
	unsigned int basic = MIN(code & 0xFFFFU, VMX_EXIT_COUNT - 1U); /* the last row is empty */
	const struct exit_row *row = &exits[basic];
	struct vcpu_exit *exit = &vcpu->exit;

	exit->raw = code;
	exit->insn_len = 0;
	exit->reason = row->reason;
	if (row->decode != NULL)
		row->decode(vcpu);
	else if (unlikely(row->reason == EXIT_NONE))
		exit->reason = EXIT_UNKNOWN;
}
