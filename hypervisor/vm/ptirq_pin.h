/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the hardware's I/O APICs hold for an entry (RTE) in the words of those who have no IOMMU: where interrupts are
 * filtered it names an entry of the IOMMU's. The caller holds the lock of the pin's virtual chip.
 */
#pragma once

#include "lib/types.h"

/* Before a pin is written: what it needs for where its entry points is made. False: it has to stay masked. */
bool ptirq_pin_route(unsigned int chip, unsigned int pin, uint64_t rte);

/* Writes it; what it had before is given up. */
void ptirq_pin_write(unsigned int chip, unsigned int pin, uint64_t rte);
