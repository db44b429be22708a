/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls that give devices of the machine to a VM and take them back. The VM does not run meanwhile. */
#include <acrn/dev.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vm/hypercall.h"
#include "vm/passthru.h"
#include "vm/ptirq_line.h"

/* Without an IOMMU whoever drives a device reaches all memory. */
static int need_iommu(const struct hypercall *call)
{
	if (iommu_present())
		return 0;
	log_warn("vm%u: no device can be given to it: there is no IOMMU", call->target->id);
	return -ENODEV;
}

int64_t hc_assign_pcidev(struct hypercall *call)
{
	struct acrn_pcidev dev;
	int err = hypercall_read(call, call->rsi, &dev, sizeof(dev));

	return err != 0 ? err : passthru_assign(call->target, &dev);
}

int64_t hc_deassign_pcidev(struct hypercall *call)
{
	struct acrn_pcidev dev;
	struct passthru_dev *found;
	int err = hypercall_read(call, call->rsi, &dev, sizeof(dev));

	if (err != 0)
		return err;
	found = passthru_find(call->target, dev.phys_bdf);
	if (found == NULL)
		return -ENODEV;
	passthru_release(found);
	return 0;
}

/* Only lines are told this way: messages are what the guest writes into the device's registers. */
static int read_line(const struct hypercall *call, struct acrn_ptdev_irq *irq)
{
	struct passthru_dev *dev;
	int err = hypercall_read(call, call->rsi, irq, sizeof(*irq));

	if (err == 0)
		err = need_iommu(call);
	if (err != 0)
		return err;
	dev = passthru_find(call->target, irq->phys_bdf);
	if (dev == NULL)
		return -ENODEV;
	/* The byte is the original's; the kernel's structure has 32 bits there. */
	if (irq->type != ACRN_PTDEV_INTX || irq->virt_bdf != dev->virt || (irq->is_pic_pin & 0xFFU) != 0)
		return -EINVAL;
	return 0;
}

int64_t hc_set_ptdev_intr(struct hypercall *call)
{
	struct acrn_ptdev_irq irq;
	int err = read_line(call, &irq);

	if (err == 0)
		err = ptirq_line_assign(call->target, &irq);
	if (err == 0)
		vpci_passthru_set_line(&passthru_find(call->target, irq.phys_bdf)->pci, true);
	return err;
}

int64_t hc_reset_ptdev_intr(struct hypercall *call)
{
	struct acrn_ptdev_irq irq;
	int err = read_line(call, &irq);

	if (err == 0)
		err = ptirq_line_release(call->target, &irq);
	if (err == 0)
		vpci_passthru_set_line(&passthru_find(call->target, irq.phys_bdf)->pci, false);
	return err;
}

static int64_t assign_all(struct vm *vm, const struct acrn_mmiodev *dev)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(dev->res); i++) {
		int err = dev->res[i].size == 0 ? 0 : passthru_assign_mmio(vm, &dev->res[i]);

		if (err == 0)
			continue;
		while (i-- != 0)
			if (dev->res[i].size != 0)
				(void)passthru_release_mmio(vm, &dev->res[i]);
		return err;
	}
	return 0;
}

int64_t hc_assign_mmiodev(struct hypercall *call)
{
	struct acrn_mmiodev dev;
	int err = hypercall_read(call, call->rsi, &dev, sizeof(dev));

	if (err == 0)
		err = need_iommu(call);
	return err != 0 ? err : assign_all(call->target, &dev);
}

int64_t hc_deassign_mmiodev(struct hypercall *call)
{
	struct acrn_mmiodev dev;
	int err = hypercall_read(call, call->rsi, &dev, sizeof(dev));
	int64_t ret = 0;

	if (err == 0)
		err = need_iommu(call);
	if (err != 0)
		return err;
	for (unsigned int i = 0; i < ARRAY_SIZE(dev.res); i++) {
		err = dev.res[i].size == 0 ? 0 : passthru_release_mmio(call->target, &dev.res[i]);
		if (err != 0)
			ret = err;
	}
	return ret;
}

int64_t hc_no_vdev(struct hypercall *call)
{
	log_warn("vm%u: the hypervisor makes no devices of its own (call %lx)", call->target->id,
		 call->caller->gpr[REG_R8]);
	return -ENODEV;
}
