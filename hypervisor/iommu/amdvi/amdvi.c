/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AMD's IOMMUs as a back end: one device table that all units share, with an entry for every id there can be. An entry
 * changes word by word with the device blocked in between, since no unit reads all four at once.
 */
#include "hw/cpu.h"
#include "hw/paging.h"
#include "iommu/amdvi/amdvi_irq.h"
#include "iommu/amdvi/amdvi_unit.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"

#define TABLE_PAGES (AMDVI_DEVICES * sizeof(struct amdvi_entry) / PAGE_SIZE)
#define COMMANDS_AT_ONCE 254U
#define DOMAINS 64U

static struct amdvi_unit units[ACPI_MAX_IOMMUS];
static unsigned int unit_count;
static struct amdvi_entry *devices;
static const struct iommu_domain *everyone;
static hpa_t empty; /* a page of zeroes: a table in which nothing is mapped */

static int amdvi_init(const struct acpi_info *acpi)
{
	void *page;

	unit_count = 0;
	amdvi_irq_init();
	for (unsigned int i = 0; i < acpi->iommu_count; i++) {
		int err = -ENODEV;

		if (acpi->iommu[i].segment == 0)
			err = amdvi_unit_init(&units[i], acpi->iommu[i].base, acpi->iommu[i].bdf);
		else
			log_warn("iommu: segment %u is not used", acpi->iommu[i].segment);
		if (err != 0)
			return err;
		if (units[i].has_counters)
			iommu_amdvi.register_size = AMDVI_REGISTER_SIZE_COUNTERS;
	}
	devices = page_pool_alloc_contig(&host_pool, TABLE_PAGES);
	page = page_pool_alloc(&host_pool);
	if (devices == NULL || page == NULL) {
		log_warn("iommu: no memory for a table of %lu devices", AMDVI_DEVICES);
		return -ENOMEM;
	}
	empty = virt_to_phys(page);
	unit_count = acpi->iommu_count;
	return 0;
}

static void do_everywhere(const struct amdvi_command *commands, unsigned int count)
{
	for (unsigned int i = 0; i < unit_count; i++)
		amdvi_unit_do(&units[i], commands, count);
}

/* Of every domain, for units without a command for all. */
static void forget_all(struct amdvi_unit *u)
{
	struct amdvi_command commands[DOMAINS];

	commands[0] = amdvi_invalidate_all();
	for (unsigned int i = 0; i < DOMAINS && !u->can_forget_all; i++)
		commands[i] = amdvi_invalidate_domain((uint16_t)i);
	amdvi_unit_do(u, commands, u->can_forget_all ? 1U : DOMAINS);
}

/* Each id by itself: units may keep entries even where there is a command for all. */
static void forget_devices(void)
{
	static struct amdvi_command commands[COMMANDS_AT_ONCE];

	for (unsigned int bdf = 0; bdf < AMDVI_DEVICES;) {
		unsigned int n = 0;

		while (n < COMMANDS_AT_ONCE && bdf < AMDVI_DEVICES)
			commands[n++] = amdvi_invalidate_device((uint16_t)bdf++);
		do_everywhere(commands, n);
	}
}

/* Emulators (QEMU 11) turn those that they are told to let pass by mode into vector 0: there all of them pass. */
static uint64_t default_irqs(void)
{
	if (iommu_amdvi.filters_irqs)
		return amdvi_entry_irqs(0);
	return cpu_features.hypervisor ? 0 : amdvi_entry_plain_irqs();
}

static void amdvi_start(const struct iommu_domain *d)
{
	struct amdvi_entry entry = amdvi_entry_domain(d->pt.root_hpa, d->id, default_irqs());

	everyone = d;
	for (unsigned int bdf = 0; bdf < AMDVI_DEVICES; bdf++)
		devices[bdf] = entry;
	atomic_fence();
	for (unsigned int i = 0; i < unit_count; i++)
		amdvi_unit_start(&units[i], virt_to_phys(devices));
	forget_devices();
	for (unsigned int i = 0; i < unit_count; i++)
		forget_all(&units[i]);
}

