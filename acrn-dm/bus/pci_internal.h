/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files bus/pci*.c say to each other: registers and the hooks of a config write. Nobody else includes
 * it.
 */
#pragma once

#include "bus/pci.h"

#define CFG_VENDOR	0x00
#define CFG_DEVICE	0x02
#define CFG_COMMAND	0x04
#define CFG_STATUS	0x06
#define CFG_REVISION	0x08
#define CFG_CLASS	0x09
#define CFG_HEADER	0x0e
#define CFG_BAR0	0x10
#define CFG_SUBVENDOR	0x2c
#define CFG_ROM		0x30
#define CFG_CAP_PTR	0x34
#define CFG_INT_LINE	0x3c
#define CFG_INT_PIN	0x3d

#define COMMAND_IO		0x0001u
#define COMMAND_MEMORY		0x0002u
#define COMMAND_MASTER		0x0004u
#define COMMAND_INTX_OFF	0x0400u
#define STATUS_INTX		0x0008u
#define STATUS_CAP_LIST		0x0010u

static inline uint32_t pci_get(const uint8_t *cfg, unsigned int off, unsigned int size)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint32_t)cfg[off + i] << 8 * i;
	return v;
}

static inline void pci_put(uint8_t *cfg, unsigned int off, unsigned int size, uint32_t v)
{
	for (unsigned int i = 0; i < size; i++)
		cfg[off + i] = (uint8_t)(v >> 8 * i);
}

/* The BARs follow what config space says now; bar_moved callbacks run in it. */
void pci_bar_update(struct pci_func *f);
/* All BARs off and back at their first address. */
void pci_bar_reset(struct pci_func *f);
void pci_bar_forget_windows(void);

/* Interrupt state follows config space: masks, INTx disable. */
void pci_irq_update(struct pci_func *f);
void pci_irq_reset(struct pci_func *f);
void pci_irq_free(struct pci_func *f);
void pci_irq_forget_gsis(void);

/* The MSI-X table and pending bits as a BAR. */
uint64_t pci_msix_read(struct pci_func *f, uint64_t off, unsigned int size);
void pci_msix_write(struct pci_func *f, uint64_t off, unsigned int size, uint64_t value);
