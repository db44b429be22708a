/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls on a User VM's memory: everything given must be the Service VM's own RAM. */
#include "lib/errno.h"
#include "lib/util.h"
#include "vm/hypercall.h"
#include "vm/vm_memory.h"

#define GPA_LIMIT (1UL << 48)

static unsigned int to_prot(uint32_t prot)
{
	unsigned int pg = 0;

	if ((prot & ACRN_MEM_READ) != 0)
		pg |= PG_READ;
	if ((prot & ACRN_MEM_WRITE) != 0)
		pg |= PG_WRITE;
	if ((prot & ACRN_MEM_EXEC) != 0)
		pg |= PG_EXEC;
	switch (prot & ACRN_MEM_TYPE_MASK) {
	case ACRN_MEM_TYPE_WB:
		return pg;
	case ACRN_MEM_TYPE_WT:
		return pg | PG_WT;
	case ACRN_MEM_TYPE_WC:
		return pg | PG_WC;
	case ACRN_MEM_TYPE_WP:
		return pg | PG_WP;
	default:
		return pg | PG_UC;
	}
}

static bool is_sane(const struct acrn_mem_region *r)
{
	return r->size != 0 && IS_ALIGNED(r->size, PAGE_SIZE) && IS_ALIGNED(r->gpa, PAGE_SIZE) &&
	       IS_ALIGNED(r->service_vm_gpa, PAGE_SIZE) &&
	       range_within(r->gpa, r->size, 0, GPA_LIMIT) &&
	       (r->prot & ~(ACRN_MEM_ACCESS_MASK | ACRN_MEM_TYPE_MASK)) == 0;
}

/*
 * The Service VM is mapped one to one, so its address is the host's once it is known to be its. Not so the page of its
 * local APIC, which a back end may map: at the host's address is the machine's own.
 */
static int add_region(struct hypercall *call, struct vm *vm, const struct acrn_mem_region *r)
{
	struct gpa_space *service = &call->caller->group->space;

	if (ranges_overlap(r->service_vm_gpa, r->size, VLAPIC_DEFAULT_BASE, PAGE_SIZE) ||
	    !gpa_space_is_mapped(service, r->service_vm_gpa, r->size, PG_READ | PG_WRITE))
		return -EINVAL;
	return vm_memory_map(vm, r->gpa, r->service_vm_gpa, r->size, to_prot(r->prot));
}

static int apply_region(struct hypercall *call, struct vm *vm, const struct acrn_mem_region *r)
{
	if (!is_sane(r))
		return -EINVAL;
	switch (r->type) {
	case ACRN_MEM_REGION_ADD:
		return add_region(call, vm, r);
	case ACRN_MEM_REGION_DEL:
		return vm_memory_unmap(vm, r->gpa, r->size);
	case ACRN_MEM_REGION_MODIFY:
		return vm_memory_protect(vm, r->gpa, r->size, to_prot(r->prot));
	case ACRN_MEM_REGION_FETCH:
		return vm_memory_lend(vm, r->gpa, r->size);
	default:
		return -EINVAL;
	}
}

static int64_t apply_regions(struct hypercall *call, const struct acrn_set_regions *set)
{
	for (uint32_t i = 0; i < set->mr_num; i++) {
		struct acrn_mem_region r;
		int err = hypercall_read(call, set->regions_gpa + i * sizeof(r), &r, sizeof(r));

		if (err == 0)
			err = apply_region(call, call->target, &r);
		if (err != 0)
			return err;
	}
	return 0;
}

int64_t hc_set_memory_regions(struct hypercall *call)
{
	struct acrn_set_regions set;
	struct vm *vm;
	int64_t ret = hypercall_read(call, call->rdi, &set, sizeof(set));

	if (ret != 0)
		return ret;
	if (set.mr_num > PAGE_SIZE / sizeof(struct acrn_mem_region))
		return -EINVAL;
	vm = vm_get(set.vmid);
	if (vm == NULL || vm->id == SERVICE_VM_ID)
		return -ENOTTY;
	vm_lock(vm);
	call->target = vm;
	ret = vm->state == ACRN_VM_POWERED_OFF ? -EPERM : apply_regions(call, &set);
	vm_unlock(vm);
	return ret;
}

int64_t hc_gpa_to_hpa(struct hypercall *call)
{
	struct acrn_gpa_to_hpa p;
	int err = hypercall_read(call, call->rsi, &p, sizeof(p));

	if (err != 0)
		return err;
	p.hpa = gpa_space_translate(&call->target->group.space, p.gpa, 0);
	if (p.hpa == HPA_INVALID)
		return -EPERM;
	return hypercall_write(call, call->rsi, &p, sizeof(p));
}

int64_t hc_write_protect_page(struct hypercall *call)
{
	struct acrn_wp_data wp;
	struct gpa_space *space = &call->target->group.space;
	int err = hypercall_read(call, call->rsi, &wp, sizeof(wp));

	if (err != 0)
		return err;
	if (!IS_ALIGNED(wp.gpa, PAGE_SIZE) || wp.set > 1 ||
	    !gpa_space_is_mapped(space, wp.gpa, PAGE_SIZE, PG_READ))
		return -EINVAL;
	call->target->has_protected_pages = true;
	return vm_memory_protect(call->target, wp.gpa, PAGE_SIZE,
				 PG_READ | PG_EXEC | (wp.set != 0 ? 0U : PG_WRITE));
}
