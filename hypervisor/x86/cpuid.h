/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUID leaves and feature bits, named leaf-register-bit so that a reader need not guess where. */
#pragma once

#include "lib/types.h"

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

#define CPUID_BASE 0x0U
#define CPUID_FEATURES 0x1U
#define CPUID_CACHE 0x4U
#define CPUID_MWAIT 0x5U
#define CPUID_POWER 0x6U
#define CPUID_EXT_FEATURES 0x7U
#define CPUID_PMU 0xAU
#define CPUID_TOPOLOGY 0xBU
#define CPUID_XSAVE 0xDU
#define CPUID_TSC_CRYSTAL 0x15U
#define CPUID_FREQUENCY 0x16U
#define CPUID_HYPERVISOR 0x40000000U
#define CPUID_EXT_BASE 0x80000000U
#define CPUID_EXT_AMD 0x80000001U
#define CPUID_BRAND 0x80000002U /* to 0x80000004 */
#define CPUID_APM 0x80000007U
#define CPUID_ADDR_SIZE 0x80000008U
#define CPUID_SVM 0x8000000AU

#define CPUID_1_ECX_SSE3 (1U << 0)
#define CPUID_1_ECX_PCLMUL (1U << 1)
#define CPUID_1_ECX_DTES64 (1U << 2)
#define CPUID_1_ECX_MONITOR (1U << 3)
#define CPUID_1_ECX_DSCPL (1U << 4)
#define CPUID_1_ECX_VMX (1U << 5)
#define CPUID_1_ECX_SMX (1U << 6)
#define CPUID_1_ECX_EIST (1U << 7)
#define CPUID_1_ECX_TM2 (1U << 8)
#define CPUID_1_ECX_SSSE3 (1U << 9)
#define CPUID_1_ECX_SDBG (1U << 11)
#define CPUID_1_ECX_FMA (1U << 12)
#define CPUID_1_ECX_CX16 (1U << 13)
#define CPUID_1_ECX_PDCM (1U << 15)
#define CPUID_1_ECX_PCID (1U << 17)
#define CPUID_1_ECX_SSE41 (1U << 19)
#define CPUID_1_ECX_SSE42 (1U << 20)
#define CPUID_1_ECX_X2APIC (1U << 21)
#define CPUID_1_ECX_MOVBE (1U << 22)
#define CPUID_1_ECX_POPCNT (1U << 23)
#define CPUID_1_ECX_TSC_DEADLINE (1U << 24)
#define CPUID_1_ECX_AES (1U << 25)
#define CPUID_1_ECX_XSAVE (1U << 26)
#define CPUID_1_ECX_OSXSAVE (1U << 27)
#define CPUID_1_ECX_AVX (1U << 28)
#define CPUID_1_ECX_F16C (1U << 29)
#define CPUID_1_ECX_RDRAND (1U << 30)
#define CPUID_1_ECX_HYPERVISOR (1U << 31)

#define CPUID_1_EDX_FPU (1U << 0)
#define CPUID_1_EDX_VME (1U << 1)
#define CPUID_1_EDX_DE (1U << 2)
#define CPUID_1_EDX_PSE (1U << 3)
#define CPUID_1_EDX_TSC (1U << 4)
#define CPUID_1_EDX_MSR (1U << 5)
#define CPUID_1_EDX_PAE (1U << 6)
#define CPUID_1_EDX_MCE (1U << 7)
#define CPUID_1_EDX_CX8 (1U << 8)
#define CPUID_1_EDX_APIC (1U << 9)
#define CPUID_1_EDX_SEP (1U << 11)
#define CPUID_1_EDX_MTRR (1U << 12)
#define CPUID_1_EDX_PGE (1U << 13)
#define CPUID_1_EDX_MCA (1U << 14)
#define CPUID_1_EDX_CMOV (1U << 15)
#define CPUID_1_EDX_PAT (1U << 16)
#define CPUID_1_EDX_PSE36 (1U << 17)
#define CPUID_1_EDX_CLFSH (1U << 19)
#define CPUID_1_EDX_DS (1U << 21)
#define CPUID_1_EDX_ACPI (1U << 22)
#define CPUID_1_EDX_MMX (1U << 23)
#define CPUID_1_EDX_FXSR (1U << 24)
#define CPUID_1_EDX_SSE (1U << 25)
#define CPUID_1_EDX_SSE2 (1U << 26)
#define CPUID_1_EDX_SS (1U << 27)
#define CPUID_1_EDX_HTT (1U << 28)
#define CPUID_1_EDX_TM (1U << 29)
#define CPUID_1_EDX_PBE (1U << 31)

