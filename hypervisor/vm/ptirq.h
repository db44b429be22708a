/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical interrupts of the Service VM's devices. A vector that a device uses is the one the guest
 * chose, on the CPU the guest chose: messages come straight in, I/O APIC pins are programmed as the
 * guest's virtual ones are. A level pin stays masked from its interrupt until the guest's EOI.
 */
#pragma once

#include "vm/vm.h"

/* Gives the Service VM one virtual I/O APIC for each physical one, wired to it. */
void ptirq_init(struct vm *vm);
