/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical interrupts of the Service VM's devices. A vector that a device uses is the one the guest
 * chose, on the CPU the guest chose: messages come straight in, I/O APIC pins are programmed as the
 * guest's virtual ones are. A level pin stays masked from its interrupt until the guest's EOI.
 */
#pragma once

#include "vm/vm.h"

/*
 * A pin that a User VM has: from here on `rte` is what the hardware holds, until it goes back to what the Service VM
 * has written. -EBUSY: the Service VM uses it, or it is lent already; -ENOSPC: the IOMMU has no entry. The
 * polarity is the Service VM's, where it said one, else low.
 */
int ptirq_pin_lend(unsigned int chip, unsigned int pin, uint64_t rte);
void ptirq_pin_return(unsigned int chip, unsigned int pin);

/* Gives the Service VM one virtual I/O APIC for each physical one, wired to it. */
void ptirq_init(struct vm *vm);
