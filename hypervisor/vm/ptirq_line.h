/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupt lines (INTx) of devices that User VMs have: a pin of the machine's I/O APIC that the Service VM does not
 * use, to a pin of the VM's. Level: from the interrupt until the guest's EOI the physical pin is masked.
 */
#pragma once

#include <acrn/dev.h>

#include "vm/vm.h"

/* -EINVAL: no such pin; -EBUSY: the Service VM or somebody else has the pin, so it cannot be shared; -ENOSPC. */
int ptirq_line_assign(struct vm *vm, const struct acrn_ptdev_irq *irq);
/* -EINVAL: it has no such line. */
int ptirq_line_release(struct vm *vm, const struct acrn_ptdev_irq *irq);
void ptirq_line_release_all(struct vm *vm, uint16_t bdf);

/* For the VM's I/O APIC (vioapic.h); ctx: the VM. */
void ptirq_line_eoi(void *ctx, unsigned int pin);
