/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Domains, who is in which, and what may not be: everything that is the same for both vendors. Devices that are not in
 * the list of those given away are in the domain of iommu_start(), the ones that come later too.
 */
#include "iommu/iommu.h"

#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/tsc.h"
#include "iommu/backend.h"
#include "iommu/topology.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/util.h"
#include "x86/apic.h"

#define GIVEN_MAX 64U
#define FAULT_WINDOW_US 10000000UL
#define FAULT_LINES 20U /* a window */
#define FAULTS_AT_ONCE 1024U

static struct iommu_backend *backend; /* NULL: none is used */
static const struct acpi_info *firmware;
static struct iommu_domain *everyone; /* of iommu_start() */
static struct spinlock lock; /* of the list and of all that changes devices; above a domain's */
static struct {
	uint16_t bdf;
	struct iommu_domain *domain; /* NULL: blocked */
} given[GIVEN_MAX];
static unsigned int given_count;

static struct {
	uint64_t window; /* begun at this time */
	uint64_t total, told, hidden;
	struct iommu_fault last; /* told */
} faults;

/* All units are of one kind. */
static struct iommu_backend *kind_of(const struct acpi_info *acpi)
{
	struct iommu_backend *kind = acpi->iommu[0].bdf == ACPI_NO_BDF ? &iommu_vtd : &iommu_amdvi;

	for (unsigned int i = 1; i < acpi->iommu_count; i++)
		if ((acpi->iommu[i].bdf == ACPI_NO_BDF) != (kind == &iommu_vtd))
			return NULL;
	return kind;
}

int iommu_ioapic_bdf(uint8_t ioapic_id, uint16_t *bdf)
{
	if (!iommu_filters_irqs())
		return -ENODEV;
	for (unsigned int i = 0; i < firmware->irq_source_count; i++) {
		if (firmware->irq_source[i].ioapic_id != ioapic_id)
			continue;
		*bdf = firmware->irq_source[i].bdf;
		return 0;
	}
	return -ENODEV;
}

/* An I/O APIC whose id is not known could not interrupt any more. */
static void decide_filter(const struct acpi_info *acpi)
{
	uint16_t bdf;

	backend->filters_irqs = backend->map_irq != NULL;
	for (unsigned int i = 0; backend->filters_irqs && i < acpi->ioapic_count; i++) {
		if (iommu_ioapic_bdf(acpi->ioapic[i].id, &bdf) == 0)
			continue;
		log_warn("iommu: firmware does not say as whom I/O APIC %u interrupts", acpi->ioapic[i].id);
		backend->filters_irqs = false;
	}
	if (!backend->filters_irqs)
		log_notice("iommu: interrupts of the Service VM's devices are not filtered");
}

void iommu_init(const struct acpi_info *acpi)
{
	struct iommu_backend *found = acpi->iommu_count == 0 ? NULL : kind_of(acpi);

	spinlock_init(&lock);
	firmware = acpi;
	given_count = 0;
	everyone = NULL;
	backend = found != NULL && found->init(acpi) == 0 ? found : NULL;
	if (backend == NULL)
		log_notice("iommu: none is used: devices reach all memory, and no device can be given to a User VM");
	else
		log_info("iommu: %s, %u unit%s, pages up to %s%s", backend->name, acpi->iommu_count,
			 acpi->iommu_count == 1 ? "" : "s",
			 backend->max_leaf == 3 ? "1 GiB" : backend->max_leaf == 2 ? "2 MiB" : "4 KiB",
			 backend->map_irq != NULL ? ", with interrupt remapping" : "");
	if (backend != NULL)
		decide_filter(acpi);
}

bool iommu_present(void)
{
	return backend != NULL;
}

bool iommu_filters_irqs(void)
{
	return backend != NULL && backend->filters_irqs;
}

/* Also of units that are not used: nobody else is to use them. */
bool iommu_registers(unsigned int index, hpa_t *base, uint64_t *size)
{
	if (index >= firmware->iommu_count)
		return false;
	*base = firmware->iommu[index].base;
	*size = (firmware->iommu[index].bdf == ACPI_NO_BDF ? &iommu_vtd : &iommu_amdvi)->register_size;
	return true;
}

void iommu_start(struct iommu_domain *d)
{
	if (backend == NULL)
		return;
	ASSERT(d->id != 0 && everyone == NULL);
	everyone = d;
	backend->start(d);
	log_info("iommu: every device reaches the memory of VM %u, and no other", d->owner);
}

