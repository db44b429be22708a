/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VMX exits, recorded and made, against the neutral record they must become. VMREAD and VMWRITE are fakes over a
 * table (fake/vcpu/vmx/vmcs_access.h).
 */
#include "unit.h"

#include <string.h>

#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"
#include "x86/cr.h"
#include "x86/exception.h"
#include "x86/msr.h"

#define FIELDS 0x7000U

struct vmx_features vmx_features;

static uint64_t fields[FIELDS];
static unsigned int nmis_taken;
static struct vmx_vcpu arch;
static struct vcpu vcpu;

uint64_t vmcs_read(enum vmcs_field field)
{
	return fields[field];
}

void vmcs_write(enum vmcs_field field, uint64_t value)
{
	fields[field] = value;
}

void vmx_take_nmi(void)
{
	nmis_taken++;
}

static uint64_t regs[VREG_COUNT];

uint64_t vmx_reg_get(struct vcpu *v, enum vcpu_reg reg)
{
	assert_ptr_equal(v, &vcpu);
	return regs[reg];
}

void vmx_reg_set(struct vcpu *v, enum vcpu_reg reg, uint64_t value)
{
	assert_ptr_equal(v, &vcpu);
	regs[reg] = value;
}

void vmx_set_controls(struct vmx_vcpu *x, uint32_t bits, bool on)
{
	x->cpu_controls = on ? x->cpu_controls | bits : x->cpu_controls & ~bits;
}

void vmx_set_threshold(struct vmx_vcpu *x, uint32_t threshold)
{
	x->tpr_threshold = threshold;
}

static unsigned int pulls;

void vmx_apic_pull(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	pulls++;
}

static int clean(void **state)
{
	(void)state;
	memset(fields, 0, sizeof(fields));
	memset(regs, 0, sizeof(regs));
	memset(&arch, 0, sizeof(arch));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.arch = &arch;
	nmis_taken = 0;
	return 0;
}

static void decode(uint64_t reason, uint64_t qualification, uint64_t length)
{
	fields[VMCS_EXIT_REASON] = reason;
	fields[VMCS_QUALIFICATION] = qualification;
	fields[VMCS_INSTRUCTION_LENGTH] = length;
	vmx_exit_decode(&vcpu);
}

static void reasons_are_told(void **state)
{
	static const struct {
		uint32_t code;
		enum exit_reason reason;
	} cases[] = {
		{ VMX_EXIT_INTERRUPT, EXIT_INTERRUPT },	   { VMX_EXIT_TRIPLE_FAULT, EXIT_SHUTDOWN },
		{ VMX_EXIT_INTERRUPT_WINDOW, EXIT_WINDOW }, { VMX_EXIT_NMI_WINDOW, EXIT_NONE },
		{ VMX_EXIT_CPUID, EXIT_CPUID },		   { VMX_EXIT_GETSEC, EXIT_UNDEFINED },
		{ VMX_EXIT_HLT, EXIT_HLT },		   { VMX_EXIT_INVD, EXIT_WBINVD },
		{ VMX_EXIT_RDPMC, EXIT_PROTECTED },	   { VMX_EXIT_VMCALL, EXIT_HYPERCALL },
		{ 19, EXIT_UNDEFINED },			   { 23, EXIT_UNDEFINED },
		{ 27, EXIT_UNDEFINED },			   { VMX_EXIT_IO, EXIT_IO },
		{ VMX_EXIT_RDMSR, EXIT_MSR },		   { VMX_EXIT_MWAIT, EXIT_UNDEFINED },
		{ VMX_EXIT_TPR_BELOW, EXIT_NONE },	   { VMX_EXIT_EPT_VIOLATION, EXIT_MEMORY },
		{ VMX_EXIT_INVEPT, EXIT_UNDEFINED },	   { VMX_EXIT_XSETBV, EXIT_XSETBV },
		{ VMX_ENTRY_FAILED | VMX_EXIT_INVALID_STATE, EXIT_INVALID_STATE },
		{ VMX_ENTRY_FAILED | VMX_EXIT_MACHINE_CHECK, EXIT_INVALID_STATE },
		{ VMX_EXIT_TASK_SWITCH, EXIT_UNKNOWN },	   { VMX_EXIT_EPT_MISCONFIG, EXIT_UNKNOWN },
		{ 5, EXIT_UNKNOWN },			   { 63, EXIT_UNKNOWN },
		{ 0xFFFF, EXIT_UNKNOWN },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		clean(state);
		decode(cases[i].code, 0, 2);
		assert_int_equal(vcpu.exit.reason, cases[i].reason);
		assert_int_equal(vcpu.exit.raw, cases[i].code);
	}
}

