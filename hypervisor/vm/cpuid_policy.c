/* SPDX-License-Identifier: BSD-3-Clause */
/* The allow-lists of CPUID, and the table made of them. Source: SDM 2A CPUID, APM 3 appendix E. */
#include "vm/cpuid_policy.h"

#include <acrn/hypercall.h>

#include "hw/cpu.h"
#include "hw/tsc.h"
#include "vcpu/backend.h"
#include "vcpu/fpu.h"

/* ECX of leaf 1 but MONITOR, VMX, SMX, EIST, TM2, DTES64, PDCM, OSXSAVE (dynamic), x2APIC and
 * TSC-deadline (ours in any case). */
#define ALLOW_1_ECX                                                                                \
	(CPUID_1_ECX_SSE3 | CPUID_1_ECX_PCLMUL | CPUID_1_ECX_SSSE3 | CPUID_1_ECX_FMA |             \
	 CPUID_1_ECX_CX16 | CPUID_1_ECX_PCID | CPUID_1_ECX_SSE41 | CPUID_1_ECX_SSE42 |             \
	 CPUID_1_ECX_MOVBE | CPUID_1_ECX_POPCNT | CPUID_1_ECX_AES | CPUID_1_ECX_XSAVE |            \
	 CPUID_1_ECX_AVX | CPUID_1_ECX_F16C | CPUID_1_ECX_RDRAND)
#define FORCE_1_ECX (CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE | CPUID_1_ECX_HYPERVISOR)
#define ALLOW_1_EDX                                                                                \
	(CPUID_1_EDX_FPU | CPUID_1_EDX_VME | CPUID_1_EDX_DE | CPUID_1_EDX_PSE | CPUID_1_EDX_TSC |  \
	 CPUID_1_EDX_MSR | CPUID_1_EDX_PAE | CPUID_1_EDX_MCE | CPUID_1_EDX_CX8 |                   \
	 CPUID_1_EDX_APIC | CPUID_1_EDX_SEP | CPUID_1_EDX_MTRR | CPUID_1_EDX_PGE |                 \
	 CPUID_1_EDX_MCA | CPUID_1_EDX_CMOV | CPUID_1_EDX_PAT | CPUID_1_EDX_PSE36 |                \
	 CPUID_1_EDX_CLFSH | CPUID_1_EDX_MMX | CPUID_1_EDX_FXSR | CPUID_1_EDX_SSE |                \
	 CPUID_1_EDX_SSE2 | CPUID_1_EDX_HTT)
#define ALLOW_7_EBX                                                                                \
	(CPUID_7_EBX_FSGSBASE | CPUID_7_EBX_TSC_ADJUST | CPUID_7_EBX_BMI1 | CPUID_7_EBX_AVX2 |     \
	 CPUID_7_EBX_SMEP | CPUID_7_EBX_BMI2 | CPUID_7_EBX_ERMS | CPUID_7_EBX_INVPCID |            \
	 CPUID_7_EBX_RDSEED | CPUID_7_EBX_ADX | CPUID_7_EBX_SMAP | CPUID_7_EBX_CLFLUSHOPT |        \
	 CPUID_7_EBX_CLWB | CPUID_7_EBX_SHA | AVX512_7_EBX)
#define AVX512_7_EBX 0xDC230000U /* F, DQ, IFMA, PF, ER, CD, BW, VL */
#define ALLOW_7_ECX (CPUID_7_ECX_UMIP | CPUID_7_ECX_PKU | CPUID_7_ECX_RDPID | VECTOR_7_ECX)
#define VECTOR_7_ECX 0x00005F42U /* AVX512-VBMI(2), VNNI, BITALG, VPOPCNTDQ, GFNI, VAES, VPCLMUL */
#define ALLOW_7_EDX (1U << 4)	 /* FSRM */
#define ALLOW_D1_EAX \
	(CPUID_D1_EAX_XSAVEOPT | CPUID_D1_EAX_XSAVEC | CPUID_D1_EAX_XGETBV1 | CPUID_D1_EAX_XSAVES)
#define ALLOW_EXT1_ECX                                                                             \
	(CPUID_EXT1_ECX_LAHF | (1U << 1) /* CmpLegacy */ | (1U << 4) /* AltMovCr8 */ |             \
	 (1U << 5) /* ABM */ | (1U << 6) /* SSE4A */ | (1U << 7) /* MisAlignSse */ |               \
	 (1U << 8) /* 3DNowPrefetch */ | (1U << 16) /* FMA4 */ | (1U << 21) /* TBM */)
