/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SVM back end: the processor, a vCPU's life, one round trip into the guest. What is switched at
 * each entry is what VMRUN switches; the rest changes hands only when another vCPU is run.
 */
#include "vcpu/svm/svm.h"

#include "hw/cpu.h"
#include "hw/paging.h"
#include "hw/percpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "vcpu/fpu.h"
#include "vcpu/mitigation.h"
#include "x86/cr.h"
#include "x86/msr.h"

struct svm_cpu {
	void *host_save;
	struct vcpu *loaded; /* whose lazily switched state the hardware holds */
	const struct vcpu_group *last_group; /* whose vCPU was loaded last */
	uint64_t asid_generation;
	uint32_t asid_next;
};
static DEFINE_PERCPU(struct svm_cpu, svm_cpu);

static const struct pgtable_format *svm_format(void)
{
	return &pgtable_npt;
}

static int svm_cpu_on(void)
{
	struct svm_cpu *cpu = &this_cpu(svm_cpu);

	cpu->host_save = page_pool_alloc(&host_pool);
	if (cpu->host_save == NULL)
		return -ENOMEM;
	cpu->loaded = NULL;
	cpu->asid_generation = 1;
	cpu->asid_next = 1;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_AMD_VM_HSAVE_PA, page_pool_to_hpa(&host_pool, cpu->host_save));
	fpu_cpu_on();
	mitigation_cpu_on();
	return 0;
}

static void svm_cpu_off(void)
{
	struct svm_cpu *cpu = &this_cpu(svm_cpu);

	ASSERT(cpu->loaded == NULL);
	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~EFER_SVME);
	page_pool_free(&host_pool, cpu->host_save);
}

static int svm_vcpu_init(struct vcpu *vcpu)
{
	struct svm_vcpu *s = page_pool_alloc(&host_pool);

	if (s == NULL)
		return -ENOMEM;
	s->vmcb = page_pool_alloc(&host_pool);
	if (s->vmcb == NULL) {
		page_pool_free(&host_pool, s);
		return -ENOMEM;
	}
	s->vmcb_hpa = page_pool_to_hpa(&host_pool, s->vmcb);
	vcpu->arch = s;
	return 0;
}

static void svm_vcpu_reset(struct vcpu *vcpu)
{
	struct svm_vcpu *s = svm_of(vcpu);

	ASSERT(this_cpu(svm_cpu).loaded != vcpu);
	s->iret_rip = ~0UL;
	s->asid_generation = 0;
	vmcb_init(vcpu, s->vmcb);
}

static void svm_vcpu_free(struct vcpu *vcpu)
{
	page_pool_free(&host_pool, svm_of(vcpu)->vmcb);
	page_pool_free(&host_pool, vcpu->arch);
	vcpu->arch = NULL;
}

void svm_sync(struct vcpu *vcpu)
{
	if (this_cpu(svm_cpu).loaded == vcpu)
		svm_vmsave(svm_of(vcpu)->vmcb_hpa);
}

static void unload(struct svm_cpu *cpu)
{
	svm_vmsave(svm_of(cpu->loaded)->vmcb_hpa);
	fpu_save(cpu->loaded);
	cpu->loaded = NULL;
}

static void svm_put(struct vcpu *vcpu)
{
	struct svm_cpu *cpu = &this_cpu(svm_cpu);

	if (cpu->loaded != vcpu)
		return;
	unload(cpu);
	cpu->last_group = NULL; /* whose place another VM may take */
}

static void load(struct svm_cpu *cpu, struct vcpu *vcpu)
{
	if (cpu->loaded != NULL)
		unload(cpu);
	svm_vmload(svm_of(vcpu)->vmcb_hpa);
	fpu_load(vcpu);
	if (vcpu->group != cpu->last_group)
		mitigation_switch();
	cpu->last_group = vcpu->group;
	cpu->loaded = vcpu;
}

/* A fresh address space id is a flushed one; ids run out once in a while (APM 2 15.16). */
static void draw_asid(struct svm_cpu *cpu, struct svm_vcpu *s)
{
	if (cpu->asid_next >= svm_features.asids) {
		cpu->asid_generation++;
		cpu->asid_next = 1;
		s->vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
	}
	s->vmcb->asid = cpu->asid_next++;
	s->asid_generation = cpu->asid_generation;
}

static uint64_t event_bits(const struct vcpu_event *e)
{
	static const uint8_t type[] = {
		[EVENT_INTERRUPT] = SVM_EVENT_INTR,
		[EVENT_NMI] = SVM_EVENT_NMI,
		[EVENT_EXCEPTION] = SVM_EVENT_EXCEPTION,
		[EVENT_SOFTWARE] = SVM_EVENT_SOFTWARE,
	};

	if (e->type == EVENT_NONE)
		return 0;
	return SVM_EVENT_VALID | e->vector | ((uint64_t)type[e->type] << SVM_EVENT_TYPE_SHIFT) |
	       (e->has_error ? SVM_EVENT_ERROR | ((uint64_t)e->error << 32) : 0);
}

