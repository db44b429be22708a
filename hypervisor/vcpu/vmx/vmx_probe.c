/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this CPU's VMX can do. A capability MSR has in its low half the bits that must be 1, in its
 * high half those that may be (SDM 3D appendix A.3-A.5).
 */
#include "hw/cpu.h"
#include "lib/log.h"
#include "vcpu/vmx/vmx.h"
#include "x86/msr.h"

struct vmx_features vmx_features;

/* One group of controls: what we cannot do without, and what we take when it is there. */
struct control_group {
	uint32_t msr;
	uint32_t needed, wanted;
	uint32_t *result;
	const char *missing; /* the sentence when a needed one is not there */
};

static const struct control_group groups[] = {
	{ MSR_IA32_VMX_TRUE_PINBASED, VMX_PIN_INTERRUPT | VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMI, 0,
	  &vmx_features.pin, "the CPU has VMX but no virtual NMIs" },
	{ MSR_IA32_VMX_TRUE_PROCBASED,
	  VMX_CPU_TSC_OFFSET | VMX_CPU_HLT | VMX_CPU_MWAIT | VMX_CPU_MONITOR | VMX_CPU_RDPMC |
		  VMX_CPU_IO_BITMAPS | VMX_CPU_MSR_BITMAPS | VMX_CPU_SECONDARY,
	  VMX_CPU_TPR_SHADOW, &vmx_features.cpu,
	  "the CPU has VMX but not the processor-based controls it takes" },
	{ MSR_IA32_VMX_PROCBASED2, VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED,
	  VMX_CPU2_RDTSCP | VMX_CPU2_VPID | VMX_CPU2_WBINVD | VMX_CPU2_INVPCID | VMX_CPU2_XSAVES,
	  &vmx_features.cpu2, "the CPU has VMX but no extended page tables with unrestricted guest" },
	{ MSR_IA32_VMX_TRUE_EXIT,
	  VMX_EXIT_SAVE_DEBUG | VMX_EXIT_HOST_64 | VMX_EXIT_SAVE_PAT | VMX_EXIT_LOAD_PAT |
		  VMX_EXIT_SAVE_EFER | VMX_EXIT_LOAD_EFER,
	  0, &vmx_features.exit, "the CPU's VMX cannot switch EFER and PAT at an exit" },
	{ MSR_IA32_VMX_TRUE_ENTRY, VMX_ENTRY_LOAD_DEBUG | VMX_ENTRY_LOAD_PAT | VMX_ENTRY_LOAD_EFER,
	  0, &vmx_features.entry, "the CPU's VMX cannot switch EFER and PAT at an entry" },
};

static const char *probe_controls(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct control_group *g = &groups[i];
		uint64_t cap = msr_read(g->msr);
		uint32_t must = (uint32_t)cap, may = (uint32_t)(cap >> 32);

		if ((g->needed & ~may) != 0)
			return g->missing;
		*g->result = must | g->needed | (g->wanted & may);
	}
	if ((vmx_features.cpu & (VMX_CPU_CR3_LOAD | VMX_CPU_CR3_STORE)) != 0)
		return "the CPU's VMX cannot let a guest write CR3";
	if ((vmx_features.cpu & VMX_CPU_TPR_SHADOW) == 0)
		vmx_features.cpu |= VMX_CPU_CR8_LOAD | VMX_CPU_CR8_STORE;
	return NULL;
}

static const char *probe_ept(void)
{
	const uint64_t needed = VMX_EPT_CAP_LEVELS_4 | VMX_EPT_CAP_WB | VMX_EPT_CAP_INVEPT |
				VMX_EPT_CAP_INVEPT_ALL;

	vmx_features.ept_vpid_cap = msr_read(MSR_IA32_VMX_EPT_VPID_CAP);
	if ((vmx_features.ept_vpid_cap & needed) != needed)
		return "the CPU's extended page tables lack four levels, write-back or INVEPT";
	if ((vmx_features.ept_vpid_cap & (VMX_EPT_CAP_INVVPID | VMX_EPT_CAP_INVVPID_ALL)) !=
	    (VMX_EPT_CAP_INVVPID | VMX_EPT_CAP_INVVPID_ALL))
		vmx_features.cpu2 &= ~VMX_CPU2_VPID;
	return NULL;
}

