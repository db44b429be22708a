/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtual machine control block, byte for byte. Source: APM 2 appendix B (layout), 15.9-15.21
 * (meaning). Fields after the save area's dbgctl are not used here.
 */
#pragma once

#include "lib/types.h"

struct vmcb_seg {
	uint16_t selector;
	uint16_t attr; /* type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, DB 10, G 11 */
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* control area */
	uint16_t cr_read, cr_write, dr_read, dr_write;
	uint32_t exceptions;
	uint32_t intercept1, intercept2, intercept3;
	uint8_t reserved0[0x3C - 0x18];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm_hpa, msrpm_hpa;
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control;
	uint8_t reserved1[3];
	uint32_t int_ctl, int_vector;
	uint64_t int_state;
	uint64_t exit_code, exit_info1, exit_info2, exit_int_info;
	uint64_t nested_ctl;
	uint8_t reserved2[0xA8 - 0x98];
	uint64_t event_inj;
	uint64_t nested_cr3;
	uint64_t virt_ext;
	uint32_t clean;
	uint32_t reserved3;
	uint64_t next_rip;
	uint8_t insn_len, insn_bytes[15];
	uint8_t reserved4[0x400 - 0xE0];
	/* save area */
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved5[0x4CB - 0x4A0];
	uint8_t cpl;
	uint8_t reserved6[4];
	uint64_t efer;
	uint8_t reserved7[0x548 - 0x4D8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved8[0x5D8 - 0x580];
	uint64_t rsp;
	uint8_t reserved9[0x5F8 - 0x5E0];
	uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved10[0x668 - 0x648];
	uint64_t g_pat, dbgctl;
	uint8_t reserved11[0x1000 - 0x678];
};

_Static_assert(sizeof(struct vmcb) == 4096, "VMCB is one page");
_Static_assert(offsetof(struct vmcb, iopm_hpa) == 0x40, "APM 2 B-1");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "APM 2 B-1");
_Static_assert(offsetof(struct vmcb, nested_cr3) == 0xB0, "APM 2 B-1");
_Static_assert(offsetof(struct vmcb, next_rip) == 0xC8, "APM 2 B-1");
_Static_assert(offsetof(struct vmcb, tr) == 0x490, "APM 2 B-2");
_Static_assert(offsetof(struct vmcb, efer) == 0x4D0, "APM 2 B-2");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "APM 2 B-2");
_Static_assert(offsetof(struct vmcb, rax) == 0x5F8, "APM 2 B-2");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "APM 2 B-2");

/* vmcb_seg.attr */
#define VMCB_ATTR_L (1U << 9)
#define VMCB_ATTR_DB (1U << 10)

/* intercept1 */
#define SVM_I1_INTR (1U << 0)
#define SVM_I1_NMI (1U << 1)
#define SVM_I1_SMI (1U << 2)
#define SVM_I1_INIT (1U << 3)
#define SVM_I1_VINTR (1U << 4)
#define SVM_I1_RDPMC (1U << 15)
#define SVM_I1_CPUID (1U << 18)
#define SVM_I1_IRET (1U << 20)
#define SVM_I1_INVD (1U << 22)
#define SVM_I1_PAUSE (1U << 23)
#define SVM_I1_HLT (1U << 24)
#define SVM_I1_INVLPGA (1U << 26)
#define SVM_I1_IOIO (1U << 27)
#define SVM_I1_MSR (1U << 28)
#define SVM_I1_SHUTDOWN (1U << 31)

/* intercept2 */
#define SVM_I2_VMRUN (1U << 0)
#define SVM_I2_VMMCALL (1U << 1)
#define SVM_I2_VMLOAD (1U << 2)
#define SVM_I2_VMSAVE (1U << 3)
#define SVM_I2_STGI (1U << 4)
#define SVM_I2_CLGI (1U << 5)
#define SVM_I2_SKINIT (1U << 6)
#define SVM_I2_WBINVD (1U << 9)
#define SVM_I2_MONITOR (1U << 10)
#define SVM_I2_MWAIT (1U << 11)
#define SVM_I2_MWAIT_ARMED (1U << 12)
#define SVM_I2_XSETBV (1U << 13)

/* int_ctl, int_state */
#define SVM_V_TPR 0xFFU
#define SVM_V_IRQ (1U << 8)
#define SVM_V_PRIO_SHIFT 16
#define SVM_V_PRIO (0xFU << 16)
#define SVM_V_IGN_TPR (1U << 20)
#define SVM_V_INTR_MASKING (1U << 24)
#define SVM_INT_SHADOW 1UL

/* exit_int_info and event_inj */
#define SVM_EVENT_VALID (1UL << 31)
#define SVM_EVENT_ERROR (1UL << 11)
#define SVM_EVENT_TYPE_SHIFT 8
#define SVM_EVENT_INTR 0UL
#define SVM_EVENT_NMI 2UL
#define SVM_EVENT_EXCEPTION 3UL
#define SVM_EVENT_SOFTWARE 4UL

#define SVM_TLB_FLUSH_ALL 1U

/* exit codes (APM 2 appendix C) */
enum svm_exit {
	SVM_EXIT_EXCEPTION = 0x40, /* + vector, to 0x5F */
	SVM_EXIT_INTR = 0x60,
	SVM_EXIT_NMI = 0x61,
	SVM_EXIT_SMI = 0x62,
	SVM_EXIT_INIT = 0x63,
	SVM_EXIT_VINTR = 0x64,
	SVM_EXIT_RDPMC = 0x6F,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_IRET = 0x74,
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_PAUSE = 0x77,
	SVM_EXIT_HLT = 0x78,
	SVM_EXIT_INVLPGA = 0x7A,
	SVM_EXIT_IOIO = 0x7B,
	SVM_EXIT_MSR = 0x7C,
	SVM_EXIT_SHUTDOWN = 0x7F,
	SVM_EXIT_VMRUN = 0x80,
	SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_VMLOAD = 0x82,
	SVM_EXIT_VMSAVE = 0x83,
	SVM_EXIT_STGI = 0x84,
	SVM_EXIT_CLGI = 0x85,
	SVM_EXIT_SKINIT = 0x86,
	SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_MONITOR = 0x8A,
	SVM_EXIT_MWAIT = 0x8B,
	SVM_EXIT_MWAIT_ARMED = 0x8C,
	SVM_EXIT_XSETBV = 0x8D,
	SVM_EXIT_NPF = 0x400,
};

#define SVM_EXIT_INVALID (~0UL)
