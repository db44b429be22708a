/* SPDX-License-Identifier: BSD-3-Clause */
/* A vector posted to a running guest is in one place at a time, and none whose EOI somebody waits for goes this way. */
#include "unit.h"

#include <string.h>

#include "vcpu/vmx/vmx.h"

static struct vmx_posted posted;
static struct vmx_vcpu arch;
static struct vcpu vcpu;

static int fresh(void **state)
{
	(void)state;
	memset(&posted, 0, sizeof(posted));
	memset(&arch, 0, sizeof(arch));
	memset(&vcpu, 0, sizeof(vcpu));
	arch.posted = &posted;
	arch.apic_controls = VMX_CPU2_XAPIC;
	vcpu.arch = &arch;
	return 0;
}

static void waits(uint8_t vector)
{
	vcpu.vlapic.irr[vector / 64] |= 1UL << vector % 64;
	vcpu.vlapic.irr_hint = 1;
}

static void all_that_waits_is_posted(void **state)
{
	(void)state;
	waits(0x21);
	waits(0x41);
	waits(0xFE);
	posted.requests[0] = 1UL << 0x35; /* not taken yet */
	assert_true(vmx_post_remote(&vcpu));
	assert_true(posted.requests[0] == (1UL << 0x21 | 1UL << 0x35));
	assert_true(posted.requests[1] == 1UL << 1 && posted.requests[2] == 0);
	assert_true(posted.requests[3] == 1UL << 0x3E);
	assert_true(posted.control == 1); /* outstanding; not suppressed */
	assert_true((vcpu.vlapic.irr[0] | vcpu.vlapic.irr[1] | vcpu.vlapic.irr[3]) == 0);
}

static void a_level_triggered_vector_stays(void **state)
{
	(void)state;
	waits(0x31);
	waits(0x32);
	vcpu.vlapic.tmr[0] = 1UL << 0x31;
	assert_false(vmx_post_remote(&vcpu));
	assert_true(vcpu.vlapic.irr[0] == 1UL << 0x31);
	assert_true(posted.requests[0] == 1UL << 0x32);
	/* edge by now, but the CPU has not been told: its EOI would still exit */
	vcpu.vlapic.tmr[0] = 0;
	arch.eoi_exits[0] = 1UL << 0x31;
	assert_false(vmx_post_remote(&vcpu));
	assert_true(vcpu.vlapic.irr[0] == 1UL << 0x31);
	arch.eoi_exits[0] = 0;
	assert_true(vmx_post_remote(&vcpu));
	assert_true(vcpu.vlapic.irr[0] == 0);
}

static void what_the_cpu_did_not_take_comes_back(void **state)
{
	(void)state;
	waits(0x41);
	assert_true(vmx_post_remote(&vcpu));
	vcpu.vlapic.irr_hint = 0;
	waits(0x42);
	vmx_unpost(&vcpu);
	assert_true(vcpu.vlapic.irr[1] == 6);
	assert_int_equal(vcpu.vlapic.irr_hint, 1);
	assert_true(posted.control == 0 && posted.requests[1] == 0);
	/* nothing was posted since: the hint is left alone */
	vcpu.vlapic.irr_hint = 0;
	vmx_unpost(&vcpu);
	assert_int_equal(vcpu.vlapic.irr_hint, 0);
}

static void without_the_feature_nothing_is_posted(void **state)
{
	(void)state;
	waits(0x41);
	arch.apic_controls = 0; /* the guest has switched its APIC off */
	assert_false(vmx_post_remote(&vcpu));
	arch.apic_controls = VMX_CPU2_X2APIC;
	arch.posted = NULL;
	assert_false(vmx_post_remote(&vcpu));
	vmx_unpost(&vcpu);
	assert_true(vcpu.vlapic.irr[1] == 2);
	assert_true(posted.control == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_that_waits_is_posted, fresh),
		cmocka_unit_test_setup(a_level_triggered_vector_stays, fresh),
		cmocka_unit_test_setup(what_the_cpu_did_not_take_comes_back, fresh),
		cmocka_unit_test_setup(without_the_feature_nothing_is_posted, fresh),
	};

	return cmocka_run_group_tests_name("vmx_posted", tests, NULL, NULL);
}