/* What the decoder of the exit's reason found, in two numbers. */
static uint64_t found(unsigned int *more)
{
	const struct vcpu_exit *e = &vcpu.exit;

	*more = 0;
	switch (e->reason) {
	case EXIT_MEMORY:
		*more = e->mem.kind;
		return e->mem.gpa;
	case EXIT_IO:
		*more = e->io.size | (e->io.is_in ? 0x10U : 0U);
		return e->io.port;
	case EXIT_APIC_WRITE:
		return e->apic.offset;
	case EXIT_EXCEPTION:
		return e->exception.vector;
	case EXIT_INTERRUPT:
		return e->acknowledged;
	case EXIT_MSR:
		return e->msr.is_write;
	case EXIT_CR:
		*more = e->cr.is_write;
		return e->cr.number;
	default:
		return 0;
	}
}

/* As Bochs' Haswell and, where bits are new, its Skylake gave them while the guests of tests/guest/tiny ran. */
static void exits_that_were_recorded_are_told(void **state)
{
	static const struct {
		uint64_t code, qualification, length, gpa, event;
		enum exit_reason reason;
		unsigned int insn_len;
		uint64_t found;
		unsigned int more;
	} cases[] = {
		{ 0x0, 0, 3, 0x1000000, 0x80000306, EXIT_EXCEPTION, 0, EXC_UD, 0 },
		{ 0x1, 0, 0, 0, 0x800000f0, EXIT_INTERRUPT, 0, 0xF0, 0 },
		{ 0x2, 0, 0, 0, 0, EXIT_SHUTDOWN, 0, 0, 0 },
		{ 0x7, 0, 0, 0xfee00300, 0, EXIT_WINDOW, 0, 0, 0 },
		{ 0x8, 0, 0, 0xfee00300, 0, EXIT_NONE, 0, 0, 0 },
		{ 0xa, 0, 2, 0xfee00300, 0, EXIT_CPUID, 2, 0, 0 },
		{ 0xc, 0, 1, 0xfee00380, 0, EXIT_HLT, 1, 0, 0 },
		{ 0x12, 0, 3, 0x1000000, 0, EXIT_HYPERCALL, 3, 0, 0 },
		{ 0x1c, 0, 3, 0, 0, EXIT_CR, 3, 0, 1 },
		{ 0x1e, 0x20100001, 1, 0, 0, EXIT_IO, 1, 0x2010, 2 },
		{ 0x1e, 0x3fd0008, 1, 0x1000000, 0, EXIT_IO, 1, 0x3FD, 0x11 },
		{ 0x1e, 0x3f80000, 1, 0x1000000, 0, EXIT_IO, 1, 0x3F8, 1 },
		{ 0x1f, 0, 2, 0x1000000, 0, EXIT_MSR, 2, false, 0 },
		{ 0x20, 0, 2, 0x1000000, 0, EXIT_MSR, 2, true, 0 },
		{ 0x2b, 0, 4, 0xfee00300, 0, EXIT_NONE, 0, 0, 0 },
		{ 0x2c, 0xa0, 2, 0x1000000, 0, EXIT_MEMORY, 0, 0xFEE000A0, MEM_DATA },
		{ 0x2c, 0x390, 2, 0x1000000, 0, EXIT_MEMORY, 0, 0xFEE00390, MEM_DATA },
		{ 0x30, 0x19c, 0, 0x1000000, 0, EXIT_MEMORY, 0, 0x1000000, MEM_FETCH },
		{ 0x30, 0x79c, 0, 0x1000000, 0, EXIT_MEMORY, 0, 0x1000000, MEM_FETCH },
		{ 0x30, 0x181, 2, 0xfee00020, 0, EXIT_MEMORY, 0, 0xFEE00020, MEM_DATA },
		{ 0x30, 0x182, 4, 0x3000, 0, EXIT_MEMORY, 0, 0x3000, MEM_DATA },
		{ 0x38, 0xf0, 0, 0x1000000, 0, EXIT_APIC_WRITE, 0, 0xF0, 0 },
		{ 0x38, 0x300, 0, 0x1000000, 0, EXIT_APIC_WRITE, 0, 0x300, 0 },
		{ 0x80000021, 0, 3, 0, 0, EXIT_INVALID_STATE, 0, 0, 0 },
	};
	static uint8_t page[PAGE_SIZE];
	unsigned int more;

	vmx_features.exit = VMX_EXIT_ACKNOWLEDGE;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		clean(state);
		arch.virtual_apic = page;
		fields[VMCS_GUEST_PHYSICAL] = cases[i].gpa;
		fields[VMCS_EXIT_EVENT] = cases[i].event;
		decode(cases[i].code, cases[i].qualification, cases[i].length);
		assert_int_equal(vcpu.exit.reason, cases[i].reason);
		assert_int_equal(vcpu.exit.insn_len, cases[i].insn_len);
		assert_int_equal(found(&more), cases[i].found);
		assert_int_equal(more, cases[i].more);
	}
	vmx_features.exit = 0;
}

