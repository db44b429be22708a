/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recorded SVM exits against the neutral record they must become. The instruction's length, which
 * needs guest memory, is a fake that says what it was asked.
 */
#include "unit.h"

#include <string.h>

#include "lib/errno.h"
#include "vcpu/svm/svm.h"
#include "x86/cr.h"
#include "x86/exception.h"

struct svm_features svm_features;

static uint16_t asked_opcode;
static gva_t asked_rip;

unsigned int vcpu_insn_length(struct vcpu *vcpu, gva_t rip, uint64_t cr3, uint16_t opcode)
{
	(void)vcpu;
	(void)cr3;
	asked_opcode = opcode;
	asked_rip = rip;
	return opcode == 0xF4 ? 1 : 2;
}

static struct insn insn;
static const struct insn *decoded;

const struct insn *vcpu_decode(struct vcpu *vcpu, enum insn_mode *mode)
{
	(void)vcpu;
	*mode = INSN_MODE_32;
	return decoded;
}

static struct svm_vcpu arch;
static struct vmcb vmcb;
static struct vcpu vcpu;

static void decode(uint64_t code, uint64_t info1, uint64_t info2)
{
	memset(&vcpu, 0, sizeof(vcpu));
	arch.iret_rip = ~0UL;
	vcpu.arch = &arch;
	vmcb.exit_code = code;
	vmcb.exit_info1 = info1;
	vmcb.exit_info2 = info2;
	svm_exit_decode(&vcpu, &vmcb);
}

static int clean(void **state)
{
	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&arch, 0, sizeof(arch));
	svm_features.nrips = false;
	asked_opcode = 0;
	arch.vmcb = &vmcb;
	return 0;
}

static void reasons_are_told(void **state)
{
	static const struct {
		uint64_t code;
		enum exit_reason reason;
	} cases[] = {
		{ SVM_EXIT_INTR, EXIT_INTERRUPT },     { SVM_EXIT_NMI, EXIT_INTERRUPT },
		{ SVM_EXIT_VINTR, EXIT_WINDOW },       { SVM_EXIT_CPUID, EXIT_CPUID },
		{ SVM_EXIT_HLT, EXIT_HLT },	       { SVM_EXIT_IOIO, EXIT_IO },
		{ SVM_EXIT_MSR, EXIT_MSR },	       { SVM_EXIT_SHUTDOWN, EXIT_SHUTDOWN },
		{ SVM_EXIT_VMRUN, EXIT_UNDEFINED },    { SVM_EXIT_VMMCALL, EXIT_HYPERCALL },
		{ SVM_EXIT_MONITOR, EXIT_UNDEFINED },  { SVM_EXIT_XSETBV, EXIT_XSETBV },
		{ SVM_EXIT_NPF, EXIT_MEMORY },	       { SVM_EXIT_INVALID, EXIT_INVALID_STATE },
		{ SVM_EXIT_RDPMC, EXIT_PROTECTED },    { SVM_EXIT_WBINVD, EXIT_WBINVD },
		{ 0x10 /* CR0 write */, EXIT_UNKNOWN }, { 0x7D /* task switch */, EXIT_UNKNOWN },
		{ 0x401 /* AVIC */, EXIT_UNKNOWN },    { 0x12345678UL, EXIT_UNKNOWN },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		decode(cases[i].code, 0, 0);
		assert_int_equal(vcpu.exit.reason, cases[i].reason);
		assert_int_equal(vcpu.exit.raw, cases[i].code);
	}
}

/* OUT DX, AX in 64-bit code; IN AL, 0x21; REP OUTSB. APM 2 figure 15-2. */
static void port_accesses_are_told(void **state)
{
	(void)state;
	vmcb.rip = 0x1000;
	decode(SVM_EXIT_IOIO, 0x04020020UL, 0x1001);
	assert_int_equal(vcpu.exit.io.port, 0x402);
	assert_int_equal(vcpu.exit.io.size, 2);
	assert_false(vcpu.exit.io.is_in);
	assert_int_equal(vcpu.exit.insn_len, 1);
	decode(SVM_EXIT_IOIO, 0x00210011UL, 0x1002);
	assert_int_equal(vcpu.exit.io.port, 0x21);
	assert_int_equal(vcpu.exit.io.size, 1);
	assert_true(vcpu.exit.io.is_in);
	assert_false(vcpu.exit.io.is_string);
	assert_int_equal(vcpu.exit.insn_len, 2);
	decode(SVM_EXIT_IOIO, 0x03F8021CUL, 0x1002);
	assert_true(vcpu.exit.io.is_string);
	assert_true(vcpu.exit.io.is_rep);
	assert_int_equal(vcpu.exit.io.addr_size, 8);

	/* Emulated processors do not say the address size: the instruction does. */
	insn.addr_size = 4;
	decoded = &insn;
	decode(SVM_EXIT_IOIO, 0x0511001DUL, 0x1002);
	assert_int_equal(vcpu.exit.io.addr_size, 4);
	decoded = NULL;
	decode(SVM_EXIT_IOIO, 0x0511001DUL, 0x1002);
	assert_int_equal(vcpu.exit.io.addr_size, 8);
}