#define ALLOW_EXT1_EDX                                                                             \
	(0x0183F3FFU | CPUID_EXT1_EDX_SYSCALL | CPUID_EXT1_EDX_NX | (1U << 22) | (1U << 25) |      \
	 CPUID_EXT1_EDX_PAGE1GB | CPUID_EXT1_EDX_RDTSCP | CPUID_EXT1_EDX_LM)
#define ALLOW_EXT8_EBX ((1U << 0) | (1U << 2)) /* CLZERO, FP error pointers */

static void add(struct cpuid_policy *p, uint32_t leaf, uint32_t subleaf, struct cpuid_regs regs)
{
	bool has_sub = leaf == CPUID_CACHE || leaf == CPUID_EXT_FEATURES || leaf == CPUID_XSAVE;

	if (p->count < CPUID_POLICY_MAX)
		p->entry[p->count++] = (struct cpuid_entry){ leaf, subleaf, has_sub, regs };
}

/* The Service VM's APIC mode is the physical one's too, so it must be one that exists. */
static void add_features(struct cpuid_policy *p, bool is_privileged)
{
	struct cpuid_regs r = cpuid(CPUID_FEATURES, 0);

	r.ebx &= 0x0000FFFFU; /* the APIC id and the count of them are the vCPU's and leaf BH's */
	r.ecx = (r.ecx & ALLOW_1_ECX) | FORCE_1_ECX;
	if (is_privileged && !cpu_features.x2apic)
		r.ecx &= ~CPUID_1_ECX_X2APIC;
	r.edx &= ALLOW_1_EDX & ~CPUID_1_EDX_HTT;
	add(p, CPUID_FEATURES, 0, r);
}

static void add_caches(struct cpuid_policy *p)
{
	for (uint32_t i = 0; i < 8; i++) {
		struct cpuid_regs r = cpuid(CPUID_CACHE, i);

		if ((r.eax & 0x1FU) == 0)
			break;
		r.eax &= 0x3FFFU; /* one logical CPU a cache, one core a package */
		add(p, CPUID_CACHE, i, r);
	}
}

static void add_extended_features(struct cpuid_policy *p)
{
	struct cpuid_regs r = cpuid(CPUID_EXT_FEATURES, 0);

	if (p->max_basic < CPUID_EXT_FEATURES)
		return;
	r.eax = 0;
	r.ebx = (r.ebx & ALLOW_7_EBX) | CPUID_7_EBX_TSC_ADJUST; /* ours in any case */
	if (!vcpu_backend->offers(VCPU_INVPCID))
		r.ebx &= ~CPUID_7_EBX_INVPCID;
	r.ecx &= ALLOW_7_ECX;
	if (!vcpu_backend->offers(VCPU_RDTSCP))
		r.ecx &= ~CPUID_7_ECX_RDPID;
	r.edx &= ALLOW_7_EDX;
	add(p, CPUID_EXT_FEATURES, 0, r);
}

static void add_xsave(struct cpuid_policy *p)
{
	struct cpuid_regs r;
	uint64_t offered = fpu_supported();

	if (!cpu_features.xsave || p->max_basic < CPUID_XSAVE)
		return;
	r = cpuid(CPUID_XSAVE, 0);
	r.eax = (uint32_t)offered;
	r.edx = (uint32_t)(offered >> 32);
	r.ecx = (uint32_t)fpu_area_size();
	add(p, CPUID_XSAVE, 0, r);
	r = cpuid(CPUID_XSAVE, 1);
	r.eax &= ALLOW_D1_EAX & (vcpu_backend->offers(VCPU_XSAVES) ? ~0U : ~CPUID_D1_EAX_XSAVES);
	add(p, CPUID_XSAVE, 1, (struct cpuid_regs){ .eax = r.eax });
	for (uint32_t i = 2; i < 63; i++)
		if ((offered & (1UL << i)) != 0)
			add(p, CPUID_XSAVE, i, cpuid(CPUID_XSAVE, i));
}

static void add_hypervisor(struct cpuid_policy *p, bool is_privileged)
{
	const uint32_t sig = ACRN_SIGNATURE;
	union {
		char text[17];
		struct cpuid_regs regs;
	} version = { ACRN_VERSION };

	add(p, ACRN_CPUID_SIGNATURE, 0, (struct cpuid_regs){ ACRN_CPUID_TIMING, sig, sig, sig });
	add(p, ACRN_CPUID_FEATURES, 0,
	    (struct cpuid_regs){ .eax = is_privileged ? ACRN_FEATURE_PRIVILEGED : 0,
				 .ebx = is_privileged ? ACRN_EXTENSION_WAIT | ACRN_EXTENSION_WATCHDOG |
								ACRN_EXTENSION_RESUME | ACRN_EXTENSION_FETCH :
							0 });
	if (is_privileged)
		add(p, ACRN_CPUID_VERSION, 0, version.regs);
	add(p, ACRN_CPUID_TIMING, 0, (struct cpuid_regs){ .eax = (uint32_t)tsc_khz });
}