/* Only where the exit is to acknowledge it does it say which. */
static void an_acknowledged_interrupt_is_told(void **state)
{
	(void)state;
	fields[VMCS_EXIT_EVENT] = VMX_EVENT_VALID | 0xF0;
	decode(VMX_EXIT_INTERRUPT, 0, 0);
	assert_int_equal(vcpu.exit.acknowledged, 0);
	vmx_features.exit = VMX_EXIT_ACKNOWLEDGE;
	decode(VMX_EXIT_INTERRUPT, 0, 0);
	assert_int_equal(vcpu.exit.reason, EXIT_INTERRUPT);
	assert_int_equal(vcpu.exit.acknowledged, 0xF0);
	vmx_features.exit = 0;
}

static void lengths_are_the_cpus_own(void **state)
{
	(void)state;
	decode(VMX_EXIT_VMCALL, 0, 3);
	assert_int_equal(vcpu.exit.insn_len, 3);
	decode(VMX_EXIT_WRMSR, 0, 2);
	assert_int_equal(vcpu.exit.insn_len, 2);
	assert_true(vcpu.exit.msr.is_write);
	decode(VMX_EXIT_RDMSR, 0, 2);
	assert_false(vcpu.exit.msr.is_write);
	/* fault-like exits have none */
	decode(VMX_EXIT_EPT_VIOLATION, 0x81, 7);
	assert_int_equal(vcpu.exit.insn_len, 0);
}

/* OUT DX, AX; IN AL, 60H; REP INSD with 32-bit addresses. */
static void ports_are_told(void **state)
{
	(void)state;
	decode(VMX_EXIT_IO, 0x03F80001UL, 2);
	assert_int_equal(vcpu.exit.io.port, 0x3F8);
	assert_int_equal(vcpu.exit.io.size, 2);
	assert_false(vcpu.exit.io.is_in);
	assert_false(vcpu.exit.io.is_string);
	decode(VMX_EXIT_IO, 0x00600048UL, 2);
	assert_int_equal(vcpu.exit.io.size, 1);
	assert_true(vcpu.exit.io.is_in);
	fields[VMCS_INSTRUCTION_INFO] = 1U << 7;
	decode(VMX_EXIT_IO, 0x0510003BUL, 2);
	assert_int_equal(vcpu.exit.io.size, 4);
	assert_true(vcpu.exit.io.is_string);
	assert_true(vcpu.exit.io.is_rep);
	assert_int_equal(vcpu.exit.io.addr_size, 4);
	fields[VMCS_INSTRUCTION_INFO] = 2U << 7;
	fields[VMCS_GUEST_CR3] = 0x1234000;
	decode(VMX_EXIT_IO, 0x05100013UL, 2);
	assert_int_equal(vcpu.exit.io.addr_size, 8);
	assert_int_equal(vcpu.cr3, 0x1234000);
	assert_false(vcpu.exit.io.is_rep);
}

