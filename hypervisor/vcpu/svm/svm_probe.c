/* SPDX-License-Identifier: BSD-3-Clause */
/* What this CPU's SVM can do (APM 2 15.4, APM 3 E.4.9). */
#include "hw/cpu.h"
#include "vcpu/svm/svm.h"
#include "x86/msr.h"

struct svm_features svm_features;

const char *svm_probe(void)
{
	struct cpuid_regs r;
	uint64_t vm_cr;

	if (!cpu_features.svm)
		return "the CPU has no SVM";
	if (!msr_read_safe(MSR_AMD_VM_CR, &vm_cr) || (vm_cr & VM_CR_SVMDIS) != 0)
		return "SVM is disabled by the firmware";
	r = cpuid(CPUID_SVM, 0);
	if ((r.edx & CPUID_SVM_EDX_NPT) == 0)
		return "the CPU has SVM but no nested paging";
	if (r.ebx < 2)
		return "the CPU has fewer than two address space ids";
	svm_features.nrips = (r.edx & CPUID_SVM_EDX_NRIPS) != 0;
	svm_features.asids = r.ebx;
	return NULL;
}

/* A nested table may have what a table of the host may (APM 2 15.25.3). */
unsigned int svm_max_leaf(void)
{
	return cpu_features.page1g ? 3 : 2;
}

/* Nothing that the CPU has needs our leave. */
bool svm_offers(enum vcpu_feature feature)
{
	(void)feature;
	return true;
}
