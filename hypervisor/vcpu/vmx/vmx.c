/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VMX back end: the processor, a vCPU's life, one round trip into the guest. What is switched at
 * each entry is what the VMCS switches; the rest changes hands only when another vCPU is run.
 */
#include "vcpu/vmx/vmx.h"

#include "hw/cpu.h"
#include "hw/paging.h"
#include "hw/percpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "vcpu/fpu.h"
#include "vcpu/mitigation.h"
#include "vcpu/vmx/vmcs_access.h"
#include "x86/cr.h"
#include "x86/exception.h"
#include "x86/msr.h"

struct vmx_cpu {
	uint32_t *vmxon;
	struct vcpu *loaded;  /* whose lazily switched state the hardware holds */
	const struct vcpu_group *last_group; /* whose vCPU was loaded last */
	struct vcpu *current; /* whose VMCS VMREAD and VMWRITE mean */
	unsigned int open_count; /* of brackets around one that is not loaded */
	uint64_t vpid_generation;
	uint32_t vpid_next;
};
static DEFINE_PERCPU(struct vmx_cpu, vmx_cpu);

#define VPIDS 0x10000U

static const uint32_t own_msrs[VMX_OWN_MSRS] = {
	MSR_KERNEL_GS_BASE, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
};

static const struct pgtable_format *vmx_format(void)
{
	return mitigations.no_large_exec ? &pgtable_ept_split : &pgtable_ept;
}

static int vmx_cpu_on(void)
{
	struct vmx_cpu *cpu = &this_cpu(vmx_cpu);
	uint64_t control;

	cpu->vmxon = page_pool_alloc(&host_pool);
	if (cpu->vmxon == NULL)
		return -ENOMEM;
	*cpu->vmxon = vmx_features.revision;
	cpu->loaded = NULL;
	cpu->current = NULL;
	cpu->vpid_generation = 1;
	cpu->vpid_next = 1;
	fpu_cpu_on();
	mitigation_cpu_on();
	if (msr_read_safe(MSR_IA32_FEATURE_CONTROL, &control) &&
	    (control & FEATURE_CONTROL_LOCK) == 0)
		msr_write(MSR_IA32_FEATURE_CONTROL,
			  control | FEATURE_CONTROL_VMX | FEATURE_CONTROL_LOCK);
	cr0_write((cr0_read() | vmx_features.cr0_fixed0) & vmx_features.cr0_fixed1);
	cr4_write((cr4_read() | vmx_features.cr4_fixed0 | CR4_VMXE) & vmx_features.cr4_fixed1);
	if (!vmx_on(page_pool_to_hpa(&host_pool, cpu->vmxon)))
		panic("CPU %u: VMXON failed", cpu_id());
	/* What an earlier owner of the machine left. */
	vmx_invept(VMX_INVEPT_ALL, 0);
	if ((vmx_features.cpu2 & VMX_CPU2_VPID) != 0)
		vmx_invvpid(VMX_INVVPID_ALL, 0);
	return 0;
}

static void vmx_cpu_off(void)
{
	struct vmx_cpu *cpu = &this_cpu(vmx_cpu);

	ASSERT(cpu->loaded == NULL);
	vmx_off();
	cr4_write(cr4_read() & ~CR4_VMXE);
	page_pool_free(&host_pool, cpu->vmxon);
}

static void free_pages(struct vmx_vcpu *x)
{
	if (x->virtual_apic != NULL)
		page_pool_free(&host_pool, x->virtual_apic);
	if (x->posted != NULL)
		page_pool_free(&host_pool, x->posted);
	if (x->vmcs != NULL)
		page_pool_free(&host_pool, x->vmcs);
	page_pool_free(&host_pool, x);
}

static int vmx_vcpu_init(struct vcpu *vcpu)
{
	bool has_shadow = (vmx_features.cpu & VMX_CPU_TPR_SHADOW) != 0;
	struct vmx_vcpu *x = page_pool_alloc(&host_pool);

	if (x == NULL)
		return -ENOMEM;
	x->vmcs = page_pool_alloc(&host_pool);
	if (has_shadow)
		x->virtual_apic = page_pool_alloc(&host_pool);
	if (vmx_features.posted != 0) /* a page, because Bochs 3.0 takes no less */
		x->posted = page_pool_alloc(&host_pool);
	if (x->vmcs == NULL || (has_shadow && x->virtual_apic == NULL) ||
	    (vmx_features.posted != 0 && x->posted == NULL)) {
		free_pages(x);
		return -ENOMEM;
	}
	x->vmcs_hpa = page_pool_to_hpa(&host_pool, x->vmcs);
	*(uint32_t *)x->vmcs = vmx_features.revision;
	vmcs_clear(x->vmcs_hpa);
	vcpu->arch = x;
	return 0;
}