static void forget_device(uint16_t bdf)
{
	const struct amdvi_command commands[] = { amdvi_invalidate_device(bdf), amdvi_invalidate_irqs(bdf) };

	do_everywhere(commands, ARRAY_SIZE(commands));
	for (unsigned int i = 0; i < unit_count; i++)
		forget_all(&units[i]);
}

static void write_entry(uint16_t bdf, const struct amdvi_entry *new)
{
	struct amdvi_entry *entry = &devices[bdf];

	atomic_store(&entry->q[0], amdvi_entry_blocked(empty).q[0]);
	atomic_store(&entry->q[2], new->q[2]);
	forget_device(bdf);
	atomic_store(&entry->q[1], new->q[1]);
	atomic_store(&entry->q[3], new->q[3]);
	atomic_store(&entry->q[0], new->q[0]);
	forget_device(bdf);
}

static int amdvi_set_device(uint16_t bdf, const struct iommu_domain *d)
{
	struct amdvi_entry entry = amdvi_entry_blocked(empty);
	hpa_t irqs = 0;

	if (d != NULL && d != everyone) {
		int err = amdvi_irq_table(bdf, &irqs);

		if (err != 0)
			return err;
		entry = amdvi_entry_domain(d->pt.root_hpa, d->id, amdvi_entry_irqs(irqs));
	} else if (d != NULL) {
		entry = amdvi_entry_domain(d->pt.root_hpa, d->id, default_irqs());
	}
	write_entry(bdf, &entry);
	if (irqs == 0)
		amdvi_irq_table_free(bdf);
	return 0;
}

static void amdvi_flush(const struct iommu_domain *d)
{
	struct amdvi_command command = amdvi_invalidate_domain(d->id);

	do_everywhere(&command, 1);
}

/* A device of the Service VM's gets a table when it first interrupts. */
static int make_table(uint16_t bdf)
{
	hpa_t table;
	int err;

	if (amdvi_irq_table_of(bdf) != 0)
		return 0;
	err = amdvi_irq_table(bdf, &table);
	if (err != 0)
		return err;
	atomic_store(&devices[bdf].q[2], amdvi_entry_irqs(table));
	forget_device(bdf);
	return 0;
}

static int amdvi_map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	struct amdvi_command command = amdvi_invalidate_irqs(bdf);
	int err = make_table(bdf);

	if (err == 0)
		err = amdvi_irq_add(bdf, want, out);
	if (err == 0)
		do_everywhere(&command, 1);
	return err;
}

static int amdvi_change_irq(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg)
{
	struct amdvi_command command = amdvi_invalidate_irqs(bdf);

	if (!amdvi_irq_change(bdf, want, msg))
		return -EINVAL;
	do_everywhere(&command, 1);
	return 0;
}

static void amdvi_unmap_irq(uint16_t bdf, const struct msi_msg *msg)
{
	struct amdvi_command command = amdvi_invalidate_irqs(bdf);

	if (amdvi_irq_remove(bdf, msg))
		do_everywhere(&command, 1);
}

static bool amdvi_next_fault(struct iommu_fault *fault)
{
	for (unsigned int i = 0; i < unit_count; i++)
		if (amdvi_unit_next_event(&units[i], fault))
			return true;
	return false;
}

struct iommu_backend iommu_amdvi = {
	.name = "AMD-Vi",
	.format = &pgtable_amdvi,
	.init = amdvi_init,
	.start = amdvi_start,
	.set_device = amdvi_set_device,
	.flush = amdvi_flush,
	.map_irq = amdvi_map_irq,
	.change_irq = amdvi_change_irq,
	.unmap_irq = amdvi_unmap_irq,
	.next_fault = amdvi_next_fault,
	.max_leaf = 3,
	.caches_absent = true, /* many do not, but a map is rare */
	.domains = DOMAINS,
	.register_size = AMDVI_REGISTER_SIZE,
};
