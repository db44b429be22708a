/* SPDX-License-Identifier: BSD-3-Clause */
/* Exits that need no room of their own, and the table. A handler never moves RIP: run.c does. */
#include "vm/exit.h"

#include "hw/cpu.h"
#include "hw/irq.h"
#include "lib/log.h"
#include "vcpu/backend.h"
#include "vcpu/fpu.h"
#include "vcpu/inject.h"
#include "vm/run.h"
#include "x86/cr.h"
#include "x86/exception.h"

enum exit_result exit_fault(struct vcpu *vcpu, uint8_t vector)
{
	if (!inject_exception(vcpu, vector, false, 0))
		vcpu_vm(vcpu)->fatal(vcpu, "triple fault");
	return EXIT_RETRY;
}

enum exit_result exit_fault_code(struct vcpu *vcpu, uint8_t vector, uint32_t error)
{
	if (!inject_exception(vcpu, vector, true, error))
		vcpu_vm(vcpu)->fatal(vcpu, "triple fault");
	return EXIT_RETRY;
}

enum exit_result exit_page_fault(struct vcpu *vcpu, const struct vcpu_fault *fault)
{
	if (!inject_page_fault(vcpu, fault->address, fault->error))
		vcpu_vm(vcpu)->fatal(vcpu, "triple fault");
	return EXIT_RETRY;
}

static enum exit_result exit_none(struct vcpu *vcpu)
{
	(void)vcpu;
	return EXIT_RETRY;
}

static enum exit_result exit_interrupt(struct vcpu *vcpu)
{
	uint8_t vector = vcpu->exit.acknowledged;

	if (vector != 0) {
		vcpu->exit.acknowledged = 0;
		irq_dispatch(vector);
	}
	cpu_irq_window();
	run_pass_nmis();
	return EXIT_RETRY;
}

/* RIP is past the write already. */
static enum exit_result exit_apic_write(struct vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->exit;
	struct io_access io = { .space = IO_MMIO, .is_write = true, .size = 4 };

	/* Of an x2APIC it is the self-IPI register with a vector that is none, which sets a bit in ESR. */
	if (vlapic_is_x2apic(&vcpu->vlapic)) {
		(void)vlapic_msr_write(&vcpu->vlapic, X2APIC_MSR(exit->apic.offset), exit->apic.value);
		return EXIT_RETRY;
	}
	if (exit->apic.offset == APIC_ICR) {
		io.addr = APIC_ICR_HIGH;
		io.value = exit->apic.icr_high;
		(void)vlapic_mmio(&vcpu->vlapic, &io);
	}
	io.addr = exit->apic.offset;
	io.value = exit->apic.value;
	(void)vlapic_mmio(&vcpu->vlapic, &io);
	return EXIT_RETRY;
}

static enum exit_result exit_eoi(struct vcpu *vcpu)
{
	vlapic_eoi_seen(&vcpu->vlapic, vcpu->exit.apic.vector);
	return EXIT_RETRY;
}

static enum exit_result exit_hlt(struct vcpu *vcpu)
{
	vcpu->state = VCPU_HALTED;
	return EXIT_HANDLED;
}

/* SDM 2C XSETBV: CPL 0, ECX 0, a combination that exists. */
static enum exit_result exit_xsetbv(struct vcpu *vcpu)
{
	uint64_t value = (vcpu->gpr[REG_RDX] << 32) | (uint32_t)vcpu->gpr[REG_RAX];

	if ((vcpu_backend->reg_get(vcpu, VREG_CR4) & CR4_OSXSAVE) == 0)
		return exit_fault(vcpu, EXC_UD);
	if (vcpu_cpl(vcpu) != 0 || (uint32_t)vcpu->gpr[REG_RCX] != 0 ||
	    !xcr0_is_valid(value, fpu_supported()))
		return exit_fault_code(vcpu, EXC_GP, 0);
	fpu_set_xcr0(vcpu, value);
	return EXIT_HANDLED;
}

