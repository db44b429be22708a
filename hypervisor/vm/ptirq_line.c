/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lines in use, few. One is made and unmade under its VM's lock while the VM does not run, so the VM's EOIs read
 * the list without one. A line is filled in before it has a vector, and given up after it has none.
 */
#include "vm/ptirq_line.h"

#include "hw/lapic.h"
#include "hw/percpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vm/ptirq.h"
#include "vm/ptirq_msi.h"

#define LINES_MAX 32U

struct line {
	struct vm *vm; /* NULL: free */
	uint16_t bdf;
	uint32_t gsi;	       /* of the machine */
	uint32_t pin;	       /* of the VM */
	unsigned int chip, at; /* the physical pin */
	struct ptirq_msi vector;
};

static struct line lines[LINES_MAX];

/* Claimed by whoever comes first: VMs take lines at the same time. */
static struct line *take_line(struct vm *vm)
{
	for (unsigned int i = 0; i < LINES_MAX; i++)
		if (atomic_cas(&lines[i].vm, NULL, vm))
			return &lines[i];
	return NULL;
}

static void raise(void *ctx)
{
	struct line *line = ctx;

	ioapic_mask(line->chip, line->at);
	if (!lapic_came_as_level(line->vector.vector))
		ioapic_end(line->chip, line->at); /* as ptirq.c says */
	(void)vioapic_assert_pin(&line->vm->ioapic[0], line->pin, true);
}

void ptirq_line_eoi(void *ctx, unsigned int pin)
{
	struct vm *vm = ctx;

	for (unsigned int i = 0; vm->device_count != 0 && i < LINES_MAX; i++) {
		struct line *line = &lines[i];

		if (atomic_load(&line->vm) != vm || line->pin != pin)
			continue;
		vioapic_lower(&vm->ioapic[0], pin);
		ioapic_unmask(line->chip, line->at);
	}
}

static int connect(struct line *line)
{
	uint64_t rte = RTE_LEVEL;
	int err = ptirq_vector_take(&line->vector, line->vm, raise, line);

	if (err != 0)
		return err;
	rte |= line->vector.vector | (uint64_t)cpu_apic_id(line->vector.cpu) << RTE_DEST_SHIFT;
	err = ptirq_pin_lend(line->chip, line->at, rte);
	if (err == -EBUSY)
		log_warn("vm%u: interrupt line %u is in use elsewhere, and cannot be shared", line->vm->id, line->gsi);
	if (err != 0)
		ptirq_vector_free(&line->vector);
	return err;
}

int ptirq_line_assign(struct vm *vm, const struct acrn_ptdev_irq *irq)
{
	unsigned int chip, at;
	struct line *line;
	int err;

	if (!ioapic_find_gsi(irq->phys_pin, &chip, &at) || irq->virt_pin >= vm->ioapic[0].pins)
		return -EINVAL;
	line = take_line(vm);
	if (line == NULL)
		return -ENOSPC;
	line->bdf = irq->phys_bdf;
	line->gsi = irq->phys_pin;
	line->pin = irq->virt_pin;
	line->chip = chip;
	line->at = at;
	err = connect(line);
	if (err != 0)
		atomic_store(&line->vm, NULL);
	return err;
}

static void release(struct line *line)
{
	ptirq_pin_return(line->chip, line->at);
	ptirq_vector_free(&line->vector);
	(void)vioapic_assert_pin(&line->vm->ioapic[0], line->pin, false);
	atomic_store(&line->vm, NULL);
}

int ptirq_line_release(struct vm *vm, const struct acrn_ptdev_irq *irq)
{
	for (unsigned int i = 0; i < LINES_MAX; i++) {
		struct line *line = &lines[i];

		if (atomic_load(&line->vm) != vm || line->bdf != irq->phys_bdf || line->gsi != irq->phys_pin)
			continue;
		release(line);
		return 0;
	}
	return -EINVAL;
}

void ptirq_line_release_all(struct vm *vm, uint16_t bdf)
{
	for (unsigned int i = 0; i < LINES_MAX; i++)
		if (atomic_load(&lines[i].vm) == vm && lines[i].bdf == bdf)
			release(&lines[i]);
}
