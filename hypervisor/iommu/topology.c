/* SPDX-License-Identifier: BSD-3-Clause */
/* The way up from a function to its root bus: each bridge on it must be PCI Express on both sides. */
#include "iommu/topology.h"

#include "hw/pci.h"

#define DEPTH_MAX 32U
#define PCI_TYPE_BRIDGE 1U
#define CAP_EXPRESS 0x10U
#define EXPRESS_TO_PCI 7U

static bool is_bridge_to(uint16_t bdf, unsigned int bus)
{
	return pci_read(bdf, 0, 2) != 0xFFFFU && (pci_read(bdf, 0x0E, 1) & 0x7FU) == PCI_TYPE_BRIDGE &&
	       pci_read(bdf, 0x19, 1) == bus;
}

static bool find_bridge(unsigned int bus, uint16_t *bridge)
{
	/* A bridge's own bus has a lower number than the one behind it. */
	for (unsigned int bdf = 0; bdf < bus << 8; bdf++) {
		*bridge = (uint16_t)bdf;
		if (is_bridge_to(*bridge, bus))
			return true;
	}
	return false;
}

static bool is_express_through(uint16_t bridge)
{
	unsigned int at = pci_find_capability(bridge, CAP_EXPRESS);

	return at != 0 && ((pci_read(bridge, at + 2U, 2) >> 4) & 0xFU) != EXPRESS_TO_PCI;
}

bool topology_has_own_id(uint16_t bdf)
{
	unsigned int bus = PCI_BUS(bdf);
	uint16_t bridge;

	for (unsigned int depth = 0; depth < DEPTH_MAX; depth++) {
		if (!find_bridge(bus, &bridge))
			return true;
		if (!is_express_through(bridge))
			return false;
		bus = PCI_BUS(bridge);
	}
	return false;
}
