/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hypervisor's own page tables. The image is mapped in the high half only, so no writable
 * alias of its text exists; a stack has no neighbour below. Tables grow only by what is mapped
 * new, so no other CPU can hold an old translation and nothing needs a shoot-down.
 */
#include "hw/paging.h"
#include "hw/cpu.h"
#include "hw/percpu.h"
#include "lib/panic.h"
#include "lib/util.h"

#define FIRMWARE_WINDOW_BASE 0xFFFFC00000000000UL
#define STACK_STRIDE (2 * STACK_SIZE)

extern uint8_t image_start[], image_rodata[], image_data[], image_end[];
extern uint8_t boot_stack_guard[];

struct page_pool host_pool;
static struct pgtable tables;
static struct spinlock lock; /* changes of the tables; above the pool's */

static void map(const void *va, hpa_t hpa, uint64_t size, unsigned int prot)
{
	int err = pgtable_map(&tables, (uint64_t)va, hpa, size, prot);

	if (err != 0)
		panic("cannot map 0x%lx bytes at 0x%lx: error %d", size, hpa, -err);
}

static void map_segment(const uint8_t *start, const uint8_t *end, unsigned int prot)
{
	map(start, virt_to_phys(start), (uint64_t)(end - start), prot);
}

static void map_image(void)
{
	map_segment(image_start, image_rodata, PG_READ | PG_EXEC);
	map_segment(image_rodata, image_data, PG_READ);
	map_segment(image_data, boot_stack_guard, PG_READ | PG_WRITE);
	map_segment(boot_stack_guard + PAGE_SIZE, image_end, PG_READ | PG_WRITE);
}

/* A range of the direct map without the image. */
static void map_range(hpa_t base, uint64_t size, unsigned int prot)
{
	hpa_t end = ALIGN_DOWN(base + size, PAGE_SIZE);
	hpa_t cut_start = paging_image_start(), cut_end = paging_image_end();

	base = ALIGN_UP(base, PAGE_SIZE);
	if (base >= end)
		return;
	if (base < cut_end && end > cut_start) {
		if (base < cut_start)
			map(phys_to_virt(base), base, cut_start - base, prot);
		if (end > cut_end)
			map(phys_to_virt(cut_end), cut_end, end - cut_end, prot);
		return;
	}
	map(phys_to_virt(base), base, end - base, prot);
}

void paging_init(const struct paging_range *ranges, size_t count, hpa_t pool, uint64_t pool_size)
{
	if (!cpu_features.nx)
		panic("this CPU has no NX: a hypervisor without it would not be safe");
	page_pool_init(&host_pool, phys_to_virt(pool), pool, pool_size / PAGE_SIZE);
	if (pgtable_init(&tables, &pgtable_host, &host_pool) != 0)
		panic("no memory for the first page table");
	tables.max_leaf = cpu_features.page1g ? 3 : 2;
	map_image();
	for (size_t i = 0; i < count; i++)
		map_range(ranges[i].base, ranges[i].size,
			  PG_READ | PG_WRITE | (ranges[i].is_guest ? PG_USER : 0));
	paging_init_cpu();
}

void paging_init_cpu(void)
{
	cr3_write(tables.root_hpa);
}

/* Whole pages around [hpa, hpa + size) at window + hpa; returns where hpa is. */
static uint8_t *map_window(uint64_t window, hpa_t hpa, uint64_t size, unsigned int prot)
{
	hpa_t start = ALIGN_DOWN(hpa, PAGE_SIZE);
	hpa_t end = ALIGN_UP(hpa + size, PAGE_SIZE);

	ASSERT(size != 0 && end > start && end <= DIRECT_MAP_SIZE);
	spinlock_lock(&lock);
	for (hpa_t at = start; at < end;) {
		struct pgtable_leaf leaf;
		uint64_t rest;

		/* Never replace what somebody may be using: only holes are filled. */
		if (pgtable_lookup(&tables, window + at, &leaf)) {
			rest = leaf.page_size - (at & (leaf.page_size - 1));
		} else {
			rest = MIN(leaf.page_size - (at & (leaf.page_size - 1)), end - at);
			map((void *)(window + at), at, rest, prot);
		}
		at += rest;
	}
	spinlock_unlock(&lock);
	return (uint8_t *)(window + hpa);
}

void *paging_map_mmio(hpa_t hpa, uint64_t size, unsigned int cache)
{
	return map_window(DIRECT_MAP_BASE, hpa, size, PG_READ | PG_WRITE | cache);
}

const void *paging_map_firmware(hpa_t hpa, uint64_t size)
{
	return map_window(FIRMWARE_WINDOW_BASE, hpa, size, PG_READ);
}

void *paging_map_stack(unsigned int cpu)
{
	uint8_t *stack = (uint8_t *)(STACK_WINDOW_BASE + cpu * STACK_STRIDE + STACK_SIZE);
	struct pgtable_leaf leaf;

	spinlock_lock(&lock);
	/* A CPU that did not come up leaves its stack to the next. */
	if (!pgtable_lookup(&tables, (uint64_t)stack, &leaf)) {
		for (uint64_t at = 0; at < STACK_SIZE; at += PAGE_SIZE) {
			void *page = page_pool_alloc(&host_pool);

			if (page == NULL)
				panic("no memory for the stack of CPU %u", cpu);
			map(stack + at, page_pool_to_hpa(&host_pool, page), PAGE_SIZE,
			    PG_READ | PG_WRITE);
		}
	}
	spinlock_unlock(&lock);
	return stack;
}

const struct pgtable *paging_tables(void)
{
	return &tables;
}

hpa_t paging_image_start(void)
{
	return virt_to_phys(image_start);
}

hpa_t paging_image_end(void)
{
	return virt_to_phys(image_end);
}
