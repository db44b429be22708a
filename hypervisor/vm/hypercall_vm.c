/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls on the life of VMs. */
#include "hw/percpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "vcpu/backend.h"
#include "vm/hypercall.h"
#include "vm/vm_user.h"
#include "x86/cr.h"

int64_t hc_get_api_version(struct hypercall *call)
{
	struct acrn_api_version version = { .major = ACRN_API_MAJOR, .minor = ACRN_API_MINOR };

	return hypercall_write(call, call->rdi, &version, sizeof(version));
}

/*
 * The Service VM gives up a CPU: its vCPU there never runs again, and the CPU is free for User VMs.
 * The module asks only for CPUs that the kernel has taken offline, which sit in HLT.
 */
int64_t hc_offline_cpu(struct hypercall *call)
{
	struct vm *vm = vcpu_vm(call->caller);

	for (unsigned int i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		if (vcpu->vlapic.id != call->rdi)
			continue;
		if (i == 0 || vcpu == call->caller)
			return -EPERM;
		vm_lock(vm);
		if ((vm->pcpus & BIT64(vcpu->pcpu)) != 0) {
			vm_retire_vcpu(vcpu);
			log_info("vm0: CPU %u given up by the Service VM", vcpu->pcpu);
		}
		vm_unlock(vm);
	}
	return 0;
}

static int check_creation(const struct acrn_vm_creation *c)
{
	if (c->reserved0 != 0 || c->reserved1 != 0 || c->name[0] == '\0' ||
	    c->name[ACRN_VM_NAME_LEN - 1] != '\0')
		return -EINVAL;
	if ((c->flags & (ACRN_VM_FLAG_LAPIC_PASSTHROUGH | ACRN_VM_FLAG_SECURE_WORLD)) != 0) {
		log_warn("vm: '%s' wants flags %lx: no VM gets a local APIC or a secure world yet", c->name,
			 (unsigned long)c->flags);
		return -EINVAL;
	}
	if ((c->flags & ACRN_VM_FLAG_RT) != 0 && c->cpu_affinity == 0) {
		log_warn("vm: '%s' wants CPUs of its own and names none", c->name);
		return -EINVAL;
	}
	return 0;
}

/*
 * What is taken over of the flags. IO_POLLING asks for completions to be found without a call; the slots say that
 * they want the call all the same, which the module obeys.
 */
#define FLAGS_TAKEN ACRN_VM_FLAG_RT

int64_t hc_create_vm(struct hypercall *call)
{
	struct acrn_vm_creation c;
	struct vm *vm;
	int err = hypercall_read(call, call->rdi, &c, sizeof(c));

	if (err == 0)
		err = check_creation(&c);
	if (err != 0)
		return err;
	err = vm_user_create((const char *)c.name, c.flags & FLAGS_TAKEN, c.cpu_affinity, &vm);
	if (err != 0) {
		log_warn("vm: '%s' with CPUs %lx cannot be created: error %d", c.name,
			 (unsigned long)c.cpu_affinity, -err);
		return err;
	}
	c.vmid = vm->id;
	c.vcpu_num = (uint16_t)vm->vcpu_count;
	err = hypercall_write(call, call->rdi, &c, sizeof(c));
	if (err != 0) {
		(void)vm_pause(vm);
		(void)vm_destroy(vm);
	} else {
		log_info("vm%u '%s': created, %u vCPUs", vm->id, vm->name, vm->vcpu_count);
	}
	vm_unlock(vm);
	return err;
}

int64_t hc_destroy_vm(struct hypercall *call)
{
	int err = vm_destroy(call->target);

	if (err == 0)
		log_info("vm%u: destroyed", call->target->id);
	return err;
}

int64_t hc_start_vm(struct hypercall *call)
{
	if (call->target->ioreq_hpa == 0)
		return -EPERM;
	return vm_start(call->target);
}

int64_t hc_pause_vm(struct hypercall *call)
{
	return vm_pause(call->target);
}

int64_t hc_create_vcpu(struct hypercall *call)
{
	(void)call;
	return 0; /* obsolete: CREATE_VM makes them */
}

int64_t hc_reset_vm(struct hypercall *call)
{
	return vm_reset(call->target);
}

#define EFER_KNOWN (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define RFLAGS_ARITHMETIC 0x8D5UL

static void set_data_segment(struct vcpu *vcpu, enum x86_seg seg, uint16_t selector, bool is_real)
{
	struct segment s = {
		.selector = selector,
		.base = is_real ? (uint64_t)selector << 4 : 0,
		.limit = is_real ? 0xFFFF : 0xFFFFFFFF,
		.attr = is_real ? 0x93 : 0xC093,
	};

	vcpu_backend->seg_set(vcpu, seg, &s);
}

