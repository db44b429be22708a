/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each CPU has a few vectors for this. A source is looked at under its lock only, so when it is freed its VM is not
 * touched any more; a late interrupt finds nobody. Vectors are handed out in turn, so that such a late one hardly ever
 * finds a new owner; if it does, that owner's guest sees one interrupt too many.
 */
#include "vm/ptirq_msi.h"

#include "hw/irq.h"
#include "hw/lapic.h"
#include "hw/percpu.h"
#include "lib/errno.h"
#include "lib/log.h"

#define SOURCES (IRQ_DEVICE_LAST - IRQ_DEVICE_FIRST + 1U)

struct source {
	struct spinlock lock; /* above those of a VM's interrupt controllers */
	struct vm *vm;	      /* NULL: nobody's */
	uint64_t address;
	uint32_t data;
	void (*fn)(void *ctx); /* instead of a message */
	void *ctx;
	uint64_t count;
};

static DEFINE_PERCPU(struct source[SOURCES], sources);
static DEFINE_PERCPU(uint32_t, sources_used); /* bitmap, under allocation */
static DEFINE_PERCPU(unsigned int, sources_next);
static struct spinlock allocation; /* above a source's lock */

static struct source *source_of(unsigned int cpu, uint8_t vector)
{
	return &per_cpu(sources, cpu)[vector - IRQ_DEVICE_FIRST];
}

static void device_irq(uint8_t vector)
{
	struct source *s = source_of(cpu_id(), vector);

	spinlock_lock(&s->lock);
	if (s->fn != NULL)
		s->fn(s->ctx);
	lapic_eoi();
	if (s->vm != NULL) {
		(void)atomic_fetch_add(&s->count, 1UL);
		(void)apic_bus_deliver_msi(&s->vm->apics, s->address, s->data);
	}
	spinlock_unlock(&s->lock);
}

void ptirq_msi_init(void)
{
	irq_set_device(device_irq);
}

/* The CPU of the first vCPU that the message reaches; that of the boot vCPU when it reaches none. */
static unsigned int cpu_meant(const struct vm *vm, uint64_t address)
{
	uint8_t dest = (uint8_t)(address >> 12);
	bool is_logical = (address & BIT64(2)) != 0;

	for (unsigned int i = 0; i < vm->vcpu_count; i++)
		if (vlapic_matches(&vm->vcpu[i]->vlapic, apic_dest_widen(dest, is_logical), is_logical))
			return vm->vcpu[i]->pcpu;
	return vm->vcpu[0]->pcpu;
}

static bool take_on(unsigned int cpu, struct ptirq_msi *irq)
{
	for (unsigned int i = 0; i < SOURCES; i++) {
		unsigned int n = (per_cpu(sources_next, cpu) + i) % SOURCES;

		if ((per_cpu(sources_used, cpu) & BIT32(n)) != 0)
			continue;
		per_cpu(sources_used, cpu) |= BIT32(n);
		per_cpu(sources_next, cpu) = n + 1U;
		irq->cpu = (uint16_t)cpu;
		irq->vector = (uint8_t)(IRQ_DEVICE_FIRST + n);
		return true;
	}
	return false;
}

/* On the CPU meant, else on any of the VM's: a vCPU elsewhere is kicked. */
static int take_vector(struct ptirq_msi *irq, const struct vm *vm, unsigned int cpu)
{
	bool is_taken;

	spinlock_lock(&allocation);
	is_taken = take_on(cpu, irq);
	for (uint64_t rest = vm->pcpus; rest != 0 && !is_taken; rest &= rest - 1)
		is_taken = take_on(bits_lowest(rest), irq);
	spinlock_unlock(&allocation);
	return is_taken ? 0 : -ENOSPC;
}

static void give_vector(const struct ptirq_msi *irq)
{
	spinlock_lock(&allocation);
	per_cpu(sources_used, irq->cpu) &= ~BIT32(irq->vector - IRQ_DEVICE_FIRST);
	spinlock_unlock(&allocation);
}

static void set_source(const struct ptirq_msi *irq, struct vm *vm, uint64_t address, uint32_t data)
{
	struct source *s = source_of(irq->cpu, irq->vector);

	spinlock_lock(&s->lock);
	if (s->vm != vm)
		s->count = 0;
	s->vm = vm;
	s->address = address;
	s->data = data;
	spinlock_unlock(&s->lock);
}

static void set_function(const struct ptirq_msi *irq, void (*fn)(void *ctx), void *ctx)
{
	struct source *s = source_of(irq->cpu, irq->vector);

	spinlock_lock(&s->lock);
	s->fn = fn;
	s->ctx = ctx;
	spinlock_unlock(&s->lock);
}

int ptirq_vector_take(struct ptirq_msi *irq, struct vm *vm, void (*fn)(void *ctx), void *ctx)
{
	int err = take_vector(irq, vm, vm->vcpu[0]->pcpu);

	if (err != 0)
		return err;
	irq->active = true;
	set_function(irq, fn, ctx);
	return 0;
}

void ptirq_vector_free(struct ptirq_msi *irq)
{
	set_function(irq, NULL, NULL);
	give_vector(irq);
	*irq = (struct ptirq_msi){ 0 };
}

static int make(struct ptirq_msi *irq, struct vm *vm, uint16_t bdf, unsigned int cpu)
{
	struct msi_route route = { .mode = APIC_FIXED };
	int err = take_vector(irq, vm, cpu);

	if (err != 0) {
		log_warn("vm%u: no interrupt vector is left for device %02x:%02x.%x", vm->id, bdf >> 8,
			 bdf >> 3 & 0x1FU, bdf & 7U);
		return err;
	}
	route.apic_id = cpu_apic_id(irq->cpu);
	route.vector = irq->vector;
	err = iommu_map_irq(bdf, &route, &irq->message);
	if (err != 0)
		give_vector(irq);
	irq->active = err == 0;
	return err;
}

static bool is_sane(uint64_t address, uint32_t data)
{
	unsigned int mode = data >> 8 & 7U;

	return address >> 20 == 0xFEEU && (mode == APIC_FIXED || mode == APIC_LOWEST) && (data & 0xFFU) >= 16U;
}

int ptirq_msi_set(struct ptirq_msi *irq, struct vm *vm, uint16_t bdf, uint64_t address, uint32_t data)
{
	unsigned int cpu;
	int err;

	if (!is_sane(address, data)) {
		ptirq_msi_free(irq, bdf);
		return -EINVAL;
	}
	cpu = cpu_meant(vm, address);
	if (!irq->active || irq->cpu != cpu) {
		ptirq_msi_free(irq, bdf);
		err = make(irq, vm, bdf, cpu);
		if (err != 0)
			return err;
	}
	set_source(irq, vm, address, data);
	return 0;
}

void ptirq_msi_free(struct ptirq_msi *irq, uint16_t bdf)
{
	if (!irq->active)
		return;
	iommu_unmap_irq(bdf, &irq->message);
	set_source(irq, NULL, 0, 0);
	give_vector(irq);
	*irq = (struct ptirq_msi){ 0 };
}

uint64_t ptirq_msi_take_count(const struct ptirq_msi *irq)
{
	return irq->active ? atomic_swap(&source_of(irq->cpu, irq->vector)->count, 0UL) : 0;
}
