/* SPDX-License-Identifier: BSD-3-Clause */
/* A VMCB as after RESET or INIT (APM 2 14.1.3), with the intercepts that every guest has. */
#include "hw/cpu.h"
#include "lib/string.h"
#include "vcpu/svm/svm.h"
#include "x86/cr.h"
#include "x86/exception.h"
#include "x86/msr.h"

#define ATTR_DATA 0x93U /* present, data, writable, accessed */
#define ATTR_CODE 0x9BU
#define ATTR_LDT 0x82U
#define ATTR_TSS 0x8BU
#define DR6_RESET 0xFFFF0FF0UL
#define DR7_RESET 0x400UL

static void intercepts_init(const struct vcpu *vcpu, struct vmcb *vmcb)
{
	vmcb->intercept1 = SVM_I1_INTR | SVM_I1_NMI | SVM_I1_INIT | SVM_I1_RDPMC | SVM_I1_CPUID |
			   SVM_I1_INVD | SVM_I1_HLT | SVM_I1_INVLPGA | SVM_I1_IOIO | SVM_I1_MSR |
			   SVM_I1_SHUTDOWN;
	vmcb->intercept2 = SVM_I2_VMRUN | SVM_I2_VMMCALL | SVM_I2_VMLOAD | SVM_I2_VMSAVE |
			   SVM_I2_STGI | SVM_I2_CLGI | SVM_I2_SKINIT | SVM_I2_WBINVD |
			   SVM_I2_MONITOR | SVM_I2_MWAIT | SVM_I2_MWAIT_ARMED;
	if (cpu_features.xsave)
		vmcb->intercept2 |= SVM_I2_XSETBV;
	/*
	 * #AC and #DB: a guest can make the CPU deliver them for ever without letting an interrupt
	 * in (CVE-2015-5307, CVE-2015-8104). #UD: VMCALL is one on AMD.
	 */
	vmcb->exceptions = (1U << EXC_AC) | (1U << EXC_DB) | (1U << EXC_MC);
	if (vcpu->group->wants_vmcall)
		vmcb->exceptions |= 1U << EXC_UD;
}

static void segments_init(struct vmcb *vmcb)
{
	struct vmcb_seg data = { .attr = ATTR_DATA, .limit = 0xFFFF };
	struct vmcb_seg table = { .limit = 0xFFFF };

	vmcb->es = data;
	vmcb->ss = data;
	vmcb->ds = data;
	vmcb->fs = data;
	vmcb->gs = data;
	vmcb->cs = data;
	vmcb->cs.selector = 0xF000;
	vmcb->cs.attr = ATTR_CODE;
	vmcb->cs.base = 0xFFFF0000UL;
	vmcb->gdtr = table;
	vmcb->idtr = table;
	vmcb->ldtr = table;
	vmcb->ldtr.attr = ATTR_LDT;
	vmcb->tr = table;
	vmcb->tr.attr = ATTR_TSS;
}

void vmcb_init(struct vcpu *vcpu, struct vmcb *vmcb)
{
	memset(vmcb, 0, sizeof(*vmcb));
	intercepts_init(vcpu, vmcb);
	segments_init(vmcb);
	vmcb->iopm_hpa = vcpu->group->io_bitmap_hpa;
	vmcb->msrpm_hpa = vcpu->group->msr_bitmap_hpa;
	vmcb->nested_ctl = 1;
	vmcb->nested_cr3 = vcpu->group->space.pt.root_hpa;
	vmcb->int_ctl = SVM_V_INTR_MASKING;
	vmcb->tsc_offset = vcpu->tsc_offset;
	vmcb->efer = EFER_SVME;
	vmcb->cr0 = CR0_CD | CR0_NW | CR0_ET;
	vmcb->rflags = RFLAGS_FIXED1;
	vmcb->dr6 = DR6_RESET;
	vmcb->dr7 = DR7_RESET;
	vmcb->g_pat = PAT_RESET;
}
