/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of a device whose MSI-X is on: its pages are not the Service VM's then, each access is carried out here. An
 * entry is programmed when it is unmasked. What else lies in those pages is the device's.
 */
#include "hw/io.h"
#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/pci_sriov.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "vdev/vpci_msix.h"
#include "vm/passthru.h"
#include "vm/service.h"
#include "vm/service_msi.h"

#define TABLE 4U /* in the capability */
#define TABLE_BAR 7U
#define COUNT_MASK 0x7FFU
#define BAR_FIRST 0x10U
#define BAR_PORTS 1U
#define BAR_64 4U
#define BARS 6U
#define POOL_RESERVE 64U /* pages that must be left before a device's registers are mapped for ourselves */
#define PER_PAGE (PAGE_SIZE / sizeof(struct service_msi))

enum { ENTRY_LOW = 0, ENTRY_HIGH = 4, ENTRY_DATA = 8, ENTRY_CONTROL = 12 };

/* A virtual function's are in its physical one. */
static uint32_t bar_register(uint16_t bdf, unsigned int bar)
{
	struct pci_vf vf;

	return pci_vf_find(bdf, &vf) ? vf.bar[bar] : pci_read(bdf, BAR_FIRST + 4U * bar, 4);
}

/* 0: there is none. */
static hpa_t bar_base(uint16_t bdf, unsigned int bar)
{
	uint32_t low = bar < BARS ? bar_register(bdf, bar) : BAR_PORTS;
	hpa_t base = low & ~0xFU;

	if ((low & BAR_PORTS) != 0)
		return 0;
	if ((low & BAR_64) != 0 && bar + 1U < BARS)
		base |= (hpa_t)bar_register(bdf, bar + 1U) << 32;
	return base;
}

static struct service_msi *source(const struct service_msi_dev *dev, unsigned int n)
{
	return &dev->page[n / PER_PAGE][n % PER_PAGE];
}

static volatile uint8_t *real(const struct service_msi_dev *dev, unsigned int n)
{
	return dev->regs + (dev->table - dev->trapped) + n * VPCI_MSIX_ENTRY_SIZE;
}

static void free_pages(struct service_msi_dev *dev)
{
	for (unsigned int i = 0; i < SERVICE_MSIX_PAGES; i++) {
		if (dev->page[i] != NULL)
			page_pool_free(&host_pool, dev->page[i]);
		dev->page[i] = NULL;
	}
}

static int make_pages(struct service_msi_dev *dev)
{
	_Static_assert((COUNT_MASK + 1U) / PER_PAGE <= SERVICE_MSIX_PAGES, "any table has its pages");
	for (unsigned int i = 0; i * PER_PAGE < dev->count; i++) {
		dev->page[i] = page_pool_alloc(&host_pool);
		if (dev->page[i] == NULL) {
			free_pages(dev);
			return -ENOMEM;
		}
	}
	return 0;
}

static void write_message(volatile uint8_t *at, uint64_t address, uint32_t data)
{
	mmio_write32(at + ENTRY_LOW, (uint32_t)address);
	mmio_write32(at + ENTRY_HIGH, (uint32_t)(address >> 32));
	mmio_write32(at + ENTRY_DATA, data);
}

static bool program(struct service_msi_dev *dev, unsigned int n)
{
	struct service_msi *m = source(dev, n);
	bool fresh;

	if (service_msi_route(dev->bdf, m, &fresh) != 0)
		return false;
	if (fresh)
		write_message(real(dev, n), m->message.address, m->message.data);
	return true;
}

/* What cannot be sent stays masked. */
static void unmask(struct service_msi_dev *dev, unsigned int n)
{
	mmio_write32(real(dev, n) + ENTRY_CONTROL, program(dev, n) ? 0 : VPCI_MSIX_ENTRY_MASKED);
}

