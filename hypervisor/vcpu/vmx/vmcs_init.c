/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VMCS as after RESET or INIT (SDM 3A table 10-1), with the controls that every guest has and the
 * host's state, which is the same on all CPUs but for the stack.
 */
#include "hw/cpu.h"
#include "hw/irq.h"
#include "hw/paging.h"
#include "lib/string.h"
#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"
#include "x86/cr.h"
#include "x86/exception.h"
#include "x86/msr.h"

#define RIGHTS_DATA 0x93U /* present, data, writable, accessed */
#define RIGHTS_CODE 0x9BU
#define RIGHTS_LDT 0x82U
#define RIGHTS_TSS 0x8BU
#define DR6_RESET 0xFFFF0FF0UL
#define DR7_RESET 0x400UL
#define HOST_SELECTOR_CODE 0x08U
#define HOST_SELECTOR_DATA 0x10U
#define HOST_SELECTOR_TSS 0x18U /* never looked at; but it may not be 0 */

static void controls_init(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);
	struct vcpu_group *group = vcpu->group;

	x->cpu_controls = vmx_features.cpu;
	x->tpr_threshold = 0;
	vmcs_write(VMCS_PIN_CONTROLS, vmx_features.pin);
	vmcs_write(VMCS_CPU_CONTROLS, vmx_features.cpu);
	vmcs_write(VMCS_CPU_CONTROLS2, vmx_features.cpu2);
	vmcs_write(VMCS_EXIT_CONTROLS, vmx_features.exit);
	vmcs_write(VMCS_ENTRY_CONTROLS, vmx_features.entry);
	vmcs_write(VMCS_EXIT_MSR_STORES, 0);
	vmcs_write(VMCS_EXIT_MSR_LOADS, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOADS, 0);
	vmcs_write(VMCS_ENTRY_EVENT, 0);
	vmcs_write(VMCS_CR3_TARGETS, 0);
	vmcs_write(VMCS_PF_ERROR_MASK, 0);
	vmcs_write(VMCS_PF_ERROR_MATCH, 0);
	/*
	 * #AC and #DB: a guest can make the CPU deliver them for ever without letting an interrupt
	 * in (CVE-2015-5307, CVE-2015-8104). #UD: VMMCALL is one on Intel.
	 */
	vmcs_write(VMCS_EXCEPTIONS, (1U << EXC_AC) | (1U << EXC_DB) | (1U << EXC_MC) |
					    (group->wants_vmcall ? 1U << EXC_UD : 0U));
	vmcs_write(VMCS_IO_BITMAP_A, group->io_bitmap_hpa);
	vmcs_write(VMCS_IO_BITMAP_B, group->io_bitmap_hpa + PAGE_SIZE);
	vmcs_write(VMCS_MSR_BITMAP, vmx_msr_bitmap(group, false));
	vmcs_write(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	vmcs_write(VMCS_EPT_POINTER, group->space.pt.root_hpa | VMX_EPTP_LEVELS_4 | VMX_EPTP_WB);
	if ((vmx_features.cpu2 & VMX_CPU2_XSAVES) != 0)
		vmcs_write(VMCS_XSS_EXITING, ~0UL); /* none comes: IA32_XSS is 0 for all */
	if (x->posted != NULL) {
		memset(x->posted, 0, sizeof(*x->posted));
		vmcs_write(VMCS_POSTED_VECTOR, IRQ_POSTED);
		vmcs_write(VMCS_POSTED_DESCRIPTOR, page_pool_to_hpa(&host_pool, x->posted));
	}
	if (x->virtual_apic != NULL) {
		memset(x->virtual_apic, 0, PAGE_SIZE);
		vmcs_write(VMCS_VIRTUAL_APIC, page_pool_to_hpa(&host_pool, x->virtual_apic));
		vmcs_write(VMCS_TPR_THRESHOLD, 0);
	}
	for (unsigned int i = 0; (vmx_features.xapic | vmx_features.x2apic) != 0 && i < ARRAY_SIZE(x->eoi_exits); i++) {
		x->eoi_exits[i] = 0;
		vmcs_write((enum vmcs_field)(VMCS_EOI_EXITS + 2U * i), 0);
	}
}

