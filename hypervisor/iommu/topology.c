/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way up from a function to its root bus: each bridge on it must be PCI Express on both sides, and keep what it
 * forwards from going down again (PCI Express 5.0 6.12, access control services).
 */
#include "iommu/topology.h"

#include "hw/pci.h"

#define DEPTH_MAX 32U
#define PCI_TYPE_BRIDGE 1U
#define CAP_EXPRESS 0x10U
#define EXPRESS_TO_PCI 7U
#define PCI_SEVERAL 0x80U /* functions of the device */
#define EXT_FIRST 0x100U
#define EXT_MAX 96U
#define EXT_ACS 0x0DU
#define ACS_CONTROL 6U
/* Validation of ids, redirection of requests and completions, forwarding: all goes up to the IOMMU. */
#define ACS_UPWARDS 0x1DU

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

static bool isolates(uint16_t bdf)
{
	unsigned int at = EXT_FIRST;

	for (unsigned int i = 0; at >= EXT_FIRST && i < EXT_MAX; i++) {
		uint32_t head = pci_read(bdf, at, 4);

		if (head == 0 || head == 0xFFFFFFFFU)
			return false;
		if ((head & 0xFFFFU) == EXT_ACS)
			return (pci_read(bdf, at + ACS_CONTROL, 2) & ACS_UPWARDS) == ACS_UPWARDS;
		at = head >> 20 & 0xFFCU;
	}
	return false;
}

static bool is_bridge(uint16_t bdf)
{
	return (pci_read(bdf, 0x0E, 1) & 0x7FU) == PCI_TYPE_BRIDGE;
}

/* Two functions of a bus, or the bridges to them: functions of one device, or ports of one switch. */
static bool may_meet(uint16_t a, uint16_t b)
{
	uint16_t above;
	bool are_near = PCI_DEV(a) == PCI_DEV(b) ? (pci_read(a & 0xFFF8U, 0x0E, 1) & PCI_SEVERAL) != 0 :
						   is_bridge(a) && is_bridge(b) && find_bridge(PCI_BUS(a), &above);

	return are_near && (!isolates(a) || !isolates(b));
}

bool topology_are_together(uint16_t a, uint16_t b)
{
	/* The higher bus is further from the root: up from there, until both are on one. */
	for (unsigned int depth = 0; depth < 2U * DEPTH_MAX && a != b; depth++) {
		uint16_t *lower = PCI_BUS(a) > PCI_BUS(b) ? &a : &b;

		if (PCI_BUS(a) == PCI_BUS(b))
			return may_meet(a, b);
		if (!find_bridge(PCI_BUS(*lower), lower))
			return false;
	}
	return true;
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
