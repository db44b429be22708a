/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is made of a CPU's capability MSRs: nothing is asked for that it does not allow, and whatever we cannot do
 * without has a sentence of its own.
 */
#include "unit.h"

#include <string.h>

#include "fake/log.h"
#include "hw/cpu.h"
#include "vcpu/vmx/vmx.h"
#include "x86/msr.h"

#define HIGH(bits) ((uint64_t)(bits) << 32)
#define NO_MSR 0xFFFFU

struct cpu_features cpu_features;
bool vcpu_plain_apic;

/* As a CPU of the Haswell generation has them. */
static const struct {
	uint32_t msr;
	uint64_t value;
} haswell[] = {
	{ MSR_IA32_FEATURE_CONTROL, 5 },
	{ MSR_IA32_VMX_BASIC, 0x00DA040000000012UL },
	{ MSR_IA32_VMX_CR0_FIXED0, 0x80000021 },
	{ MSR_IA32_VMX_CR0_FIXED1, 0xFFFFFFFF },
	{ MSR_IA32_VMX_CR4_FIXED0, 0x2000 },
	{ MSR_IA32_VMX_CR4_FIXED1, 0x1727FF },
	{ MSR_IA32_VMX_PROCBASED2, 0x00007FFF00000000UL },
	{ MSR_IA32_VMX_EPT_VPID_CAP, 0x00000F0106334141UL },
	{ MSR_IA32_VMX_TRUE_PINBASED, 0x0000007F00000016UL },
	{ MSR_IA32_VMX_TRUE_PROCBASED, 0xFFF9FFFE04006172UL },
	{ MSR_IA32_VMX_TRUE_EXIT, 0x007FFFFF00036DFBUL },
	{ MSR_IA32_VMX_TRUE_ENTRY, 0x0000FFFF000011FBUL },
};
static uint64_t msrs[ARRAY_SIZE(haswell)];

static unsigned int place(uint32_t msr)
{
	unsigned int i = 0;

	while (i < ARRAY_SIZE(haswell) && haswell[i].msr != msr)
		i++;
	assert_true(i < ARRAY_SIZE(haswell));
	return i;
}

uint64_t msr_read(uint32_t msr)
{
	return msrs[place(msr)];
}

bool msr_read_safe(uint32_t msr, uint64_t *value)
{
	*value = msrs[place(msr)];
	return *value != NO_MSR;
}

static int fresh(void **state)
{
	(void)state;
	vmx_features = (struct vmx_features){ 0 };
	cpu_features.vmx = true;
	fake_log_lines = 0;
	vcpu_plain_apic = false;
	for (unsigned int i = 0; i < ARRAY_SIZE(haswell); i++)
		msrs[i] = haswell[i].value;
	return 0;
}

static void is_allowed(uint32_t msr, uint32_t controls)
{
	uint64_t cap = msr_read(msr);

	assert_int_equal((uint32_t)cap & ~controls, 0);
	assert_int_equal(controls & ~(uint32_t)(cap >> 32), 0);
}

static void only_what_is_allowed_is_asked_for(void **state)
{
	(void)state;
	assert_null(vmx_probe());
	is_allowed(MSR_IA32_VMX_TRUE_PINBASED, vmx_features.pin);
	is_allowed(MSR_IA32_VMX_TRUE_PROCBASED, vmx_features.cpu);
	is_allowed(MSR_IA32_VMX_PROCBASED2, vmx_features.cpu2 | vmx_features.xapic | vmx_features.x2apic);
	is_allowed(MSR_IA32_VMX_TRUE_EXIT, vmx_features.exit);
	is_allowed(MSR_IA32_VMX_TRUE_ENTRY, vmx_features.entry);
	assert_int_equal(vmx_features.revision, 0x12);
	assert_true(vmx_offers(VCPU_RDTSCP) && vmx_offers(VCPU_INVPCID));
	assert_false(vmx_offers(VCPU_XSAVES));
	assert_int_equal(vmx_features.cpu2 & VMX_CPU2_VPID, VMX_CPU2_VPID);
	assert_int_equal(fake_log_lines, 2); /* XSAVES is not there; the local APIC */
	msrs[place(MSR_IA32_VMX_PROCBASED2)] |= HIGH(VMX_CPU2_XSAVES);
	assert_null(vmx_probe());
	assert_true(vmx_offers(VCPU_XSAVES));
	assert_int_equal(fake_log_lines, 3);
}

