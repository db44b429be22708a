/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which memory devices reach by DMA, and which interrupts they send. A domain is a set of devices with one table from
 * their addresses to the machine's. Before iommu_start() devices are as firmware left them; from then on every one is
 * in exactly one domain, or blocked. All units of the machine are programmed alike, so nobody asks which one a device
 * is behind. Without an IOMMU everything that would need one gives -ENODEV.
 */
#pragma once

#include "hw/acpi.h"
#include "lib/spinlock.h"
#include "mm/pgtable.h"

/* One of a VM's: its devices' view of memory. Its lock is above the page pool's, below a VM's. */
struct iommu_domain {
	struct spinlock lock;
	struct pgtable pt;
	uint16_t id;	    /* as the hardware's caches name it; 0: not made */
	unsigned int owner; /* the VM's id, for the log */
};

/* Where an interrupt is to go: mode fixed or lowest priority (APIC_DM_*). */
struct msi_route {
	uint32_t apic_id; /* of a CPU, or a set of CPUs in logical form */
	uint8_t vector;
	uint8_t mode;
	bool is_logical;
	bool is_level; /* a pin's: where the data names the entry, its low byte is the vector */
};

/* What is written into a device's MSI registers or its MSI-X table. */
struct msi_msg {
	uint64_t address;
	uint32_t data;
};

/* Finds the units that ACPI names, says what they are (or, once, that there is none), makes their tables. */
void iommu_init(const struct acpi_info *acpi);

/* True when there is one that can be used; constant after iommu_init(). */
bool iommu_present(void);

/* The index-th range of registers that no guest may reach; false behind the last. */
bool iommu_registers(unsigned int index, hpa_t *base, uint64_t *size);

/* Every device joins d, and translation begins. Once, before the first VM runs. Does nothing without an IOMMU. */
void iommu_start(struct iommu_domain *d);

/* Empty: no address is allowed. -ENODEV, -ENOMEM; -ENOSPC: the id is beyond what the hardware counts. */
int iommu_domain_init(struct iommu_domain *d, unsigned int owner_vm_id);

/* No device may be attached any more. Harmless after a failed init. */
void iommu_domain_exit(struct iommu_domain *d);

/*
 * As pgtable_map() and pgtable_unmap(), whose errors they give; prot PG_READ or PG_READ | PG_WRITE. When they
 * return no device can use what is no longer there.
 */
int iommu_map(struct iommu_domain *d, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot);
int iommu_unmap(struct iommu_domain *d, gpa_t gpa, uint64_t size);

/*
 * The device (segment 0) leaves the domain it was in. -EINVAL, with its name and the reason in the log, when it cannot
 * be told from others or firmware needs memory for it that d does not have; -EBUSY, likewise, when a device that it can
 * reach past the IOMMU (another function of the same without ACS, say) is in another domain than d or iommu_start()'s.
 */
int iommu_attach(struct iommu_domain *d, uint16_t bdf);

/* The device is blocked: no DMA, no interrupt. To give it back to the Service VM, attach it there. */
int iommu_detach(uint16_t bdf);

/*
 * True when no interrupt comes but by an entry made for it: then I/O APICs and the devices of iommu_start()'s domain
 * need entries, too. False: those devices' messages pass as they are. Constant after iommu_init().
 */
bool iommu_filters_irqs(void);

/* The id by which an I/O APIC of the MADT sends; -ENODEV: not known, or the filter is off. */
int iommu_ioapic_bdf(uint8_t ioapic_id, uint16_t *bdf);

/*
 * An entry for one interrupt of a device, and what to program into the device for it. Devices in the domain of
 * iommu_start() have entries only where interrupts are filtered. -ENODEV, -EINVAL, -ENOSPC, -ENOMEM.
 */
int iommu_map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out);

/* The entry that msg names goes elsewhere from now on, in one step. -EINVAL: it is none of this device's. */
int iommu_change_irq(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg);

/* The entry that msg names, when it is one of this device's; else nothing happens. */
void iommu_unmap_irq(uint16_t bdf, const struct msi_msg *msg);

/* Logs what devices were refused since the last call, few lines of it; to be called now and then by one CPU. */
void iommu_poll_faults(void);
