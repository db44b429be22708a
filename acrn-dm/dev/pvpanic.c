/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pvpanic as a PCI function: one byte, in which a driver tells that its kernel panics. What then happens to the VM is
 * an option; that it happened is always told.
 */
#include <errno.h>
#include <string.h>

#include "api.h"
#include "bus/pci.h"
#include "dev/device.h"
#include "log.h"
#include "vm.h"

#define EVENT_PANIC	1u
#define EVENT_CRASH	2u	/* a crash kernel takes over */

static const struct {
	const char *option;
	enum vm_request request;
} actions[] = {
	{ "", VM_NONE },
	{ "action=report", VM_NONE },
	{ "action=poweroff", VM_POWEROFF },
	{ "action=reset", VM_RESET },
};

static uint64_t bar_read(struct pci_func *f, int bar, uint64_t off, unsigned int size)
{
	(void)f;
	(void)bar;
	(void)size;
	return off == 0 ? EVENT_PANIC | EVENT_CRASH : 0;
}

static void bar_write(struct pci_func *f, int bar, uint64_t off, unsigned int size, uint64_t value)
{
	const enum vm_request *request = f->priv;

	(void)bar;
	(void)size;
	if (off != 0 || !(value & (EVENT_PANIC | EVENT_CRASH)))
		return;
	log_guest("the guest's kernel panics%s", value & EVENT_PANIC ? "" : " and starts its crash kernel");
	api_event(value & EVENT_PANIC ? "panic" : "crash-loaded", NULL);
	if ((value & EVENT_PANIC) && *request != VM_NONE)
		vm_request(*request);
}

static const struct pci_ops ops = { .bar_read = bar_read, .bar_write = bar_write };

static int pvpanic_init(struct dm_device *d, const char *opts)
{
	size_t i = 0;

	while (i < sizeof(actions) / sizeof(actions[0]) && strcmp(actions[i].option, opts) != 0)
		i++;
	if (i == sizeof(actions) / sizeof(actions[0])) {
		log_err("pvpanic: '%s' is not action=report|poweroff|reset", opts);
		return -EINVAL;
	}
	pci_set_ids(d->pci, &(struct pci_ids){ .vendor = 0x1b36, .device = 0x0011, .class = 0x08, .subclass = 0x80 });
	pci_set_ops(d->pci, &ops, (void *)&actions[i].request);
	return pci_add_bar(d->pci, 0, PCI_BAR_MEM32, 4096);
}

static const struct dm_device_class pvpanic = {
	.name = "pvpanic",
	.help = "[,action=report|poweroff|reset]  learns of the guest's panics",
	.kind = DM_PCI,
	.init = pvpanic_init,
};
DM_DEVICE(pvpanic);
