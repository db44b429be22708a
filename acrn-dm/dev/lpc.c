/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ISA bridge. The devices behind it (serial ports, RTC, timers, keyboard controller) are platform devices
 * and do not depend on it; guests look for the function and for its PIRQ registers, which only hold what is
 * written: INTx goes to the I/O APIC pin of the function, never to the 8259.
 */
#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "dev/q35.h"

#define PIRQ_A		0x60
#define PIRQ_E		0x68
#define PIRQ_OFF	0x80

static int lpc_init(struct dm_device *d, const char *opts)
{
	struct pci_func *f = d->pci;

	(void)opts;
	if (config.machine == MACHINE_Q35) {
		q35_lpc_init(f);
		return 0;
	}
	pci_set_ids(f, &(struct pci_ids){ .vendor = 0x8086, .device = 0x7000, .class = 6, .subclass = 1 });
	for (unsigned int i = 0; i < 4; i++)
		f->cfg[PIRQ_A + i] = f->cfg[PIRQ_E + i] = PIRQ_OFF;
	pci_cfg_writable(f, PIRQ_A, 4);
	pci_cfg_writable(f, PIRQ_E, 4);
	return 0;
}

static void lpc_reset(struct dm_device *d)
{
	if (config.machine == MACHINE_Q35)
		q35_lpc_reset(d->pci);
}

static const struct dm_device_class lpc = {
	.name = "lpc",
	.kind = DM_PCI,
	.help = "  ISA bridge of the serial ports (-l) and the legacy devices",
	.init = lpc_init,
	.reset = lpc_reset,
};
DM_DEVICE(lpc);
