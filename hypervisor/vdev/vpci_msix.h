/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The MSI-X table that a guest sees of a physical device: entries in guest words, which never reach the hardware. The
 * owner is told of each entry that changed and programs the real one. Source: PCI Local Bus 3.0 6.8.2.
 */
#pragma once

#include "lib/types.h"

#define VPCI_MSIX_ENTRY_SIZE 16U
#define VPCI_MSIX_ENTRY_MASKED 1U

struct vpci_msix_entry {
	uint64_t address;
	uint32_t data;
	uint32_t control; /* bit 0: masked */
};

struct vpci_msix {
	unsigned int count; /* 0: the device has none */
	bool enabled, masked_all;
	struct vpci_msix_entry *entry;
	void (*changed)(void *ctx, unsigned int entry);
	void *ctx;
};

/* All entries masked, function off; entry: room for count. */
void vpci_msix_init(struct vpci_msix *m, struct vpci_msix_entry *entry, unsigned int count);

/* The control word of the capability was written: every entry that comes or goes by it is told. */
void vpci_msix_control(struct vpci_msix *m, bool enabled, bool masked_all);

/* True when the entry's interrupt is to be sent. */
bool vpci_msix_is_live(const struct vpci_msix *m, unsigned int entry);

/* The guest's accesses to the table: offset from its start, below count * 16. Aligned, of 4 or 8 bytes, or nothing. */
uint64_t vpci_msix_read(const struct vpci_msix *m, uint32_t offset, uint8_t size);
void vpci_msix_write(struct vpci_msix *m, uint32_t offset, uint8_t size, uint64_t value);
