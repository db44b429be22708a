/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual functions (SR-IOV). What makes one a function like others, its identity and its BARs, stands in a capability
 * of the physical function that it belongs to. Source: PCI Express 5.0 9.3.3.
 */
#pragma once

#include "lib/types.h"

#define PCI_SRIOV_BARS 6U

struct pci_vf {
	uint16_t pf;
	uint16_t vendor, device;
	uint32_t bar[PCI_SRIOV_BARS];  /* as the registers of a function of its own would read */
	uint32_t mask[PCI_SRIOV_BARS]; /* and what they would keep of ones; 0: there is none */
};

/*
 * Finds the physical functions and how large their virtual ones' BARs are. Before any VM runs: those are off
 * meanwhile.
 */
void pci_sriov_init(void);

/* False: bdf is no virtual function that is switched on, or the sizes of its BARs are not known. */
bool pci_vf_find(uint16_t bdf, struct pci_vf *vf);

/* True when the function has virtual ones that are switched on. */
bool pci_has_vfs(uint16_t bdf);
