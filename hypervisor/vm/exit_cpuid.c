/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUID: the VM's table, and the few bits that depend on the vCPU. */
#include "lib/bits.h"
#include "vcpu/backend.h"
#include "vm/exit.h"
#include "x86/cr.h"

#define XSAVE_FIXED 576U	      /* legacy region and header */
#define XSAVE_ALIGNED (1U << 1) /* in ECX of a component's leaf: to 64 bytes when compacted */

/* Size of the XSAVE area for what is enabled now. */
static uint32_t xsave_size(const struct cpuid_policy *p, uint64_t xcr0)
{
	uint32_t size = XSAVE_FIXED;

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

/* The same as XSAVEC and XSAVES write it: one component behind the other (SDM 1 13.4.3). */
static uint32_t compacted_size(const struct cpuid_policy *p, uint64_t xcr0)
{
	uint32_t size = XSAVE_FIXED;

	for (uint32_t i = 2; i < 63; i++) {
		const struct cpuid_regs *r;

		if ((xcr0 & BIT64(i)) == 0)
			continue;
		r = cpuid_policy_find(p, CPUID_XSAVE, i);
		if ((r->ecx & XSAVE_ALIGNED) != 0)
			size = ALIGN_UP(size, 64U);
		size += r->eax;
	}
	return size;
}

/* Leaves below 32 of which a part is the vCPU's own. */
#define OWN_LEAVES \
	(BIT32(CPUID_FEATURES) | BIT32(CPUID_EXT_FEATURES) | BIT32(CPUID_TOPOLOGY) | BIT32(CPUID_XSAVE))

/* Not inline, so that the other leaves save no registers for it. */
static __attribute__((noinline)) void finish_own(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
	uint64_t cr4 = vcpu_backend->reg_get(vcpu, VREG_CR4);
	uint64_t *gpr = vcpu->gpr;

	if (leaf == CPUID_FEATURES) {
		gpr[REG_RBX] |= vcpu->vlapic.id << 24;
		if ((cr4 & CR4_OSXSAVE) != 0)
			gpr[REG_RCX] |= CPUID_1_ECX_OSXSAVE;
	} else if (leaf == CPUID_EXT_FEATURES && subleaf == 0) {
		if ((cr4 & CR4_PKE) != 0)
			gpr[REG_RCX] |= CPUID_7_ECX_OSPKE;
	} else if (leaf == CPUID_TOPOLOGY) {
		/* Every vCPU a package of its own: no level has anything to say but the id. */
		gpr[REG_RCX] = subleaf & 0xFFU;
		gpr[REG_RDX] = vcpu->vlapic.id;
	} else if (leaf == CPUID_XSAVE && subleaf == 0) {
		gpr[REG_RBX] = xsave_size(&vcpu_vm(vcpu)->cpuid, vcpu->xcr0);
	} else if (leaf == CPUID_XSAVE && subleaf == 1) {
		if ((gpr[REG_RAX] & (CPUID_D1_EAX_XSAVEC | CPUID_D1_EAX_XSAVES)) != 0)
			gpr[REG_RBX] = compacted_size(&vcpu_vm(vcpu)->cpuid, vcpu->xcr0);
	}
}

enum exit_result exit_cpuid(struct vcpu *vcpu)
{
	uint32_t leaf = (uint32_t)vcpu->gpr[REG_RAX];
	uint32_t subleaf = (uint32_t)vcpu->gpr[REG_RCX];
	const struct cpuid_regs *r = cpuid_policy_find(&vcpu_vm(vcpu)->cpuid, leaf, subleaf);

	vcpu->gpr[REG_RAX] = r->eax;
	vcpu->gpr[REG_RBX] = r->ebx;
	vcpu->gpr[REG_RCX] = r->ecx;
	vcpu->gpr[REG_RDX] = r->edx;
	if (leaf < 32 && (OWN_LEAVES & BIT32(leaf)) != 0)
		finish_own(vcpu, leaf, subleaf);
	return EXIT_HANDLED;
}
