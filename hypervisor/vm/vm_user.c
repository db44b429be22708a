/* SPDX-License-Identifier: BSD-3-Clause */
/* How a User VM is composed: local and I/O APIC, 8259 pair; the rest goes to its device model. */
#include "vm/vm_user.h"

#include "vm/vcpu_dump.h"
#include "hw/percpu.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "vm/ioreq.h"
#include "vm/passthru.h"
#include "vm/ptirq_line.h"
#include "vm/vm_memory.h"

#define IOAPIC_BASE 0xFEC00000UL
#define IOAPIC_PINS 48U
#define PORT_PM1_CONTROL 0x404U
#define PORT_RESET 0xCF9U
#define PM1_S5 ((5U << 10) | (1U << 13)) /* SLP_TYP of acrn-dm's \_S5, SLP_EN */
#define RESET_SYSTEM 0x06U

/* Memory that the device model has taken back, or given again while the vCPU was on its way here. */
static bool is_lent(struct vm *vm, gpa_t gpa)
{
	return unlikely(vm_memory_is_lent(vm, gpa)) && (!vm->has_protected_pages || vm_memory_is_missing(vm, gpa));
}

static enum exit_result park(struct vcpu *vcpu)
{
	(void)vcpu;
	return EXIT_RETRY;
}

/*
 * The device model is told in words it knows: a triple fault resets the machine, as hardware does;
 * what cannot go on powers it off. Who listens to events hears why. The vCPU never enters its guest again.
 */
static void fatal(struct vcpu *vcpu, const char *why)
{
	bool is_reset = vcpu->exit.reason == EXIT_SHUTDOWN;

	if (vcpu->state == VCPU_OFFLINE)
		return;
	vcpu->state = VCPU_OFFLINE;
	log_error("vm%u '%s' vcpu%u: %s", vcpu_vm(vcpu)->id, vcpu_vm(vcpu)->name, vcpu->index,
		  why);
	if (!is_reset)
		dump_vcpu(vcpu);
	vcpu->io = (struct io_access){
		.space = IO_PORT,
		.is_write = true,
		.size = is_reset ? 1 : 2,
		.addr = is_reset ? PORT_RESET : PORT_PM1_CONTROL,
		.value = is_reset ? RESET_SYSTEM : PM1_S5,
	};
	rings_post_event(vcpu_vm(vcpu), is_reset ? ACRN_VM_EVENT_TRIPLE_FAULT : ACRN_VM_EVENT_POWEROFF);
	vcpu->finish = park;
	(void)ioreq_forward(vcpu);
}

/* A device of the machine's, or a doorbell, is all that an access can be besides a request. */
static enum exit_result forward(struct vcpu *vcpu)
{
	struct vm *vm = vcpu_vm(vcpu);

	if (unlikely(vm->device_count != 0)) {
		enum passthru_result result = passthru_access(vm, &vcpu->io);

		if (result != PASSTHRU_NOT_MINE)
			return result == PASSTHRU_DONE ? vcpu->finish(vcpu) : EXIT_RETRY;
	}
	return rings_ring(vcpu) ? vcpu->finish(vcpu) : ioreq_forward(vcpu);
}

static int compose(struct vm *vm)
{
	int err;

	vm->forward = forward;
	vm->map_on_demand = is_lent;
	vm->fatal = fatal;
	vioapic_init(&vm->ioapic[0], IOAPIC_BASE, 0, IOAPIC_PINS, &vm->apics);
	vioapic_wire(&vm->ioapic[0]);
	vm->ioapic[0].pin_eoi = ptirq_line_eoi;
	vm->ioapic[0].ctx = vm;
	vm->ioapic_gsi[0] = 0;
	vm->ioapic_count = 1;
	err = vpic_attach(&vm->pic, &vm->io);
	if (err == 0)
		err = io_bus_add_mmio(&vm->io, IOAPIC_BASE, PAGE_SIZE, vioapic_mmio,
				 &vm->ioapic[0]);
	return err;
}

int vm_user_create(const char *name, uint64_t flags, uint64_t pcpus, struct vm **out)
{
	struct vm *vm;
	int err;

	if (pcpus == 0)
		pcpus = vm_service()->pcpus;
	if (bits_count(pcpus) > ACRN_IOREQ_SLOTS)
		return -EINVAL;
	err = vm_create(name, flags, pcpus, &vm);
	if (err != 0)
		return err;
	err = compose(vm);
	if (err != 0) {
		(void)vm_pause(vm);
		(void)vm_destroy(vm);
		vm_unlock(vm);
		return err;
	}
	*out = vm;
	return 0;
}
