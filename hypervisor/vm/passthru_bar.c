/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registers of physical devices in a guest's memory. Whole pages are mapped, so that the guest reaches them without us;
 * pages that hold an MSI-X table, BARs smaller than a page, and ports are not, and each access is carried out here.
 */
#include "hw/io.h"
#include "hw/paging.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vm/passthru.h"
#include "vm/service.h"

#define POOL_RESERVE 64U /* pages that must be left before a device's registers are mapped for ourselves */

static bool is_memory(const struct vpci_bar *bar)
{
	return bar->type == VPCI_BAR_MEM32 || bar->type == VPCI_BAR_MEM64;
}

static bool is_mappable(const struct vpci_bar *bar)
{
	return is_memory(bar) && bar->size >= PAGE_SIZE;
}

/* The whole pages of a BAR's MSI-X table, as offsets; false: it is in another. */
static bool table_pages(const struct passthru_dev *dev, unsigned int bar, uint64_t *start, uint64_t *end)
{
	if (dev->msix.count == 0 || dev->msix_bar != bar)
		return false;
	*start = ALIGN_DOWN((uint64_t)dev->msix_offset, PAGE_SIZE);
	*end = ALIGN_UP((uint64_t)dev->msix_offset + dev->msix.count * VPCI_MSIX_ENTRY_SIZE, PAGE_SIZE);
	return true;
}

static bool is_sane(const struct vpci_bar *bar)
{
	if (bar->type == VPCI_BAR_NONE || bar->type == VPCI_BAR_HIGH)
		return true;
	if (bar->phys == 0)
		return false;
	if (bar->type == VPCI_BAR_IO)
		return !io_bus_overlaps(&vm_service()->io, IO_PORT, bar->phys, bar->size);
	return range_within(bar->phys, bar->size, 0, DIRECT_MAP_SIZE) &&
	       service_memory_is_device(ALIGN_DOWN(bar->phys, PAGE_SIZE), ALIGN_UP(bar->size, PAGE_SIZE));
}

bool passthru_bars_are_sane(const struct passthru_dev *dev)
{
	unsigned int bar, count;
	uint32_t offset;

	for (unsigned int i = 0; i < VPCI_BARS; i++)
		if (!is_sane(&dev->pci.bar[i]))
			return false;
	count = vpci_passthru_msix_table(&dev->pci, &bar, &offset);
	return count == 0 || (bar < VPCI_BARS && is_memory(&dev->pci.bar[bar]) &&
			      range_within(offset, count * VPCI_MSIX_ENTRY_SIZE, 0, dev->pci.bar[bar].size));
}

/* For ourselves: what is trapped. The mapping stays; the same device finds it again. */
static int map_trapped(struct passthru_dev *dev)
{
	unsigned int bar, count;
	uint32_t offset;

	if (page_pool_available(&host_pool) < POOL_RESERVE)
		return -ENOMEM;
	count = vpci_passthru_msix_table(&dev->pci, &bar, &offset);
	if (count != 0)
		(void)paging_map_mmio(dev->pci.bar[bar].phys + offset, count * VPCI_MSIX_ENTRY_SIZE, PG_UC);
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		if (is_memory(&dev->pci.bar[i]) && !is_mappable(&dev->pci.bar[i]))
			(void)paging_map_mmio(dev->pci.bar[i].phys, dev->pci.bar[i].size, PG_UC);
	return 0;
}

int passthru_take_bars(struct passthru_dev *dev)
{
	int err = map_trapped(dev);

	for (unsigned int i = 0; i < VPCI_BARS && err == 0; i++)
		if (is_mappable(&dev->pci.bar[i]))
			err = service_memory_take(dev->pci.bar[i].phys, dev->pci.bar[i].size);
	if (err != 0)
		passthru_give_back_bars(dev);
	return err;
}

void passthru_give_back_bars(struct passthru_dev *dev)
{
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		if (is_mappable(&dev->pci.bar[i]))
			service_memory_give_back(dev->pci.bar[i].phys, dev->pci.bar[i].size);
}

/* Nothing of the guest's is there: memory, or a device of ours. */
static bool is_free(struct vm *vm, gpa_t gpa, uint64_t size)
{
	struct pgtable_leaf leaf;
	uint64_t part;

	if (io_bus_overlaps(&vm->io, IO_MMIO, gpa, size))
		return false;
	for (; size != 0; gpa += part, size -= part) {
		if (pgtable_lookup(&vm->group.space.pt, gpa, &leaf))
			return false;
		part = MIN(size, leaf.page_size - (gpa & (leaf.page_size - 1U)));
	}
	return true;
}

static int map_part(struct passthru_dev *dev, unsigned int bar, uint64_t from, uint64_t to)
{
	const struct vpci_bar *b = &dev->pci.bar[bar];

	if (from >= to)
		return 0;
	return gpa_space_map(&dev->vm->group.space, b->guest + from, b->phys + from, to - from,
			     PG_READ | PG_WRITE | PG_UC);
}

