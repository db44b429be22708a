/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PCI devices of this machine as sysfs tells them, and which of them can only be given away together: those between
 * which something may carry requests that no IOMMU sees. Only reads; the root of sysfs is an argument for the tests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_NAME_MAX	16	/* 0000:00:00.0 and its end */
#define PCI_DEVICES_MAX	256
#define PCI_DEPTH_MAX	8	/* bridges between a device and the root */

enum pci_bond {
	PCI_ALONE,
	PCI_SLOT,	/* functions of one device, which may reach each other inside it */
	PCI_BRIDGE,	/* behind a bridge that carries requests between them */
};

struct pci_dev_info {
	char name[PCI_NAME_MAX];
	char driver[32];		/* "" : none */
	char path[PCI_DEPTH_MAX][PCI_NAME_MAX];	/* bridges above it, from the root on */
	unsigned int depth;
	uint16_t vendor, device;
	uint32_t class;			/* 24 bits */
	bool is_bridge, has_acs, can_reset;
	bool is_away;			/* a VM has it: it does not answer here */
	char group[PCI_NAME_MAX];	/* name of the group: of its first device, or of the bridge */
	enum pci_bond bond;		/* why */
};

struct pci_machine {
	struct pci_dev_info dev[PCI_DEVICES_MAX];
	unsigned int count;
};

/* All devices of domain 0, sorted, in groups. 0, or -errno. */
int pci_machine_read(const char *sysfs, struct pci_machine *m);

/* By "0000:00:08.0", "00:08.0" or "0/8/0"; NULL: there is none. */
const struct pci_dev_info *pci_machine_find(const struct pci_machine *m, const char *text);

/* Devices that are not bridges share this group: one must be given together with the other. */
bool pci_same_group(const struct pci_dev_info *a, const struct pci_dev_info *b);

/* Why, in words that follow "because". */
const char *pci_bond_reason(enum pci_bond bond);
