/* SPDX-License-Identifier: BSD-3-Clause */
/* Device memory outside PCI that a VM has: ranges, taken whole and given back whole. */
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vm/passthru.h"
#include "vm/service.h"

#define GPA_LIMIT (1UL << 48)

/* The field of an EPT entry, in its own words (SDM 3C 29.3.7). */
static unsigned int to_type(uint64_t mem_type)
{
	switch (mem_type >> 3 & 7U) {
	case 1:
		return PG_WC;
	case 4:
		return PG_WT;
	case 5:
		return PG_WP;
	case 6:
		return 0;
	default:
		return PG_UC;
	}
}

static bool is_sane(const struct acrn_mmiores *r)
{
	return r->size != 0 && IS_ALIGNED(r->size | r->user_vm_pa | r->service_vm_pa, PAGE_SIZE) &&
	       range_within(r->user_vm_pa, r->size, 0, GPA_LIMIT) &&
	       range_within(r->service_vm_pa, r->size, 0, GPA_LIMIT);
}

int passthru_assign_mmio(struct vm *vm, const struct acrn_mmiores *r)
{
	int err;

	if (!is_sane(r))
		return -EINVAL;
	if (vm->mmio_count == VM_MAX_DEVICES)
		return -ENOSPC;
	err = service_memory_take(r->service_vm_pa, r->size);
	if (err != 0) {
		log_warn("vm%u: %lx-%lx is not device memory of the Service VM's", vm->id, r->service_vm_pa,
			 r->service_vm_pa + r->size);
		return err;
	}
	err = gpa_space_map(&vm->group.space, r->user_vm_pa, r->service_vm_pa, r->size,
			    PG_READ | PG_WRITE | PG_EXEC | to_type(r->mem_type));
	if (err != 0) {
		(void)gpa_space_unmap(&vm->group.space, r->user_vm_pa, r->size);
		service_memory_give_back(r->service_vm_pa, r->size);
		return err;
	}
	vm->mmio[vm->mmio_count++] = *r;
	return 0;
}

int passthru_release_mmio(struct vm *vm, const struct acrn_mmiores *r)
{
	for (unsigned int i = 0; i < vm->mmio_count; i++) {
		struct acrn_mmiores found = vm->mmio[i];
		int err;

		if (found.service_vm_pa != r->service_vm_pa || found.size != r->size ||
		    found.user_vm_pa != r->user_vm_pa)
			continue;
		err = gpa_space_unmap(&vm->group.space, found.user_vm_pa, found.size);
		vm->mmio[i] = vm->mmio[--vm->mmio_count];
		service_memory_give_back(found.service_vm_pa, found.size);
		return err;
	}
	return -EINVAL;
}
