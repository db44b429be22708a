/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of CPUID that is the vCPU's own: its id, what it has enabled, and the sizes of what XSAVE writes. */
#include "unit.h"

#include <string.h>

#include "vcpu/backend.h"
#include "vm/exit.h"
#include "x86/cr.h"

static struct vm vm;
static struct vcpu vcpu;
static uint64_t cr4;

/* A processor with AVX (2), AVX-512 (5, 6, 7) and protection keys (9), as Intel's have them. */
static struct cpuid_regs leaf_d[10] = {
	[0] = { 0x2E7, 0, 0xA88, 0 },	 [1] = { 0xF, 0, 0, 0 },	[2] = { 0x100, 0x240, 0, 0 },
	[5] = { 0x40, 0x440, 0, 0 },	 [6] = { 0x200, 0x480, 0, 0 },	[7] = { 0x400, 0x680, 0, 0 },
	[9] = { 0x8, 0xA80, 0, 0 },
};

static uint64_t reg_get(struct vcpu *v, enum vcpu_reg reg)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(reg, VREG_CR4);
	return cr4;
}

static const struct vcpu_backend fake = { .reg_get = reg_get };
const struct vcpu_backend *vcpu_backend = &fake;

const struct cpuid_regs *cpuid_policy_find(const struct cpuid_policy *p, uint32_t leaf, uint32_t subleaf)
{
	static const struct cpuid_regs none, features = { 0x306C3, 0x800, 0x80000000, 0x1 };

	assert_ptr_equal(p, &vm.cpuid);
	if (leaf == CPUID_FEATURES)
		return &features;
	return leaf == CPUID_XSAVE && subleaf < ARRAY_SIZE(leaf_d) ? &leaf_d[subleaf] : &none;
}

static int fresh(void **state)
{
	(void)state;
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.owner = &vm;
	cr4 = 0;
	leaf_d[1].eax = 0xF;
	leaf_d[9].ecx = 0;
	return 0;
}

static void ask(uint32_t leaf, uint32_t subleaf)
{
	for (unsigned int i = 0; i < REG_COUNT; i++)
		vcpu.gpr[i] = ~0UL;
	vcpu.gpr[REG_RAX] = 0xFFFFFFFF00000000UL | leaf;
	vcpu.gpr[REG_RCX] = 0xFFFFFFFF00000000UL | subleaf;
	assert_int_equal(exit_cpuid(&vcpu), EXIT_HANDLED);
}

static void the_apic_id_and_osxsave_are_its_own(void **state)
{
	(void)state;
	vcpu.vlapic.id = 5;
	ask(CPUID_FEATURES, 7);
	assert_true(vcpu.gpr[REG_RAX] == 0x306C3 && vcpu.gpr[REG_RDX] == 1);
	assert_true(vcpu.gpr[REG_RBX] == 0x05000800);
	assert_true(vcpu.gpr[REG_RCX] == 0x80000000);
	cr4 = CR4_OSXSAVE;
	ask(CPUID_FEATURES, 0);
	assert_true(vcpu.gpr[REG_RCX] == (0x80000000 | CPUID_1_ECX_OSXSAVE));
	ask(CPUID_TOPOLOGY, 1);
	assert_true(vcpu.gpr[REG_RDX] == 5 && vcpu.gpr[REG_RCX] == 1);
}

static void xsave_writes_to_the_end_of_the_last_component(void **state)
{
	(void)state;
	vcpu.xcr0 = 3;
	ask(CPUID_XSAVE, 0);
	assert_int_equal(vcpu.gpr[REG_RBX], 0x240);
	assert_int_equal(vcpu.gpr[REG_RCX], 0xA88);
	vcpu.xcr0 = 7;
	ask(CPUID_XSAVE, 0);
	assert_int_equal(vcpu.gpr[REG_RBX], 0x340);
	vcpu.xcr0 = 0x203;
	ask(CPUID_XSAVE, 0);
	assert_int_equal(vcpu.gpr[REG_RBX], 0xA88);
}

static void xsaves_writes_one_behind_the_other(void **state)
{
	(void)state;
	vcpu.xcr0 = 3;
	ask(CPUID_XSAVE, 1);
	assert_int_equal(vcpu.gpr[REG_RAX], 0xF);
	assert_int_equal(vcpu.gpr[REG_RBX], 0x240);
	assert_true(vcpu.gpr[REG_RCX] == 0 && vcpu.gpr[REG_RDX] == 0); /* no supervisor's component */
	vcpu.xcr0 = 0x203;
	ask(CPUID_XSAVE, 1);
	assert_int_equal(vcpu.gpr[REG_RBX], 0x248);
	vcpu.xcr0 = 0x2E7;
	ask(CPUID_XSAVE, 1);
	assert_int_equal(vcpu.gpr[REG_RBX], 0x240 + 0x100 + 0x40 + 0x200 + 0x400 + 8);
	/* two small ones, the second aligned */
	leaf_d[2].eax = 8;
	leaf_d[9].ecx = 2;
	vcpu.xcr0 = 0x207;
	ask(CPUID_XSAVE, 1);
	assert_int_equal(vcpu.gpr[REG_RBX], 0x280 + 8);
	leaf_d[2].eax = 0x100;
	/* with neither XSAVEC nor XSAVES there is no such size */
	leaf_d[1].eax = 1;
	ask(CPUID_XSAVE, 1);
	assert_int_equal(vcpu.gpr[REG_RBX], 0);
}

static void what_is_not_there_is_zero(void **state)
{
	(void)state;
	ask(0x12, 0);
	assert_true((vcpu.gpr[REG_RAX] | vcpu.gpr[REG_RBX] | vcpu.gpr[REG_RCX] | vcpu.gpr[REG_RDX]) == 0);
	ask(CPUID_XSAVE, 3);
	assert_true((vcpu.gpr[REG_RAX] | vcpu.gpr[REG_RBX] | vcpu.gpr[REG_RCX] | vcpu.gpr[REG_RDX]) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_apic_id_and_osxsave_are_its_own, fresh),
		cmocka_unit_test_setup(xsave_writes_to_the_end_of_the_last_component, fresh),
		cmocka_unit_test_setup(xsaves_writes_one_behind_the_other, fresh),
		cmocka_unit_test_setup(what_is_not_there_is_zero, fresh),
	};

	return cmocka_run_group_tests_name("exit_cpuid", tests, NULL, NULL);
}
