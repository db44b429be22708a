/* SPDX-License-Identifier: BSD-3-Clause */
/* The two bridges of machine q35, for the drivers "hostbridge" and "lpc". */
#pragma once

struct pci_func;

#define Q35_LPC_SLOT	31	/* firmware and guests look for it there */

void q35_hostbridge_init(struct pci_func *f);
void q35_hostbridge_reset(struct pci_func *f);
void q35_lpc_init(struct pci_func *f);
void q35_lpc_reset(struct pci_func *f);
