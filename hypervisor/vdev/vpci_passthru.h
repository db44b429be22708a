/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration space of a physical device as the User VM sees it that was given the device. An allow-list: what
 * is not named here does not exist for the guest, and what it writes reaches the hardware in few, named bits. BARs,
 * MSI and MSI-X are only kept here; the owner is told of their changes and does what follows. Source: PCI Local Bus 3.0
 * chapter 6, PCI Express 5.0 7.5, PCI Power Management 1.2 3.2.
 */
#pragma once

#include <acrn/dev.h>

#include "lib/types.h"

#define VPCI_BARS 6U
#define VPCI_MSIX_MAX 96U /* entries that a guest is shown, however many the device has */

enum vpci_bar_type { VPCI_BAR_NONE, VPCI_BAR_IO, VPCI_BAR_MEM32, VPCI_BAR_MEM64, VPCI_BAR_HIGH };

struct vpci_bar {
	enum vpci_bar_type type; /* HIGH: upper half of the MEM64 before it */
	uint64_t size;
	uint64_t phys;	/* as the hardware has it, all the time */
	uint64_t guest; /* as the guest wrote it; decoded or not */
};

struct vpci_passthru_ops {
	/* size 1, 2, 4, aligned, reg 0..4095 */
	uint32_t (*hw_read)(void *ctx, uint16_t reg, uint8_t size);
	void (*hw_write)(void *ctx, uint16_t reg, uint8_t size, uint32_t value);
	void (*bars_changed)(void *ctx); /* an address, or what the guest lets decode */
	void (*msi_changed)(void *ctx);
	void (*msix_changed)(void *ctx); /* the control word */
};

struct vpci_passthru {
	const struct vpci_passthru_ops *ops;
	void *ctx;
	struct vpci_bar bar[VPCI_BARS];
	uint8_t msi, msix, express; /* offsets of capabilities, 0: none */
	bool has_line;		    /* its interrupt line is the VM's, too; else it stays off */
	uint16_t serial;	    /* of the extended capability with the serial number, 0: none */
	uint8_t cfg[256], wmask[256];
	uint64_t live[4]; /* bit n: byte n is read from the hardware */
};

/*
 * Reads the device, its BARs' sizes too (decoding is off meanwhile), and leaves it decoding, with no bus mastering, no
 * interrupt. want: BARs, line and pin as the guest is to see them. -ENODEV: nothing there, or a bridge; -EINVAL: a BAR
 * of want is not where one of its size can be.
 */
int vpci_passthru_init(struct vpci_passthru *p, const struct vpci_passthru_ops *ops, void *ctx,
		       const struct acrn_pcidev *want);

/* No bus mastering, no interrupts, whatever the guest wants. */
void vpci_passthru_quiesce(struct vpci_passthru *p);

/* The interrupt line comes or goes. */
void vpci_passthru_set_line(struct vpci_passthru *p, bool has_line);

/* The guest's accesses: size 1, 2, 4, aligned, reg 0..4095. */
uint32_t vpci_passthru_read(const struct vpci_passthru *p, uint16_t reg, uint8_t size);
void vpci_passthru_write(struct vpci_passthru *p, uint16_t reg, uint8_t size, uint32_t value);

/* True when the guest lets this BAR decode, and at an address where it can. */
bool vpci_passthru_decodes(const struct vpci_passthru *p, unsigned int bar);

/* MSI as the guest has it; false: off, or there is none. */
bool vpci_passthru_msi(const struct vpci_passthru *p, uint64_t *address, uint32_t *data);
/* Puts a message into the hardware's registers, and turns it on; NULL turns it off. */
void vpci_passthru_program_msi(struct vpci_passthru *p, const uint64_t *address, uint32_t data);

/* MSI-X: control word as the guest has it, where the table is, how many entries. 0: none. */
uint16_t vpci_passthru_msix_control(const struct vpci_passthru *p);
unsigned int vpci_passthru_msix_table(const struct vpci_passthru *p, unsigned int *bar, uint32_t *offset);
/* The hardware's control word. */
void vpci_passthru_program_msix(struct vpci_passthru *p, bool enable, bool mask);

#define VPCI_MSIX_ENABLE 0x8000U
#define VPCI_MSIX_MASK_ALL 0x4000U
