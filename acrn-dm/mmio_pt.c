/* SPDX-License-Identifier: BSD-3-Clause */
/* The Service VM does not have the range meanwhile: there it reads as ones. */
#include "mmio_pt.h"

#include <acrn/dev.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "hsm.h"
#include "log.h"

static struct acrn_mmiodev given[CONFIG_MMIO_MAX];
static unsigned int count;

static const char *reason(int err)
{
	switch (err) {
	case -ENODEV:
		return "there is no IOMMU, or that is no device memory of the Service VM's "
		       "(the hypervisor's log says which)";
	case -EPERM:
		return "that takes CAP_SYS_ADMIN";
	default:
		return strerror(-err);
	}
}

int mmio_pt_init(void)
{
	uint64_t at = MMIO_PT_BASE;

	for (unsigned int i = 0; i < config.mmio_count; i++) {
		const struct config_mmio *m = &config.mmio[i];
		struct acrn_mmiodev *dev = &given[count];
		int err;

		*dev = (struct acrn_mmiodev){
			.res[0] = { .user_vm_pa = at, .service_vm_pa = m->base, .size = m->size },
		};
		snprintf((char *)dev->name, sizeof(dev->name), "mmio%u", i);
		err = hsm_assign_mmiodev(dev);
		if (err) {
			log_err("--mmiodev_pt: 0x%llx cannot be given to the VM: %s", (unsigned long long)m->base,
				reason(err));
			return err;
		}
		count++;
		log_notice("--mmiodev_pt: 0x%llx is at 0x%llx in the guest", (unsigned long long)m->base,
			   (unsigned long long)at);
		at += m->size;
	}
	return 0;
}

void mmio_pt_exit(void)
{
	while (count != 0) {
		int err = hsm_deassign_mmiodev(&given[--count]);

		/* A thread that has given up its rights leaves this to the VM's end, which follows. */
		if (err && err != -EPERM)
			log_warn("--mmiodev_pt: 0x%llx goes back only with the VM: %s",
				 (unsigned long long)given[count].res[0].service_vm_pa, strerror(-err));
	}
}
