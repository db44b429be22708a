/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * passthru: a device of this machine becomes the guest's. Here it is found, looked at, and given addresses in the
 * guest; from then on the hypervisor answers for its configuration space, its registers are the guest's memory, its
 * interrupts the guest's, and nothing of it comes through this process. The module resets it when the guest restarts,
 * and whichever way this process ends.
 */
#include <acrn/dev.h>
#include <errno.h>
#include <limits.h>
#include <pciaccess.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "dev/passthru_opts.h"
#include "dev/passthru_rom.h"
#include "hsm.h"
#include "log.h"

#define CFG_STATUS		0x06
#define STATUS_CAPS		0x10
#define CFG_CLASS		0x0a
#define CFG_CAPS		0x34
#define CAP_PM			0x01
#define CAP_MSI			0x05
#define CAP_MSIX		0x11
#define PM_CONTROL		4
#define PM_STATE_MASK		3u
#define PM_STATE_D3HOT		3u
#define D3HOT_US		10000	/* PCI Power Management 1.2, 5.4: as long either way */
#define CLASS_BRIDGE		0x06

struct passthru {
	struct passthru_opts opts;
	struct pci_func *f;
	struct pci_device *real;
	struct acrn_pcidev given;
	struct acrn_ptdev_irq line;
	bool has_device, has_line;
	void *rom;
	char name[16];
};

static unsigned int users;	/* of libpciaccess */

static int library_get(void)
{
	int err = users ? 0 : pci_system_init();

	if (!err)
		users++;
	return err ? -err : 0;
}

static void library_put(void)
{
	if (--users == 0)
		pci_system_cleanup();
}

/* /sys/bus/pci/devices/NAME/FILE */
static void sysfs_path(const struct passthru *p, const char *file, char *path, size_t size)
{
	snprintf(path, size, "/sys/bus/pci/devices/%s/%s", p->name, file);
}

static unsigned int find_cap(const struct passthru *p, uint8_t id)
{
	uint16_t status = 0;
	uint8_t at = 0, found = 0;

	if (pci_device_cfg_read_u16(p->real, &status, CFG_STATUS) != 0 || !(status & STATUS_CAPS))
		return 0;
	(void)pci_device_cfg_read_u8(p->real, &at, CFG_CAPS);
	for (int n = 0; n < 48 && at >= 0x40; n++) {
		if (pci_device_cfg_read_u8(p->real, &found, at) != 0 || found == id)
			return found == id ? at : 0;
		(void)pci_device_cfg_read_u8(p->real, &at, at + 1u);
	}
	return 0;
}

/* --- what is there --- */

static int check_driver(const struct passthru *p)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *driver;
	ssize_t len;

	sysfs_path(p, "driver", path, sizeof(path));
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return 0;
	target[len] = 0;
	driver = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
	if (strcmp(driver, "pci-stub") == 0)
		return 0;
	log_err("passthru: %s belongs to the driver %s here; acrnctl dev assign %s takes it away", p->name, driver,
		p->name);
	return -EBUSY;
}

static int check_reset(const struct passthru *p)
{
	char path[PATH_MAX];

	sysfs_path(p, "reset", path, sizeof(path));
	if (p->opts.no_reset || access(path, F_OK) == 0)
		return 0;
	log_err("passthru: %s cannot be reset, so a guest could leave it in any state to the next; "
		"no_reset takes it as it is", p->name);
	return -ENOTTY;
}

static int find(struct passthru *p)
{
	uint16_t class = 0;

	p->real = pci_device_find_by_slot(0, p->opts.bus, p->opts.dev, p->opts.fn);
	if (!p->real || pci_device_probe(p->real) != 0) {
		log_err("passthru: there is no device %s", p->name);
		return -ENODEV;
	}
	/* not the identity, which a virtual function (SR-IOV) does not have */
	if (pci_device_cfg_read_u16(p->real, &class, CFG_CLASS) != 0 || class == 0xffff) {
		log_err("passthru: %s does not answer: a VM has it", p->name);
		return -EBUSY;
	}
	if (p->real->device_class >> 16 == CLASS_BRIDGE) {
		log_err("passthru: %s is a bridge, which no VM can have", p->name);
		return -ENODEV;
	}
	return 0;
}

static int d3hot_reset(const struct passthru *p)
{
	unsigned int pm = find_cap(p, CAP_PM);
	uint16_t control = 0;
	int err;

	if (!pm) {
		log_err("passthru: %s: d3hot_reset, but it has no power management", p->name);
		return -ENOTTY;
	}
	err = pci_device_cfg_read_u16(p->real, &control, pm + PM_CONTROL);
	if (!err)
		err = pci_device_cfg_write_u16(p->real, (uint16_t)(control | PM_STATE_D3HOT), pm + PM_CONTROL);
	usleep(D3HOT_US);
	if (!err)
		err = pci_device_cfg_write_u16(p->real, (uint16_t)(control & ~PM_STATE_MASK), pm + PM_CONTROL);
	usleep(D3HOT_US);
	return err ? -err : 0;
}

/* --- what the guest sees --- */

static enum pci_bar_type bar_type(const struct pci_mem_region *r)
{
	return r->is_IO ? PCI_BAR_IO : r->is_64 ? PCI_BAR_MEM64 : PCI_BAR_MEM32;
}

/* Addresses in the guest; the registers keep the kind that the hardware has. */
static int add_bars(struct passthru *p)
{
	for (int i = 0; i < PCI_BARS; i++) {
		const struct pci_mem_region *r = &p->real->regions[i];
		int err = r->size ? pci_add_bar(p->f, i, bar_type(r), r->size) : 0;

		if (err)
			return err;
		if (!r->size)
			continue;
		p->given.bar[i] = (uint32_t)p->f->bar[i].addr;
		if (bar_type(r) == PCI_BAR_MEM64)	/* whose other half is no region of its own */
			p->given.bar[i + 1] = (uint32_t)(p->f->bar[i].addr >> 32);
	}
	return 0;
}

