/* SPDX-License-Identifier: BSD-3-Clause */
/* Two tables, kept alike. A VM without devices has no second one: it is made from the first when a device comes. */
#include "vm/vm_memory.h"

#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/util.h"

#define GPA_LIMIT (1UL << 48)

/* Memory that is in one piece for guest and machine. */
struct piece {
	gpa_t gpa;
	hpa_t hpa;
	uint64_t size;
	unsigned int prot;
};

static int map_piece(struct vm *vm, struct piece *p)
{
	int err = p->size == 0 ? 0 : iommu_map(&vm->dma, p->gpa, p->hpa, p->size, p->prot);

	p->size = 0;
	return err;
}

/* Makes the devices' view of [gpa, gpa + size) what the CPUs' is; neighbours in one step, for each may cost a flush. */
static int mirror(struct vm *vm, gpa_t gpa, uint64_t size)
{
	struct piece piece = { 0 };
	struct pgtable_leaf leaf;
	uint64_t part;
	int err = 0;

	for (; size != 0 && err == 0; gpa += part, size -= part) {
		bool is_ram = pgtable_lookup(&vm->group.space.pt, gpa, &leaf) && vm_is_guest_ram(leaf.hpa);
		unsigned int prot = leaf.prot & (PG_READ | PG_WRITE);
		bool goes_on = leaf.hpa == piece.hpa + piece.size && prot == piece.prot;

		part = MIN(size, leaf.page_size - (gpa & (leaf.page_size - 1U)));
		if (!is_ram || !goes_on)
			err = map_piece(vm, &piece);
		if (is_ram && piece.size == 0)
			piece = (struct piece){ .gpa = gpa, .hpa = leaf.hpa, .prot = prot };
		if (is_ram)
			piece.size += part;
	}
	return err != 0 ? err : map_piece(vm, &piece);
}

int vm_memory_map(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot)
{
	int err = gpa_space_map(&vm->group.space, gpa, hpa, size, prot);

	if (err != 0 || vm->dma.id == 0)
		return err;
	/* What it replaces may have been RAM. */
	err = iommu_unmap(&vm->dma, gpa, size);
	return err != 0 ? err : mirror(vm, gpa, size);
}

int vm_memory_unmap(struct vm *vm, gpa_t gpa, uint64_t size)
{
	int err = vm->dma.id != 0 ? iommu_unmap(&vm->dma, gpa, size) : 0;

	return err != 0 ? err : gpa_space_unmap(&vm->group.space, gpa, size);
}

int vm_memory_protect(struct vm *vm, gpa_t gpa, uint64_t size, unsigned int prot)
{
	int err = gpa_space_protect(&vm->group.space, gpa, size, prot);

	return err != 0 || vm->dma.id == 0 ? err : mirror(vm, gpa, size);
}

int vm_memory_lend(struct vm *vm, gpa_t gpa, uint64_t size)
{
	for (unsigned int i = 0; i < ACRN_FETCH_RANGES; i++) {
		struct vm_lent_range *range = &vm->lent[i];

		if (range->size != 0)
			continue;
		range->gpa = gpa;
		atomic_store(&range->size, size);
		return 0;
	}
	return -ENOSPC;
}

bool vm_memory_is_lent(struct vm *vm, gpa_t gpa)
{
	for (unsigned int i = 0; i < ACRN_FETCH_RANGES; i++) {
		uint64_t size = atomic_load(&vm->lent[i].size);

		if (size == 0 || gpa - vm->lent[i].gpa < size)
			return size != 0;
	}
	return false;
}

bool vm_memory_is_missing(struct vm *vm, gpa_t gpa)
{
	return vm_memory_is_lent(vm, gpa) && gpa_space_translate(&vm->group.space, gpa, 0) == HPA_INVALID;
}

int vm_memory_open_to_devices(struct vm *vm)
{
	int err;

	if (vm->dma.id != 0)
		return 0;
	err = iommu_domain_init(&vm->dma, vm->id);
	if (err != 0)
		return err;
	err = mirror(vm, 0, GPA_LIMIT);
	if (err != 0)
		iommu_domain_exit(&vm->dma);
	return err;
}

void vm_memory_close_to_devices(struct vm *vm)
{
	if (vm->dma.id != 0)
		iommu_domain_exit(&vm->dma);
}
