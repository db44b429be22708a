/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two kinds of IOMMU do for iommu.c, which checks, locks and counts: no call here runs beside another, but
 * flush(), which runs under the lock of its domain. Private to this room.
 */
#pragma once

#include "iommu/iommu.h"

/* Something a device was refused. */
struct iommu_fault {
	uint16_t bdf;
	uint64_t address; /* of an interrupt: its entry's number, as far as it is known */
	const char *why;
	bool is_irq;
};

struct iommu_backend {
	const char *name;
	const struct pgtable_format *format;
	/* Finds out whether all units can be used, makes their tables. -ENODEV, with the reason in the log; -ENOMEM. */
	int (*init)(const struct acpi_info *acpi);
	/* Every device into d, then translation begins. */
	void (*start)(const struct iommu_domain *d);
	/* One device into d (NULL: blocked), with no interrupt entries; complete. -ENOMEM: nothing is changed. */
	int (*set_device)(uint16_t bdf, const struct iommu_domain *d);
	/* What the units remember of d's table is forgotten when this returns. */
	void (*flush)(const struct iommu_domain *d);
	/* As iommu_map_irq() and so on; the device is not blocked. NULL: the units cannot. */
	int (*map_irq)(uint16_t bdf, const struct msi_route *want, struct msi_msg *out);
	int (*change_irq)(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg);
	void (*unmap_irq)(uint16_t bdf, const struct msi_msg *msg);
	/* The oldest fault that was not yet told. */
	bool (*next_fault)(struct iommu_fault *fault);
	/* Found by init(). */
	unsigned int max_leaf;
	bool caches_absent; /* also remembers that an address was not there: flush after a first map, too */
	unsigned int domains; /* ids 1 to domains - 1 can be used */
	uint64_t register_size; /* of one unit, from its base */
	bool filters_irqs; /* iommu_filters_irqs(), set before start() */
};

extern struct iommu_backend iommu_vtd, iommu_amdvi;

/* A wait of ours for a unit is over, one way or the other, within this time. */
#define IOMMU_PATIENCE_US 1000000UL