static void what_is_needed_is_named(void **state)
{
	static const struct {
		uint32_t msr;
		uint64_t without;
		const char *said;
	} cases[] = {
		{ MSR_IA32_VMX_BASIC, VMX_BASIC_TRUE_CONTROLS, "generation" },
		{ MSR_IA32_VMX_TRUE_PINBASED, HIGH(VMX_PIN_VIRTUAL_NMI), "virtual NMIs" },
		{ MSR_IA32_VMX_TRUE_PROCBASED, HIGH(VMX_CPU_MSR_BITMAPS), "processor-based controls" },
		{ MSR_IA32_VMX_TRUE_PROCBASED, HIGH(VMX_CPU_SECONDARY), "processor-based controls" },
		{ MSR_IA32_VMX_PROCBASED2, HIGH(VMX_CPU2_EPT), "extended page tables" },
		{ MSR_IA32_VMX_PROCBASED2, HIGH(VMX_CPU2_UNRESTRICTED), "unrestricted guest" },
		{ MSR_IA32_VMX_TRUE_EXIT, HIGH(VMX_EXIT_LOAD_EFER), "at an exit" },
		{ MSR_IA32_VMX_TRUE_ENTRY, HIGH(VMX_ENTRY_LOAD_PAT), "at an entry" },
		{ MSR_IA32_VMX_EPT_VPID_CAP, VMX_EPT_CAP_WB, "write-back" },
		{ MSR_IA32_VMX_EPT_VPID_CAP, VMX_EPT_CAP_INVEPT_ALL, "INVEPT" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why;

		fresh(state);
		msrs[place(cases[i].msr)] &= ~cases[i].without;
		why = vmx_probe();
		assert_non_null(why);
		assert_non_null(strstr(why, cases[i].said));
	}
}

static void the_firmware_may_forbid_it(void **state)
{
	(void)state;
	msrs[place(MSR_IA32_FEATURE_CONTROL)] = FEATURE_CONTROL_LOCK;
	assert_string_equal(vmx_probe(), "VMX is disabled by the firmware");
	msrs[place(MSR_IA32_FEATURE_CONTROL)] = 0; /* left open: locked on by us */
	assert_null(vmx_probe());
	msrs[place(MSR_IA32_FEATURE_CONTROL)] = NO_MSR;
	assert_null(vmx_probe());
	cpu_features.vmx = false;
	assert_string_equal(vmx_probe(), "the CPU has no VMX");
}

static void what_is_only_wanted_is_done_without(void **state)
{
	(void)state;
	msrs[place(MSR_IA32_VMX_PROCBASED2)] = HIGH(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED);
	msrs[place(MSR_IA32_VMX_TRUE_PROCBASED)] &= ~HIGH(VMX_CPU_TPR_SHADOW);
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.cpu2, VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED);
	assert_int_equal(vmx_features.xapic | vmx_features.x2apic | vmx_features.posted, 0);
	assert_false(vmx_offers(VCPU_RDTSCP) || vmx_offers(VCPU_INVPCID));
	/* without a shadow CR8 exits */
	assert_int_equal(vmx_features.cpu & VMX_CPU_CR8_LOAD, VMX_CPU_CR8_LOAD);
	assert_int_equal(vmx_features.cpu & VMX_CPU_CR8_STORE, VMX_CPU_CR8_STORE);
}

