/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VMX back end's own words. While a vCPU is loaded in a CPU, its VMCS is active there, and CR2,
 * the debug registers but DR7, KernelGSbase, the SYSCALL registers and the extended state of the
 * hardware are the guest's, through hypervisor code too. A VMCS may be active on one CPU only, so
 * whoever looks at a vCPU that is not loaded opens it, and clears it away again.
 */
#pragma once

#include "vcpu/backend.h"
#include "vcpu/vmx/vmcs.h"
#include "vcpu/vmx/vmx_bits.h"
#include "x86/cr.h"

/* Bits of CR0 and CR4 that the guest changes without an exit; the others it sees as we say. */
#define VMX_CR0_GUESTS (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_WP | CR0_AM | CR0_PG)
#define VMX_CR4_GUESTS                                                                             \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE |            \
	 CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE |         \
	 CR4_SMEP | CR4_SMAP | CR4_PKE)

#define VMX_VIRTUAL_TPR 0x80U /* in the virtual APIC page */

/* MSRs that the guest has to itself and that a VMCS does not hold. */
#define VMX_OWN_MSRS 5U

enum {
	VMX_DUE_FLUSH = 1U << 0,    /* INVEPT */
	VMX_DUE_PDPTES = 1U << 1,   /* the guest's PAE pointers are to be read */
	VMX_DUE_MODE = 1U << 2,	    /* of the local APIC: is it the CPU's or the vlapic? */
	VMX_DUE_REGISTER = 1U << 3, /* of the local APIC: apic_written */
};

/* What another CPU gives a running guest (SDM 3C 30.6); SDM wants 64 bytes aligned to 64. */
struct vmx_posted {
	uint64_t requests[4]; /* a bit for each vector */
	uint64_t control;
	uint64_t reserved[3];
};

struct vmx_vcpu {
	/* vmx_entry.S knows these two by their offsets. */
	uint64_t host_rsp; /* as the VMCS has it */
	uint8_t launched;  /* VMRESUME, not VMLAUNCH */
	bool is_active;	   /* loaded by VMPTRLD since the last VMCLEAR, on the vCPU's own CPU */
	uint32_t due;	   /* VMX_DUE_*: before the next entry */
	uint64_t rip, rsp; /* as the VMCS has them */
	uint32_t cpu_controls;
	uint32_t tpr_threshold;
	uint64_t vpid_generation; /* of the CPU's, at which the VPID was drawn; 0: draw a new one */
	void *vmcs;
	hpa_t vmcs_hpa;
	uint8_t *virtual_apic; /* the registers; without apic_controls only TPR. NULL: CR8 exits */
	uint32_t apic_controls; /* vmx_apic.c: VMX_CPU2_*APIC, while the CPU is the guest's local APIC; else 0 */
	uint16_t apic_written; /* with VMX_DUE_REGISTER: whose copy in the page is to be made anew */
	uint64_t eoi_exits[4]; /* as the VMCS has them */
	struct vmx_posted *posted; /* NULL: the CPU has no posted interrupts */
	uint64_t cr2, dr6;     /* while not loaded */
	uint64_t msr[VMX_OWN_MSRS];
};

static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
	return vcpu->arch;
}

/* What the CPU allows of what we ask for; probed once. */
struct vmx_features {
	uint32_t pin, cpu, cpu2, exit, entry;
	uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	uint64_t ept_vpid_cap;
	uint32_t revision;
	uint32_t posted; /* VMX_PIN_POSTED when the CPU has that and it is to be used, else 0 */
	uint32_t xapic, x2apic; /* VMX_CPU2_*APIC when the CPU has all of it and it is to be used, else 0 */
};
extern struct vmx_features vmx_features;

extern const struct vcpu_backend vmx_backend;

/* vmx_probe.c: fills vmx_features; NULL, or why VMX cannot be used. */
const char *vmx_probe(void);
unsigned int vmx_max_leaf(void);
bool vmx_offers(enum vcpu_feature feature);

/* vmx_entry.S: runs the guest until an exit; 0, or -1 when the CPU refused (VMfail). */
int vmx_enter(struct vcpu *vcpu, struct vmx_vcpu *x);
/* Where the CPU comes out. */
extern const uint8_t vmx_leave[];

/* vmx_exit.c: fills vcpu->exit from the VMCS. */
void vmx_exit_decode(struct vcpu *vcpu);

/* vmx_apic.c */
bool vmx_apic_post(struct vcpu *vcpu);
/* Gives the vlapic back what waits and what is in service. The VMCS is current. */
void vmx_apic_pull(struct vcpu *vcpu);
/* What of the APIC has to be done before an entry once in a while. The VMCS is current. */
void vmx_apic_prepare(struct vcpu *vcpu);
int vmx_group_start(struct vcpu_group *group);

/* vmx_posted.c */
bool vmx_post_remote(struct vcpu *vcpu);
void vmx_unpost(struct vcpu *vcpu);

/* vmx_check.c */
const char *vmx_explain(struct vcpu *vcpu);

/* vmcs_init.c: the state after RESET or INIT (SDM 3A 10.1.1), the controls, the host's state. */
void vmcs_init(struct vcpu *vcpu);

/* vmx_intercept.c */
int vmx_group_init(struct vcpu_group *group);
void vmx_group_free(struct vcpu_group *group);
void vmx_intercept(struct vcpu_group *group, enum intercept_kind kind, uint32_t first,
		   uint32_t count, bool on);

/* The page of MSR intercepts for a vCPU whose x2APIC the CPU is, or for any other. */
hpa_t vmx_msr_bitmap(const struct vcpu_group *group, bool is_x2apic);

/* vmx_regs.c */
uint64_t vmx_reg_get(struct vcpu *vcpu, enum vcpu_reg reg);
void vmx_reg_set(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value);
void vmx_seg_get(struct vcpu *vcpu, enum x86_seg seg, struct segment *s);
void vmx_seg_set(struct vcpu *vcpu, enum x86_seg seg, const struct segment *s);
enum insn_mode vmx_mode(struct vcpu *vcpu);
unsigned int vmx_cpl(struct vcpu *vcpu);
void vmx_table_set(struct vcpu *vcpu, bool is_idt, const struct desc_table *t);
/* Gives the CPU the four pointers of PAE paging, which with EPT it takes from the VMCS. */
void vmx_load_pdptes(struct vcpu *vcpu);

/* vmx.c: brackets access to the VMCS of any vCPU that no other CPU has loaded. */
void vmx_open(struct vcpu *vcpu);
void vmx_close(struct vcpu *vcpu);
bool vmx_is_loaded(const struct vcpu *vcpu);
/* VMREAD and VMWRITE mean its VMCS; so it is of a loaded one until another is opened. */
bool vmx_is_current(const struct vcpu *vcpu);

/*
 * The shadow of STI and MOV SS that holds interrupts back, 0: none. It ends with the next instruction; when we carried
 * that one out, the CPU has not noticed, so this ends it. The VMCS is open.
 */
uint32_t vmx_blocking(struct vcpu *vcpu);

/* Turns bits of the processor-based controls on or off. The VMCS is open. */
void vmx_set_controls(struct vmx_vcpu *x, uint32_t bits, bool on);
/* Asks for an exit when the priority class falls below threshold; 0: never. The VMCS is open. */
void vmx_set_threshold(struct vmx_vcpu *x, uint32_t threshold);