/* MOV CR0, RBX; MOV R9, CR8; CLTS, which needs no exit. */
static void control_registers_are_told(void **state)
{
	(void)state;
	decode(VMX_EXIT_CR, 0x300, 3);
	assert_int_equal(vcpu.exit.reason, EXIT_CR);
	assert_int_equal(vcpu.exit.cr.number, 0);
	assert_true(vcpu.exit.cr.is_write);
	assert_int_equal(vcpu.exit.cr.reg, REG_RBX);
	decode(VMX_EXIT_CR, 0x918, 4);
	assert_int_equal(vcpu.exit.cr.number, 8);
	assert_false(vcpu.exit.cr.is_write);
	assert_int_equal(vcpu.exit.cr.reg, REG_R9);
	decode(VMX_EXIT_CR, 0x20, 2);
	assert_int_equal(vcpu.exit.reason, EXIT_UNKNOWN);
}

static void memory_accesses_are_told(void **state)
{
	(void)state;
	fields[VMCS_GUEST_PHYSICAL] = 0xFEE00300UL;
	decode(VMX_EXIT_EPT_VIOLATION, 0x182, 0);
	assert_true(vcpu.exit.mem.gpa == 0xFEE00300UL);
	assert_int_equal(vcpu.exit.mem.kind, MEM_DATA);
	decode(VMX_EXIT_EPT_VIOLATION, 0x184, 0);
	assert_int_equal(vcpu.exit.mem.kind, MEM_FETCH);
	decode(VMX_EXIT_EPT_VIOLATION, 0x81, 0);
	assert_int_equal(vcpu.exit.mem.kind, MEM_WALK);
	/* the guest's own page directory pointers: no linear address */
	decode(VMX_EXIT_EPT_VIOLATION, 0x01, 0);
	assert_int_equal(vcpu.exit.mem.kind, MEM_DATA);
}

static void what_was_on_its_way_goes_in_again(void **state)
{
	(void)state;
	fields[VMCS_VECTORING_EVENT] = 0x80000000U | 0x31;
	decode(VMX_EXIT_EPT_VIOLATION, 0x181, 0);
	assert_int_equal(vcpu.event.type, EVENT_INTERRUPT);
	assert_int_equal(vcpu.event.vector, 0x31);
	fields[VMCS_VECTORING_EVENT] = 0x80000B0EU; /* #PF with error code */
	fields[VMCS_VECTORING_ERROR] = 6;
	decode(VMX_EXIT_EPT_VIOLATION, 0x181, 0);
	assert_int_equal(vcpu.event.type, EVENT_EXCEPTION);
	assert_int_equal(vcpu.event.vector, EXC_PF);
	assert_true(vcpu.event.has_error);
	assert_int_equal(vcpu.event.error, 6);
	fields[VMCS_VECTORING_EVENT] = 0x80000202U;
	decode(VMX_EXIT_EPT_VIOLATION, 0x181, 0);
	assert_int_equal(vcpu.event.type, EVENT_NMI);
}

static void software_interrupts_restart(void **state)
{
	static const uint32_t events[] = { 0x80000480U, 0x80000603U, 0x80000604U };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++) {
		vcpu.event.type = EVENT_NONE;
		fields[VMCS_VECTORING_EVENT] = events[i];
		decode(VMX_EXIT_EPT_VIOLATION, 0x181, 0);
		assert_int_equal(vcpu.event.type, EVENT_NONE);
	}
}

static void an_nmi_is_taken(void **state)
{
	(void)state;
	fields[VMCS_EXIT_EVENT] = 0x80000202U;
	decode(VMX_EXIT_EXCEPTION, 0, 0);
	assert_int_equal(vcpu.exit.reason, EXIT_INTERRUPT);
	assert_int_equal(nmis_taken, 1);
}

