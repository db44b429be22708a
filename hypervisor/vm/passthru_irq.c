/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MSI and MSI-X of a device that a VM has: what the guest writes becomes a source of ptirq_msi.h, and what that says is
 * written into the hardware, masked or off meanwhile. A masked entry keeps its source, since Linux masks to move one.
 */
#include "hw/io.h"
#include "hw/paging.h"
#include "lib/log.h"
#include "vm/passthru.h"

struct passthru_irqs {
	struct vpci_msix_entry entry[VPCI_MSIX_MAX];
	struct ptirq_msi irq[VPCI_MSIX_MAX];
};
_Static_assert(sizeof(struct passthru_irqs) <= PAGE_SIZE, "the interrupts of a device are one page of the pool");

#define ENTRY_ADDRESS 0U
#define ENTRY_DATA 8U
#define ENTRY_CONTROL 12U

static volatile uint8_t *real_entry(const struct passthru_dev *dev, unsigned int n)
{
	hpa_t table = dev->pci.bar[dev->msix_bar].phys + dev->msix_offset;

	return phys_to_virt(table + n * VPCI_MSIX_ENTRY_SIZE);
}

static void refused(const struct passthru_dev *dev, unsigned int n, int err)
{
	log_warn("vm%u: interrupt %u of device %02x:%02x.%x stays masked: error %d", dev->vm->id, n, dev->phys >> 8,
		 dev->phys >> 3 & 0x1FU, dev->phys & 7U, -err);
}

static void entry_changed(void *ctx, unsigned int n)
{
	struct passthru_dev *dev = ctx;
	volatile uint8_t *real = real_entry(dev, n);
	const struct vpci_msix_entry *e = &dev->irqs->entry[n];
	struct ptirq_msi *irq = &dev->irqs->irq[n];
	int err;

	mmio_write32(real + ENTRY_CONTROL, VPCI_MSIX_ENTRY_MASKED);
	if (!vpci_msix_is_live(&dev->msix, n))
		return;
	err = ptirq_msi_set(irq, dev->vm, dev->phys, e->address, e->data);
	if (err != 0) {
		refused(dev, n, err);
		return;
	}
	mmio_write32(real + ENTRY_ADDRESS, (uint32_t)irq->message.address);
	mmio_write32(real + ENTRY_ADDRESS + 4, (uint32_t)(irq->message.address >> 32));
	mmio_write32(real + ENTRY_DATA, irq->message.data);
	mmio_write32(real + ENTRY_CONTROL, 0);
}

static void free_entries(struct passthru_dev *dev)
{
	for (unsigned int i = 0; i < dev->msix.count; i++)
		ptirq_msi_free(&dev->irqs->irq[i], dev->phys);
}

/* The hardware's own mask of all is set only while entries change: each is masked by itself. */
void passthru_msix_changed(void *ctx)
{
	struct passthru_dev *dev = ctx;
	uint16_t control = vpci_passthru_msix_control(&dev->pci);
	bool enable = (control & VPCI_MSIX_ENABLE) != 0;

	vpci_passthru_program_msix(&dev->pci, enable, true);
	vpci_msix_control(&dev->msix, enable, (control & VPCI_MSIX_MASK_ALL) != 0);
	if (!enable)
		free_entries(dev);
	vpci_passthru_program_msix(&dev->pci, enable, false);
}

void passthru_msi_changed(void *ctx)
{
	struct passthru_dev *dev = ctx;
	struct msi_msg before = dev->msi.message;
	bool was_on = dev->msi.active;
	uint64_t address;
	uint32_t data;
	int err;

	if (!vpci_passthru_msi(&dev->pci, &address, &data)) {
		vpci_passthru_program_msi(&dev->pci, NULL, 0);
		ptirq_msi_free(&dev->msi, dev->phys);
		return;
	}
	err = ptirq_msi_set(&dev->msi, dev->vm, dev->phys, address, data);
	if (err != 0) {
		vpci_passthru_program_msi(&dev->pci, NULL, 0);
		refused(dev, 0, err);
	} else if (!was_on || before.address != dev->msi.message.address || before.data != dev->msi.message.data) {
		vpci_passthru_program_msi(&dev->pci, &dev->msi.message.address, dev->msi.message.data);
	}
}

void passthru_irq_init(struct passthru_dev *dev)
{
	unsigned int count = vpci_passthru_msix_table(&dev->pci, &dev->msix_bar, &dev->msix_offset);

	dev->msix.changed = entry_changed;
	dev->msix.ctx = dev;
	vpci_msix_init(&dev->msix, dev->irqs->entry, count);
	for (unsigned int i = 0; i < count; i++)
		mmio_write32(real_entry(dev, i) + ENTRY_CONTROL, VPCI_MSIX_ENTRY_MASKED);
}

const struct ptirq_msi *passthru_irq(const struct passthru_dev *dev, unsigned int n)
{
	if (n == 0)
		return &dev->msi;
	return n <= dev->msix.count ? &dev->irqs->irq[n - 1U] : NULL;
}

void passthru_irq_free(struct passthru_dev *dev)
{
	ptirq_msi_free(&dev->msi, dev->phys);
	free_entries(dev);
}
