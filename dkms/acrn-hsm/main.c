// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/acrn_hsm: start and end of the module, and of its files. One open file is one VM; a file that
 * is closed by any path, a killed acrn-dm included, takes its VM along.
 */
#define pr_fmt(fmt) "acrn_hsm: " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "hsm.h"

struct hsm_hypervisor hsm_hv;

static int hsm_open(struct inode *inode, struct file *file)
{
	struct hsm_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	init_waitqueue_head(&f->wait);
	file->private_data = f;
	return nonseekable_open(inode, file);
}

static int hsm_release(struct inode *inode, struct file *file)
{
	struct hsm_file *f = file->private_data;

	mutex_lock(&f->lock);
	hsm_vm_release(f);
	mutex_unlock(&f->lock);
	kfree(f);
	return 0;
}

static __poll_t hsm_poll(struct file *file, poll_table *table)
{
	struct hsm_file *f = file->private_data;

	poll_wait(file, &f->wait, table);
	return hsm_ioreq_poll(f);
}

static const struct file_operations hsm_fops = {
	.owner = THIS_MODULE,
	.open = hsm_open,
	.release = hsm_release,
	.poll = hsm_poll,
	.unlocked_ioctl = hsm_ioctl,
};

static struct miscdevice hsm_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "acrn_hsm",
	.fops = &hsm_fops,
	.groups = hsm_groups,
};

static int __init hsm_init(void)
{
	int ret = hsm_hypervisor_probe(&hsm_hv);

	if (ret)
		return ret;
	ret = hsm_irqfd_init();
	if (ret)
		goto no_irqfd;
	ret = hsm_upcall_init();
	if (ret)
		goto no_upcall;
	hsm_debugfs_init();
	ret = misc_register(&hsm_device);
	if (ret)
		goto no_device;
	pr_info("hypervisor API %u.%u\n", hsm_hv.api.major, hsm_hv.api.minor);
	return 0;
no_device:
	hsm_debugfs_exit();
	hsm_upcall_exit();
no_upcall:
	hsm_irqfd_exit();
no_irqfd:
	hsm_hypervisor_exit();
	return ret;
}

static void __exit hsm_exit(void)
{
	misc_deregister(&hsm_device);
	hsm_debugfs_exit();
	hsm_upcall_exit();
	hsm_irqfd_exit();
	hsm_hypervisor_exit();
}

module_init(hsm_init);
module_exit(hsm_exit);
MODULE_AUTHOR("The ACRN, made anew project");
MODULE_DESCRIPTION("Service module of the ACRN hypervisor: makes and serves User VMs");
MODULE_VERSION(ACRN_HSM_VERSION);
MODULE_LICENSE("GPL");