/* All of a guest's memory is cache-coherent, and no device of it bypasses the caches. */
static enum exit_result exit_wbinvd(struct vcpu *vcpu)
{
	(void)vcpu;
	return EXIT_HANDLED;
}

static enum exit_result exit_pause(struct vcpu *vcpu)
{
	(void)vcpu;
	return EXIT_HANDLED;
}

/* VMCALL is an invalid opcode on AMD, but the in-tree driver issues it there too; VMMCALL on Intel. */
static bool is_others_hypercall(struct vcpu *vcpu)
{
	uint8_t code[3];

	return vcpu_fetch(vcpu, code, sizeof(code)) == sizeof(code) && code[0] == 0x0F &&
	       code[1] == 0x01 && (code[2] == 0xC1 || code[2] == 0xD9);
}

static enum exit_result exit_exception(struct vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->exit;

	if (exit->exception.vector == EXC_UD && is_others_hypercall(vcpu)) {
		vcpu->exit.insn_len = 3;
		return exit_hypercall(vcpu);
	}
	if (exit->exception.vector == EXC_PF)
		return exit_page_fault(vcpu, &(struct vcpu_fault){ exit->exception.address, exit->exception.error });
	if (exit->exception.has_error)
		return exit_fault_code(vcpu, exit->exception.vector, exit->exception.error);
	return exit_fault(vcpu, exit->exception.vector);
}

static enum exit_result exit_undefined(struct vcpu *vcpu)
{
	return exit_fault(vcpu, EXC_UD);
}

static enum exit_result exit_protected(struct vcpu *vcpu)
{
	return exit_fault_code(vcpu, EXC_GP, 0);
}

static enum exit_result exit_shutdown(struct vcpu *vcpu)
{
	vcpu_vm(vcpu)->fatal(vcpu, "triple fault");
	return EXIT_RETRY;
}

static enum exit_result exit_invalid(struct vcpu *vcpu)
{
	if (vcpu->state != VCPU_OFFLINE)
		log_error("vm%u vcpu%u: the CPU refuses to enter the guest: %s", vcpu_vm(vcpu)->id,
			  vcpu->index, vcpu_backend->explain(vcpu));
	vcpu_vm(vcpu)->fatal(vcpu, "the CPU refused the guest's state");
	return EXIT_RETRY;
}

static enum exit_result exit_unknown(struct vcpu *vcpu)
{
	vcpu_vm(vcpu)->fatal(vcpu, "unknown exit");
	return EXIT_RETRY;
}

static enum exit_result (*const handlers[EXIT_REASON_COUNT])(struct vcpu *vcpu) = {
	[EXIT_NONE] = exit_none,
	[EXIT_INTERRUPT] = exit_interrupt,
	[EXIT_WINDOW] = exit_none,
	[EXIT_IO] = exit_io,
	[EXIT_MEMORY] = exit_memory,
	[EXIT_MSR] = exit_msr,
	[EXIT_CPUID] = exit_cpuid,
	[EXIT_CR] = exit_cr,
	[EXIT_APIC_WRITE] = exit_apic_write,
	[EXIT_EOI] = exit_eoi,
	[EXIT_HLT] = exit_hlt,
	[EXIT_HYPERCALL] = exit_hypercall,
	[EXIT_XSETBV] = exit_xsetbv,
	[EXIT_WBINVD] = exit_wbinvd,
	[EXIT_PAUSE] = exit_pause,
	[EXIT_EXCEPTION] = exit_exception,
	[EXIT_UNDEFINED] = exit_undefined,
	[EXIT_PROTECTED] = exit_protected,
	[EXIT_SHUTDOWN] = exit_shutdown,
	[EXIT_INVALID_STATE] = exit_invalid,
	[EXIT_UNKNOWN] = exit_unknown,
};

enum exit_result exit_handle(struct vcpu *vcpu)
{
	return handlers[vcpu->exit.reason](vcpu);
}