static void memory_accesses_are_told(void **state)
{
	(void)state;
	decode(SVM_EXIT_NPF, 0x100000006UL, 0xFEE000B0UL);
	assert_int_equal(vcpu.exit.mem.gpa, 0xFEE000B0UL);
	assert_int_equal(vcpu.exit.mem.kind, MEM_DATA);
	decode(SVM_EXIT_NPF, 0x200000004UL, 0x1000UL);
	assert_int_equal(vcpu.exit.mem.kind, MEM_WALK);
	decode(SVM_EXIT_NPF, 0x100000014UL, 0x1000UL);
	assert_int_equal(vcpu.exit.mem.kind, MEM_FETCH);
}

static void lengths_come_from_the_cpu_or_the_code(void **state)
{
	(void)state;
	vmcb.rip = 0x2000;
	decode(SVM_EXIT_CPUID, 0, 0);
	assert_int_equal(asked_opcode, 0x0FA2);
	assert_int_equal(vcpu.exit.insn_len, 2);
	decode(SVM_EXIT_MSR, 1, 0);
	assert_int_equal(asked_opcode, 0x0F30);
	assert_true(vcpu.exit.msr.is_write);
	decode(SVM_EXIT_HLT, 0, 0);
	assert_int_equal(vcpu.exit.insn_len, 1);
	svm_features.nrips = true;
	vmcb.next_rip = 0x2005;
	decode(SVM_EXIT_CPUID, 0, 0);
	assert_int_equal(vcpu.exit.insn_len, 5);
}

/* In 64-bit code the base of CS does not count, whatever the VMCB holds. */
static void code_is_looked_for_where_it_is(void **state)
{
	(void)state;
	vmcb.rip = 0xFFFFFFFF81000000UL;
	vmcb.cs.base = 0x1234;
	vmcb.cs.attr = 1U << 9;
	vmcb.efer = EFER_LMA;
	decode(SVM_EXIT_CPUID, 0, 0);
	assert_int_equal(asked_rip, 0xFFFFFFFF81000000UL);
	vmcb.efer = 0;
	vmcb.cs.base = 0xFFFF0000UL;
	vmcb.rip = 0xFFF0;
	decode(SVM_EXIT_CPUID, 0, 0);
	assert_int_equal(asked_rip, 0xFFFFFFF0UL);
}

static void an_interrupted_event_goes_in_again(void **state)
{
	(void)state;
	vmcb.exit_int_info = SVM_EVENT_VALID | (SVM_EVENT_INTR << SVM_EVENT_TYPE_SHIFT) | 0x31;
	decode(SVM_EXIT_NPF, 4, 0x5000);
	assert_int_equal(vcpu.event.type, EVENT_INTERRUPT);
	assert_int_equal(vcpu.event.vector, 0x31);
	vmcb.exit_int_info = SVM_EVENT_VALID | SVM_EVENT_ERROR | (5UL << 32) |
			     (SVM_EVENT_EXCEPTION << SVM_EVENT_TYPE_SHIFT) | EXC_PF;
	decode(SVM_EXIT_NPF, 4, 0x5000);
	assert_int_equal(vcpu.event.type, EVENT_EXCEPTION);
	assert_int_equal(vcpu.event.error, 5);
	/* INT n restarts with its instruction. */
	vmcb.exit_int_info = SVM_EVENT_VALID | (SVM_EVENT_SOFTWARE << SVM_EVENT_TYPE_SHIFT) | 0x80;
	decode(SVM_EXIT_NPF, 4, 0x5000);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
}

/* A vector that stands offered still must not go in twice. */
static void an_offer_that_stands_is_not_repeated(void **state)
{
	(void)state;
	vmcb.exit_int_info = SVM_EVENT_VALID | (SVM_EVENT_INTR << SVM_EVENT_TYPE_SHIFT) | 0x31;
	vmcb.int_ctl = SVM_V_IRQ;
	vmcb.int_vector = 0x31;
	decode(SVM_EXIT_NPF, 4, 0x5000);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	vmcb.int_vector = 0x32;
	decode(SVM_EXIT_NPF, 4, 0x5000);
	assert_int_equal(vcpu.event.type, EVENT_INTERRUPT);
}

static void an_nmi_is_masked_until_after_its_iret(void **state)
{
	(void)state;
	decode(SVM_EXIT_INTR, 0, 0);
	vcpu.nmi_masked = true;
	vmcb.intercept1 = SVM_I1_IRET;
	vmcb.rip = 0x7000;
	vmcb.exit_code = SVM_EXIT_IRET;
	svm_exit_decode(&vcpu, &vmcb);
	assert_int_equal(vcpu.exit.reason, EXIT_NONE);
	assert_true(vcpu.nmi_masked);
	assert_int_equal(vmcb.intercept1 & SVM_I1_IRET, 0);
	vmcb.rip = 0x9000;
	vmcb.exit_code = SVM_EXIT_INTR;
	svm_exit_decode(&vcpu, &vmcb);
	assert_false(vcpu.nmi_masked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reasons_are_told, clean),
		cmocka_unit_test_setup(port_accesses_are_told, clean),
		cmocka_unit_test_setup(memory_accesses_are_told, clean),
		cmocka_unit_test_setup(lengths_come_from_the_cpu_or_the_code, clean),
		cmocka_unit_test_setup(code_is_looked_for_where_it_is, clean),
		cmocka_unit_test_setup(an_interrupted_event_goes_in_again, clean),
		cmocka_unit_test_setup(an_offer_that_stands_is_not_repeated, clean),
		cmocka_unit_test_setup(an_nmi_is_masked_until_after_its_iret, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