#define CPUID_7_EBX_FSGSBASE (1U << 0)
#define CPUID_7_EBX_TSC_ADJUST (1U << 1)
#define CPUID_7_EBX_SGX (1U << 2)
#define CPUID_7_EBX_BMI1 (1U << 3)
#define CPUID_7_EBX_HLE (1U << 4)
#define CPUID_7_EBX_AVX2 (1U << 5)
#define CPUID_7_EBX_SMEP (1U << 7)
#define CPUID_7_EBX_BMI2 (1U << 8)
#define CPUID_7_EBX_ERMS (1U << 9)
#define CPUID_7_EBX_INVPCID (1U << 10)
#define CPUID_7_EBX_RTM (1U << 11)
#define CPUID_7_EBX_PQM (1U << 12)
#define CPUID_7_EBX_MPX (1U << 14)
#define CPUID_7_EBX_PQE (1U << 15)
#define CPUID_7_EBX_RDSEED (1U << 18)
#define CPUID_7_EBX_ADX (1U << 19)
#define CPUID_7_EBX_SMAP (1U << 20)
#define CPUID_7_EBX_CLFLUSHOPT (1U << 23)
#define CPUID_7_EBX_CLWB (1U << 24)
#define CPUID_7_EBX_PT (1U << 25)
#define CPUID_7_EBX_SHA (1U << 29)

#define CPUID_7_ECX_UMIP (1U << 2)
#define CPUID_7_ECX_PKU (1U << 3)
#define CPUID_7_ECX_OSPKE (1U << 4)
#define CPUID_7_ECX_WAITPKG (1U << 5)
#define CPUID_7_ECX_CET_SS (1U << 7)
#define CPUID_7_ECX_LA57 (1U << 16)
#define CPUID_7_ECX_RDPID (1U << 22)
#define CPUID_7_ECX_KL (1U << 23)
#define CPUID_7_ECX_PKS (1U << 31)

#define CPUID_7_EDX_MD_CLEAR (1U << 10)
#define CPUID_7_EDX_IBRS_IBPB (1U << 26)
#define CPUID_7_EDX_STIBP (1U << 27)
#define CPUID_7_EDX_L1D_FLUSH (1U << 28)
#define CPUID_7_EDX_ARCH_CAPS (1U << 29)
#define CPUID_7_EDX_SSBD (1U << 31)

#define CPUID_D1_EAX_XSAVEOPT (1U << 0)
#define CPUID_D1_EAX_XSAVEC (1U << 1)
#define CPUID_D1_EAX_XGETBV1 (1U << 2)
#define CPUID_D1_EAX_XSAVES (1U << 3)

#define CPUID_EXT1_ECX_LAHF (1U << 0)
#define CPUID_EXT1_ECX_SVM (1U << 2)
#define CPUID_EXT1_EDX_SYSCALL (1U << 11)
#define CPUID_EXT1_EDX_NX (1U << 20)
#define CPUID_EXT1_EDX_PAGE1GB (1U << 26)
#define CPUID_EXT1_EDX_RDTSCP (1U << 27)
#define CPUID_EXT1_EDX_LM (1U << 29)

#define CPUID_EXT8_EBX_IBPB (1U << 12)

#define CPUID_APM_EDX_INVARIANT_TSC (1U << 8)

#define CPUID_SVM_EDX_NPT (1U << 0)
#define CPUID_SVM_EDX_LBRV (1U << 1)
#define CPUID_SVM_EDX_SVML (1U << 2)
#define CPUID_SVM_EDX_NRIPS (1U << 3)
#define CPUID_SVM_EDX_TSC_RATE (1U << 4)
#define CPUID_SVM_EDX_VMCB_CLEAN (1U << 5)
#define CPUID_SVM_EDX_FLUSH_ASID (1U << 6)
#define CPUID_SVM_EDX_DECODE_ASSISTS (1U << 7)
#define CPUID_SVM_EDX_PAUSE_FILTER (1U << 10)
#define CPUID_SVM_EDX_PAUSE_THRESHOLD (1U << 12)
#define CPUID_SVM_EDX_AVIC (1U << 13)
#define CPUID_SVM_EDX_VMSAVE_VIRT (1U << 15)
#define CPUID_SVM_EDX_VGIF (1U << 16)
#define CPUID_SVM_EDX_VNMI (1U << 25)

/* Family and model with the extended fields folded in, as the manuals print them. */
static inline unsigned int cpuid_family(uint32_t eax1)
{
	unsigned int family = (eax1 >> 8) & 0xFU;

	return family == 0xFU ? family + ((eax1 >> 20) & 0xFFU) : family;
}

static inline unsigned int cpuid_model(uint32_t eax1)
{
	unsigned int family = (eax1 >> 8) & 0xFU;
	unsigned int model = (eax1 >> 4) & 0xFU;

	return family == 0xFU || family == 6U ? model | ((eax1 >> 12) & 0xF0U) : model;
}
