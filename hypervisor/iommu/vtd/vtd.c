/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intel's IOMMUs as a back end. One root table for all units; all its buses share one context table, in which every
 * device is in the domain of iommu_start(), until one is given away: then its bus gets a table of its own.
 */
#include "hw/cpu.h"
#include "hw/paging.h"
#include "iommu/vtd/vtd_irq.h"
#include "iommu/vtd/vtd_unit.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/util.h"

static struct vtd_unit units[ACPI_MAX_IOMMUS];
static unsigned int unit_count;
static struct vtd_words *root, *shared;
static struct vtd_words *own[VTD_BUSES]; /* NULL: the bus uses the shared table */
static hpa_t irqs;			 /* 0: none */

static int vtd_map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out);
static void vtd_unmap_irq(uint16_t bdf, const struct msi_msg *msg);

/* What all units can do, is done. */
static void note_abilities(const struct vtd_unit *u)
{
	iommu_vtd.max_leaf = MIN(iommu_vtd.max_leaf, vtd_unit_max_leaf(u));
	iommu_vtd.domains = MIN(iommu_vtd.domains, vtd_unit_domains(u));
	iommu_vtd.caches_absent = iommu_vtd.caches_absent || vtd_unit_caches_absent(u);
	if (!vtd_unit_has_irqs(u))
		iommu_vtd.map_irq = NULL;
}

static int init_units(const struct acpi_info *acpi)
{
	for (unsigned int i = 0; i < acpi->iommu_count; i++) {
		int err = vtd_unit_init(&units[i], acpi->iommu[i].base);

		if (err != 0)
			return err;
		if (acpi->iommu[i].segment != 0) {
			log_warn("iommu: segment %u is not used", acpi->iommu[i].segment);
			return -ENODEV;
		}
		note_abilities(&units[i]);
	}
	return 0;
}

static int vtd_init(const struct acpi_info *acpi)
{
	int err;

	unit_count = 0;
	irqs = 0;
	memset(own, 0, sizeof(own));
	iommu_vtd.max_leaf = 3;
	iommu_vtd.domains = 0x10000;
	iommu_vtd.caches_absent = false;
	iommu_vtd.map_irq = acpi->has_intr_remap ? vtd_map_irq : NULL;
	err = init_units(acpi);
	if (err != 0)
		return err;
	root = page_pool_alloc(&host_pool);
	shared = page_pool_alloc(&host_pool);
	if (root == NULL || shared == NULL)
		return -ENOMEM;
	if (iommu_vtd.map_irq != NULL && vtd_irq_init(&irqs) != 0)
		return -ENOMEM;
	unit_count = acpi->iommu_count;
	return 0;
}

/* For units that do not look into the CPUs' caches. */
static void write_back(void)
{
	for (unsigned int i = 0; i < unit_count; i++) {
		if (!units[i].is_coherent) {
			cpu_write_back_caches();
			return;
		}
	}
}

static void start_unit(struct vtd_unit *u)
{
	const struct vtd_irq_table table = { irqs, VTD_IRQS_LOG2, !iommu_vtd.filters_irqs };

	vtd_unit_start(u, virt_to_phys(root), irqs != 0 ? &table : NULL);
}

static void vtd_start(const struct iommu_domain *d)
{
	for (unsigned int i = 0; i < VTD_ENTRIES; i++)
		shared[i] = vtd_context_entry(d->pt.root_hpa, d->id);
	for (unsigned int bus = 0; bus < VTD_BUSES; bus++)
		root[bus] = vtd_root_entry(virt_to_phys(shared));
	write_back();
	for (unsigned int i = 0; i < unit_count; i++)
		start_unit(&units[i]);
}

static void do_everywhere(const struct vtd_words *what, unsigned int count)
{
	write_back();
	for (unsigned int i = 0; i < unit_count; i++)
		vtd_unit_do(&units[i], what, count);
}

static void forget_devices(void)
{
	for (unsigned int i = 0; i < unit_count; i++) {
		const struct vtd_words what[] = { vtd_invalidate_contexts(),
						  vtd_invalidate_addresses(units[i].can_drain), vtd_invalidate_irqs() };

		write_back();
		vtd_unit_do(&units[i], what, irqs != 0 ? 3 : 2);
	}
}

/* The bus' own context table, made when it has none. NULL: no memory. */
static struct vtd_words *context_table(unsigned int bus)
{
	if (own[bus] == NULL) {
		own[bus] = page_pool_alloc(&host_pool);
		if (own[bus] == NULL)
			return NULL;
		memcpy(own[bus], shared, PAGE_SIZE);
		atomic_store(&root[bus].low, vtd_root_entry(virt_to_phys(own[bus])).low);
	}
	return own[bus];
}

/* Not present in between: no unit sees half of it. */
static int vtd_set_device(uint16_t bdf, const struct iommu_domain *d)
{
	struct vtd_words *table = context_table(bdf >> 8), *entry;

	if (table == NULL)
		return -ENOMEM;
	entry = &table[bdf & 0xFFU];
	atomic_store(&entry->low, 0UL);
	if (irqs != 0)
		vtd_irq_remove_all(bdf);
	forget_devices();
	if (d != NULL) {
		struct vtd_words new = vtd_context_entry(d->pt.root_hpa, d->id);

		atomic_store(&entry->high, new.high);
		atomic_store(&entry->low, new.low);
		forget_devices();
	}
	return 0;
}

static void vtd_flush(const struct iommu_domain *d)
{
	for (unsigned int i = 0; i < unit_count; i++) {
		struct vtd_words what = vtd_invalidate_domain(d->id, units[i].can_drain);

		write_back();
		vtd_unit_do(&units[i], &what, 1);
	}
}

static int vtd_map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	const struct vtd_words what = vtd_invalidate_irqs();
	int err = vtd_irq_add(bdf, want, out);

	if (err == 0)
		do_everywhere(&what, 1);
	return err;
}

static int vtd_change_irq(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg)
{
	const struct vtd_words what = vtd_invalidate_irqs();

	if (!vtd_irq_change(bdf, want, msg))
		return -EINVAL;
	do_everywhere(&what, 1);
	return 0;
}

static void vtd_unmap_irq(uint16_t bdf, const struct msi_msg *msg)
{
	const struct vtd_words what = vtd_invalidate_irqs();

	if (vtd_irq_remove(bdf, msg))
		do_everywhere(&what, 1);
}

static bool vtd_next_fault(struct iommu_fault *fault)
{
	for (unsigned int i = 0; i < unit_count; i++)
		if (vtd_unit_next_fault(&units[i], fault))
			return true;
	return false;
}

struct iommu_backend iommu_vtd = {
	.name = "VT-d",
	.format = &pgtable_vtd,
	.init = vtd_init,
	.start = vtd_start,
	.set_device = vtd_set_device,
	.flush = vtd_flush,
	.change_irq = vtd_change_irq,
	.unmap_irq = vtd_unmap_irq,
	.next_fault = vtd_next_fault,
	.register_size = VTD_REGISTER_SIZE,
};
