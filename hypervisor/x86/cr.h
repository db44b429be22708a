/* SPDX-License-Identifier: BSD-3-Clause */
/* Control registers, EFER and XCR0: bits only (SDM 3A 2.5, APM 2 3.1). Access is in hw/cpu.h. */
#pragma once

#include "lib/types.h"

#define CR0_PE (1UL << 0)
#define CR0_MP (1UL << 1)
#define CR0_EM (1UL << 2)
#define CR0_TS (1UL << 3)
#define CR0_ET (1UL << 4)
#define CR0_NE (1UL << 5)
#define CR0_WP (1UL << 16)
#define CR0_AM (1UL << 18)
#define CR0_NW (1UL << 29)
#define CR0_CD (1UL << 30)
#define CR0_PG (1UL << 31)

#define CR3_PCID_MASK 0xFFFUL
#define CR3_PWT (1UL << 3)
#define CR3_PCD (1UL << 4)
#define CR3_NOFLUSH (1UL << 63)

#define CR4_VME (1UL << 0)
#define CR4_PVI (1UL << 1)
#define CR4_TSD (1UL << 2)
#define CR4_DE (1UL << 3)
#define CR4_PSE (1UL << 4)
#define CR4_PAE (1UL << 5)
#define CR4_MCE (1UL << 6)
#define CR4_PGE (1UL << 7)
#define CR4_PCE (1UL << 8)
#define CR4_OSFXSR (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_UMIP (1UL << 11)
#define CR4_LA57 (1UL << 12)
#define CR4_VMXE (1UL << 13)
#define CR4_SMXE (1UL << 14)
#define CR4_FSGSBASE (1UL << 16)
#define CR4_PCIDE (1UL << 17)
#define CR4_OSXSAVE (1UL << 18)
#define CR4_KL (1UL << 19)
#define CR4_SMEP (1UL << 20)
#define CR4_SMAP (1UL << 21)
#define CR4_PKE (1UL << 22)
#define CR4_CET (1UL << 23)
#define CR4_PKS (1UL << 24)

/* What a guest may have of them. */
#define CR0_KNOWN                                                                                  \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)
#define CR4_KNOWN                                                                                  \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE |  \
	 CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE |         \
	 CR4_SMEP | CR4_SMAP | CR4_PKE)

#define EFER_SCE (1UL << 0)
#define EFER_LME (1UL << 8)
#define EFER_LMA (1UL << 10)
#define EFER_NXE (1UL << 11)
#define EFER_SVME (1UL << 12)
#define EFER_LMSLE (1UL << 13)
#define EFER_FFXSR (1UL << 14)
#define EFER_TCE (1UL << 15)

#define DR6_TRAPS 0xE00FUL /* B0 to B3, BD, BS, BT */
#define DR7_GD (1UL << 13)

#define XCR0_X87 (1UL << 0)
#define XCR0_SSE (1UL << 1)
#define XCR0_AVX (1UL << 2)
#define XCR0_MPX (3UL << 3)
#define XCR0_AVX512 (7UL << 5)
#define XCR0_PKRU (1UL << 9)
#define XCR0_AMX (3UL << 17)

/* XSETBV's rules for the combinations above (SDM 1 13.3); supported: CPUID 0DH.0 EDX:EAX. */
static inline bool xcr0_is_valid(uint64_t xcr0, uint64_t supported)
{
	if ((xcr0 & ~supported) != 0 || (xcr0 & XCR0_X87) == 0)
		return false;
	if ((xcr0 & XCR0_AVX) != 0 && (xcr0 & XCR0_SSE) == 0)
		return false;
	if ((xcr0 & XCR0_MPX) != 0 && (xcr0 & XCR0_MPX) != XCR0_MPX)
		return false;
	if ((xcr0 & XCR0_AMX) != 0 && (xcr0 & XCR0_AMX) != XCR0_AMX)
		return false;
	if ((xcr0 & XCR0_AVX512) == 0)
		return true;
	return (xcr0 & XCR0_AVX512) == XCR0_AVX512 && (xcr0 & XCR0_AVX) != 0;
}
