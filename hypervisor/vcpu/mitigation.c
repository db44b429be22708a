/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which mitigations this CPU needs and has. Intel enumerates what it is free of in
 * IA32_ARCH_CAPABILITIES; a CPU without that register is taken to have every fault of its time.
 */
#include "vcpu/mitigation.h"

#include "lib/log.h"

struct mitigations mitigations;

static void probe_intel(const struct cpuid_regs *leaf7)
{
	bool has_caps = (leaf7->edx & CPUID_7_EDX_ARCH_CAPS) != 0;
	uint64_t caps = has_caps ? msr_read(MSR_IA32_ARCH_CAPABILITIES) : 0;

	mitigations.no_large_exec = (caps & ARCH_CAP_PSCHANGE_MC_NO) == 0;
	mitigations.l1d_flush = (caps & ARCH_CAP_RDCL_NO) == 0 &&
				(leaf7->edx & CPUID_7_EDX_L1D_FLUSH) != 0;
	mitigations.clear_buffers = (caps & (ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO)) !=
					    (ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO) &&
				    (leaf7->edx & CPUID_7_EDX_MD_CLEAR) != 0;
	mitigations.ibpb = (leaf7->edx & CPUID_7_EDX_IBRS_IBPB) != 0;
	mitigations.ibrs = mitigations.ibpb && (caps & ARCH_CAP_IBRS_ALL) != 0;
	if ((caps & ARCH_CAP_RDCL_NO) == 0 && !mitigations.l1d_flush)
		log_warn("mitigations: the CPU may have L1TF and cannot flush its L1D: update its microcode");
	if ((caps & ARCH_CAP_MDS_NO) == 0 && !mitigations.clear_buffers)
		log_warn("mitigations: the CPU may have MDS and cannot clear its buffers: update its microcode");
}

static void probe_amd(void)
{
	if (cpu_features.max_ext_leaf >= CPUID_ADDR_SIZE)
		mitigations.ibpb = (cpuid(CPUID_ADDR_SIZE, 0).ebx & CPUID_EXT8_EBX_IBPB) != 0;
}

void mitigation_probe(void)
{
	struct cpuid_regs leaf7 = { 0 };
	const struct mitigations *m = &mitigations;

	if (cpu_features.max_leaf >= CPUID_EXT_FEATURES)
		leaf7 = cpuid(CPUID_EXT_FEATURES, 0);
	if (cpu_features.vendor == CPU_VENDOR_INTEL)
		probe_intel(&leaf7);
	else if (cpu_features.vendor == CPU_VENDOR_AMD)
		probe_amd();
	log_info("mitigations:%s%s%s%s%s%s", m->no_large_exec ? " no large executable pages;" : "",
		 m->l1d_flush ? " L1D flush between VMs;" : "",
		 m->clear_buffers ? " buffers cleared at entry;" : "",
		 m->ibpb ? " branch barrier between VMs;" : "", m->ibrs ? " enhanced IBRS;" : "",
		 m->no_large_exec || m->l1d_flush || m->clear_buffers || m->ibpb || m->ibrs ?
			 "" :
			 " none that the CPU asks for or has");
}

void mitigation_cpu_on(void)
{
	if (mitigations.ibrs)
		msr_write(MSR_IA32_SPEC_CTRL, SPEC_CTRL_IBRS);
}