static void vmx_vcpu_reset(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	ASSERT(!vmx_is_loaded(vcpu));
	x->vpid_generation = 0;
	x->due = VMX_DUE_FLUSH | VMX_DUE_MODE;
	x->apic_controls = 0;
	vmx_open(vcpu);
	vmcs_init(vcpu);
	vmx_close(vcpu);
}

static void vmx_vcpu_free(struct vcpu *vcpu)
{
	free_pages(vmx_of(vcpu));
	vcpu->arch = NULL;
}

bool vmx_is_loaded(const struct vcpu *vcpu)
{
	return this_cpu(vmx_cpu).loaded == vcpu;
}

bool vmx_is_current(const struct vcpu *vcpu)
{
	return this_cpu(vmx_cpu).current == vcpu;
}

static void make_current(struct vmx_cpu *cpu, struct vcpu *vcpu)
{
	vmcs_load(vmx_of(vcpu)->vmcs_hpa);
	vmx_of(vcpu)->is_active = true;
	cpu->current = vcpu;
}

void vmx_open(struct vcpu *vcpu)
{
	struct vmx_cpu *cpu = &this_cpu(vmx_cpu);

	if (unlikely(cpu->loaded != vcpu))
		cpu->open_count++;
	if (unlikely(cpu->current != vcpu))
		make_current(cpu, vcpu);
}

static void clear(struct vmx_cpu *cpu, struct vcpu *vcpu)
{
	vmcs_clear(vmx_of(vcpu)->vmcs_hpa);
	vmx_of(vcpu)->launched = 0;
	vmx_of(vcpu)->is_active = false;
	cpu->current = NULL;
}

void vmx_close(struct vcpu *vcpu)
{
	struct vmx_cpu *cpu = &this_cpu(vmx_cpu);

	if (unlikely(cpu->loaded != vcpu && --cpu->open_count == 0))
		clear(cpu, vcpu);
}

static void unload(struct vmx_cpu *cpu)
{
	struct vcpu *vcpu = cpu->loaded;
	struct vmx_vcpu *x = vmx_of(vcpu);

	x->cr2 = cr2_read();
	x->dr6 = dr6_read();
	for (unsigned int i = 0; i < VMX_OWN_MSRS; i++)
		x->msr[i] = msr_read(own_msrs[i]);
	fpu_save(vcpu);
	cpu->loaded = NULL;
}

static void vmx_put(struct vcpu *vcpu)
{
	struct vmx_cpu *cpu = &this_cpu(vmx_cpu);

	if (cpu->loaded == vcpu) {
		unload(cpu);
		cpu->last_group = NULL; /* whose place another VM may take */
	}
	/* Active though another vCPU has been loaded since: the CPU may still hold parts of it. */
	if (vmx_of(vcpu)->is_active)
		clear(cpu, vcpu);
}

static __attribute__((noinline)) void load(struct vmx_cpu *cpu, struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	if (cpu->loaded != NULL)
		unload(cpu);
	cr2_write(x->cr2);
	dr6_write(x->dr6);
	for (unsigned int i = 0; i < VMX_OWN_MSRS; i++)
		msr_write(own_msrs[i], x->msr[i]);
	fpu_load(vcpu);
	if (vcpu->group != cpu->last_group)
		mitigation_switch();
	cpu->last_group = vcpu->group;
	cpu->loaded = vcpu;
}

/* A fresh VPID is a flushed one; they run out once in a while. */
static void draw_vpid(struct vmx_cpu *cpu, struct vmx_vcpu *x)
{
	x->vpid_generation = cpu->vpid_generation;
	if ((vmx_features.cpu2 & VMX_CPU2_VPID) == 0)
		return;
	if (cpu->vpid_next >= VPIDS) {
		x->vpid_generation = ++cpu->vpid_generation;
		cpu->vpid_next = 1;
		vmx_invvpid(VMX_INVVPID_ALL, 0);
	}
	vmcs_write(VMCS_VPID, cpu->vpid_next++);
}

