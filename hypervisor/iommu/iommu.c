/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine on which no IOMMU is used: it says so once, and everything that would need one is refused. */
#include "iommu/iommu.h"

#include "lib/errno.h"
#include "lib/log.h"

void iommu_init(const struct acpi_info *acpi)
{
	(void)acpi;
	log_notice("iommu: none is used: devices reach all memory, and no device can be given to a User VM");
}

bool iommu_present(void)
{
	return false;
}

bool iommu_registers(unsigned int index, hpa_t *base, uint64_t *size)
{
	(void)index;
	(void)base;
	(void)size;
	return false;
}

void iommu_start(struct iommu_domain *d)
{
	(void)d;
}

int iommu_domain_init(struct iommu_domain *d, unsigned int owner_vm_id)
{
	*d = (struct iommu_domain){ .owner = owner_vm_id };
	return -ENODEV;
}

void iommu_domain_exit(struct iommu_domain *d)
{
	d->id = 0;
}

int iommu_map(struct iommu_domain *d, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot)
{
	(void)d;
	(void)gpa;
	(void)hpa;
	(void)size;
	(void)prot;
	return -ENODEV;
}

int iommu_unmap(struct iommu_domain *d, gpa_t gpa, uint64_t size)
{
	(void)d;
	(void)gpa;
	(void)size;
	return -ENODEV;
}

int iommu_attach(struct iommu_domain *d, uint16_t bdf)
{
	(void)d;
	(void)bdf;
	return -ENODEV;
}

int iommu_detach(uint16_t bdf)
{
	(void)bdf;
	return -ENODEV;
}

int iommu_map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	(void)bdf;
	(void)want;
	(void)out;
	return -ENODEV;
}

void iommu_unmap_irq(uint16_t bdf, const struct msi_msg *msg)
{
	(void)bdf;
	(void)msg;
}

void iommu_poll_faults(void)
{
}
