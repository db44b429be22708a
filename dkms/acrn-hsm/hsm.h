/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own structures. What a newcomer gets wrong is life times:
 *
 *   struct hsm_file   one open file; owns at most one VM, and everybody's wait queue
 *     └─ struct hsm_vm   found by RCU; `list` and `file->vm` are left before the VM is destroyed, and
 *        a grace period later nobody can be inside any more. So whoever makes a hypercall for a VM
 *        does it either under file->lock or inside one RCU read section that saw the VM: its id may
 *        belong to somebody else's VM afterwards.
 *          └─ struct hsm_client   the DM's end of the requests; reference counted, as threads sleep on
 */
#pragma once

#include <linux/eventfd.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <acrn/hsm.h>
#include <acrn/ioreq.h>
#include <acrn/vm.h>

#include "hypercall.h"

struct hsm_file {
	struct mutex lock; /* control ioctls, one at a time */
	struct hsm_vm __rcu *vm;
	wait_queue_head_t wait; /* here, since epoll may stay on it after the VM is gone */
};

/* One page of a process, pinned and shared with the hypervisor; page is NULL when not in use. */
struct hsm_pin {
	struct page *page;
	void *va;
};

struct hsm_client {
	struct kref ref;
	struct rcu_head rcu;
	unsigned long busy;  /* bit n: vCPU n's request is the DM's, not yet answered */
	unsigned long fresh; /* subset of busy: not yet reported by IOREQ_NEXT */
	bool gone;
};

enum hsm_counter {
	HSM_COUNT_PIO,
	HSM_COUNT_MMIO,
	HSM_COUNT_PCI,
	HSM_COUNT_EVENTFD,
	HSM_COUNT_ASYNCIO,
	HSM_COUNT_UNCLAIMED, /* nobody there: answered by the module */
	HSM_COUNTERS
};

struct hsm_vm {
	struct list_head list; /* of live VMs (RCU) or of zombies */
	u16 vmid;
	u16 vcpu_num;
	bool live;
	char name[ACRN_VM_NAME_LEN + 1];
	wait_queue_head_t *wait; /* the file's; NULL in a zombie */
	void *hc_page;		 /* a page for hypercall buffers, under file->lock */

	struct list_head pcidevs; /* that it has; under file->lock */
	struct list_head regions; /* guest RAM; under file->lock */
	unsigned int region_num;
	atomic_long_t pinned; /* pages */

	struct hsm_pin ioreq_page;
	struct hsm_pin monitor_page;

	spinlock_t ioreq_lock; /* everything below; taken by the upcall's interrupt */
	struct acrn_ioreq_page *slots;
	u32 pci_address; /* last write to 0xCF8 */
	struct hsm_client __rcu *client;
	struct list_head ioeventfds;
	u64 count[HSM_COUNTERS];

	struct hsm_pin asyncio_page;
	struct hsm_pin event_page;
	struct hsm_rings *rings;

	spinlock_t irqfd_lock;
	struct list_head irqfds;
};

/* A request as it was when looked at, once: the slot itself can change under our eyes. */
struct hsm_request {
	u32 type;
	u32 direction;
	u64 address;
	u64 size;
	u64 value;
};

extern struct hsm_hypervisor hsm_hv;

/* ioctl.c */
long hsm_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* vm.c; all of these under file->lock. */
int hsm_vm_create(struct hsm_file *f, struct acrn_vm_creation *creation);
/* The DM asks: fails, with everything as before, if the hypervisor refuses. */
int hsm_vm_destroy(struct hsm_file *f);
/* The file is closed: pauses first; if the VM cannot be destroyed it becomes a zombie. */
void hsm_vm_release(struct hsm_file *f);
/* Calls fn for every live VM and then for every zombie. */
void hsm_vm_for_each(void (*fn)(struct hsm_vm *vm, void *arg), void *arg);
/* Does the interrupt's work for all VMs. Any context. */
void hsm_vm_dispatch_all(void);

