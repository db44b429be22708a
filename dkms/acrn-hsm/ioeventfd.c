// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioeventfd: a guest's write to an address rings an eventfd, straight from the upcall's interrupt; no
 * thread of ours lies between. Where the hypervisor can queue such writes (asyncio), the guest is not
 * even stopped, and the entry here only serves what still comes as a request.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include "compat.h"
#include "hsm.h"

#define IOEVENTFDS_MAX 256

struct ioeventfd {
	struct list_head list;
	struct eventfd_ctx *ctx;
	struct acrn_ioeventfd args;
	u64 cookie; /* of asyncio, or 0 */
};

static bool is_wildcard(const struct ioeventfd *e)
{
	return !(e->args.flags & ACRN_IOEVENTFD_DATAMATCH);
}

static bool is_pio(const struct acrn_ioeventfd *args)
{
	return args->flags & ACRN_IOEVENTFD_PIO;
}

static bool same_place(const struct ioeventfd *e, const struct acrn_ioeventfd *args)
{
	return is_pio(&e->args) == is_pio(args) && e->args.addr == args->addr;
}

static bool conflicts(const struct ioeventfd *e, const struct ioeventfd *n)
{
	return e->ctx == n->ctx && same_place(e, &n->args) &&
	       (is_wildcard(e) || is_wildcard(n) || e->args.data == n->args.data);
}

static int check(const struct acrn_ioeventfd *args)
{
	u64 end;

	if (args->len != 1 && args->len != 2 && args->len != 4 && args->len != 8)
		return -EINVAL;
	if (args->reserved || check_add_overflow(args->addr, (u64)args->len, &end))
		return -EINVAL;
	return 0;
}

/* Puts the entry into the list, unless one there forbids it or the list is full. */
static int insert(struct hsm_vm *vm, struct ioeventfd *n)
{
	struct ioeventfd *e;
	unsigned int num = 0;
	int ret = 0;

	spin_lock_irq(&vm->ioreq_lock);
	list_for_each_entry(e, &vm->ioeventfds, list) {
		num++;
		if (conflicts(e, n))
			ret = -EEXIST;
	}
	if (!ret && num >= IOEVENTFDS_MAX)
		ret = -ENOSPC;
	if (!ret)
		list_add_tail(&n->list, &vm->ioeventfds);
	spin_unlock_irq(&vm->ioreq_lock);
	return ret;
}

static int assign(struct hsm_vm *vm, const struct acrn_ioeventfd *args)
{
	struct eventfd_ctx *ctx;
	struct ioeventfd *n;
	int ret = check(args);

	if (ret)
		return ret;
	ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n) {
		eventfd_ctx_put(ctx);
		return -ENOMEM;
	}
	n->ctx = ctx;
	n->args = *args;
	ret = insert(vm, n);
	if (ret) {
		kfree(n);
		eventfd_ctx_put(ctx);
		return ret;
	}
	if (args->flags & ACRN_IOEVENTFD_ASYNCIO)
		n->cookie = hsm_rings_asyncio_add(vm, args, ctx);
	return 0;
}

/* The caller has taken it out of the list. */
static void release(struct hsm_vm *vm, struct ioeventfd *e)
{
	if (e->cookie)
		hsm_rings_asyncio_remove(vm, &e->args, e->cookie);
	eventfd_ctx_put(e->ctx);
	kfree(e);
}

/* The entry of that eventfd at that place; as the original does, else the first of that eventfd. */
static struct ioeventfd *find(struct hsm_vm *vm, const struct acrn_ioeventfd *args,
			      const struct eventfd_ctx *ctx)
{
	struct ioeventfd *e, *first = NULL;

	list_for_each_entry(e, &vm->ioeventfds, list) {
		if (e->ctx != ctx)
			continue;
		if (same_place(e, args) &&
		    (is_wildcard(e) || !(args->flags & ACRN_IOEVENTFD_DATAMATCH) ||
		     e->args.data == args->data))
			return e;
		if (!first)
			first = e;
	}
	return first;
}

static int deassign(struct hsm_vm *vm, const struct acrn_ioeventfd *args)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(args->fd);
	struct ioeventfd *e;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	spin_lock_irq(&vm->ioreq_lock);
	e = find(vm, args, ctx);
	if (e)
		list_del(&e->list);
	spin_unlock_irq(&vm->ioreq_lock);
	if (e)
		release(vm, e);
	eventfd_ctx_put(ctx);
	return 0;
}

int hsm_ioeventfd(struct hsm_vm *vm, const struct acrn_ioeventfd *args)
{
	return args->flags & ACRN_IOEVENTFD_DEASSIGN ? deassign(vm, args) : assign(vm, args);
}

static bool matches(const struct ioeventfd *e, const struct hsm_request *req)
{
	u64 mask = req->size >= 8 ? ~0ull : BIT_ULL(req->size * 8) - 1;

	return is_pio(&e->args) == (req->type == ACRN_IOREQ_PORTIO) &&
	       e->args.addr == req->address && req->size <= e->args.len &&
	       (is_wildcard(e) || ((e->args.data ^ req->value) & mask) == 0);
}

bool hsm_ioeventfd_match(struct hsm_vm *vm, const struct hsm_request *req)
{
	struct ioeventfd *e;

	if (req->direction != ACRN_IOREQ_WRITE || req->type > ACRN_IOREQ_MMIO)
		return false;
	list_for_each_entry(e, &vm->ioeventfds, list) {
		if (!matches(e, req))
			continue;
		hsm_eventfd_signal(e->ctx);
		return true;
	}
	return false;
}

void hsm_ioeventfd_free(struct hsm_vm *vm)
{
	struct ioeventfd *e, *next;
	LIST_HEAD(all);

	spin_lock_irq(&vm->ioreq_lock);
	list_splice_init(&vm->ioeventfds, &all);
	spin_unlock_irq(&vm->ioreq_lock);
	list_for_each_entry_safe(e, next, &all, list)
		release(vm, e);
}
