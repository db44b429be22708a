// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd: a write to an eventfd injects an MSI into the guest. It happens in the writer's wake-up, with
 * the eventfd's lock held and interrupts off, so the hypercall's buffer is part of the irqfd itself.
 * An irqfd is freed only after it has left the eventfd's wait queue and its work has run.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "hsm.h"

struct irqfd {
	struct acrn_msi msi; /* handed to the hypervisor by physical address */
	struct hsm_vm *vm;
	struct eventfd_ctx *ctx;
	wait_queue_entry_t wait;
	poll_table table;
	struct list_head list; /* under vm->irqfd_lock; empty when somebody has taken it out */
	struct work_struct shutdown;
};

static struct workqueue_struct *workqueue;

static void inject(struct irqfd *i)
{
	rcu_read_lock();
	if (READ_ONCE(i->vm->live))
		hsm_hypercall_buf(ACRN_HC_INJECT_MSI, i->vm->vmid, &i->msi);
	rcu_read_unlock();
}

/* Takes it out of the list; false if somebody else has. */
static bool take(struct irqfd *i)
{
	unsigned long flags;
	bool mine;

	spin_lock_irqsave(&i->vm->irqfd_lock, flags);
	mine = !list_empty(&i->list);
	list_del_init(&i->list);
	spin_unlock_irqrestore(&i->vm->irqfd_lock, flags);
	return mine;
}

static void free_irqfd(struct irqfd *i)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(i->ctx, &i->wait, &count);
	eventfd_ctx_put(i->ctx);
	kfree(i);
}

/* The last descriptor of the eventfd has been closed. */
static void on_shutdown(struct work_struct *work)
{
	free_irqfd(container_of(work, struct irqfd, shutdown));
}

static int on_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *i = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(i->ctx, &count);
		inject(i);
	}
	if ((events & EPOLLHUP) && take(i))
		queue_work(workqueue, &i->shutdown);
	return 0;
}

static void on_poll(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct irqfd *i = container_of(table, struct irqfd, table);

	add_wait_queue(head, &i->wait);
}

static struct irqfd *find(struct hsm_vm *vm, const struct eventfd_ctx *ctx)
{
	struct irqfd *i;

	list_for_each_entry(i, &vm->irqfds, list)
		if (i->ctx == ctx)
			return i;
	return NULL;
}

static struct irqfd *alloc(struct hsm_vm *vm, const struct acrn_irqfd *args)
{
	struct irqfd *i = kzalloc(sizeof(*i), GFP_KERNEL_ACCOUNT);

	if (!i)
		return NULL;
	i->vm = vm;
	i->msi = args->msi;
	INIT_LIST_HEAD(&i->list);
	INIT_WORK(&i->shutdown, on_shutdown);
	init_waitqueue_func_entry(&i->wait, on_wakeup);
	init_poll_funcptr(&i->table, on_poll);
	return i;
}

static int insert(struct hsm_vm *vm, struct irqfd *n)
{
	int ret = 0;

	spin_lock_irq(&vm->irqfd_lock);
	if (find(vm, n->ctx))
		ret = -EBUSY;
	else
		list_add_tail(&n->list, &vm->irqfds);
	spin_unlock_irq(&vm->irqfd_lock);
	return ret;
}

static int assign(struct hsm_vm *vm, const struct acrn_irqfd *args)
{
	struct file *file = eventfd_fget(args->fd);
	struct irqfd *n;
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = alloc(vm, args);
	ret = -ENOMEM;
	if (!n)
		goto put_file;
	n->ctx = eventfd_ctx_fileget(file);
	ret = insert(vm, n);
	if (ret) {
		eventfd_ctx_put(n->ctx);
		kfree(n);
		goto put_file;
	}
	/* the file is ours until here, so its end cannot come before the wait queue knows us */
	if (vfs_poll(file, &n->table) & EPOLLIN)
		inject(n);
put_file:
	fput(file);
	return ret;
}

static int deassign(struct hsm_vm *vm, const struct acrn_irqfd *args)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(args->fd);
	struct irqfd *i;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	spin_lock_irq(&vm->irqfd_lock);
	i = find(vm, ctx);
	if (i)
		list_del_init(&i->list);
	spin_unlock_irq(&vm->irqfd_lock);
	if (i)
		free_irqfd(i);
	eventfd_ctx_put(ctx);
	return 0;
}

int hsm_irqfd(struct hsm_vm *vm, const struct acrn_irqfd *args)
{
	return args->flags & ACRN_IRQFD_DEASSIGN ? deassign(vm, args) : assign(vm, args);
}

void hsm_irqfd_free(struct hsm_vm *vm)
{
	struct irqfd *i;

	for (;;) {
		spin_lock_irq(&vm->irqfd_lock);
		i = list_first_entry_or_null(&vm->irqfds, struct irqfd, list);
		if (i)
			list_del_init(&i->list);
		spin_unlock_irq(&vm->irqfd_lock);
		if (!i)
			break;
		free_irqfd(i);
	}
	/* those whose eventfd went away by itself */
	flush_workqueue(workqueue);
}

int hsm_irqfd_init(void)
{
	workqueue = alloc_workqueue("acrn-hsm", 0, 0);
	return workqueue ? 0 : -ENOMEM;
}

void hsm_irqfd_exit(void)
{
	destroy_workqueue(workqueue);
}