static void unmap_bar(struct passthru_dev *dev, unsigned int bar)
{
	const struct vpci_bar *b = &dev->pci.bar[bar];

	if (dev->mapped[bar] == GPA_INVALID)
		return;
	if (is_mappable(b) && gpa_space_unmap(&dev->vm->group.space, dev->mapped[bar], b->size) != 0)
		dev->vm->fatal(dev->vm->vcpu[0], "no memory to take a device's registers away");
	dev->mapped[bar] = GPA_INVALID;
}

static void map_bar(struct passthru_dev *dev, unsigned int bar)
{
	const struct vpci_bar *b = &dev->pci.bar[bar];
	uint64_t start = b->size, end = b->size;
	int err = 0;

	if (is_memory(b) && !is_free(dev->vm, ALIGN_DOWN(b->guest, PAGE_SIZE), ALIGN_UP(b->size, PAGE_SIZE))) {
		log_debug("vm%u: BAR %u at %lx would lie over something else", dev->vm->id, bar, b->guest);
		return;
	}
	dev->mapped[bar] = b->guest;
	if (!is_mappable(b))
		return;
	(void)table_pages(dev, bar, &start, &end);
	err = map_part(dev, bar, 0, MIN(start, b->size));
	if (err == 0)
		err = map_part(dev, bar, end, b->size);
	if (err == 0)
		return;
	log_warn("vm%u: BAR %u at %lx cannot be mapped: error %d", dev->vm->id, bar, b->guest, -err);
	unmap_bar(dev, bar);
}

/* First all that goes, then what comes: BARs may change places. */
void passthru_update_bars(struct passthru_dev *dev)
{
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		if (!vpci_passthru_decodes(&dev->pci, i) || dev->mapped[i] != dev->pci.bar[i].guest)
			unmap_bar(dev, i);
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		if (dev->mapped[i] == GPA_INVALID && vpci_passthru_decodes(&dev->pci, i))
			map_bar(dev, i);
}

void passthru_unmap_bars(struct passthru_dev *dev)
{
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		unmap_bar(dev, i);
}

static void access_port(uint16_t port, struct io_access *io)
{
	if (io->is_write && io->size == 1U)
		out8(port, (uint8_t)io->value);
	else if (io->is_write && io->size == 2U)
		out16(port, (uint16_t)io->value);
	else if (io->is_write)
		out32(port, (uint32_t)io->value);
	else
		io->value = io->size == 1U ? in8(port) : io->size == 2U ? in16(port) : in32(port);
}

static void read_register(const volatile uint8_t *at, struct io_access *io)
{
	if (io->size == 1U)
		io->value = mmio_read8(at);
	else if (io->size == 2U)
		io->value = mmio_read16(at);
	else if (io->size == 4U)
		io->value = mmio_read32(at);
	else
		io->value = mmio_read32(at) | (uint64_t)mmio_read32(at + 4) << 32;
}

static void write_register(volatile uint8_t *at, const struct io_access *io)
{
	if (io->size == 1U)
		mmio_write8(at, (uint8_t)io->value);
	else if (io->size == 2U)
		mmio_write16(at, (uint16_t)io->value);
	else
		mmio_write32(at, (uint32_t)io->value);
	if (io->size == 8U)
		mmio_write32(at + 4, (uint32_t)(io->value >> 32));
}

void passthru_access_register(volatile uint8_t *at, struct io_access *io)
{
	if (io->is_write)
		write_register(at, io);
	else
		read_register(at, io);
}

static void access_memory(struct passthru_dev *dev, unsigned int bar, uint64_t offset, struct io_access *io)
{
	volatile uint8_t *at = phys_to_virt(dev->pci.bar[bar].phys + offset);
	uint64_t start, end;

	if (table_pages(dev, bar, &start, &end)) {
		uint64_t in_table = offset - dev->msix_offset;

		/* An access that only begins in the table reaches nothing. */
		if (offset + io->size > dev->msix_offset && in_table + io->size != 0 &&
		    (offset >= dev->msix_offset ? in_table < dev->msix.count * VPCI_MSIX_ENTRY_SIZE : true)) {
			if (io->is_write)
				vpci_msix_write(&dev->msix, (uint32_t)in_table, io->size, io->value);
			else
				io->value = vpci_msix_read(&dev->msix, (uint32_t)in_table, io->size);
			return;
		}
	}
	passthru_access_register(at, io);
}

enum passthru_result passthru_bar_access(struct passthru_dev *dev, struct io_access *io)
{
	for (unsigned int i = 0; i < VPCI_BARS; i++) {
		const struct vpci_bar *b = &dev->pci.bar[i];
		uint64_t offset = io->addr - dev->mapped[i];

		if (dev->mapped[i] == GPA_INVALID || (b->type == VPCI_BAR_IO) != (io->space == IO_PORT) ||
		    !range_within(io->addr, io->size, dev->mapped[i], b->size))
			continue;
		if (b->type == VPCI_BAR_IO)
			access_port((uint16_t)(b->phys + offset), io);
		else
			access_memory(dev, i, offset, io);
		return PASSTHRU_DONE;
	}
	return PASSTHRU_NOT_MINE;
}
