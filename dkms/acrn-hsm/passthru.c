// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI devices that a VM has. The hypervisor keeps a device in bounds and takes it away from the VM; what is done here
 * wants the kernel's knowledge of devices and its patience: whose it is, and resetting it, before a guest gets it and
 * after, also when the device model was killed or the guest restarted.
 */
#define pr_fmt(fmt) "acrn_hsm: " fmt

#include <linux/pci.h>
#include <linux/slab.h>

#include <acrn/dev.h>

#include "hsm.h"

struct hsm_pcidev {
	struct list_head list; /* of the VM's; under file->lock */
	struct pci_dev *pdev;
	bool no_reset;
	bool has_line;
	struct acrn_pcidev dev;
	struct acrn_ptdev_irq line;
};

static struct hsm_pcidev *find(struct hsm_vm *vm, u16 bdf)
{
	struct hsm_pcidev *d;

	list_for_each_entry(d, &vm->pcidevs, list)
		if (d->dev.phys_bdf == bdf)
			return d;
	return NULL;
}

/* A buffer of the VM's page, since the hypervisor reads up to a multiple of 8. */
static long call(struct hsm_vm *vm, u32 id, const void *arg, size_t size)
{
	memset(vm->hc_page, 0, ALIGN(size, 8));
	memcpy(vm->hc_page, arg, size);
	return hsm_hypercall_buf(id, vm->vmid, vm->hc_page);
}

/* What binds to a device so that nobody else does. */
static bool is_parked(struct pci_dev *pdev)
{
	struct device_driver *driver;
	bool parked;

	device_lock(&pdev->dev);
	driver = pdev->dev.driver;
	parked = !driver || !strcmp(driver->name, "pci-stub");
	if (!parked)
		pr_info("device %s belongs to the driver %s; acrnctl dev assign takes it away\n",
			pci_name(pdev), driver->name);
	device_unlock(&pdev->dev);
	return parked;
}

static int reset(struct hsm_pcidev *d)
{
	int ret;

	if (d->no_reset)
		return 0;
	ret = pci_reset_function(d->pdev);
	if (ret)
		pr_warn("device %s cannot be reset: error %d\n", pci_name(d->pdev), -ret);
	return ret;
}

/*
 * Awake, since a sleeping one does not answer, and as after power-on. One that a VM has must not be touched: its
 * registers read as ones, and the kernel would wait for it, or give it up as gone.
 */
static int prepare(struct hsm_pcidev *d)
{
	if (pci_is_dev_assigned(d->pdev) || !is_parked(d->pdev))
		return -EBUSY;
	pci_set_power_state(d->pdev, PCI_D0);
	return reset(d);
}

long hsm_passthru_assign(struct hsm_vm *vm, const struct acrn_pcidev *dev)
{
	struct hsm_pcidev *d;
	long ret = -ENODEV;

	if (find(vm, dev->phys_bdf))
		return -EEXIST;
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	d->dev = *dev;
	d->dev.type &= ~ACRN_PCIDEV_NO_RESET;
	d->no_reset = dev->type & ACRN_PCIDEV_NO_RESET;
	d->pdev = pci_get_domain_bus_and_slot(0, dev->phys_bdf >> 8, dev->phys_bdf & 0xFF);
	if (!d->pdev)
		goto free;
	ret = prepare(d);
	if (!ret)
		ret = call(vm, ACRN_HC_ASSIGN_PCIDEV, &d->dev, sizeof(d->dev));
	if (ret < 0)
		goto put;
	pci_set_dev_assigned(d->pdev);
	list_add_tail(&d->list, &vm->pcidevs);
	return 0;
put:
	pci_dev_put(d->pdev);
free:
	kfree(d);
	return ret;
}

/* The hypervisor has let go of it. */
static void give_back(struct hsm_pcidev *d)
{
	list_del(&d->list);
	pci_clear_dev_assigned(d->pdev);
	reset(d);
	pci_dev_put(d->pdev);
	kfree(d);
}

long hsm_passthru_deassign(struct hsm_vm *vm, const struct acrn_pcidev *dev)
{
	struct hsm_pcidev *d = find(vm, dev->phys_bdf);
	long ret;

	if (!d)
		return -ENODEV;
	ret = call(vm, ACRN_HC_DEASSIGN_PCIDEV, &d->dev, sizeof(d->dev));
	if (ret >= 0)
		give_back(d);
	return ret;
}

long hsm_passthru_line(struct hsm_vm *vm, u32 hypercall, const struct acrn_ptdev_irq *line)
{
	struct hsm_pcidev *d = find(vm, line->phys_bdf);
	long ret = call(vm, hypercall, line, sizeof(*line));

	if (ret >= 0 && d) {
		d->has_line = hypercall == ACRN_HC_SET_PTDEV_INTR;
		d->line = *line;
	}
	return ret;
}

/* Out of the VM, reset, and back in, as it was given. */
static long renew(struct hsm_vm *vm, struct hsm_pcidev *d)
{
	long ret = call(vm, ACRN_HC_DEASSIGN_PCIDEV, &d->dev, sizeof(d->dev));

	if (ret < 0)
		return ret;
	ret = reset(d);
	if (!ret)
		ret = call(vm, ACRN_HC_ASSIGN_PCIDEV, &d->dev, sizeof(d->dev));
	if (ret >= 0 && d->has_line)
		ret = call(vm, ACRN_HC_SET_PTDEV_INTR, &d->line, sizeof(d->line));
	return ret;
}

long hsm_passthru_renew(struct hsm_vm *vm)
{
	struct hsm_pcidev *d;
	long ret = 0;

	list_for_each_entry(d, &vm->pcidevs, list) {
		ret = renew(vm, d);
		if (ret < 0) {
			pr_warn("device %s: VM %u does not get it back after its reset: error %ld\n",
				pci_name(d->pdev), vm->vmid, -ret);
			break;
		}
	}
	return ret;
}

void hsm_passthru_free(struct hsm_vm *vm)
{
	struct hsm_pcidev *d, *next;

	list_for_each_entry_safe(d, next, &vm->pcidevs, list)
		give_back(d);
}