static void set_segments(struct vcpu *vcpu, const struct acrn_regs *r)
{
	bool is_real = (r->cr0 & CR0_PE) == 0;
	struct segment cs = {
		.selector = r->cs_sel,
		.base = r->cs_base,
		.limit = r->cs_limit,
		.attr = r->cs_ar & 0xF0FFU,
	};
	struct segment ldtr = { .selector = r->ldt_sel, .limit = 0xFFFF, .attr = 0x82 };
	struct segment tr = { .selector = r->tr_sel, .limit = 0xFFFF, .attr = 0x8B };
	struct desc_table gdt = { .base = r->gdt.base, .limit = r->gdt.limit };
	struct desc_table idt = { .base = r->idt.base, .limit = r->idt.limit };

	vcpu_backend->seg_set(vcpu, SEG_CS, &cs);
	set_data_segment(vcpu, SEG_SS, r->ss_sel, is_real);
	set_data_segment(vcpu, SEG_DS, r->ds_sel, is_real);
	set_data_segment(vcpu, SEG_ES, r->es_sel, is_real);
	set_data_segment(vcpu, SEG_FS, r->fs_sel, is_real);
	set_data_segment(vcpu, SEG_GS, r->gs_sel, is_real);
	vcpu_backend->seg_set(vcpu, SEG_LDTR, &ldtr);
	vcpu_backend->seg_set(vcpu, SEG_TR, &tr);
	vcpu_backend->table_set(vcpu, false, &gdt);
	vcpu_backend->table_set(vcpu, true, &idt);
}

static void set_registers(struct vcpu *vcpu, const struct acrn_regs *r)
{
	const struct acrn_gp_regs *g = &r->gprs;
	/* From the ABI's order to the encoding's. */
	const uint64_t gpr[REG_COUNT] = {
		[REG_RAX] = g->rax, [REG_RCX] = g->rcx, [REG_RDX] = g->rdx, [REG_RBX] = g->rbx,
		[REG_RSP] = g->rsp, [REG_RBP] = g->rbp, [REG_RSI] = g->rsi, [REG_RDI] = g->rdi,
		[REG_R8] = g->r8,   [REG_R9] = g->r9,	[REG_R10] = g->r10, [REG_R11] = g->r11,
		[REG_R12] = g->r12, [REG_R13] = g->r13, [REG_R14] = g->r14, [REG_R15] = g->r15,
	};
	uint64_t rflags = (r->rflags & ~RFLAGS_ARITHMETIC) | RFLAGS_FIXED1;

	memcpy(vcpu->gpr, gpr, sizeof(gpr));
	vcpu->rip = r->rip;
	vcpu_backend->reg_set(vcpu, VREG_RFLAGS, rflags);
	vcpu_backend->reg_set(vcpu, VREG_CR0, r->cr0 | CR0_ET);
	vcpu_backend->reg_set(vcpu, VREG_CR3, r->cr3);
	vcpu_backend->reg_set(vcpu, VREG_CR4, r->cr4);
	vcpu_backend->reg_set(vcpu, VREG_EFER,
			      (r->efer & ~EFER_LMA) |
				      ((r->cr0 & CR0_PG) != 0 && (r->efer & EFER_LME) != 0 ?
					       EFER_LMA :
					       0));
}

int64_t hc_set_vcpu_regs(struct hypercall *call)
{
	struct acrn_vcpu_regs regs;
	struct vm *vm = call->target;
	int err = hypercall_read(call, call->rsi, &regs, sizeof(regs));

	if (err != 0)
		return err;
	if (regs.vcpu_id >= vm->vcpu_count || (regs.regs.cr0 & ~CR0_KNOWN) != 0 ||
	    (regs.regs.cr4 & ~CR4_KNOWN) != 0 || (regs.regs.efer & ~EFER_KNOWN) != 0)
		return -EPERM;
	set_segments(vm->vcpu[regs.vcpu_id], &regs.regs);
	set_registers(vm->vcpu[regs.vcpu_id], &regs.regs);
	return 0;
}

/* Power states are the Service VM's and the hypervisor's business: a User VM is told of none. */
int64_t hc_pm_get_cpu_state(struct hypercall *call)
{
	uint64_t count = 0;
	struct vm *vm = vm_get((call->rdi >> 24) & 0xFFU);
	unsigned int type = call->rdi & 0xFFU;

	if (vm == NULL || vm->id == SERVICE_VM_ID)
		return -ENOTTY;
	if (type != 0 && type != 2) /* not a count: there is no state to describe */
		return -EPERM;
	return hypercall_write(call, call->rsi, &count, 1);
}
