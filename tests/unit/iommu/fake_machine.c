/* SPDX-License-Identifier: BSD-3-Clause */
/* See the header. */
#include "iommu/fake_machine.h"

#include <stdlib.h>
#include <string.h>

#include "hw/pci.h"
#include "hw/tsc.h"

#define POOL_PAGES 1024U
#define FUNCTIONS 8U

uint8_t fake_regs[FAKE_REGS_SIZE] __attribute__((aligned(4096)));
void (*fake_work)(void);
uint64_t fake_now;
uint64_t image_load_base;
struct page_pool host_pool;
struct cpu_features cpu_features;
static void *pages;
static struct {
	uint16_t bdf;
	uint8_t config[512];
} functions[FUNCTIONS];
static unsigned int function_count;

int fake_setup(void **state)
{
	(void)state;
	pages = aligned_alloc(4096, POOL_PAGES * 4096UL);
	page_pool_init(&host_pool, pages, virt_to_phys(pages), POOL_PAGES);
	memset(fake_regs, 0, sizeof(fake_regs));
	function_count = 0;
	fake_work = NULL;
	fake_now = 1;
	cpu_features.hypervisor = false;
	return 0;
}

int fake_teardown(void **state)
{
	(void)state;
	free(pages);
	return 0;
}

void fake_pci_add(uint16_t bdf, const uint8_t *config, unsigned int size)
{
	memset(functions[function_count].config, 0, sizeof(functions[function_count].config));
	memcpy(functions[function_count].config, config, size);
	functions[function_count++].bdf = bdf;
}

uint32_t pci_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < function_count; i++) {
		if (functions[i].bdf != bdf || reg + size > sizeof(functions[i].config))
			continue;
		memcpy(&value, functions[i].config + reg, size);
		return value;
	}
	return size == 4 ? ~0U : (1U << (8 * size)) - 1U;
}

uint8_t pci_find_capability(uint16_t bdf, uint8_t id)
{
	uint32_t at = (pci_read(bdf, 6, 2) & 0x10) != 0 ? pci_read(bdf, 0x34, 1) : 0;

	while (at != 0 && pci_read(bdf, at, 1) != id)
		at = pci_read(bdf, at + 1, 1);
	return (uint8_t)at;
}

void *paging_map_mmio(hpa_t hpa, uint64_t size, unsigned int cache)
{
	(void)hpa;
	(void)size;
	(void)cache;
	return fake_regs;
}

uint64_t tsc_now_us(void)
{
	if (fake_work != NULL)
		fake_work();
	return fake_now++;
}
