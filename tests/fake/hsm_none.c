/* SPDX-License-Identifier: BSD-3-Clause */
/* What neither stand-in for the HSM has: devices of the machine's, and memory that a running guest gives up. */
#include "hsm.h"

#include <errno.h>

int hsm_map_mmio(uint64_t gpa, uint64_t host_pa, uint64_t len, uint32_t prot)
{
	(void)gpa;
	(void)host_pa;
	(void)len;
	(void)prot;
	return -ENODEV;
}

int hsm_assign_pcidev(const struct acrn_pcidev *dev)
{
	(void)dev;
	return -ENODEV;
}

int hsm_deassign_pcidev(const struct acrn_pcidev *dev)
{
	(void)dev;
	return -ENODEV;
}

int hsm_assign_mmiodev(const struct acrn_mmiodev *dev)
{
	(void)dev;
	return -ENODEV;
}

int hsm_deassign_mmiodev(const struct acrn_mmiodev *dev)
{
	(void)dev;
	return -ENODEV;
}

int hsm_set_ptdev_intr(const struct acrn_ptdev_irq *irq)
{
	(void)irq;
	return -ENODEV;
}

int hsm_reset_ptdev_intr(const struct acrn_ptdev_irq *irq)
{
	(void)irq;
	return -ENODEV;
}

bool hsm_takes_any_page(void)
{
	return true;
}

bool hsm_can_take_back(void)
{
	return false;
}

int hsm_unmap_ram(uint64_t gpa, uint64_t len)
{
	(void)gpa;
	(void)len;
	return -ENOTTY;
}

bool hsm_can_fetch(void)
{
	return false;
}

int hsm_fetch_range(uint64_t gpa, uint64_t len, uint64_t gpa2, uint64_t len2)
{
	(void)gpa;
	(void)len;
	(void)gpa2;
	(void)len2;
	return -ENOTTY;
}
