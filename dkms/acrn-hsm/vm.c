// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life and death of a VM. The order of death is what matters: nobody finds the VM any more, a grace
 * period passes, the guest is stopped and destroyed, and only then its memory is given back. If the
 * hypervisor refuses to destroy it, the memory stays pinned for good: a guest could still write there.
 * Such a zombie is listed in debugfs, keeps the module loaded, and is tried again when the next VM
 * comes or goes.
 */
#define pr_fmt(fmt) "acrn_hsm: " fmt

#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "hsm.h"

#define DESTROY_TRIES 5
#define DESTROY_PAUSE_MS 10

static LIST_HEAD(live);	   /* RCU; written under list_lock */
static LIST_HEAD(zombies); /* under list_lock */
static DEFINE_MUTEX(list_lock);

void hsm_vm_dispatch_all(void)
{
	struct hsm_vm *vm;

	rcu_read_lock();
	list_for_each_entry_rcu(vm, &live, list)
		hsm_ioreq_dispatch(vm);
	rcu_read_unlock();
}

void hsm_vm_for_each(void (*fn)(struct hsm_vm *vm, void *arg), void *arg)
{
	struct hsm_vm *vm;

	mutex_lock(&list_lock);
	list_for_each_entry(vm, &live, list)
		fn(vm, arg);
	list_for_each_entry(vm, &zombies, list)
		fn(vm, arg);
	mutex_unlock(&list_lock);
}

static void publish(struct hsm_vm *vm)
{
	WRITE_ONCE(vm->live, true);
	mutex_lock(&list_lock);
	list_add_tail_rcu(&vm->list, &live);
	mutex_unlock(&list_lock);
	/* what came while nobody looked */
	hsm_ioreq_dispatch(vm);
}

/* When it returns, no interrupt and no ioctl without file->lock is in or will enter the VM. */
static void unpublish(struct hsm_vm *vm)
{
	WRITE_ONCE(vm->live, false);
	mutex_lock(&list_lock);
	list_del_rcu(&vm->list);
	mutex_unlock(&list_lock);
	synchronize_rcu();
}

static struct hsm_vm *alloc(struct hsm_file *f)
{
	struct hsm_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);

	if (!vm)
		return NULL;
	vm->hc_page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!vm->hc_page) {
		kfree(vm);
		return NULL;
	}
	vm->vmid = ACRN_VMID_INVALID;
	vm->wait = &f->wait;
	INIT_LIST_HEAD(&vm->pcidevs);
	INIT_LIST_HEAD(&vm->regions);
	INIT_LIST_HEAD(&vm->ioeventfds);
	INIT_LIST_HEAD(&vm->irqfds);
	spin_lock_init(&vm->ioreq_lock);
	spin_lock_init(&vm->irqfd_lock);
	return vm;
}

/* Everything that is not memory shared with the hypervisor. */
static void detach(struct hsm_vm *vm)
{
	hsm_irqfd_free(vm);
	hsm_ioeventfd_free(vm);
	hsm_ioreq_client_destroy(vm);
}

/* Only when the hypervisor has let go of it. */
static void free_memory(struct hsm_vm *vm)
{
	hsm_passthru_free(vm);
	hsm_memory_free(vm);
	hsm_rings_free(vm);
	hsm_unpin_page(&vm->monitor_page);
	hsm_unpin_page(&vm->ioreq_page);
	free_page((unsigned long)vm->hc_page);
	kfree(vm);
}

static bool pause_and_destroy(struct hsm_vm *vm)
{
	int try;

	for (try = 0; try < DESTROY_TRIES; try++) {
		if (try)
			msleep(DESTROY_PAUSE_MS);
		hsm_hypercall(ACRN_HC_PAUSE_VM, vm->vmid, 0);
		if (hsm_hypercall(ACRN_HC_DESTROY_VM, vm->vmid, 0) >= 0)
			return true;
	}
	return false;
}

static void bury(struct hsm_vm *vm)
{
	pr_err("VM %u (%s) cannot be destroyed: its %ld pages stay pinned\n", vm->vmid, vm->name,
	       atomic_long_read(&vm->pinned));
	__module_get(THIS_MODULE);
	vm->wait = NULL;
	mutex_lock(&list_lock);
	list_add_tail(&vm->list, &zombies);
	mutex_unlock(&list_lock);
}