static int add_line(struct passthru *p)
{
	int irq = p->opts.irq >= 0 ? p->opts.irq : p->real->irq;
	int err;

	if (!p->opts.keep_gsi && (find_cap(p, CAP_MSIX) || find_cap(p, CAP_MSI)))
		return 0;
	if (irq <= 0 || irq >= 255) {
		log_err("passthru: %s says interrupt line %d, which is none; irq=N names it", p->name, irq);
		return -EINVAL;
	}
	err = pci_add_intx(p->f);
	if (err || p->f->gsi < 0)
		return err;
	p->given.intr_line = (uint8_t)p->f->gsi;
	p->given.intr_pin = (uint8_t)(p->f->fn + 1);
	p->line = (struct acrn_ptdev_irq){
		.type = ACRN_PTDEV_INTX,
		.virt_bdf = p->given.virt_bdf,
		.phys_bdf = p->given.phys_bdf,
		.virt_pin = (uint32_t)p->f->gsi,
		.phys_pin = (uint32_t)irq,
	};
	return 0;
}

/* Its register is the only one of configuration space that is left to us. */
static int add_rom(struct passthru *p)
{
	size_t len;
	int err = passthru_rom_read(p->real, p->opts.rom[0] ? p->opts.rom : NULL, &p->rom, &len);

	if (err || !p->rom)
		return err;
	p->given.type |= ACRN_PCIDEV_ROM;
	return pci_add_rom(p->f, p->rom, len);
}

static int make_function(struct passthru *p)
{
	const struct pci_device *r = p->real;
	int err;

	p->given = (struct acrn_pcidev){
		.type = (p->opts.no_reset ? ACRN_PCIDEV_NO_RESET : 0) |
			(config.machine == MACHINE_Q35 ? ACRN_PCIDEV_Q35 : 0),
		.virt_bdf = PCI_BDF(p->f->bus, p->f->dev, p->f->fn),
		.phys_bdf = PCI_BDF(p->opts.bus, p->opts.dev, p->opts.fn),
	};
	pci_set_ids(p->f, &(struct pci_ids){
		.vendor = r->vendor_id, .device = r->device_id, .revision = r->revision,
		.class = (uint8_t)(r->device_class >> 16), .subclass = (uint8_t)(r->device_class >> 8),
		.progif = (uint8_t)r->device_class, .subvendor = r->subvendor_id, .subdevice = r->subdevice_id,
	});
	err = add_bars(p);
	if (!err)
		err = add_line(p);
	return err ? err : add_rom(p);
}

/* --- giving and taking --- */

static const char *reason(int err)
{
	switch (err) {
	case -ENODEV:
		return "there is no IOMMU, or the hypervisor keeps it (its log says which)";
	case -EPERM:
		return "that takes CAP_SYS_ADMIN";
	case -EBUSY:
		return "a VM has it, or a driver";
	case -EINVAL:
		return "its BARs are nowhere, or another device shares its identity (the hypervisor's log says which)";
	default:
		return strerror(-err);
	}
}

static int assign(struct passthru *p)
{
	int err = hsm_assign_pcidev(&p->given);

	if (err) {
		log_err("passthru: %s cannot be given to the VM: %s", p->name, reason(err));
		return err;
	}
	p->has_device = true;
	if (!p->line.phys_pin)
		return 0;
	err = hsm_set_ptdev_intr(&p->line);
	if (err)
		log_err("passthru: %s: interrupt line %u cannot be the VM's: %s", p->name, p->line.phys_pin,
			err == -EBUSY ? "other devices of this machine use it" : reason(err));
	p->has_line = err == 0;
	return err;
}

static void passthru_destroy(struct dm_device *d)
{
	struct passthru *p = d->state;
	int err = p->has_line ? hsm_reset_ptdev_intr(&p->line) : 0;

	if (!err && p->has_device)
		err = hsm_deassign_pcidev(&p->given);
	/* A thread that has given up its rights leaves this to the VM's end, which follows and does the same. */
	if (err && err != -EPERM)
		log_warn("passthru: %s goes back only with the VM: %s", p->name, strerror(-err));
	library_put();
	free(p->rom);
	free(p);
}

static int open_device(struct passthru *p)
{
	int err = find(p);

	if (!err)
		err = check_driver(p);
	if (!err)
		err = check_reset(p);
	if (!err && p->opts.d3hot_reset)
		err = d3hot_reset(p);
	if (!err)
		err = make_function(p);
	return err ? err : assign(p);
}

static int passthru_init(struct dm_device *d, const char *opts)
{
	struct passthru *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->f = d->pci;
	d->state = p;
	err = passthru_parse(opts, &p->opts);
	if (!err) {
		snprintf(p->name, sizeof(p->name), "0000:%02x:%02x.%x", p->opts.bus, p->opts.dev, p->opts.fn);
		err = library_get();
		if (err)
			log_err("passthru: the devices of this machine cannot be listed: %s", strerror(-err));
	}
	if (err) {
		free(p);
		return err;
	}
	err = open_device(p);
	if (err)
		passthru_destroy(d);
	return err;
}

static const struct dm_device_class passthru = {
	.name = "passthru",
	.help = ",BUS/DEV/FN[,no_reset][,d3hot_reset][,keep_gsi][,irq=N][,romfile=PATH]\n"
		"a device of this machine, in hexadecimal as lspci says",
	.kind = DM_PCI,
	.init = passthru_init,
	.destroy = passthru_destroy,
};
DM_DEVICE(passthru);
