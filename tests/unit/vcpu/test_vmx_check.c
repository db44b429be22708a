/* SPDX-License-Identifier: BSD-3-Clause */
/* A good guest state has nothing to be said of; each spoilt field is named. */
#include "unit.h"

#include <string.h>

#include "hw/cpu.h"
#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"

#define FIELDS 0x7000U
#define NOTHING "a part of it that the hypervisor keeps"

struct cpu_features cpu_features;
struct vmx_features vmx_features;

static uint64_t fields[FIELDS];
static struct vcpu vcpu;

uint64_t vmcs_read(enum vmcs_field field)
{
	return fields[field];
}

void vmx_open(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
}

void vmx_close(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
}

static void set_segment(unsigned int seg, uint32_t rights, uint32_t limit)
{
	fields[VMCS_GUEST_RIGHTS + 2 * seg] = rights;
	fields[VMCS_GUEST_LIMIT + 2 * seg] = limit;
}

/* A kernel in 64-bit mode. */
static int long_mode(void **state)
{
	(void)state;
	memset(fields, 0, sizeof(fields));
	cpu_features.phys_bits = 40;
	vmx_features.cr4_fixed0 = CR4_VMXE;
	vmx_features.cr4_fixed1 = 0x7FFFFF;
	fields[VMCS_GUEST_CR0] = CR0_PE | CR0_PG | CR0_NE;
	fields[VMCS_GUEST_CR4] = CR4_VMXE | CR4_PAE;
	fields[VMCS_GUEST_EFER] = EFER_LME | EFER_LMA;
	fields[VMCS_ENTRY_CONTROLS] = VMX_ENTRY_IA32E;
	fields[VMCS_GUEST_RFLAGS] = RFLAGS_FIXED1 | RFLAGS_IF;
	fields[VMCS_GUEST_RIP] = 0xFFFFFFFF81000000UL;
	fields[VMCS_GUEST_DR7] = 0x400;
	for (unsigned int seg = 0; seg <= SEG_GS; seg++)
		set_segment(seg, 0xC093, 0xFFFFFFFF);
	set_segment(SEG_CS, 0xA09B, 0xFFFFFFFF);
	set_segment(SEG_LDTR, SEG_UNUSABLE, 0);
	set_segment(SEG_TR, 0x8B, 0x67);
	return 0;
}

static void a_good_state_is_good(void **state)
{
	(void)state;
	assert_string_equal(vmx_explain(&vcpu), NOTHING);
}

/* As after reset. */
static void real_mode_is_good(void **state)
{
	(void)state;
	fields[VMCS_GUEST_CR0] = CR0_NE;
	fields[VMCS_GUEST_CR4] = CR4_VMXE;
	fields[VMCS_GUEST_EFER] = 0;
	fields[VMCS_ENTRY_CONTROLS] = 0;
	fields[VMCS_GUEST_RIP] = 0xFFF0;
	for (unsigned int seg = 0; seg <= SEG_GS; seg++)
		set_segment(seg, 0x93, 0xFFFF);
	set_segment(SEG_CS, 0x9B, 0xFFFF);
	set_segment(SEG_LDTR, 0x82, 0xFFFF);
	set_segment(SEG_TR, 0x8B, 0xFFFF);
	assert_string_equal(vmx_explain(&vcpu), NOTHING);
}

static void what_is_spoilt_is_named(void **state)
{
	static const struct {
		unsigned int field;
		uint64_t value;
		const char *said;
	} cases[] = {
		{ VMCS_GUEST_CR0, CR0_PG | CR0_NE, "CR0" },
		{ VMCS_GUEST_CR4, CR4_PAE, "CR4" },
		{ VMCS_GUEST_CR4, CR4_VMXE, "PAE" },
		{ VMCS_GUEST_CR4, CR4_VMXE | CR4_PAE | (1UL << 30), "CR4" },
		{ VMCS_GUEST_CR3, 1UL << 50, "CR3" },
		{ VMCS_GUEST_DR7, 1UL << 32, "DR7" },
		{ VMCS_GUEST_EFER, EFER_LME | EFER_LMA | (1UL << 20), "EFER" },
		{ VMCS_GUEST_EFER, EFER_LMA, "EFER" },
		{ VMCS_ENTRY_CONTROLS, 0, "EFER" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_CS, SEG_UNUSABLE, "CS" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_CS, 0xE09B, "CS" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_CS, 0xA091, "CS" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_SS, 0xC091, "SS" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_DS, 0xC092, "DS" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_ES, 0xC013, "ES" },
		{ VMCS_GUEST_LIMIT + 2 * SEG_FS, 0x12345, "FS" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_GS, 0x4093, "GS" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_TR, 0x83, "TR" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_TR, SEG_UNUSABLE, "TR" },
		{ VMCS_GUEST_RIGHTS + 2 * SEG_LDTR, 0x8B, "LDTR" },
		{ VMCS_GUEST_BASE + 2 * SEG_GS, 1UL << 63, "GS" },
		{ VMCS_GUEST_BASE + 2 * SEG_SS, 1UL << 32, "SS" },
		{ VMCS_GUEST_GDTR_BASE, 1UL << 63, "GDTR" },
		{ VMCS_GUEST_IDTR_LIMIT, 0x10000, "IDTR" },
		{ VMCS_GUEST_RIP, 1UL << 62, "RIP" },
		{ VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | (1UL << 15), "RFLAGS" },
		{ VMCS_GUEST_RFLAGS, 0, "RFLAGS" },
		{ VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_VM, "virtual-8086" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		long_mode(state);
		fields[cases[i].field] = cases[i].value;
		if (strstr(vmx_explain(&vcpu), cases[i].said) == NULL)
			fail_msg("case %u: '%s' does not name %s", i, vmx_explain(&vcpu), cases[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_state_is_good, long_mode),
		cmocka_unit_test_setup(real_mode_is_good, long_mode),
		cmocka_unit_test_setup(what_is_spoilt_is_named, long_mode),
	};

	return cmocka_run_group_tests_name("vmx_check", tests, NULL, NULL);
}