static void host_init(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} gdtr, idtr;

	asm volatile("sgdt %0\n\tsidt %1" : "=m"(gdtr), "=m"(idtr));
	vmcs_write(VMCS_HOST_CS, HOST_SELECTOR_CODE);
	vmcs_write(VMCS_HOST_SS, HOST_SELECTOR_DATA);
	vmcs_write(VMCS_HOST_DS, HOST_SELECTOR_DATA);
	vmcs_write(VMCS_HOST_ES, HOST_SELECTOR_DATA);
	vmcs_write(VMCS_HOST_FS, 0);
	vmcs_write(VMCS_HOST_GS, 0);
	vmcs_write(VMCS_HOST_TR, HOST_SELECTOR_TSS);
	vmcs_write(VMCS_HOST_FS_BASE, 0);
	vmcs_write(VMCS_HOST_GS_BASE, 0);
	vmcs_write(VMCS_HOST_TR_BASE, 0);
	vmcs_write(VMCS_HOST_GDTR_BASE, gdtr.base);
	vmcs_write(VMCS_HOST_IDTR_BASE, idtr.base);
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_HOST_CR0, cr0_read());
	vmcs_write(VMCS_HOST_CR3, cr3_read());
	vmcs_write(VMCS_HOST_CR4, cr4_read());
	vmcs_write(VMCS_HOST_EFER, msr_read(MSR_EFER));
	vmcs_write(VMCS_HOST_PAT, msr_read(MSR_IA32_PAT));
	vmcs_write(VMCS_HOST_RIP, (uint64_t)vmx_leave);
}

static void segment_init(struct vcpu *vcpu, enum x86_seg seg, uint32_t rights)
{
	struct segment s = { .attr = rights, .limit = 0xFFFF };

	if (seg == SEG_CS) {
		s.selector = 0xF000;
		s.base = 0xFFFF0000UL;
	}
	vmx_seg_set(vcpu, seg, &s);
}

static void guest_init(struct vcpu *vcpu)
{
	static const uint8_t rights[SEG_COUNT] = {
		[SEG_ES] = RIGHTS_DATA, [SEG_CS] = RIGHTS_CODE,	 [SEG_SS] = RIGHTS_DATA,
		[SEG_DS] = RIGHTS_DATA, [SEG_FS] = RIGHTS_DATA,	 [SEG_GS] = RIGHTS_DATA,
		[SEG_LDTR] = RIGHTS_LDT, [SEG_TR] = RIGHTS_TSS,
	};
	struct desc_table table = { .limit = 0xFFFF };

	for (unsigned int seg = 0; seg < SEG_COUNT; seg++)
		segment_init(vcpu, (enum x86_seg)seg, rights[seg]);
	vmx_table_set(vcpu, false, &table);
	vmx_table_set(vcpu, true, &table);
	vmx_reg_set(vcpu, VREG_EFER, 0);
	vmx_reg_set(vcpu, VREG_CR0, CR0_CD | CR0_NW | CR0_ET);
	vmx_reg_set(vcpu, VREG_CR3, 0);
	vmx_reg_set(vcpu, VREG_CR4, 0);
	vmx_reg_set(vcpu, VREG_RFLAGS, RFLAGS_FIXED1);
	vmx_reg_set(vcpu, VREG_PAT, PAT_RESET);
	vmx_reg_set(vcpu, VREG_DR6, DR6_RESET);
	vmx_reg_set(vcpu, VREG_DR7, DR7_RESET);
	vmx_reg_set(vcpu, VREG_CR2, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, 0);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_LINK_POINTER, ~0UL);
}

void vmcs_init(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	controls_init(vcpu);
	host_init();
	vmcs_write(VMCS_CR0_MASK, ~VMX_CR0_GUESTS);
	vmcs_write(VMCS_CR4_MASK, ~VMX_CR4_GUESTS);
	guest_init(vcpu);
	vmcs_write(VMCS_GUEST_RIP, 0);
	vmcs_write(VMCS_GUEST_RSP, 0);
	x->rip = 0;
	x->rsp = 0;
	x->host_rsp = 0;
	for (unsigned int i = 0; i < VMX_OWN_MSRS; i++)
		x->msr[i] = 0;
}