/*
 * A guest that is not told so believes on an AMD machine with two CPUs that its TSCs differ, and
 * then reads the clock from a device. It is so where the CPU says it, and in an emulator or under
 * another hypervisor, which make the TSC from a steady clock.
 */
static bool is_tsc_invariant(void)
{
	return cpu_features.invariant_tsc || cpu_features.hypervisor;
}

static void add_amd(struct cpuid_policy *p)
{
	struct cpuid_regs r = cpuid(CPUID_EXT_BASE, 0);

	p->max_ext = r.eax > CPUID_ADDR_SIZE ? CPUID_ADDR_SIZE : r.eax;
	r.eax = p->max_ext;
	add(p, CPUID_EXT_BASE, 0, r);
	r = cpuid(CPUID_EXT_AMD, 0);
	r.ecx &= ALLOW_EXT1_ECX & ~(1U << 1);
	r.edx &= ALLOW_EXT1_EDX;
	if (!vcpu_backend->offers(VCPU_RDTSCP))
		r.edx &= ~CPUID_EXT1_EDX_RDTSCP;
	add(p, CPUID_EXT_AMD, 0, r);
	for (uint32_t leaf = CPUID_BRAND; leaf < CPUID_APM && leaf <= p->max_ext; leaf++)
		add(p, leaf, 0, cpuid(leaf, 0));
	add(p, CPUID_APM, 0,
	    (struct cpuid_regs){ .edx = is_tsc_invariant() ? CPUID_APM_EDX_INVARIANT_TSC : 0 });
	r = cpuid(CPUID_ADDR_SIZE, 0);
	add(p, CPUID_ADDR_SIZE, 0,
	    (struct cpuid_regs){ .eax = r.eax & 0xFFFFU, .ebx = r.ebx & ALLOW_EXT8_EBX });
}

/* Leaves come in three short runs; a row of the index is where a leaf's entries begin. */
static unsigned int index_of(uint32_t leaf)
{
	uint32_t run = leaf >> 30; /* 0: basic, 1: hypervisor, 2: extended */
	uint32_t at = leaf & 0x3FFFFFFFU;

	return run < CPUID_POLICY_RUNS && at < CPUID_POLICY_RUN ? run * CPUID_POLICY_RUN + at :
								  CPUID_POLICY_NOWHERE;
}

static void fill_index(struct cpuid_policy *p)
{
	for (unsigned int i = 0; i <= CPUID_POLICY_NOWHERE; i++)
		p->first[i] = CPUID_POLICY_MAX;
	for (unsigned int i = p->count; i-- > 0;)
		p->first[index_of(p->entry[i].leaf)] = (uint8_t)i;
	p->first[CPUID_POLICY_NOWHERE] = CPUID_POLICY_MAX;
	p->entry[CPUID_POLICY_MAX] = (struct cpuid_entry){ 0 };
}

/* Only some leaves look at ECX: the walk along a leaf's entries ends at once for the others. */
const struct cpuid_regs *cpuid_policy_find(const struct cpuid_policy *p, uint32_t leaf,
					   uint32_t subleaf)
{
	const struct cpuid_entry *e = &p->entry[p->first[index_of(leaf)]];

	while (e->has_subleaves && e->subleaf != subleaf) {
		const struct cpuid_entry *next = e + 1;

		e = next->leaf == leaf && next < &p->entry[p->count] ? next :
								       &p->entry[CPUID_POLICY_MAX];
	}
	return &e->regs;
}

void cpuid_policy_init(struct cpuid_policy *p, bool is_privileged)
{
	struct cpuid_regs r = cpuid(CPUID_BASE, 0);

	p->count = 0;
	p->max_basic = r.eax > CPUID_XSAVE ? CPUID_XSAVE : r.eax;
	r.eax = p->max_basic;
	add(p, CPUID_BASE, 0, r);
	add_features(p, is_privileged);
	if (cpu_features.vendor == CPU_VENDOR_INTEL) {
		add(p, 2, 0, cpuid(2, 0));
		add_caches(p);
	}
	add(p, CPUID_POWER, 0, (struct cpuid_regs){ .eax = 1U << 2 /* ARAT */ });
	add_extended_features(p);
	add_xsave(p);
	add_hypervisor(p, is_privileged);
	add_amd(p);
	fill_index(p);
}
