/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SVM back end's own words. While a vCPU is loaded in a CPU, FS, GS, TR, LDTR, KernelGSbase, the
 * SYSCALL and SYSENTER registers, the debug registers and the extended state of the hardware are
 * the guest's, through hypervisor code too: nothing there uses them. svm_put() saves them.
 */
#pragma once

#include "vcpu/backend.h"
#include "vcpu/svm/vmcb.h"

struct svm_vcpu {
	struct vmcb *vmcb;
	hpa_t vmcb_hpa;
	uint64_t asid_generation; /* of the CPU's, at which asid was drawn; 0: draw a new one */
	uint64_t iret_rip;	  /* where an IRET that ends NMI masking was seen, ~0: nowhere */
};

static inline struct svm_vcpu *svm_of(struct vcpu *vcpu)
{
	return vcpu->arch;
}

/* What the CPU has; probed once. */
struct svm_features {
	bool nrips;
	uint32_t asids;
};
extern struct svm_features svm_features;

extern const struct vcpu_backend svm_backend;

/* svm_probe.c: fills svm_features; NULL, or why SVM cannot be used. */
const char *svm_probe(void);
unsigned int svm_max_leaf(void);
bool svm_offers(enum vcpu_feature feature);

/* svm_entry.S: runs the guest until an exit. Host interrupts are held (GIF 0) around it. */
void svm_enter(struct vcpu *vcpu, hpa_t vmcb);

/* svm_exit.c: fills vcpu->exit from the VMCB. */
void svm_exit_decode(struct vcpu *vcpu, struct vmcb *vmcb);

/* svm_check.c */
const char *svm_explain(struct vcpu *vcpu);

/* vmcb_init.c: the state after RESET or INIT (APM 2 14.1.3) and the intercepts. */
void vmcb_init(struct vcpu *vcpu, struct vmcb *vmcb);

/* svm_intercept.c */
int svm_group_init(struct vcpu_group *group);
void svm_intercept(struct vcpu_group *group, enum intercept_kind kind, uint32_t first,
		   uint32_t count, bool on);

/* svm_regs.c */
uint64_t svm_reg_get(struct vcpu *vcpu, enum vcpu_reg reg);
void svm_reg_set(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value);
void svm_seg_get(struct vcpu *vcpu, enum x86_seg seg, struct segment *s);
void svm_seg_set(struct vcpu *vcpu, enum x86_seg seg, const struct segment *s);
enum insn_mode svm_mode(struct vcpu *vcpu);
unsigned int svm_cpl(struct vcpu *vcpu);
void svm_table_set(struct vcpu *vcpu, bool is_idt, const struct desc_table *t);

/* Writes what is loaded in this CPU of the vCPU back to its VMCB (VMSAVE), if it is. */
void svm_sync(struct vcpu *vcpu);
