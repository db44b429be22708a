/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host bridges of machine acrn: identity and nothing else; memory and ECAM are where firmware/ says they are. That
 * of machine q35 is in dev/q35.c.
 */
#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "dev/q35.h"

static int hostbridge_init(struct dm_device *d, const char *opts)
{
	(void)opts;
	if (config.machine == MACHINE_Q35) {
		q35_hostbridge_init(d->pci);
		return 0;
	}
	pci_set_ids(d->pci, &(struct pci_ids){ .vendor = 0x1275, .device = 0x1275, .class = 6 });
	return 0;
}

static void hostbridge_reset(struct dm_device *d)
{
	if (config.machine == MACHINE_Q35)
		q35_hostbridge_reset(d->pci);
}

static int amd_hostbridge_init(struct dm_device *d, const char *opts)
{
	(void)opts;
	pci_set_ids(d->pci, &(struct pci_ids){ .vendor = 0x1022, .device = 0x7432, .class = 6 });
	return 0;
}

static const struct dm_device_class hostbridge = {
	.name = "hostbridge",
	.kind = DM_PCI,
	.help = "  the bridge that slot 0 holds",
	.init = hostbridge_init,
	.reset = hostbridge_reset,
};
DM_DEVICE(hostbridge);

static const struct dm_device_class amd_hostbridge = {
	.name = "amd_hostbridge",
	.kind = DM_PCI,
	.help = "  the same with an AMD identity",
	.init = amd_hostbridge_init,
};
DM_DEVICE(amd_hostbridge);