static void exceptions_are_told(void **state)
{
	(void)state;
	fields[VMCS_EXIT_EVENT] = 0x80000B11U; /* #AC */
	decode(VMX_EXIT_EXCEPTION, 0, 0);
	assert_int_equal(vcpu.exit.reason, EXIT_EXCEPTION);
	assert_int_equal(vcpu.exit.exception.vector, EXC_AC);
	assert_true(vcpu.exit.exception.has_error);
	assert_int_equal(nmis_taken, 0);
	fields[VMCS_EXIT_EVENT] = 0x80000306U;
	decode(VMX_EXIT_EXCEPTION, 0, 0);
	assert_int_equal(vcpu.exit.exception.vector, EXC_UD);
	assert_false(vcpu.exit.exception.has_error);
}

/* What the delivery of #DB would have changed, we change. */
static void debug_registers_follow(void **state)
{
	(void)state;
	regs[VREG_DR6] = 0xFFFF0FF2UL;
	regs[VREG_DR7] = 0x2400UL | 1U;
	fields[VMCS_EXIT_EVENT] = 0x80000301U;
	decode(VMX_EXIT_EXCEPTION, 0x4001, 0);
	assert_int_equal(regs[VREG_DR6], 0xFFFF4FF1UL);
	assert_int_equal(regs[VREG_DR7], 0x401UL);
}

static void a_faulting_iret_masks_nmis_again(void **state)
{
	(void)state;
	decode(VMX_EXIT_EPT_VIOLATION, 0x181 | VMX_EVENT_NMI_UNBLOCKED, 0);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY], VMX_BLOCKED_NMI);
	/* but not while an event is delivered: then the bit means nothing */
	clean(state);
	fields[VMCS_VECTORING_EVENT] = 0x80000031U;
	decode(VMX_EXIT_EPT_VIOLATION, 0x181 | VMX_EVENT_NMI_UNBLOCKED, 0);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
}

static void windows_close_behind_themselves(void **state)
{
	(void)state;
	arch.cpu_controls = VMX_CPU_INTERRUPT_WINDOW | VMX_CPU_NMI_WINDOW | VMX_CPU_HLT;
	vcpu.nmi_masked = true;
	decode(VMX_EXIT_INTERRUPT_WINDOW, 0, 0);
	assert_int_equal(arch.cpu_controls, VMX_CPU_NMI_WINDOW | VMX_CPU_HLT);
	decode(VMX_EXIT_NMI_WINDOW, 0, 0);
	assert_int_equal(arch.cpu_controls, VMX_CPU_HLT);
	assert_false(vcpu.nmi_masked);
	arch.tpr_threshold = 4;
	decode(VMX_EXIT_TPR_BELOW, 0, 0);
	assert_int_equal(arch.tpr_threshold, 0);
}

static uint32_t apic_page[1024];

/* ICR: the high half lies in the page beside it. */
static void a_written_apic_register_is_told(void **state)
{
	(void)state;
	arch.virtual_apic = (uint8_t *)apic_page;
	apic_page[APIC_ICR / 4] = 0x4031;
	apic_page[APIC_ICR_HIGH / 4] = 0x02000000;
	decode(VMX_EXIT_APIC_WRITE, APIC_ICR, 0);
	assert_int_equal(vcpu.exit.reason, EXIT_APIC_WRITE);
	assert_int_equal(vcpu.exit.apic.offset, APIC_ICR);
	assert_int_equal(vcpu.exit.apic.value, 0x4031);
	assert_int_equal(vcpu.exit.apic.icr_high, 0x02000000);
	assert_int_equal(vcpu.exit.insn_len, 0);
	assert_int_equal(arch.due, VMX_DUE_REGISTER);
	assert_int_equal(arch.apic_written, APIC_ICR);
	decode(VMX_EXIT_EOI, 0x71, 0);
	assert_int_equal(vcpu.exit.reason, EXIT_EOI);
	assert_int_equal(vcpu.exit.apic.vector, 0x71);
}