int service_msix_open(struct service_msi_dev *dev, unsigned int cap)
{
	uint32_t where = pci_read(dev->bdf, cap + TABLE, 4);
	hpa_t bar = bar_base(dev->bdf, where & TABLE_BAR);
	int err;

	dev->count = (pci_read(dev->bdf, cap + 2U, 2) & COUNT_MASK) + 1U;
	dev->table = bar + (where & ~TABLE_BAR);
	dev->trapped = ALIGN_DOWN(dev->table, PAGE_SIZE);
	dev->trapped_size = ALIGN_UP(dev->table + dev->count * VPCI_MSIX_ENTRY_SIZE, PAGE_SIZE) - dev->trapped;
	if (bar == 0 || !range_within(dev->trapped, dev->trapped_size, 0, DIRECT_MAP_SIZE))
		return -EINVAL;
	err = page_pool_available(&host_pool) < POOL_RESERVE ? -ENOMEM : make_pages(dev);
	if (err == 0)
		err = service_memory_take(dev->trapped, dev->trapped_size);
	if (err != 0) {
		free_pages(dev);
		return err;
	}
	dev->regs = paging_map_mmio(dev->trapped, dev->trapped_size, PG_UC);
	for (unsigned int i = 0; i < dev->count; i++) {
		volatile uint8_t *at = real(dev, i);

		source(dev, i)->address = mmio_read32(at + ENTRY_LOW) | (uint64_t)mmio_read32(at + ENTRY_HIGH) << 32;
		source(dev, i)->data = mmio_read32(at + ENTRY_DATA);
	}
	dev->msix_on = true;
	for (unsigned int i = 0; i < dev->count; i++)
		if ((mmio_read32(real(dev, i) + ENTRY_CONTROL) & VPCI_MSIX_ENTRY_MASKED) == 0)
			unmask(dev, i);
	return 0;
}

void service_msix_close(struct service_msi_dev *dev)
{
	for (unsigned int i = 0; i < dev->count; i++) {
		service_msi_free(dev->bdf, source(dev, i));
		write_message(real(dev, i), source(dev, i)->address, source(dev, i)->data);
	}
	service_memory_give_back(dev->trapped, dev->trapped_size);
	free_pages(dev);
	dev->msix_on = false;
}

/* Of an entry that is not masked each write counts at once, as in the device. */
static void write_entry(struct service_msi_dev *dev, uint32_t offset, uint32_t value)
{
	unsigned int n = offset / VPCI_MSIX_ENTRY_SIZE, at = offset % VPCI_MSIX_ENTRY_SIZE;
	uint32_t control = at == ENTRY_CONTROL ? value : mmio_read32(real(dev, n) + ENTRY_CONTROL);
	struct service_msi *m = source(dev, n);

	if (at == ENTRY_LOW)
		m->address = (m->address & ~0xFFFFFFFFUL) | value;
	else if (at == ENTRY_HIGH)
		m->address = (m->address & 0xFFFFFFFFUL) | (uint64_t)value << 32;
	else if (at == ENTRY_DATA)
		m->data = value;
	if ((control & VPCI_MSIX_ENTRY_MASKED) == 0)
		unmask(dev, n);
	else
		mmio_write32(real(dev, n) + ENTRY_CONTROL, control);
}

static uint32_t read_entry(const struct service_msi_dev *dev, uint32_t offset)
{
	const struct service_msi *m = source(dev, offset / VPCI_MSIX_ENTRY_SIZE);

	switch (offset % VPCI_MSIX_ENTRY_SIZE) {
	case ENTRY_LOW:
		return (uint32_t)m->address;
	case ENTRY_HIGH:
		return (uint32_t)(m->address >> 32);
	case ENTRY_DATA:
		return m->data;
	default:
		return mmio_read32(real(dev, offset / VPCI_MSIX_ENTRY_SIZE) + ENTRY_CONTROL);
	}
}

/* Tables have accesses of 4 and of 8 bytes (PCI Local Bus 3.0 6.8.2). */
void service_msix_access(struct service_msi_dev *dev, struct io_access *io)
{
	uint64_t offset = io->addr - dev->table;

	if (!range_within(io->addr, io->size, dev->table, dev->count * VPCI_MSIX_ENTRY_SIZE)) {
		passthru_access_register(dev->regs + (io->addr - dev->trapped), io);
		return;
	}
	if ((io->size != 4U && io->size != 8U) || !IS_ALIGNED(offset, io->size)) {
		io->value = io->is_write ? io->value : bytes_mask(io->size);
		return;
	}
	if (!io->is_write)
		io->value = 0;
	for (uint32_t at = 0; at < io->size; at += 4U) {
		if (io->is_write)
			write_entry(dev, (uint32_t)offset + at, (uint32_t)(io->value >> (8U * at)));
		else
			io->value |= (uint64_t)read_entry(dev, (uint32_t)offset + at) << (8U * at);
	}
}
