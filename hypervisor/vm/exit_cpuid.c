/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUID: the VM's table, and the few bits that depend on the vCPU. */
#include "lib/bits.h"
#include "vcpu/backend.h"
#include "vm/exit.h"
#include "x86/cr.h"

static void finish_features(struct vcpu *vcpu, struct cpuid_regs *r)
{
	r->ebx |= vcpu->vlapic.id << 24;
	if ((vcpu_backend->reg_get(vcpu, VREG_CR4) & CR4_OSXSAVE) != 0)
		r->ecx |= CPUID_1_ECX_OSXSAVE;
}

/* Size of the XSAVE area for what is enabled now. */
static uint32_t xsave_size(const struct cpuid_policy *p, uint64_t xcr0)
{
	uint32_t size = 576; /* legacy region and header */

	for (uint32_t i = 2; i < 63; i++) {
		const struct cpuid_regs *r;

		if ((xcr0 & BIT64(i)) == 0)
			continue;
		r = cpuid_policy_find(p, CPUID_XSAVE, i);
		if (r->ebx + r->eax > size)
			size = r->ebx + r->eax;
	}
	return size;
}

enum exit_result exit_cpuid(struct vcpu *vcpu)
{
	const struct cpuid_policy *p = &vcpu_vm(vcpu)->cpuid;
	uint32_t leaf = (uint32_t)vcpu->gpr[REG_RAX];
	uint32_t subleaf = (uint32_t)vcpu->gpr[REG_RCX];
	struct cpuid_regs r = *cpuid_policy_find(p, leaf, subleaf);

	if (leaf == CPUID_FEATURES) {
		finish_features(vcpu, &r);
	} else if (leaf == CPUID_EXT_FEATURES && subleaf == 0) {
		if ((vcpu_backend->reg_get(vcpu, VREG_CR4) & CR4_PKE) != 0)
			r.ecx |= CPUID_7_ECX_OSPKE;
	} else if (leaf == CPUID_TOPOLOGY) {
		/* Every vCPU a package of its own: no level has anything to say but the id. */
		r.ecx = subleaf & 0xFFU;
		r.edx = vcpu->vlapic.id;
	} else if (leaf == CPUID_XSAVE && subleaf == 0) {
		r.ebx = xsave_size(p, vcpu->xcr0);
	}
	vcpu->gpr[REG_RAX] = r.eax;
	vcpu->gpr[REG_RBX] = r.ebx;
	vcpu->gpr[REG_RCX] = r.ecx;
	vcpu->gpr[REG_RDX] = r.edx;
	return EXIT_HANDLED;
}
