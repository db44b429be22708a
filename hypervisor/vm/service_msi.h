/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages (MSI, MSI-X) of the Service VM's devices where the IOMMU filters interrupts: the guest writes what it would
 * without one, and reads that back; the device holds a message that names an entry of the IOMMU's. Nothing here keeps a
 * device in bounds, the IOMMU does: what is not translated does not arrive. Without a filter nothing happens here.
 */
#pragma once

#include "iommu/iommu.h"
#include "vdev/io_bus.h"

/* One message of a device. */
struct service_msi {
	uint64_t address; /* the guest's words */
	uint32_t data;
	bool active;
	struct msi_msg message; /* while active: for the device */
};

#define SERVICE_MSIX_PAGES 16U /* of a table's entries, as many as there can be */

struct service_msi_dev {
	uint16_t bdf;
	uint8_t cap; /* of MSI, of which the guest has written something; 0: it has not */
	uint8_t shadow[16]; /* that capability in the guest's words */
	struct service_msi msi;
	bool msix_on;
	unsigned int count;
	hpa_t table;
	hpa_t trapped; /* whole pages, around the table */
	uint64_t trapped_size;
	volatile uint8_t *regs; /* those pages, as we see them */
	struct service_msi *page[SERVICE_MSIX_PAGES];
};

/* A write to a function's configuration space: true when it is done. After it, a value that was read is put right. */
bool service_msi_write(uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value);
uint32_t service_msi_read(uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value);

/* An access to device memory that is not mapped: true when it was to a page with a table, and is done. */
bool service_msi_access(struct io_access *io);

/* The device goes away: it has no messages, and its memory is as it was. */
void service_msi_forget(uint16_t bdf);

/* For service_msix.c. The message becomes what the guest has written; fresh: the device does not hold it yet. */
int service_msi_route(uint16_t bdf, struct service_msi *m, bool *fresh);
void service_msi_free(uint16_t bdf, struct service_msi *m);

/* service_msix.c: the table of a device whose MSI-X is on. Errors of service_memory_take(), -ENOMEM, -EINVAL. */
int service_msix_open(struct service_msi_dev *dev, unsigned int cap);
void service_msix_close(struct service_msi_dev *dev);
void service_msix_access(struct service_msi_dev *dev, struct io_access *io);
