// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/misc/acrn_hsm/remove_cpu: gives one of the Service VM's CPUs to the hypervisor for good.
 * Launch scripts take the CPU off-line first, so an off-line CPU must be accepted as well.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/device.h>
#include <linux/smp.h>

#include "hsm.h"

static ssize_t remove_cpu_store(struct device *dev, struct device_attribute *attr, const char *buf,
				size_t count)
{
	bool was_online;
	u64 cpu;
	long ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (kstrtoull(buf, 0, &cpu) || cpu == 0 || cpu >= nr_cpu_ids || !cpu_possible(cpu) ||
	    !cpu_is_hotpluggable(cpu))
		return -EINVAL;
	was_online = cpu_online(cpu);
	if (was_online) {
		ret = remove_cpu(cpu);
		if (ret)
			return ret;
	}
	ret = hsm_hypercall(ACRN_HC_OFFLINE_CPU, cpu_physical_id(cpu), 0);
	if (ret < 0) {
		if (was_online && add_cpu(cpu))
			dev_err(dev, "CPU %llu cannot be brought back\n", cpu);
		return ret;
	}
	return count;
}
static DEVICE_ATTR_WO(remove_cpu);

static struct attribute *cpu_attrs[] = {
	&dev_attr_remove_cpu.attr,
	NULL
};

static umode_t cpu_attr_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	return IS_ENABLED(CONFIG_HOTPLUG_CPU) ? attr->mode : 0;
}

const struct attribute_group hsm_cpu_group = {
	.attrs = cpu_attrs,
	.is_visible = cpu_attr_visible,
};