/* A read of the timer's count, which the CPU does not keep: a device access. */
static void other_apic_accesses_are_device_accesses(void **state)
{
	(void)state;
	decode(VMX_EXIT_APIC_ACCESS, APIC_TIMER_CURRENT, 0);
	assert_int_equal(vcpu.exit.reason, EXIT_MEMORY);
	assert_true(vcpu.exit.mem.gpa == 0xFEE00390UL);
	assert_int_equal(vcpu.exit.mem.kind, MEM_DATA);
	decode(VMX_EXIT_APIC_ACCESS, 0x2000U | APIC_TIMER_INIT, 0);
	assert_int_equal(vcpu.exit.mem.kind, MEM_FETCH);
	decode(VMX_EXIT_APIC_ACCESS, 0x1000U | APIC_TIMER_INIT, 0);
	assert_int_equal(vcpu.exit.mem.kind, MEM_DATA);
	assert_int_equal(arch.apic_written, APIC_TIMER_INIT);
}

/* A register of the local APIC may read otherwise now; its mode decides where what waits is to go. */
static void writes_of_apic_msrs_are_noted(void **state)
{
	(void)state;
	vcpu.gpr[REG_RCX] = 0xFFFFFFFF00000000UL | MSR_IA32_APIC_BASE;
	decode(VMX_EXIT_WRMSR, 0, 2);
	assert_int_equal(arch.due, VMX_DUE_MODE);
	assert_int_equal(vcpu.vlapic.irr_hint, 1);
	clean(state);
	vcpu.gpr[REG_RCX] = X2APIC_MSR(APIC_LVT_ERROR);
	decode(VMX_EXIT_WRMSR, 0, 2);
	assert_int_equal(arch.due, VMX_DUE_REGISTER);
	assert_int_equal(arch.apic_written, APIC_LVT_ERROR);
	clean(state);
	vcpu.gpr[REG_RCX] = X2APIC_MSR_LAST + 1;
	decode(VMX_EXIT_WRMSR, 0, 2);
	decode(VMX_EXIT_RDMSR, 0, 2);
	assert_int_equal(arch.due, 0);
}

static void a_halt_gives_the_vlapic_its_vectors_back(void **state)
{
	(void)state;
	pulls = 0;
	decode(VMX_EXIT_HLT, 0, 1);
	assert_int_equal(pulls, 0);
	arch.apic_controls = VMX_CPU2_XAPIC;
	decode(VMX_EXIT_HLT, 0, 1);
	assert_int_equal(pulls, 1);
	assert_int_equal(vcpu.exit.insn_len, 1);
}

static void a_new_apic_mode_is_looked_at(void **state)
{
	(void)state;
	vcpu.gpr[REG_RCX] = 0x1B;
	decode(VMX_EXIT_RDMSR, 0, 2);
	assert_int_equal(arch.due, 0);
	decode(VMX_EXIT_WRMSR, 0, 2);
	assert_int_equal(arch.due, VMX_DUE_MODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reasons_are_told, clean),
		cmocka_unit_test_setup(exits_that_were_recorded_are_told, clean),
		cmocka_unit_test_setup(an_acknowledged_interrupt_is_told, clean),
		cmocka_unit_test_setup(lengths_are_the_cpus_own, clean),
		cmocka_unit_test_setup(ports_are_told, clean),
		cmocka_unit_test_setup(control_registers_are_told, clean),
		cmocka_unit_test_setup(memory_accesses_are_told, clean),
		cmocka_unit_test_setup(what_was_on_its_way_goes_in_again, clean),
		cmocka_unit_test_setup(software_interrupts_restart, clean),
		cmocka_unit_test_setup(an_nmi_is_taken, clean),
		cmocka_unit_test_setup(exceptions_are_told, clean),
		cmocka_unit_test_setup(debug_registers_follow, clean),
		cmocka_unit_test_setup(a_faulting_iret_masks_nmis_again, clean),
		cmocka_unit_test_setup(windows_close_behind_themselves, clean),
		cmocka_unit_test_setup(a_written_apic_register_is_told, clean),
		cmocka_unit_test_setup(other_apic_accesses_are_device_accesses, clean),
		cmocka_unit_test_setup(writes_of_apic_msrs_are_noted, clean),
		cmocka_unit_test_setup(a_halt_gives_the_vlapic_its_vectors_back, clean),
		cmocka_unit_test_setup(a_new_apic_mode_is_looked_at, clean),
	};

	return cmocka_run_group_tests_name("vmx_exit", tests, NULL, NULL);
}
