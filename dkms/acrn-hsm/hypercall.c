// SPDX-License-Identifier: GPL-2.0-only
/*
 * Discovery by CPUID, and the hypercall instruction. A kernel without ACRN guest support does not know
 * that it runs above ACRN, so nothing of its own hypervisor detection can be asked.
 */
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/processor.h>

#include <linux/slab.h>

#include "hypercall.h"

#define CPUID_BASE_LAST 0x40010000u
#define CPUID_BASE_STEP 0x100u

long hsm_hypercall(u32 id, u64 arg1, u64 arg2)
{
	register unsigned long r8 asm("r8") = id;
	long ret;

	asm volatile(ALTERNATIVE("vmcall", "vmmcall", X86_FEATURE_VMMCALL)
		     : "=a"(ret)
		     : "r"(r8), "D"(arg1), "S"(arg2)
		     : "memory");
	return ret;
}

static u32 cpuid_base(void)
{
	u32 base, eax, ebx, ecx, edx;

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return 0;
	for (base = ACRN_CPUID_SIGNATURE; base < CPUID_BASE_LAST; base += CPUID_BASE_STEP) {
		cpuid(base, &eax, &ebx, &ecx, &edx);
		if (ebx == ACRN_SIGNATURE && ecx == ACRN_SIGNATURE && edx == ACRN_SIGNATURE)
			return base;
	}
	return 0;
}

int hsm_hypervisor_probe(struct hsm_hypervisor *hv)
{
	struct acrn_api_version *api;
	u32 base = cpuid_base(), eax, ebx, ecx, edx;

	if (!base)
		return -ENODEV;
	cpuid(base + (ACRN_CPUID_FEATURES - ACRN_CPUID_SIGNATURE), &eax, &ebx, &ecx, &edx);
	if (!(eax & ACRN_FEATURE_PRIVILEGED))
		return -EPERM;
	hv->extensions = ebx;
	hv->tsc_khz = cpuid_eax(base + (ACRN_CPUID_TIMING - ACRN_CPUID_SIGNATURE));
	if (cpuid_eax(base) >= base + (ACRN_CPUID_VERSION - ACRN_CPUID_SIGNATURE)) {
		u32 *text = (u32 *)hv->version;

		cpuid(base + (ACRN_CPUID_VERSION - ACRN_CPUID_SIGNATURE), &text[0], &text[1], &text[2], &text[3]);
	}
	api = kzalloc(sizeof(*api), GFP_KERNEL);
	if (!api)
		return -ENOMEM;
	if (hsm_hypercall(ACRN_HC_GET_API_VERSION, virt_to_phys(api), 0) >= 0)
		hv->api = *api;
	kfree(api);
	return 0;
}

void hsm_hypervisor_exit(void)
{
}
