/* SPDX-License-Identifier: BSD-3-Clause */
/* The request page: see ioreq.h and abi/acrn/ioreq.h. */
#include "vm/ioreq.h"

#include <acrn/hypercall.h>

#include "hw/cpu.h"
#include "hw/paging.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "vm/exit.h"

static uint8_t upcall_vector = ACRN_CALLBACK_VECTOR;

static struct acrn_ioreq *slot_of(struct vm *vm, unsigned int index)
{
	return &((struct acrn_ioreq_page *)phys_to_virt(vm->ioreq_hpa))->slot[index];
}

static uint32_t read_state(struct acrn_ioreq *slot)
{
	uint32_t state;

	guest_access_begin();
	state = atomic_load(&slot->state);
	guest_access_end();
	return state;
}

int ioreq_set_upcall_vector(uint64_t vector)
{
	if (vector < ACRN_CALLBACK_VECTOR_MIN || vector > ACRN_CALLBACK_VECTOR_MAX)
		return -EINVAL;
	atomic_store(&upcall_vector, (uint8_t)vector);
	return 0;
}

void ioreq_upcall(void)
{
	vlapic_accept(&vm_service()->vcpu[0]->vlapic, atomic_load_relaxed(&upcall_vector), false);
}

void ioreq_set_page(struct vm *vm, hpa_t hpa)
{
	vm->ioreq_hpa = hpa;
	ioreq_reset(vm);
}

void ioreq_reset(struct vm *vm)
{
	if (vm->ioreq_hpa == 0)
		return;
	guest_access_begin();
	for (unsigned int i = 0; i < ACRN_IOREQ_SLOTS; i++)
		atomic_store(&slot_of(vm, i)->state, ACRN_IOREQ_FREE);
	guest_access_end();
}

bool ioreq_is_pending(struct vm *vm)
{
	if (vm->ioreq_hpa == 0)
		return false;
	for (unsigned int i = 0; i < vm->vcpu_count; i++)
		if (read_state(slot_of(vm, i)) == ACRN_IOREQ_PENDING)
			return true;
	return false;
}

/* The device model has answered, or this was a false alarm. */
static enum exit_result complete(struct vcpu *vcpu)
{
	struct acrn_ioreq *slot = slot_of(vcpu_vm(vcpu), vcpu->index);
	uint64_t value;

	if (read_state(slot) != ACRN_IOREQ_COMPLETE) {
		vcpu->resume = complete;
		return EXIT_BLOCKED;
	}
	guest_access_begin();
	value = slot->req.mmio.value;
	atomic_store(&slot->state, ACRN_IOREQ_FREE);
	guest_access_end();
	if (!vcpu->io.is_write)
		vcpu->io.value = value & bytes_mask(vcpu->io.size);
	return vcpu->finish(vcpu);
}

/* A write that only protection kept from memory is of a kind of its own. */
static uint32_t type_of(struct vm *vm, const struct io_access *io)
{
	if (io->space == IO_PORT)
		return ACRN_IOREQ_PORTIO;
	if (io->space == IO_MEMORY)
		return ACRN_IOREQ_FETCH;
	if (unlikely(vm->has_protected_pages) &&
	    gpa_space_translate(&vm->group.space, io->addr, PG_READ) != HPA_INVALID)
		return ACRN_IOREQ_WP;
	return ACRN_IOREQ_MMIO;
}

static void fill(struct vm *vm, struct acrn_ioreq *slot, const struct io_access *io)
{
	struct acrn_ioreq_mmio *mmio = &slot->req.mmio;

	slot->type = type_of(vm, io);
	slot->completion_polling = 0;
	slot->kernel_handled = 0;
	mmio->direction = io->is_write ? ACRN_IOREQ_WRITE : ACRN_IOREQ_READ;
	mmio->reserved = 0;
	mmio->address = io->addr;
	mmio->size = io->size;
	mmio->value = io->is_write ? io->value : 0;
}

enum exit_result ioreq_forward(struct vcpu *vcpu)
{
	struct vm *vm = vcpu_vm(vcpu);
	struct acrn_ioreq *slot = slot_of(vm, vcpu->index);
	uint32_t state;

	guest_access_begin();
	state = atomic_load(&slot->state);
	if (likely(state == ACRN_IOREQ_FREE)) {
		fill(vm, slot, &vcpu->io);
		atomic_store(&slot->state, ACRN_IOREQ_PENDING);
	}
	guest_access_end();
	if (unlikely(state != ACRN_IOREQ_FREE)) {
		vm->fatal(vcpu, "the device model left its request slot in use");
		return EXIT_RETRY;
	}
	vcpu->resume = complete;
	if (!vm_wake_waiter(vm))
		ioreq_upcall();
	return EXIT_BLOCKED;
}

static enum exit_result try_again(struct vcpu *vcpu)
{
	(void)vcpu;
	return EXIT_RETRY;
}

enum exit_result ioreq_fetch(struct vcpu *vcpu, gpa_t gpa)
{
	vcpu->io = (struct io_access){ .space = IO_MEMORY, .is_write = true, .size = 8, .addr = gpa };
	vcpu->finish = try_again;
	return ioreq_forward(vcpu);
}
