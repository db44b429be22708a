/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bits of the controls, events and capabilities, and the basic exit reasons. Source: SDM 3C 25, SDM 3D
 * appendix A (capabilities) and C (reasons).
 */
#pragma once

/* Pin-based controls */
#define VMX_PIN_INTERRUPT (1U << 0)
#define VMX_PIN_NMI (1U << 3)
#define VMX_PIN_VIRTUAL_NMI (1U << 5)
#define VMX_PIN_POSTED (1U << 7)

/* Processor-based controls */
#define VMX_CPU_INTERRUPT_WINDOW (1U << 2)
#define VMX_CPU_TSC_OFFSET (1U << 3)
#define VMX_CPU_HLT (1U << 7)
#define VMX_CPU_MWAIT (1U << 10)
#define VMX_CPU_RDPMC (1U << 11)
#define VMX_CPU_CR3_LOAD (1U << 15)
#define VMX_CPU_CR3_STORE (1U << 16)
#define VMX_CPU_CR8_LOAD (1U << 19)
#define VMX_CPU_CR8_STORE (1U << 20)
#define VMX_CPU_TPR_SHADOW (1U << 21)
#define VMX_CPU_NMI_WINDOW (1U << 22)
#define VMX_CPU_IO_BITMAPS (1U << 25)
#define VMX_CPU_MSR_BITMAPS (1U << 28)
#define VMX_CPU_MONITOR (1U << 29)
#define VMX_CPU_SECONDARY (1U << 31)

/* Secondary processor-based controls */
#define VMX_CPU2_EPT (1U << 1)
/* Together: APIC-register virtualization and virtual-interrupt delivery, of APIC accesses or of MSRs. */
#define VMX_CPU2_XAPIC ((1U << 0) | (1U << 8) | (1U << 9))
#define VMX_CPU2_X2APIC ((1U << 4) | (1U << 8) | (1U << 9))
#define VMX_CPU2_RDTSCP (1U << 3)
#define VMX_CPU2_VPID (1U << 5)
#define VMX_CPU2_WBINVD (1U << 6)
#define VMX_CPU2_UNRESTRICTED (1U << 7)
#define VMX_CPU2_INVPCID (1U << 12)
#define VMX_CPU2_XSAVES (1U << 20)

/* Exit and entry controls */
#define VMX_EXIT_SAVE_DEBUG (1U << 2)
#define VMX_EXIT_HOST_64 (1U << 9)
#define VMX_EXIT_ACKNOWLEDGE (1U << 15)
#define VMX_EXIT_SAVE_PAT (1U << 18)
#define VMX_EXIT_LOAD_PAT (1U << 19)
#define VMX_EXIT_SAVE_EFER (1U << 20)
#define VMX_EXIT_LOAD_EFER (1U << 21)
#define VMX_ENTRY_LOAD_DEBUG (1U << 2)
#define VMX_ENTRY_IA32E (1U << 9)
#define VMX_ENTRY_LOAD_PAT (1U << 14)
#define VMX_ENTRY_LOAD_EFER (1U << 15)

/* Events: how they enter, leave, and were interrupted (SDM 3C 25.8.3, 25.9.2) */
#define VMX_EVENT_VALID (1U << 31)
#define VMX_EVENT_NMI_UNBLOCKED (1U << 12)
#define VMX_EVENT_ERROR (1U << 11)
#define VMX_EVENT_TYPE_SHIFT 8
#define VMX_EVENT_TYPE 7U
#define VMX_EVENT_INTERRUPT 0U
#define VMX_EVENT_NMI 2U
#define VMX_EVENT_EXCEPTION 3U
#define VMX_EVENT_SOFTWARE_INTERRUPT 4U
#define VMX_EVENT_PRIVILEGED 5U /* INT1 */
#define VMX_EVENT_SOFTWARE_EXCEPTION 6U /* INT3, INTO */

/* Interruptibility */
#define VMX_BLOCKED_STI (1U << 0)
#define VMX_BLOCKED_MOV_SS (1U << 1)
#define VMX_BLOCKED_NMI (1U << 3)

/* EPT pointer, and what IA32_VMX_EPT_VPID_CAP says */
#define VMX_EPTP_WB 6UL
#define VMX_EPTP_LEVELS_4 (3UL << 3)
#define VMX_EPT_CAP_LEVELS_4 (1UL << 6)
#define VMX_EPT_CAP_WB (1UL << 14)
#define VMX_EPT_CAP_2M (1UL << 16)
#define VMX_EPT_CAP_1G (1UL << 17)
#define VMX_EPT_CAP_INVEPT (1UL << 20)
#define VMX_EPT_CAP_INVEPT_SINGLE (1UL << 25)
#define VMX_EPT_CAP_INVEPT_ALL (1UL << 26)
#define VMX_EPT_CAP_INVVPID (1UL << 32)
#define VMX_EPT_CAP_INVVPID_ALL (1UL << 42)
#define VMX_INVEPT_SINGLE 1UL
#define VMX_INVEPT_ALL 2UL
#define VMX_INVVPID_ALL 2UL

/* IA32_VMX_BASIC */
#define VMX_BASIC_REVISION 0x7FFFFFFFUL
#define VMX_BASIC_STRING_INFO (1UL << 54)
#define VMX_BASIC_TRUE_CONTROLS (1UL << 55)

#define VMX_ENTRY_FAILED (1U << 31) /* in the exit reason */

enum vmx_exit {
	VMX_EXIT_EXCEPTION = 0, /* or NMI */
	VMX_EXIT_INTERRUPT = 1,
	VMX_EXIT_TRIPLE_FAULT = 2,
	VMX_EXIT_INIT = 3,
	VMX_EXIT_INTERRUPT_WINDOW = 7,
	VMX_EXIT_NMI_WINDOW = 8,
	VMX_EXIT_TASK_SWITCH = 9,
	VMX_EXIT_CPUID = 10,
	VMX_EXIT_GETSEC = 11,
	VMX_EXIT_HLT = 12,
	VMX_EXIT_INVD = 13,
	VMX_EXIT_RDPMC = 15,
	VMX_EXIT_VMCALL = 18,
	VMX_EXIT_VMCLEAR = 19,
	VMX_EXIT_VMXON = 27,
	VMX_EXIT_CR = 28,
	VMX_EXIT_IO = 30,
	VMX_EXIT_RDMSR = 31,
	VMX_EXIT_WRMSR = 32,
	VMX_EXIT_INVALID_STATE = 33,
	VMX_EXIT_MSR_LOAD = 34,
	VMX_EXIT_MWAIT = 36,
	VMX_EXIT_MONITOR = 39,
	VMX_EXIT_PAUSE = 40,
	VMX_EXIT_MACHINE_CHECK = 41,
	VMX_EXIT_TPR_BELOW = 43,
	VMX_EXIT_APIC_ACCESS = 44,
	VMX_EXIT_EOI = 45,
	VMX_EXIT_EPT_VIOLATION = 48,
	VMX_EXIT_EPT_MISCONFIG = 49,
	VMX_EXIT_INVEPT = 50,
	VMX_EXIT_INVVPID = 53,
	VMX_EXIT_WBINVD = 54,
	VMX_EXIT_XSETBV = 55,
	VMX_EXIT_APIC_WRITE = 56,
	VMX_EXIT_COUNT = 64
};