/* Within rcu_read_lock(): the file's VM if it is alive, else NULL. */
static inline struct hsm_vm *hsm_file_vm(struct hsm_file *f)
{
	struct hsm_vm *vm = rcu_dereference(f->vm);

	return vm && READ_ONCE(vm->live) ? vm : NULL;
}

/* memory.c */
int hsm_memory_set(struct hsm_vm *vm, const struct acrn_memmap *map);
int hsm_memory_unset(struct hsm_vm *vm, const struct acrn_memmap *map);
/* Only when no guest can reach the pages any more. */
void hsm_memory_free(struct hsm_vm *vm);
/* Pins the page at uaddr of the caller. -EINVAL if not page aligned, -EFAULT if not writable. */
int hsm_pin_page(struct hsm_pin *pin, u64 uaddr);
void hsm_unpin_page(struct hsm_pin *pin);

/* passthru.c: PCI devices of the machine. */
struct acrn_pcidev;
struct acrn_ptdev_irq;
long hsm_passthru_assign(struct hsm_vm *vm, const struct acrn_pcidev *dev);
long hsm_passthru_deassign(struct hsm_vm *vm, const struct acrn_pcidev *dev);
/* SET_ or RESET_PTDEV_INTR */
long hsm_passthru_line(struct hsm_vm *vm, u32 hypercall, const struct acrn_ptdev_irq *line);
/* The guest was reset (state CREATED): so are its devices. */
long hsm_passthru_renew(struct hsm_vm *vm);
/* Only when the hypervisor has taken them from the VM. */
void hsm_passthru_free(struct hsm_vm *vm);

/* ioreq.c */
void hsm_ioreq_dispatch(struct hsm_vm *vm);
int hsm_ioreq_client_create(struct hsm_vm *vm);
void hsm_ioreq_client_destroy(struct hsm_vm *vm);
int hsm_ioreq_attach(struct hsm_file *f);
int hsm_ioreq_notify(struct hsm_file *f, u32 vcpu);
long hsm_ioreq_next(struct hsm_file *f, unsigned long arg);
void hsm_ioreq_clear(struct hsm_vm *vm);
void hsm_ioreq_forget(struct hsm_vm *vm);
__poll_t hsm_ioreq_poll(struct hsm_file *f);

/* ioeventfd.c */
int hsm_ioeventfd(struct hsm_vm *vm, const struct acrn_ioeventfd *args);
/* Under ioreq_lock: signals the eventfd of this write, if there is one. */
bool hsm_ioeventfd_match(struct hsm_vm *vm, const struct hsm_request *req);
void hsm_ioeventfd_free(struct hsm_vm *vm);

/* rings.c: rings in which the hypervisor leaves what needs no answer. */
int hsm_rings_setup_asyncio(struct hsm_vm *vm, u64 uaddr);
int hsm_rings_setup_event_ring(struct hsm_vm *vm, u64 uaddr);
int hsm_rings_setup_event_fd(struct hsm_vm *vm, int fd);
/* Asks the hypervisor to ring `ctx` without stopping the guest. A cookie, or 0: not possible. */
u64 hsm_rings_asyncio_add(struct hsm_vm *vm, const struct acrn_ioeventfd *args,
			  struct eventfd_ctx *ctx);
void hsm_rings_asyncio_remove(struct hsm_vm *vm, const struct acrn_ioeventfd *args, u64 cookie);
void hsm_rings_drain(struct hsm_vm *vm); /* under ioreq_lock */
void hsm_rings_free(struct hsm_vm *vm);

/* irqfd.c */
int hsm_irqfd(struct hsm_vm *vm, const struct acrn_irqfd *args);
void hsm_irqfd_free(struct hsm_vm *vm);
int hsm_irqfd_init(void);
void hsm_irqfd_exit(void);

/* upcall.c */
int hsm_upcall_init(void);
void hsm_upcall_exit(void);

/* cpu.c */
extern const struct attribute_group hsm_cpu_group;

/* sysfs.c: of the device, in /sys/class/misc/acrn_hsm. */
extern const struct attribute_group *hsm_groups[];

/* debugfs.c */
void hsm_debugfs_init(void);
void hsm_debugfs_exit(void);
