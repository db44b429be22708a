/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why VMRUN refused: the consistency checks that a guest's or its device model's state can fail, with
 * the name of what is wrong (APM 2 15.5.1). The CPU says only that it is something.
 */
#include "vcpu/svm/svm.h"
#include "x86/cr.h"

#define EFER_KNOWN                                                                                 \
	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME | EFER_LMSLE | EFER_FFXSR | EFER_TCE)

static const char *check_long_mode(const struct vmcb *vmcb)
{
	if ((vmcb->efer & EFER_LME) == 0 || (vmcb->cr0 & CR0_PG) == 0)
		return NULL;
	if ((vmcb->cr4 & CR4_PAE) == 0)
		return "EFER.LME and CR0.PG without CR4.PAE";
	if ((vmcb->cr0 & CR0_PE) == 0)
		return "EFER.LME and CR0.PG without CR0.PE";
	if ((vmcb->cs.attr & VMCB_ATTR_L) != 0 && (vmcb->cs.attr & VMCB_ATTR_DB) != 0)
		return "CS is 64-bit and 32-bit at once";
	return NULL;
}

const char *svm_explain(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;
	const char *why = check_long_mode(vmcb);

	if (why != NULL)
		return why;
	if ((vmcb->cr0 & CR0_NW) != 0 && (vmcb->cr0 & CR0_CD) == 0)
		return "CR0 has NW without CD";
	if (vmcb->cr0 >> 32 != 0)
		return "CR0 has upper bits";
	if (vmcb->dr6 >> 32 != 0 || vmcb->dr7 >> 32 != 0)
		return "DR6 or DR7 has upper bits";
	if ((vmcb->efer & ~EFER_KNOWN) != 0)
		return "EFER has reserved bits";
	return "CR3, CR4, or a part that the hypervisor keeps";
}