/* What we want and get along without: guests lack the instruction, or an exit does it. */
static void tell_missing(void)
{
	const uint32_t all = VMX_CPU2_RDTSCP | VMX_CPU2_VPID | VMX_CPU2_WBINVD | VMX_CPU2_INVPCID | VMX_CPU2_XSAVES;
	uint32_t has = vmx_features.cpu2;
	bool has_shadow = (vmx_features.cpu & VMX_CPU_TPR_SHADOW) != 0;

	if ((has & all) == all && has_shadow)
		return;
	log_info("vcpu: this CPU's VMX has no%s%s%s%s%s%s", has_shadow ? "" : " TPR shadow;",
		 (has & VMX_CPU2_RDTSCP) != 0 ? "" : " RDTSCP;", (has & VMX_CPU2_VPID) != 0 ? "" : " VPID;",
		 (has & VMX_CPU2_WBINVD) != 0 ? "" : " WBINVD exit;",
		 (has & VMX_CPU2_INVPCID) != 0 ? "" : " INVPCID;", (has & VMX_CPU2_XSAVES) != 0 ? "" : " XSAVES;");
}

/* The three go together, or not at all. */
static void probe_apic(void)
{
	uint32_t may = (uint32_t)(msr_read(MSR_IA32_VMX_PROCBASED2) >> 32);
	bool is_wanted = !vcpu_plain_apic && (vmx_features.cpu & VMX_CPU_TPR_SHADOW) != 0;

	vmx_features.xapic = is_wanted && (may & VMX_CPU2_XAPIC) == VMX_CPU2_XAPIC ? VMX_CPU2_XAPIC : 0;
	vmx_features.x2apic = is_wanted && (may & VMX_CPU2_X2APIC) == VMX_CPU2_X2APIC ? VMX_CPU2_X2APIC : 0;
	log_info("vcpu: the local APIC is %s in xAPIC mode, %s in x2APIC mode",
		 vmx_features.xapic != 0 ? "the CPU's" : "emulated",
		 vmx_features.x2apic != 0 ? "the CPU's" : "emulated");
}

/* They need an interrupt to be acknowledged by the exit that it causes. */
static void probe_posted(void)
{
	uint64_t pin = msr_read(MSR_IA32_VMX_TRUE_PINBASED), out = msr_read(MSR_IA32_VMX_TRUE_EXIT);

	if ((vmx_features.xapic | vmx_features.x2apic) == 0 || (pin >> 32 & VMX_PIN_POSTED) == 0 ||
	    (out >> 32 & VMX_EXIT_ACKNOWLEDGE) == 0)
		return;
	vmx_features.posted = VMX_PIN_POSTED;
	vmx_features.exit |= VMX_EXIT_ACKNOWLEDGE;
	log_info("vcpu: interrupts are posted to a guest that runs");
}

/* The firmware decides, and locks, whether VMX may be used; left open, we lock it on (cpu_on). */
static bool is_disabled(void)
{
	uint64_t value;

	return msr_read_safe(MSR_IA32_FEATURE_CONTROL, &value) &&
	       (value & (FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX)) == FEATURE_CONTROL_LOCK;
}

const char *vmx_probe(void)
{
	uint64_t basic;
	const char *why;

	if (!cpu_features.vmx)
		return "the CPU has no VMX";
	if (is_disabled())
		return "VMX is disabled by the firmware";
	basic = msr_read(MSR_IA32_VMX_BASIC);
	if ((basic & VMX_BASIC_TRUE_CONTROLS) == 0 || (basic & VMX_BASIC_STRING_INFO) == 0)
		return "the CPU's VMX is of a generation without extended page tables";
	vmx_features.revision = (uint32_t)(basic & VMX_BASIC_REVISION);
	vmx_features.cr0_fixed0 = msr_read(MSR_IA32_VMX_CR0_FIXED0);
	vmx_features.cr0_fixed1 = msr_read(MSR_IA32_VMX_CR0_FIXED1);
	vmx_features.cr4_fixed0 = msr_read(MSR_IA32_VMX_CR4_FIXED0);
	vmx_features.cr4_fixed1 = msr_read(MSR_IA32_VMX_CR4_FIXED1);
	why = probe_controls();
	if (why == NULL)
		why = probe_ept();
	if (why != NULL)
		return why;
	tell_missing();
	probe_apic();
	probe_posted();
	return NULL;
}

unsigned int vmx_max_leaf(void)
{
	if ((vmx_features.ept_vpid_cap & VMX_EPT_CAP_1G) != 0)
		return 3;
	return (vmx_features.ept_vpid_cap & VMX_EPT_CAP_2M) != 0 ? 2 : 1;
}

bool vmx_offers(enum vcpu_feature feature)
{
	static const uint32_t control[] = {
		[VCPU_RDTSCP] = VMX_CPU2_RDTSCP,
		[VCPU_INVPCID] = VMX_CPU2_INVPCID,
		[VCPU_XSAVES] = VMX_CPU2_XSAVES,
	};

	return (vmx_features.cpu2 & control[feature]) != 0;
}