/* What has to be done before an entry only once in a while. The VMCS is current. */
static __attribute__((noinline)) void prepare(struct vmx_cpu *cpu, struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);
	bool has_single = (vmx_features.ept_vpid_cap & VMX_EPT_CAP_INVEPT_SINGLE) != 0;

	if (x->vpid_generation != cpu->vpid_generation)
		draw_vpid(cpu, x);
	if ((x->due & VMX_DUE_FLUSH) != 0)
		vmx_invept(has_single ? VMX_INVEPT_SINGLE : VMX_INVEPT_ALL,
			   vmcs_read(VMCS_EPT_POINTER));
	if ((x->due & VMX_DUE_PDPTES) != 0)
		vmx_load_pdptes(vcpu);
	vmx_apic_prepare(vcpu);
	x->due = 0;
}

void vmx_set_controls(struct vmx_vcpu *x, uint32_t bits, bool on)
{
	uint32_t controls = on ? x->cpu_controls | bits : x->cpu_controls & ~bits;

	if (controls == x->cpu_controls)
		return;
	x->cpu_controls = controls;
	vmcs_write(VMCS_CPU_CONTROLS, controls);
}

uint32_t vmx_blocking(struct vcpu *vcpu)
{
	const uint32_t shadow = VMX_BLOCKED_STI | VMX_BLOCKED_MOV_SS;
	uint32_t state = (uint32_t)vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	if ((state & shadow) != 0 && vcpu->exit.insn_len != 0) {
		state &= ~shadow;
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, state);
	}
	return state & shadow;
}

static bool vmx_can_interrupt(struct vcpu *vcpu)
{
	bool can;

	if (vcpu->event.type != EVENT_NONE)
		return false;
	vmx_open(vcpu);
	can = (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF) != 0 && vmx_blocking(vcpu) == 0;
	vmx_close(vcpu);
	return can;
}

/* The event that waits goes in with this entry (SDM 3C 27.6.1). */
static void inject_event(struct vcpu *vcpu)
{
	static const uint8_t type[] = {
		[EVENT_INTERRUPT] = VMX_EVENT_INTERRUPT,
		[EVENT_NMI] = VMX_EVENT_NMI,
		[EVENT_EXCEPTION] = VMX_EVENT_EXCEPTION,
		[EVENT_SOFTWARE] = VMX_EVENT_SOFTWARE_INTERRUPT,
	};
	const struct vcpu_event *e = &vcpu->event;
	bool has_error = e->has_error && (vmcs_read(VMCS_GUEST_CR0) & CR0_PE) != 0;

	if (e->type == EVENT_NMI)
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	if (has_error)
		vmcs_write(VMCS_ENTRY_ERROR, e->error);
	vmcs_write(VMCS_ENTRY_EVENT, VMX_EVENT_VALID | e->vector |
					     ((uint32_t)type[e->type] << VMX_EVENT_TYPE_SHIFT) |
					     (has_error ? VMX_EVENT_ERROR : 0U));
}

void vmx_set_threshold(struct vmx_vcpu *x, uint32_t threshold)
{
	if (x->virtual_apic == NULL || x->tpr_threshold == threshold)
		return;
	x->tpr_threshold = threshold;
	vmcs_write(VMCS_TPR_THRESHOLD, threshold);
}

/*
 * The offer is injected if the guest takes it now; else the CPU says when: the priority has fallen,
 * or the interrupt window has opened.
 */
static void make_offer(struct vcpu *vcpu, bool has_event)
{
	struct vmx_vcpu *x = vmx_of(vcpu);
	uint32_t class = (uint32_t)vcpu->offered >> 4;

	if (class <= vcpu->tpr_shown) {
		vmx_set_threshold(x, class);
		return;
	}
	if (has_event || (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF) == 0 || vmx_blocking(vcpu) != 0) {
		vmx_set_controls(x, VMX_CPU_INTERRUPT_WINDOW, true);
		return;
	}
	vmcs_write(VMCS_ENTRY_EVENT, VMX_EVENT_VALID | (uint32_t)vcpu->offered);
	vcpu->offered = -1;
}

static __attribute__((noinline)) void inject(struct vcpu *vcpu)
{
	bool has_event = vcpu->event.type != EVENT_NONE;

	if (has_event)
		inject_event(vcpu);
	if (vcpu->offered >= 0)
		make_offer(vcpu, has_event);
	vcpu->event.type = EVENT_NONE;
}

static void enter(struct vcpu *vcpu, struct vmx_vcpu *x)
{
	mitigation_entry();
	if (unlikely(vmx_enter(vcpu, x) != 0)) {
		vcpu->exit.reason = EXIT_INVALID_STATE;
		vcpu->exit.raw = vmcs_read(VMCS_INSTRUCTION_ERROR);
		vcpu->exit.insn_len = 0;
		return;
	}
	x->launched = 1;
	x->rip = vcpu->rip = vmcs_read(VMCS_GUEST_RIP);
	x->rsp = vcpu->gpr[REG_RSP] = vmcs_read(VMCS_GUEST_RSP);
	vcpu->cr8 = x->virtual_apic != NULL ? x->virtual_apic[VMX_VIRTUAL_TPR] >> 4 :
					      vcpu->tpr_shown;
	vmx_exit_decode(vcpu);
}

