/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done about a CPU's leaks follows from what it says of itself, and the log says what it is. */
#include "unit.h"

#include "fake/log.h"
#include "vcpu/mitigation.h"

struct cpu_features cpu_features;

static uint32_t leaf7_edx, amd_ebx;
static uint64_t arch_caps;
static struct {
	uint32_t msr;
	uint64_t value;
} written[4];
static unsigned int writes;

uint64_t msr_read(uint32_t msr)
{
	assert_int_equal(msr, MSR_IA32_ARCH_CAPABILITIES);
	assert_true((leaf7_edx & CPUID_7_EDX_ARCH_CAPS) != 0);
	return arch_caps;
}

void msr_write(uint32_t msr, uint64_t value)
{
	assert_true(writes < sizeof(written) / sizeof(*written));
	written[writes].msr = msr;
	written[writes++].value = value;
}

struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = { 0 };

	assert_int_equal(subleaf, 0);
	if (leaf == CPUID_EXT_FEATURES)
		r.edx = leaf7_edx;
	else if (leaf == CPUID_ADDR_SIZE)
		r.ebx = amd_ebx;
	return r;
}

static int fresh(void **state)
{
	(void)state;
	mitigations = (struct mitigations){ 0 };
	cpu_features = (struct cpu_features){ .vendor = CPU_VENDOR_INTEL,
					      .max_leaf = 0xD,
					      .max_ext_leaf = CPUID_ADDR_SIZE };
	leaf7_edx = amd_ebx = 0;
	arch_caps = 0;
	writes = 0;
	fake_log_lines = 0;
	return 0;
}

static void an_old_cpu_has_every_fault(void **state)
{
	(void)state;
	mitigation_probe();
	assert_true(mitigations.no_large_exec);
	assert_string_equal(fake_log_last, "mitigations: no large executable pages;");
	assert_int_equal(fake_log_lines, 3); /* and L1TF and MDS cannot be helped */
	mitigation_switch();
	mitigation_cpu_on();
	assert_int_equal(writes, 0);
}

static void with_new_microcode_all_is_done(void **state)
{
	(void)state;
	leaf7_edx = CPUID_7_EDX_L1D_FLUSH | CPUID_7_EDX_MD_CLEAR | CPUID_7_EDX_IBRS_IBPB;
	mitigation_probe();
	assert_int_equal(fake_log_lines, 1);
	assert_string_equal(fake_log_last, "mitigations: no large executable pages; L1D flush between VMs; "
					   "buffers cleared at entry; branch barrier between VMs;");
	assert_true(mitigations.clear_buffers);
	mitigation_switch();
	assert_int_equal(writes, 2);
	assert_int_equal(written[0].msr, MSR_IA32_PRED_CMD);
	assert_int_equal(written[0].value, PRED_CMD_IBPB);
	assert_int_equal(written[1].msr, MSR_IA32_FLUSH_CMD);
	assert_int_equal(written[1].value, FLUSH_CMD_L1D);
}

static void a_cpu_that_is_free_of_them_needs_none(void **state)
{
	(void)state;
	leaf7_edx = CPUID_7_EDX_ARCH_CAPS | CPUID_7_EDX_L1D_FLUSH | CPUID_7_EDX_MD_CLEAR;
	arch_caps = ARCH_CAP_RDCL_NO | ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO | ARCH_CAP_PSCHANGE_MC_NO;
	mitigation_probe();
	assert_int_equal(fake_log_lines, 1);
	assert_string_equal(fake_log_last, "mitigations: none that the CPU asks for or has");
	assert_false(mitigations.no_large_exec || mitigations.l1d_flush || mitigations.clear_buffers);
	/* one of the two that VERW is for is enough */
	arch_caps &= ~ARCH_CAP_TAA_NO;
	mitigation_probe();
	assert_true(mitigations.clear_buffers);
}

static void enhanced_ibrs_is_on_for_good(void **state)
{
	(void)state;
	leaf7_edx = CPUID_7_EDX_ARCH_CAPS | CPUID_7_EDX_IBRS_IBPB;
	arch_caps = ~0UL;
	mitigation_probe();
	assert_string_equal(fake_log_last, "mitigations: branch barrier between VMs; enhanced IBRS;");
	mitigation_cpu_on();
	assert_int_equal(writes, 1);
	assert_int_equal(written[0].msr, MSR_IA32_SPEC_CTRL);
	assert_int_equal(written[0].value, SPEC_CTRL_IBRS);
}

static void amd_says_it_elsewhere(void **state)
{
	(void)state;
	cpu_features.vendor = CPU_VENDOR_AMD;
	leaf7_edx = CPUID_7_EDX_L1D_FLUSH; /* Intel's */
	mitigation_probe();
	assert_string_equal(fake_log_last, "mitigations: none that the CPU asks for or has");
	amd_ebx = CPUID_EXT8_EBX_IBPB;
	mitigation_probe();
	assert_string_equal(fake_log_last, "mitigations: branch barrier between VMs;");
	assert_false(mitigations.l1d_flush || mitigations.no_large_exec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_old_cpu_has_every_fault, fresh),
		cmocka_unit_test_setup(with_new_microcode_all_is_done, fresh),
		cmocka_unit_test_setup(a_cpu_that_is_free_of_them_needs_none, fresh),
		cmocka_unit_test_setup(enhanced_ibrs_is_on_for_good, fresh),
		cmocka_unit_test_setup(amd_says_it_elsewhere, fresh),
	};

	return cmocka_run_group_tests_name("mitigation", tests, NULL, NULL);
}
