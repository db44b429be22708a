/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI configuration space of segment 0, by ECAM where the MCFG has the bus, else by ports CF8/CFC.
 * Safe on any CPU at any time. Registers above 0xFF exist only by ECAM: without it they read as
 * ones.
 */
#pragma once

#include "lib/types.h"

#define PCI_BDF(bus, dev, fn) ((uint16_t)(((bus) << 8) | ((dev) << 3) | (fn)))
#define PCI_BUS(bdf) ((unsigned int)(bdf) >> 8)
#define PCI_DEV(bdf) (((unsigned int)(bdf) >> 3) & 0x1FU)
#define PCI_FN(bdf) ((unsigned int)(bdf) & 7U)

/* After ACPI and paging. */
void pci_init(void);

/* size 1, 2 or 4, reg a multiple of it. */
uint32_t pci_read(uint16_t bdf, unsigned int reg, unsigned int size);
void pci_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value);

/* Where the function's first capability of that kind begins; 0: it has none. */
uint8_t pci_find_capability(uint16_t bdf, uint8_t id);

/* The index-th ECAM window of the platform (any segment); false behind the last. */
bool pci_ecam_window(unsigned int index, hpa_t *base, uint64_t *size, unsigned int *first_bus);
