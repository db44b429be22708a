// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/acrn_hsm/vms: every VM and zombie, its memory, its requests and their slots. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "hsm.h"

static struct dentry *root;

static void show_counters(struct seq_file *s, const struct hsm_vm *vm)
{
	static const char *const names[HSM_COUNTERS] = {
		[HSM_COUNT_PIO] = "pio",
		[HSM_COUNT_MMIO] = "mmio",
		[HSM_COUNT_PCI] = "pci",
		[HSM_COUNT_EVENTFD] = "ioeventfd",
		[HSM_COUNT_ASYNCIO] = "asyncio",
		[HSM_COUNT_UNCLAIMED] = "unclaimed",
	};
	int i;

	for (i = 0; i < HSM_COUNTERS; i++)
		seq_printf(s, " %s %llu", names[i], READ_ONCE(vm->count[i]));
	seq_putc(s, '\n');
}

static void show_slots(struct seq_file *s, const struct hsm_vm *vm)
{
	static const char *const states[] = {
		[ACRN_IOREQ_PENDING] = "pending",
		[ACRN_IOREQ_COMPLETE] = "complete",
		[ACRN_IOREQ_PROCESSING] = "processing",
		[ACRN_IOREQ_FREE] = "free",
	};
	unsigned int i;

	for (i = 0; i < vm->vcpu_num && i < ACRN_IOREQ_SLOTS; i++) {
		u32 state = READ_ONCE(vm->slots->slot[i].state);

		seq_printf(s, "  slot %u %s\n", i, state < ARRAY_SIZE(states) ? states[state] : "?");
	}
}

static void show_vm(struct hsm_vm *vm, void *arg)
{
	struct seq_file *s = arg;

	seq_printf(s, "vm %u \"%*pE\" %s vcpus %u pinned %ld\n ", vm->vmid,
		   (int)strlen(vm->name), vm->name, vm->wait ? "live" : "zombie", vm->vcpu_num,
		   atomic_long_read(&vm->pinned));
	show_counters(s, vm);
	show_slots(s, vm);
}

static int vms_show(struct seq_file *s, void *unused)
{
	hsm_vm_for_each(show_vm, s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vms);

void hsm_debugfs_init(void)
{
	root = debugfs_create_dir("acrn_hsm", NULL);
	debugfs_create_file("vms", 0400, root, NULL, &vms_fops);
}

void hsm_debugfs_exit(void)
{
	debugfs_remove(root);
}
