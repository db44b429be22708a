/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration space. Ports CF8/CFC are a pair, hence the lock; ECAM needs none. */
#include "hw/pci.h"
#include "hw/io.h"
#include "hw/paging.h"
#include "hw/platform.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/spinlock.h"
#include "lib/util.h"

#define CONFIG_ADDRESS 0xCF8
#define CONFIG_DATA 0xCFC
#define CONFIG_ENABLE 0x80000000U
#define BUS_SHIFT 20

#define PCI_STATUS 0x06
#define PCI_STATUS_CAPS 0x10U
#define PCI_CAPS 0x34
#define PCI_CAPS_FIRST 0x40U
#define PCI_CAPS_MAX 48U

static struct spinlock port_lock; /* innermost */
static volatile uint8_t *ecam[256]; /* by bus of segment 0; NULL: no ECAM */

void pci_init(void)
{
	for (unsigned int i = 0; i < platform_acpi.ecam_count; i++) {
		unsigned int first = platform_acpi.ecam[i].bus_first;
		unsigned int last = platform_acpi.ecam[i].bus_last;
		hpa_t base = platform_acpi.ecam[i].base + ((hpa_t)first << BUS_SHIFT);
		volatile uint8_t *at;

		if (platform_acpi.ecam[i].segment != 0) {
			log_warn("pci: segment %u is not used", platform_acpi.ecam[i].segment);
			continue;
		}
		at = paging_map_mmio(base, (uint64_t)(last - first + 1U) << BUS_SHIFT, PG_UC);
		for (unsigned int bus = first; bus <= last; bus++)
			ecam[bus] = at + ((uint64_t)(bus - first) << BUS_SHIFT);
		log_info("pci: ECAM at 0x%lx, buses %u-%u", base, first, last);
	}
}

static volatile uint8_t *ecam_register(uint16_t bdf, unsigned int reg)
{
	volatile uint8_t *bus = ecam[PCI_BUS(bdf)];

	return bus == NULL ? NULL : bus + ((uint32_t)(bdf & 0xFFU) << 12) + reg;
}

static uint32_t ones(unsigned int size)
{
	return size == 4 ? 0xFFFFFFFFU : (1U << (size * 8)) - 1U;
}

static void select(uint16_t bdf, unsigned int reg)
{
	out32(CONFIG_ADDRESS, CONFIG_ENABLE | ((uint32_t)bdf << 8) | (reg & 0xFCU));
}

static uint32_t port_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	uint16_t port = (uint16_t)(CONFIG_DATA + (reg & 3U));
	uint32_t value;

	spinlock_lock(&port_lock);
	select(bdf, reg);
	value = size == 4 ? in32(port) : size == 2 ? in16(port) : in8(port);
	spinlock_unlock(&port_lock);
	return value;
}

static void port_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value)
{
	uint16_t port = (uint16_t)(CONFIG_DATA + (reg & 3U));

	spinlock_lock(&port_lock);
	select(bdf, reg);
	if (size == 4)
		out32(port, value);
	else if (size == 2)
		out16(port, (uint16_t)value);
	else
		out8(port, (uint8_t)value);
	spinlock_unlock(&port_lock);
}

uint32_t pci_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	volatile uint8_t *at = ecam_register(bdf, reg);

	ASSERT((size == 1 || size == 2 || size == 4) && IS_ALIGNED(reg, size) && reg < 4096);
	if (at != NULL)
		return size == 4 ? mmio_read32(at) : size == 2 ? mmio_read16(at) : mmio_read8(at);
	return reg < 256 ? port_read(bdf, reg, size) : ones(size);
}

void pci_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value)
{
	volatile uint8_t *at = ecam_register(bdf, reg);

	ASSERT((size == 1 || size == 2 || size == 4) && IS_ALIGNED(reg, size) && reg < 4096);
	if (at == NULL && reg < 256)
		port_write(bdf, reg, size, value);
	else if (at != NULL && size == 4)
		mmio_write32(at, value);
	else if (at != NULL && size == 2)
		mmio_write16(at, (uint16_t)value);
	else if (at != NULL)
		mmio_write8(at, (uint8_t)value);
}

uint8_t pci_find_capability(uint16_t bdf, uint8_t id)
{
	bool has_any = (pci_read(bdf, PCI_STATUS, 2) & PCI_STATUS_CAPS) != 0;
	unsigned int at = has_any ? pci_read(bdf, PCI_CAPS, 1) & 0xFCU : 0;

	for (unsigned int i = 0; at >= PCI_CAPS_FIRST && i < PCI_CAPS_MAX; i++) {
		if (pci_read(bdf, at, 1) == id)
			return (uint8_t)at;
		at = pci_read(bdf, at + 1U, 1) & 0xFCU;
	}
	return 0;
}

bool pci_ecam_window(unsigned int index, hpa_t *base, uint64_t *size, unsigned int *first_bus)
{
	if (index >= platform_acpi.ecam_count)
		return false;
	*first_bus = platform_acpi.ecam[index].bus_first;
	*base = platform_acpi.ecam[index].base + ((hpa_t)*first_bus << BUS_SHIFT);
	*size = (uint64_t)(platform_acpi.ecam[index].bus_last - *first_bus + 1U) << BUS_SHIFT;
	return true;
}