static void svm_run(struct vcpu *vcpu)
{
	struct svm_cpu *cpu = &this_cpu(svm_cpu);
	struct svm_vcpu *s = svm_of(vcpu);
	struct vmcb *vmcb = s->vmcb;

	if (unlikely(cpu->loaded != vcpu))
		load(cpu, vcpu);
	if (unlikely(s->asid_generation != cpu->asid_generation))
		draw_asid(cpu, s);
	vmcb->rax = vcpu->gpr[REG_RAX];
	vmcb->rsp = vcpu->gpr[REG_RSP];
	vmcb->rip = vcpu->rip;
	vmcb->event_inj = event_bits(&vcpu->event);
	vcpu->event.type = EVENT_NONE;

	svm_enter(vcpu, s->vmcb_hpa);

	vcpu->gpr[REG_RAX] = vmcb->rax;
	vcpu->gpr[REG_RSP] = vmcb->rsp;
	vcpu->rip = vmcb->rip;
	vcpu->cr3 = vmcb->cr3;
	vmcb->tlb_control = 0;
	vcpu->cr8 = vmcb->int_ctl & 0xFU;
	if ((vmcb->int_ctl & SVM_V_IRQ) == 0)
		vcpu->offered = -1;
	svm_exit_decode(vcpu, vmcb);
}

static bool svm_can_interrupt(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	return vcpu->event.type == EVENT_NONE && (vmcb->rflags & RFLAGS_IF) != 0 &&
	       (vmcb->int_state & SVM_INT_SHADOW) == 0;
}

static void svm_offer(struct vcpu *vcpu, int vector)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	vcpu->offered = vector;
	vmcb->intercept1 &= ~SVM_I1_VINTR;
	vmcb->int_ctl &= ~(SVM_V_IRQ | SVM_V_PRIO | SVM_V_IGN_TPR);
	if (vector < 0)
		return;
	vmcb->int_vector = (uint32_t)vector;
	vmcb->int_ctl |= SVM_V_IRQ | ((uint32_t)(vector >> 4) << SVM_V_PRIO_SHIFT);
}

/* A virtual interrupt that is intercepted before it is taken: its vector never matters. */
static void svm_want_window(struct vcpu *vcpu)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	vcpu->offered = -1;
	vmcb->intercept1 |= SVM_I1_VINTR;
	vmcb->int_vector = 0;
	vmcb->int_ctl |= SVM_V_IRQ | SVM_V_PRIO | SVM_V_IGN_TPR;
}

static void svm_mask_nmi(struct vcpu *vcpu)
{
	vcpu->nmi_masked = true;
	svm_of(vcpu)->iret_rip = ~0UL;
	svm_of(vcpu)->vmcb->intercept1 |= SVM_I1_IRET;
}

static void svm_tpr_set(struct vcpu *vcpu, uint8_t cr8)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	vmcb->int_ctl = (vmcb->int_ctl & ~SVM_V_TPR) | cr8;
}

static void svm_set_tsc_offset(struct vcpu *vcpu)
{
	svm_of(vcpu)->vmcb->tsc_offset = vcpu->tsc_offset;
}

static void svm_flush_gpa(struct vcpu *vcpu)
{
	svm_of(vcpu)->asid_generation = 0;
}

const struct vcpu_backend svm_backend = {
	.name = "SVM",
	.probe = svm_probe,
	.offers = svm_offers,
	.format = svm_format,
	.max_leaf = svm_max_leaf,
	.cpu_on = svm_cpu_on,
	.cpu_off = svm_cpu_off,
	.group_init = svm_group_init,
	.group_free = vcpu_group_free_bitmaps,
	.vcpu_init = svm_vcpu_init,
	.vcpu_reset = svm_vcpu_reset,
	.vcpu_free = svm_vcpu_free,
	.run = svm_run,
	.explain = svm_explain,
	.put = svm_put,
	.reg_get = svm_reg_get,
	.reg_set = svm_reg_set,
	.seg_get = svm_seg_get,
	.seg_set = svm_seg_set,
	.mode = svm_mode,
	.cpl = svm_cpl,
	.table_set = svm_table_set,
	.can_interrupt = svm_can_interrupt,
	.offer = svm_offer,
	.want_window = svm_want_window,
	.mask_nmi = svm_mask_nmi,
	.tpr_set = svm_tpr_set,
	.set_tsc_offset = svm_set_tsc_offset,
	.flush_gpa = svm_flush_gpa,
	.intercept = svm_intercept,
};
