/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Service VM's memory: everything at its own address but the hypervisor's pages and what is
 * emulated, which are simply not there. Below the limit all is mapped at start; device memory
 * above it when it is first touched, since nobody knows where it lies. Its devices reach what its CPUs reach.
 */
#include "hw/platform.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "vm/service.h"

#define LOW_4G 0x100000000UL
#define PROT (PG_READ | PG_WRITE | PG_EXEC)
#define DMA_PROT (PG_READ | PG_WRITE)
#define MSI_WINDOW_SIZE 0x100000UL

static hpa_t limit; /* everything below was decided at start */

/* What of its devices' memory User VMs have, and where MSI-X tables are (service_msix.c). */
#define AWAY_MAX 256U
static struct spinlock away_lock; /* above nothing */
static struct away {
	hpa_t base;
	uint64_t size;
} away[AWAY_MAX];
static unsigned int away_count;

static bool is_away(hpa_t base, uint64_t size)
{
	for (unsigned int i = 0; i < away_count; i++)
		if (ranges_overlap(base, size, away[i].base, away[i].size))
			return true;
	return false;
}

/* Whole pages, outwards: a BIOS' map begins and ends anywhere. */
static void map(struct vm *vm, hpa_t base, hpa_t end, unsigned int prot)
{
	int err = 0;

	base = ALIGN_DOWN(base, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	if (base < end)
		err = gpa_space_map(&vm->group.space, base, base, end - base, prot);
	if (err == 0 && base < end && iommu_present())
		err = iommu_map(&vm->dma, base, base, end - base, DMA_PROT);
	if (err != 0)
		panic("the Service VM's memory %lx-%lx cannot be mapped: error %d", base, end, -err);
}

/* How a device is mapped: where the MTRRs do not hold for a guest, the table must say it. */
static unsigned int device_prot(const struct vm *vm)
{
	return PROT | (vm->group.space.pt.format->sets_type ? PG_UC : 0U);
}

static void punch(struct vm *vm, hpa_t base, uint64_t size)
{
	hpa_t start = ALIGN_DOWN(base, PAGE_SIZE);
	hpa_t end = ALIGN_UP(base + size, PAGE_SIZE);

	if (gpa_space_unmap(&vm->group.space, start, end - start) != 0 ||
	    (iommu_present() && iommu_unmap(&vm->dma, start, end - start) != 0))
		panic("no memory for the Service VM's page tables");
}

/* Firmware's own use of devices; what lies below the limit is mapped as everything is. */
static void map_firmware_ranges(struct vm *vm)
{
	for (unsigned int i = 0; i < platform_acpi.dma_range_count; i++) {
		hpa_t base = MAX(ALIGN_DOWN(platform_acpi.dma_range[i].base, PAGE_SIZE), limit);
		hpa_t end = ALIGN_UP(platform_acpi.dma_range[i].base + platform_acpi.dma_range[i].size, PAGE_SIZE);

		if (base < end && iommu_present() && iommu_map(&vm->dma, base, base, end - base, DMA_PROT) != 0)
			log_warn("iommu: memory %lx-%lx that firmware names cannot be mapped for devices", base, end);
	}
}

/* The IOMMUs' registers, and where a write is an interrupt, are nobody's. */
static bool is_machines(hpa_t at, uint64_t length)
{
	hpa_t base;
	uint64_t size;

	for (unsigned int i = 0; iommu_registers(i, &base, &size); i++)
		if (ranges_overlap(at, length, base, size))
			return true;
	return ranges_overlap(at, length, MSI_ADDR_BASE, MSI_WINDOW_SIZE);
}

static void punch_machine(struct vm *vm)
{
	hpa_t base;
	uint64_t size;

	for (unsigned int i = 0; iommu_registers(i, &base, &size); i++)
		punch(vm, base, size);
	punch(vm, MSI_ADDR_BASE, MSI_WINDOW_SIZE);
}

static bool is_ram(enum memmap_type type)
{
	return type == MEMMAP_RAM || type == MEMMAP_BOOT_SERVICES || type == MEMMAP_MODULE;
}

/* Neighbours are told as one, so that few ranges are many megabytes. */
static void note_ram(const struct memmap *memmap)
{
	hpa_t base = 0, end = 0;

	for (uint32_t i = 0; i < memmap->count; i++) {
		const struct memmap_range *r = &memmap->ranges[i];

		if (!is_ram(r->type))
			continue;
		if (r->base != end) {
			if (end != base)
				vm_add_guest_ram(base, end - base);
			base = r->base;
		}
		end = r->base + r->size;
	}
	if (end != base)
		vm_add_guest_ram(base, end - base);
}

void service_memory_init(struct vm *vm, const struct memmap *memmap)
{
	hpa_t top = ALIGN_UP(memmap_top(memmap), SIZE_1G);

	limit = MAX(top, LOW_4G);
	note_ram(memmap);
	if (iommu_present() && iommu_domain_init(&vm->dma, vm->id) != 0)
		panic("no memory for the tables of the Service VM's devices");
	map(vm, 0, limit, device_prot(vm));
	for (uint32_t i = 0; i < memmap->count; i++)
		if (memmap->ranges[i].type != MEMMAP_RESERVED)
			map(vm, memmap->ranges[i].base,
			    memmap->ranges[i].base + memmap->ranges[i].size, PROT);
	for (uint32_t i = 0; i < memmap->count; i++)
		if (memmap->ranges[i].type == MEMMAP_HYPERVISOR)
			punch(vm, memmap->ranges[i].base, memmap->ranges[i].size);
	for (unsigned int i = 0; i < vm->io.count; i++)
		if (vm->io.range[i].space == IO_MMIO)
			punch(vm, vm->io.range[i].base, vm->io.range[i].size);
	map_firmware_ranges(vm);
	punch_machine(vm);
}

/* A 2 MiB page at a time, above all that is RAM or ours; 4 KiB beside what is away. */
bool service_map_on_demand(struct vm *vm, gpa_t gpa)
{
	gpa_t page = ALIGN_DOWN(gpa, SIZE_2M);
	uint64_t size = SIZE_2M;
	bool may;

	spinlock_lock(&away_lock);
	if (is_away(page, size)) {
		page = ALIGN_DOWN(gpa, PAGE_SIZE);
		size = PAGE_SIZE;
	}
	may = page >= limit && !io_bus_overlaps(&vm->io, IO_MMIO, page, size) && !is_away(page, size);
	spinlock_unlock(&away_lock);
	if (!may || is_machines(page, size) ||
	    gpa_space_map(&vm->group.space, page, page, size, device_prot(vm)) != 0)
		return false;
	if (vm->dma.id != 0 && iommu_map(&vm->dma, page, page, size, DMA_PROT) != 0)
		log_warn("iommu: no memory to let devices reach %lx, as CPUs do", page);
	return true;
}

bool service_memory_is_device(hpa_t hpa, uint64_t size)
{
	struct vm *vm = vm_service();
	bool is_there;

	if (size == 0 || hpa + size < hpa || vm_overlaps_guest_ram(hpa, size) ||
	    io_bus_overlaps(&vm->io, IO_MMIO, hpa, size) || is_machines(hpa, size))
		return false;
	spinlock_lock(&away_lock);
	is_there = !is_away(hpa, size);
	spinlock_unlock(&away_lock);
	if (hpa >= limit)
		return is_there;
	return is_there && hpa + size <= limit &&
	       gpa_space_is_mapped(&vm->group.space, hpa, size, PG_READ | PG_WRITE);
}

static int note_away(hpa_t hpa, uint64_t size)
{
	int err = 0;

	spinlock_lock(&away_lock);
	if (is_away(hpa, size))
		err = -ENODEV;
	else if (away_count == AWAY_MAX)
		err = -ENOSPC;
	else
		away[away_count++] = (struct away){ hpa, size };
	spinlock_unlock(&away_lock);
	return err;
}

static bool forget_away(hpa_t hpa, uint64_t size)
{
	bool found = false;

	spinlock_lock(&away_lock);
	for (unsigned int i = 0; i < away_count && !found; i++) {
		found = away[i].base == hpa && away[i].size == size;
		if (found)
			away[i] = away[--away_count];
	}
	spinlock_unlock(&away_lock);
	return found;
}

int service_memory_take(hpa_t hpa, uint64_t size)
{
	struct vm *vm = vm_service();
	int err = service_memory_is_device(hpa, size) ? note_away(hpa, size) : -ENODEV;

	if (err != 0)
		return err;
	if (vm->dma.id != 0)
		err = iommu_unmap(&vm->dma, hpa, size);
	if (err == 0)
		err = gpa_space_unmap(&vm->group.space, hpa, size);
	if (err != 0)
		service_memory_give_back(hpa, size);
	return err;
}

void service_memory_give_back(hpa_t hpa, uint64_t size)
{
	struct vm *vm = vm_service();
	int err = 0;

	if (!forget_away(hpa, size))
		return;
	if (hpa < limit)
		err = gpa_space_map(&vm->group.space, hpa, hpa, size, device_prot(vm));
	if (err == 0 && vm->dma.id != 0)
		err = iommu_map(&vm->dma, hpa, hpa, size, PG_READ | PG_WRITE);
	if (err != 0)
		log_error("the Service VM does not get %lx-%lx back: error %d", hpa, hpa + size, -err);
}