static void vmx_run(struct vcpu *vcpu)
{
	struct vmx_cpu *cpu = &this_cpu(vmx_cpu);
	struct vmx_vcpu *x = vmx_of(vcpu);

	if (unlikely(cpu->loaded != vcpu))
		load(cpu, vcpu);
	if (unlikely(cpu->current != vcpu))
		make_current(cpu, vcpu);
	if (unlikely(x->vpid_generation != cpu->vpid_generation || x->due != 0))
		prepare(cpu, vcpu);
	if (x->rip != vcpu->rip)
		vmcs_write(VMCS_GUEST_RIP, vcpu->rip);
	if (unlikely(x->rsp != vcpu->gpr[REG_RSP]))
		vmcs_write(VMCS_GUEST_RSP, vcpu->gpr[REG_RSP]);
	if (unlikely(vcpu->event.type != EVENT_NONE || vcpu->offered >= 0))
		inject(vcpu);
	enter(vcpu, x);
}

static void vmx_offer(struct vcpu *vcpu, int vector)
{
	vcpu->offered = vector;
	vmx_open(vcpu);
	vmx_set_controls(vmx_of(vcpu), VMX_CPU_INTERRUPT_WINDOW, false);
	vmx_set_threshold(vmx_of(vcpu), 0);
	vmx_close(vcpu);
}

static void vmx_want_window(struct vcpu *vcpu)
{
	vcpu->offered = -1;
	vmx_open(vcpu);
	vmx_set_controls(vmx_of(vcpu), VMX_CPU_INTERRUPT_WINDOW, true);
	vmx_close(vcpu);
}

/* The CPU itself masks further NMIs; the window tells when the mask has gone. */
static void vmx_mask_nmi(struct vcpu *vcpu)
{
	vcpu->nmi_masked = true;
	vmx_open(vcpu);
	vmx_set_controls(vmx_of(vcpu), VMX_CPU_NMI_WINDOW, true);
	vmx_close(vcpu);
}

static void vmx_tpr_set(struct vcpu *vcpu, uint8_t cr8)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	if (x->virtual_apic == NULL)
		return;
	x->virtual_apic[VMX_VIRTUAL_TPR] = (uint8_t)(cr8 << 4);
	/* An entry wants it no higher than the priority (SDM 3C 27.2.1.1). */
	if (x->tpr_threshold > cr8) {
		vmx_open(vcpu);
		vmx_set_threshold(x, 0);
		vmx_close(vcpu);
	}
}

static void vmx_set_tsc_offset(struct vcpu *vcpu)
{
	vmx_open(vcpu);
	vmcs_write(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	vmx_close(vcpu);
}

static void vmx_flush_gpa(struct vcpu *vcpu)
{
	vmx_of(vcpu)->due |= VMX_DUE_FLUSH;
}

const struct vcpu_backend vmx_backend = {
	.name = "VMX",
	.probe = vmx_probe,
	.offers = vmx_offers,
	.format = vmx_format,
	.max_leaf = vmx_max_leaf,
	.cpu_on = vmx_cpu_on,
	.cpu_off = vmx_cpu_off,
	.group_init = vmx_group_init,
	.group_free = vmx_group_free,
	.group_start = vmx_group_start,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_reset = vmx_vcpu_reset,
	.vcpu_free = vmx_vcpu_free,
	.run = vmx_run,
	.explain = vmx_explain,
	.put = vmx_put,
	.reg_get = vmx_reg_get,
	.reg_set = vmx_reg_set,
	.seg_get = vmx_seg_get,
	.seg_set = vmx_seg_set,
	.mode = vmx_mode,
	.cpl = vmx_cpl,
	.table_set = vmx_table_set,
	.can_interrupt = vmx_can_interrupt,
	.offer = vmx_offer,
	.post = vmx_apic_post,
	.post_remote = vmx_post_remote,
	.unpost = vmx_unpost,
	.want_window = vmx_want_window,
	.mask_nmi = vmx_mask_nmi,
	.tpr_set = vmx_tpr_set,
	.set_tsc_offset = vmx_set_tsc_offset,
	.flush_gpa = vmx_flush_gpa,
	.intercept = vmx_intercept,
};