/* A VPID that could not be flushed would be worse than none. */
static void vpids_want_invvpid(void **state)
{
	(void)state;
	msrs[place(MSR_IA32_VMX_EPT_VPID_CAP)] &= ~VMX_EPT_CAP_INVVPID_ALL;
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.cpu2 & VMX_CPU2_VPID, 0);
}

static void large_pages_are_those_of_ept(void **state)
{
	(void)state;
	cpu_features.page1g = true; /* of the CPU's own tables: says nothing */
	assert_null(vmx_probe());
	assert_int_equal(vmx_max_leaf(), 3);
	msrs[place(MSR_IA32_VMX_EPT_VPID_CAP)] &= ~VMX_EPT_CAP_1G;
	assert_null(vmx_probe());
	assert_int_equal(vmx_max_leaf(), 2);
	msrs[place(MSR_IA32_VMX_EPT_VPID_CAP)] &= ~VMX_EPT_CAP_2M;
	assert_null(vmx_probe());
	assert_int_equal(vmx_max_leaf(), 1);
}

static void the_local_apic_is_the_cpus_with_all_of_it(void **state)
{
	(void)state;
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.xapic, VMX_CPU2_XAPIC);
	assert_int_equal(vmx_features.x2apic, VMX_CPU2_X2APIC);
	assert_string_equal(fake_log_last,
			    "vcpu: the local APIC is the CPU's in xAPIC mode, the CPU's in x2APIC mode");
	msrs[place(MSR_IA32_VMX_PROCBASED2)] &= ~HIGH(1U << 4); /* x2APIC virtualization */
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.xapic, VMX_CPU2_XAPIC);
	assert_int_equal(vmx_features.x2apic, 0);
	msrs[place(MSR_IA32_VMX_PROCBASED2)] &= ~HIGH(1U << 9); /* virtual-interrupt delivery */
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.xapic, 0);
	fresh(state);
	vcpu_plain_apic = true;
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.xapic | vmx_features.x2apic, 0);
}

static void interrupts_are_posted_where_they_can_be(void **state)
{
	(void)state;
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.posted, 0);
	assert_int_equal(vmx_features.exit & VMX_EXIT_ACKNOWLEDGE, 0);
	msrs[place(MSR_IA32_VMX_TRUE_PINBASED)] |= HIGH(VMX_PIN_POSTED);
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.posted, VMX_PIN_POSTED);
	assert_int_equal(vmx_features.exit & VMX_EXIT_ACKNOWLEDGE, VMX_EXIT_ACKNOWLEDGE);
	assert_string_equal(fake_log_last, "vcpu: interrupts are posted to a guest that runs");
	fresh(state);
	msrs[place(MSR_IA32_VMX_TRUE_PINBASED)] |= HIGH(VMX_PIN_POSTED);
	msrs[place(MSR_IA32_VMX_TRUE_EXIT)] &= ~HIGH(VMX_EXIT_ACKNOWLEDGE);
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.posted, 0);
	fresh(state);
	msrs[place(MSR_IA32_VMX_TRUE_PINBASED)] |= HIGH(VMX_PIN_POSTED);
	vcpu_plain_apic = true;
	assert_null(vmx_probe());
	assert_int_equal(vmx_features.posted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_what_is_allowed_is_asked_for, fresh),
		cmocka_unit_test_setup(what_is_needed_is_named, fresh),
		cmocka_unit_test_setup(the_firmware_may_forbid_it, fresh),
		cmocka_unit_test_setup(what_is_only_wanted_is_done_without, fresh),
		cmocka_unit_test_setup(vpids_want_invvpid, fresh),
		cmocka_unit_test_setup(large_pages_are_those_of_ept, fresh),
		cmocka_unit_test_setup(the_local_apic_is_the_cpus_with_all_of_it, fresh),
		cmocka_unit_test_setup(interrupts_are_posted_where_they_can_be, fresh),
	};

	return cmocka_run_group_tests_name("vmx_probe", tests, NULL, NULL);
}
