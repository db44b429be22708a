// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/misc/acrn_hsm: hypervisor_version; watchdog, where a service writes 0 once the system is up;
 * and what cpu.c has there.
 */
#include <linux/device.h>

#include "hsm.h"

static ssize_t hypervisor_version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", hsm_hv.version[0] ? hsm_hv.version : "unknown");
}
static DEVICE_ATTR_RO(hypervisor_version);

static ssize_t watchdog_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	u64 seconds;
	long ret;

	if (kstrtoull(buf, 0, &seconds) || seconds)
		return -EINVAL;
	ret = hsm_hypercall(ACRN_HC_DISARM_WATCHDOG, 0, 0);
	return ret < 0 ? ret : count;
}
static DEVICE_ATTR_WO(watchdog);

static struct attribute *attrs[] = {
	&dev_attr_hypervisor_version.attr,
	&dev_attr_watchdog.attr,
	NULL
};

static umode_t attr_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	bool has_watchdog = hsm_hv.extensions & ACRN_EXTENSION_WATCHDOG;

	return attr != &dev_attr_watchdog.attr || has_watchdog ? attr->mode : 0;
}

static const struct attribute_group group = {
	.attrs = attrs,
	.is_visible = attr_visible,
};

const struct attribute_group *hsm_groups[] = {
	&group,
	&hsm_cpu_group,
	NULL
};