int iommu_domain_init(struct iommu_domain *d, unsigned int owner_vm_id)
{
	int err;

	*d = (struct iommu_domain){ .owner = owner_vm_id };
	spinlock_init(&d->lock);
	if (backend == NULL)
		return -ENODEV;
	/* 0 is not used: some units keep it for what is not there. */
	if (owner_vm_id + 1U >= backend->domains)
		return -ENOSPC;
	err = pgtable_init(&d->pt, backend->format, &host_pool);
	if (err != 0)
		return err;
	d->pt.defer = true;
	d->pt.max_leaf = backend->max_leaf;
	d->id = (uint16_t)(owner_vm_id + 1U);
	return 0;
}

void iommu_domain_exit(struct iommu_domain *d)
{
	if (d->id == 0)
		return;
	for (unsigned int i = 0; i < given_count; i++)
		ASSERT(given[i].domain != d);
	if (everyone != NULL)
		backend->flush(d);
	pgtable_destroy(&d->pt);
	d->id = 0;
}

/* The end of each change, under the domain's lock: what was taken away is gone when it returns. */
static void finish_change(struct iommu_domain *d)
{
	if (everyone != NULL && (d->pt.stale || backend->caches_absent))
		backend->flush(d);
	d->pt.stale = false;
	pgtable_free_limbo(&d->pt, pgtable_take_limbo(&d->pt));
}

int iommu_map(struct iommu_domain *d, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot)
{
	int err;

	if (backend == NULL || d->id == 0)
		return -ENODEV;
	spinlock_lock(&d->lock);
	err = pgtable_map(&d->pt, gpa, hpa, size, prot & (PG_READ | PG_WRITE));
	finish_change(d);
	spinlock_unlock(&d->lock);
	return err;
}

int iommu_unmap(struct iommu_domain *d, gpa_t gpa, uint64_t size)
{
	int err;

	if (backend == NULL || d->id == 0)
		return -ENODEV;
	spinlock_lock(&d->lock);
	err = pgtable_unmap(&d->pt, gpa, size);
	finish_change(d);
	spinlock_unlock(&d->lock);
	return err;
}

static bool refuse(uint16_t bdf, const char *why)
{
	log_warn("iommu: %02x:%02x.%u cannot be given away: %s", PCI_BUS(bdf), PCI_DEV(bdf), PCI_FN(bdf), why);
	return false;
}

/* Whether a device can be in another domain than its neighbours and firmware think. */
static bool can_leave(uint16_t bdf)
{
	for (unsigned int i = 0; i < firmware->iommu_count; i++)
		if (firmware->iommu[i].bdf == bdf)
			return refuse(bdf, "it is an IOMMU");
	for (unsigned int i = 0; i < firmware->alias_count; i++)
		if ((bdf >= firmware->alias[i].first && bdf <= firmware->alias[i].last) ||
		    bdf == firmware->alias[i].alias)
			return refuse(bdf, "its requests carry another device's id");
	for (unsigned int i = 0; i < firmware->dma_range_count; i++)
		if (bdf >= firmware->dma_range[i].first && bdf <= firmware->dma_range[i].last)
			return refuse(bdf, "firmware uses it");
	if (!topology_has_own_id(bdf))
		return refuse(bdf, "it is behind a bridge that speaks for it");
	return true;
}

/* Under the lock. Devices that can reach each other are one VM's, or the Service VM's. */
static bool is_apart(uint16_t bdf, const struct iommu_domain *d)
{
	for (unsigned int i = 0; i < given_count; i++) {
		const struct iommu_domain *owner = given[i].domain;
		uint16_t other = given[i].bdf;

		if (other == bdf || owner == NULL || owner == d || !topology_are_together(bdf, other))
			continue;
		log_warn("iommu: %02x:%02x.%u cannot be VM %u's: %02x:%02x.%u, which it can reach, is VM %u's",
			 PCI_BUS(bdf), PCI_DEV(bdf), PCI_FN(bdf), d->owner, PCI_BUS(other), PCI_DEV(other),
			 PCI_FN(other), owner->owner);
		return false;
	}
	return true;
}

/* Its place in the list, or given_count. */
static unsigned int find_given(uint16_t bdf)
{
	unsigned int i = 0;

	while (i < given_count && given[i].bdf != bdf)
		i++;
	return i;
}