static void retry_zombies(void)
{
	struct hsm_vm *vm, *next;

	mutex_lock(&list_lock);
	list_for_each_entry_safe(vm, next, &zombies, list) {
		hsm_hypercall(ACRN_HC_PAUSE_VM, vm->vmid, 0);
		if (hsm_hypercall(ACRN_HC_DESTROY_VM, vm->vmid, 0) < 0)
			continue;
		pr_info("VM %u (%s) is destroyed at last\n", vm->vmid, vm->name);
		list_del(&vm->list);
		free_memory(vm);
		module_put(THIS_MODULE);
	}
	mutex_unlock(&list_lock);
}

static int check_creation(const struct acrn_vm_creation *c)
{
	if (c->reserved0 || c->reserved1)
		return -EINVAL;
	if ((c->flags & (ACRN_VM_FLAG_LAPIC_PASSTHROUGH | ACRN_VM_FLAG_RT)) &&
	    !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

/* The hypervisor's half. After a failure vm->vmid is still valid if the VM is still there. */
static int create_in_hypervisor(struct hsm_vm *vm, struct acrn_vm_creation *c)
{
	u64 *buffer = vm->hc_page;
	long ret;

	ret = hsm_hypercall(ACRN_HC_CREATE_VM, virt_to_phys(c), 0);
	if (ret < 0 || c->vmid == ACRN_VMID_INVALID) {
		pr_info_ratelimited("the hypervisor does not create VM %s: error %ld\n", vm->name,
				    ret);
		return -EINVAL;
	}
	vm->vmid = c->vmid;
	vm->vcpu_num = c->vcpu_num;
	if (!vm->vcpu_num || vm->vcpu_num > ACRN_IOREQ_SLOTS) {
		pr_info("VM %s has %u vCPUs, at most %u can be served\n", vm->name, vm->vcpu_num,
			ACRN_IOREQ_SLOTS);
		ret = -EINVAL;
		goto destroy;
	}
	*buffer = page_to_phys(vm->ioreq_page.page);
	ret = hsm_hypercall_buf(ACRN_HC_SET_IOREQ_BUFFER, vm->vmid, buffer);
	if (ret >= 0)
		return 0;
destroy:
	if (pause_and_destroy(vm))
		vm->vmid = ACRN_VMID_INVALID;
	return ret;
}

int hsm_vm_create(struct hsm_file *f, struct acrn_vm_creation *creation)
{
	struct hsm_vm *vm;
	int ret;

	if (rcu_access_pointer(f->vm))
		return -EEXIST;
	ret = check_creation(creation);
	if (ret)
		return ret;
	retry_zombies();
	vm = alloc(f);
	if (!vm)
		return -ENOMEM;
	memcpy(vm->name, creation->name, ACRN_VM_NAME_LEN);
	ret = hsm_pin_page(&vm->ioreq_page, creation->ioreq_buf);
	if (!ret) {
		vm->slots = vm->ioreq_page.va;
		ret = create_in_hypervisor(vm, creation);
	}
	if (ret) {
		if (vm->vmid == ACRN_VMID_INVALID)
			free_memory(vm);
		else
			bury(vm);
		return ret;
	}
	publish(vm);
	rcu_assign_pointer(f->vm, vm);
	return 0;
}

int hsm_vm_destroy(struct hsm_file *f)
{
	struct hsm_vm *vm = rcu_dereference_protected(f->vm, lockdep_is_held(&f->lock));
	long ret;

	unpublish(vm);
	ret = hsm_hypercall(ACRN_HC_DESTROY_VM, vm->vmid, 0);
	if (ret < 0) {
		publish(vm);
		return ret;
	}
	RCU_INIT_POINTER(f->vm, NULL);
	detach(vm);
	synchronize_rcu();
	free_memory(vm);
	wake_up_all(&f->wait);
	return 0;
}

void hsm_vm_release(struct hsm_file *f)
{
	struct hsm_vm *vm = rcu_dereference_protected(f->vm, lockdep_is_held(&f->lock));
	bool gone;

	if (!vm)
		return;
	unpublish(vm);
	RCU_INIT_POINTER(f->vm, NULL);
	gone = pause_and_destroy(vm);
	detach(vm);
	synchronize_rcu();
	if (gone)
		free_memory(vm);
	else
		bury(vm);
	retry_zombies();
}
