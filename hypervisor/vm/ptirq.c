/* SPDX-License-Identifier: BSD-3-Clause */
/* See ptirq.h. Level pins are found by their vector in the guest's own entries: there are few. */
#include "vm/ptirq.h"

#include "hw/cpu.h"
#include "hw/irq.h"
#include "hw/lapic.h"
#include "hw/percpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "vm/ptirq_pin.h"

struct ptirq_chip {
	struct vm *vm;
	unsigned int index;
	uint64_t in_service[BITMAP_WORDS(VIOAPIC_MAX_PINS)]; /* masked until the guest's EOI */
	uint64_t lent[BITMAP_WORDS(VIOAPIC_MAX_PINS)];	     /* to a User VM: not mirrored */
};

static struct ptirq_chip chips[MAX_IOAPICS];
static uint8_t level_pins[256]; /* unmasked level pins by vector; under a vIOAPIC's lock */

static bool is_live_level(uint64_t rte)
{
	return (rte & (RTE_MASKED | RTE_LEVEL)) == RTE_LEVEL;
}

static bool can_mirror(uint64_t rte)
{
	uint64_t mode = (rte >> RTE_DELIVERY_SHIFT) & 7U;
	uint64_t vector = rte & RTE_VECTOR;

	return (mode == APIC_FIXED || mode == APIC_LOWEST) && vector >= IRQ_FORWARD_FIRST &&
	       vector <= IRQ_FORWARD_LAST;
}

/* Called with the virtual chip's lock held, which serialises the physical one too. */
static void rte_changed(void *ctx, unsigned int pin, uint64_t rte)
{
	struct ptirq_chip *chip = ctx;
	uint64_t old;

	if (bitmap_test(chip->lent, pin))
		return;
	old = ioapic_rte_read(chip->index, pin);
	if (is_live_level(old) || bitmap_test(chip->in_service, pin))
		atomic_fetch_add(&level_pins[old & RTE_VECTOR], (uint8_t)-1);
	rte &= ~(RTE_STATUS | RTE_REMOTE_IRR);
	if ((rte & RTE_MASKED) == 0 && !can_mirror(rte))
		rte |= RTE_MASKED;
	if (bitmap_test(chip->in_service, pin) && !is_live_level(rte))
		bitmap_clear(chip->in_service, pin);
	if (!ptirq_pin_route(chip->index, pin, rte))
		rte |= RTE_MASKED;
	if (is_live_level(rte))
		atomic_fetch_add(&level_pins[rte & RTE_VECTOR], 1);
	if (bitmap_test(chip->in_service, pin))
		rte |= RTE_MASKED;
	ptirq_pin_write(chip->index, pin, rte);
}

static void pin_eoi(void *ctx, unsigned int pin)
{
	struct ptirq_chip *chip = ctx;

	vioapic_lower(&chip->vm->ioapic[chip->index], pin);
	if (bitmap_test_and_clear(chip->in_service, pin))
		ioapic_unmask(chip->index, pin);
}

/* A level pin of this vector for this vCPU: others may use the vector on other CPUs. */
static bool is_for(uint64_t rte, uint8_t vector, const struct vlapic *vlapic)
{
	return is_live_level(rte) && (rte & RTE_VECTOR) == vector &&
	       vlapic_matches(vlapic, (uint32_t)(rte >> RTE_DEST_SHIFT), (rte & RTE_LOGICAL) != 0);
}

/*
 * The pins of one chip that are asserting this vector: masked, then raised in the guest's chip. True: there are any.
 * Came the interrupt as an edge all the same (emulated IOMMUs of AMD do that), no EOI will reach the chip.
 */
static bool raise_pins(struct ptirq_chip *chip, uint8_t vector, const struct vlapic *vlapic)
{
	struct vioapic *v = &chip->vm->ioapic[chip->index];
	bool found = false;

	for (unsigned int pin = 0; pin < v->pins; pin++) {
		bool is_mine;

		spinlock_lock(&v->lock);
		is_mine = is_for(v->rte[pin], vector, vlapic) &&
			  (ioapic_rte_read(chip->index, pin) & RTE_REMOTE_IRR) != 0 &&
			  !bitmap_test_and_set(chip->in_service, pin);
		if (is_mine)
			ioapic_mask(chip->index, pin);
		if (is_mine && !lapic_came_as_level(vector))
			ioapic_end(chip->index, pin);
		spinlock_unlock(&v->lock);
		if (is_mine)
			(void)vioapic_set_pin(v, pin, true);
		found = found || is_mine;
	}
	return found;
}

/* A device of the Service VM interrupts, on the CPU of the vCPU that it meant. */
static void forward(uint8_t vector)
{
	struct vm *vm = vm_service();
	unsigned int cpu = cpu_id();
	struct vlapic *vlapic = cpu < vm->vcpu_count ? &vm->vcpu[cpu]->vlapic : NULL;
	bool is_level = false;

	if (vlapic != NULL && atomic_load_relaxed(&level_pins[vector]) != 0) {
		is_level = lapic_came_as_level(vector);
		for (unsigned int i = 0; i < vm->ioapic_count; i++)
			is_level = raise_pins(&chips[i], vector, vlapic) || is_level;
	}
	lapic_eoi();
	if (vlapic != NULL && !is_level)
		vlapic_accept(vlapic, vector, false);
}

int ptirq_pin_lend(unsigned int index, unsigned int pin, uint64_t rte)
{
	struct ptirq_chip *chip = &chips[index];
	struct vioapic *v = &chip->vm->ioapic[index];
	int err = -EBUSY;

	spinlock_lock(&v->lock);
	if ((v->rte[pin] & RTE_MASKED) != 0 && !bitmap_test(chip->lent, pin))
		err = ptirq_pin_route(index, pin, rte) ? 0 : -ENOSPC;
	if (err == -ENOSPC) {
		ptirq_pin_write(index, pin, RTE_MASKED);
	} else if (err == 0) {
		bitmap_set(chip->lent, pin);
		ptirq_pin_write(index, pin,
				rte | (v->rte[pin] == RTE_MASKED ? RTE_ACTIVE_LOW : v->rte[pin] & RTE_ACTIVE_LOW));
	}
	spinlock_unlock(&v->lock);
	return err;
}

void ptirq_pin_return(unsigned int index, unsigned int pin)
{
	struct ptirq_chip *chip = &chips[index];
	struct vioapic *v = &chip->vm->ioapic[index];

	spinlock_lock(&v->lock);
	(void)ptirq_pin_route(index, pin, RTE_MASKED);
	ptirq_pin_write(index, pin, RTE_MASKED);
	bitmap_clear(chip->lent, pin);
	rte_changed(chip, pin, v->rte[pin]);
	spinlock_unlock(&v->lock);
}

void ptirq_init(struct vm *vm)
{
	vm->ioapic_count = ioapic_count();
	for (unsigned int i = 0; i < vm->ioapic_count; i++) {
		struct vioapic *v = &vm->ioapic[i];

		chips[i] = (struct ptirq_chip){ .vm = vm, .index = i };
		vioapic_init(v, ioapic_base(i), ioapic_id(i),
			     MIN(ioapic_pins(i), VIOAPIC_MAX_PINS), &vm->apics);
		v->rte_changed = rte_changed;
		v->pin_eoi = pin_eoi;
		v->ctx = &chips[i];
		vm->ioapic_gsi[i] = ioapic_gsi_base(i);
		if (io_bus_add_mmio(&vm->io, v->base, PAGE_SIZE, vioapic_mmio, v) != 0)
			panic("I/O APIC %u at %lx overlaps another device", i, v->base);
	}
	irq_set_forward(forward);
}
