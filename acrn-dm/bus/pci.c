/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of PCI functions, their identity, capabilities and resets. The list changes only while no vCPU
 * runs, so it has no lock.
 */
#include "bus/pci_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static struct pci_func *functions;

struct pci_func *pci_func_find(unsigned int bus, unsigned int dev, unsigned int fn)
{
	for (struct pci_func *f = functions; f; f = f->next) {
		if (f->bus == bus && f->dev == dev && f->fn == fn)
			return f;
	}
	return NULL;
}

struct pci_func *pci_func_create(unsigned int bus, unsigned int dev, unsigned int fn, const char *name)
{
	struct pci_func **end = &functions, *f;

	if (bus != 0 || dev > 31 || fn > 7 || pci_func_find(bus, dev, fn)) {
		log_err("%s: PCI address %u:%u.%u is not free", name, bus, dev, fn);
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->bus = (uint8_t)bus;
	f->dev = (uint8_t)dev;
	f->fn = (uint8_t)fn;
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->gsi = -1;
	f->msix_bar = -1;
	f->cap_end = 0x40;
	pthread_mutex_init(&f->irq_lock, NULL);
	for (int i = 0; i < PCI_BARS; i++)
		f->bar[i].func = f;
	pci_put(f->wmask, CFG_COMMAND, 2, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF);
	pci_cfg_writable(f, CFG_INT_LINE, 1);
	pci_cfg_writable(f, 0x0c, 1);	/* cache line size */
	while (*end)
		end = &(*end)->next;
	*end = f;
	return f;
}

void pci_func_destroy(struct pci_func *f)
{
	struct pci_func **p = &functions;

	if (!f)
		return;
	f->ops = NULL;		/* the driver is gone already */
	pci_bar_reset(f);
	pci_irq_free(f);
	while (*p && *p != f)
		p = &(*p)->next;
	if (*p)
		*p = f->next;
	pthread_mutex_destroy(&f->irq_lock);
	free(f);
}

void pci_set_ids(struct pci_func *f, const struct pci_ids *ids)
{
	pci_put(f->cfg, CFG_VENDOR, 2, ids->vendor);
	pci_put(f->cfg, CFG_DEVICE, 2, ids->device);
	f->cfg[CFG_REVISION] = ids->revision;
	f->cfg[CFG_CLASS] = ids->progif;
	f->cfg[CFG_CLASS + 1] = ids->subclass;
	f->cfg[CFG_CLASS + 2] = ids->class;
	pci_put(f->cfg, CFG_SUBVENDOR, 2, ids->subvendor);
	pci_put(f->cfg, CFG_SUBVENDOR + 2, 2, ids->subdevice);
}

void pci_set_ops(struct pci_func *f, const struct pci_ops *ops, void *priv)
{
	f->ops = ops;
	f->priv = priv;
}

void pci_cfg_writable(struct pci_func *f, unsigned int off, unsigned int len)
{
	if (off < PCI_CFG_SIZE && len <= PCI_CFG_SIZE - off)
		memset(&f->wmask[off], 0xff, len);
}

int pci_add_cap(struct pci_func *f, uint8_t id, const void *body, unsigned int len)
{
	unsigned int at = f->cap_end, total = (len + 2 + 3) & ~3u;

	if (len > PCI_CFG_SIZE || at + total > PCI_CFG_SIZE)
		return -ENOSPC;
	f->cfg[at] = id;
	f->cfg[at + 1] = f->cfg[CFG_CAP_PTR];
	memcpy(&f->cfg[at + 2], body, len);
	f->cfg[CFG_CAP_PTR] = (uint8_t)at;
	f->cfg[CFG_STATUS] |= STATUS_CAP_LIST;
	f->cap_end = at + total;
	return (int)at;
}

void pci_start(void)
{
	for (struct pci_func *f = functions; f; f = f->next) {
		if (f->fn != 0 && pci_func_find(f->bus, f->dev, 0))
			pci_func_find(f->bus, f->dev, 0)->cfg[CFG_HEADER] |= 0x80;
	}
	for (struct pci_func *f = functions; f; f = f->next) {
		memcpy(f->reset_cfg, f->cfg, sizeof(f->cfg));
		pci_irq_reset(f);
	}
}

void pci_func_reset(struct pci_func *f)
{
	memcpy(f->cfg, f->reset_cfg, sizeof(f->cfg));
	pci_bar_reset(f);
	pci_irq_reset(f);
}

void pci_exit(void)
{
	while (functions)
		pci_func_destroy(functions);
	pci_bar_forget_windows();
	pci_irq_forget_gsis();
}

void pci_for_each(void (*fn)(struct pci_func *f, void *arg), void *arg)
{
	for (struct pci_func *f = functions; f; f = f->next)
		fn(f, arg);
}