/* Under the lock. */
static int move_device(uint16_t bdf, struct iommu_domain *d)
{
	unsigned int at = find_given(bdf);
	int err;

	if (at == GIVEN_MAX)
		return -ENOSPC;
	err = backend->set_device(bdf, d);
	if (err != 0)
		return err;
	if (d == everyone) {
		if (at < given_count)
			given[at] = given[--given_count];
		return 0;
	}
	given[at].bdf = bdf;
	given[at].domain = d;
	if (at == given_count)
		given_count++;
	return 0;
}

int iommu_attach(struct iommu_domain *d, uint16_t bdf)
{
	int err;

	if (backend == NULL || d->id == 0 || everyone == NULL)
		return -ENODEV;
	if (d != everyone && !can_leave(bdf))
		return -EINVAL;
	spinlock_lock(&lock);
	err = d == everyone || is_apart(bdf, d) ? move_device(bdf, d) : -EBUSY;
	spinlock_unlock(&lock);
	return err;
}

int iommu_detach(uint16_t bdf)
{
	int err;

	if (backend == NULL || everyone == NULL)
		return -ENODEV;
	spinlock_lock(&lock);
	err = move_device(bdf, NULL);
	spinlock_unlock(&lock);
	return err;
}

/* Vectors below 16 do not exist, those below 32 are exceptions. An id of ones is everybody. */
static bool is_sane_route(const struct msi_route *want)
{
	return want->vector >= 0x20U && (want->mode == APIC_DM_FIXED || want->mode == APIC_DM_LOWEST) &&
	       want->apic_id <= 0xFFU && (want->is_logical || want->apic_id != 0xFFU);
}

/* Under the lock. Devices nobody was given have entries where all need one. */
static bool may_interrupt(uint16_t bdf)
{
	unsigned int at = find_given(bdf);

	return at < given_count ? given[at].domain != NULL : backend->filters_irqs;
}

int iommu_map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	int err = -EINVAL;

	if (backend == NULL || backend->map_irq == NULL)
		return -ENODEV;
	spinlock_lock(&lock);
	if (may_interrupt(bdf) && is_sane_route(want))
		err = backend->map_irq(bdf, want, out);
	spinlock_unlock(&lock);
	return err;
}

int iommu_change_irq(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg)
{
	int err = -EINVAL;

	if (backend == NULL || backend->map_irq == NULL)
		return -ENODEV;
	spinlock_lock(&lock);
	if (may_interrupt(bdf) && is_sane_route(want))
		err = backend->change_irq(bdf, want, msg);
	spinlock_unlock(&lock);
	return err;
}

void iommu_unmap_irq(uint16_t bdf, const struct msi_msg *msg)
{
	if (backend == NULL || backend->map_irq == NULL)
		return;
	spinlock_lock(&lock);
	backend->unmap_irq(bdf, msg);
	spinlock_unlock(&lock);
}

static bool is_new(const struct iommu_fault *f)
{
	return faults.told == 0 || f->bdf != faults.last.bdf || f->is_irq != faults.last.is_irq ||
	       ALIGN_DOWN(f->address, PAGE_SIZE) != ALIGN_DOWN(faults.last.address, PAGE_SIZE);
}

/* One transfer is many requests: those to one page are one line. */
static void tell(const struct iommu_fault *f)
{
	faults.total++;
	if (faults.told == FAULT_LINES || !is_new(f)) {
		faults.hidden++;
		return;
	}
	faults.told++;
	faults.last = *f;
	log_warn("iommu: %02x:%02x.%u was refused %s 0x%lx: %s (refusal %lu)", PCI_BUS(f->bdf), PCI_DEV(f->bdf),
		 PCI_FN(f->bdf), f->is_irq ? "interrupt" : "address", f->address, f->why, faults.total);
}

void iommu_poll_faults(void)
{
	uint64_t now = tsc_now_us();
	struct iommu_fault fault;

	if (backend == NULL)
		return;
	if (now - faults.window > FAULT_WINDOW_US) {
		if (faults.hidden != 0)
			log_warn("iommu: %lu more refusals, %lu in all", faults.hidden, faults.total);
		faults.window = now;
		faults.told = 0;
		faults.hidden = 0;
	}
	for (unsigned int i = 0; i < FAULTS_AT_ONCE && backend->next_fault(&fault); i++)
		tell(&fault);
}
