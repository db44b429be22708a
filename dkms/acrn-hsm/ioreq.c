// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O requests: from the page to whoever answers, and back. All of it happens in the upcall's
 * interrupt: eventfds are rung and PCI config accesses folded right there, and the DM's thread is
 * woken from there; no thread of the kernel lies between. The page can be written by user space, so a
 * slot is read once into a struct hsm_request and judged by that.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>

#include "hsm.h"

#define PCI_ADDRESS_PORT 0xCF8u
#define PCI_DATA_PORT 0xCFCu
#define PCI_ENABLE 0x80000000u

/* How long the DM's thread may keep its CPU while it waits inside the hypervisor. */
#define WAIT_IN_HYPERVISOR_JIFFIES 2

static void snapshot(struct hsm_request *req, const struct acrn_ioreq *slot)
{
	req->type = READ_ONCE(slot->type);
	req->direction = READ_ONCE(slot->req.mmio.direction);
	req->address = READ_ONCE(slot->req.mmio.address);
	req->size = READ_ONCE(slot->req.mmio.size);
	req->value = READ_ONCE(slot->req.mmio.value);
	if (req->type == ACRN_IOREQ_PORTIO)
		req->value = (u32)req->value;
}

static void store_value(struct acrn_ioreq *slot, const struct hsm_request *req, u64 value)
{
	if (req->type == ACRN_IOREQ_PORTIO)
		WRITE_ONCE(slot->req.pio.value, (u32)value);
	else
		WRITE_ONCE(slot->req.mmio.value, value);
}

/*
 * The slot is the hypervisor's from here on, unless it has taken it back (a reset). True if the vCPU
 * sleeps and has to be told.
 */
static bool complete_slot(struct hsm_vm *vm, unsigned int vcpu, u32 from)
{
	struct acrn_ioreq *slot = &vm->slots->slot[vcpu];
	bool polling = READ_ONCE(slot->completion_polling);

	return try_cmpxchg(&slot->state, &from, ACRN_IOREQ_COMPLETE) && !polling;
}

static void complete_and_tell(struct hsm_vm *vm, unsigned int vcpu, u32 from)
{
	if (complete_slot(vm, vcpu, from))
		hsm_hypercall(ACRN_HC_NOTIFY_REQUEST_FINISH, vm->vmid, vcpu);
}

/* The module itself answers a pending request; reads get `value`. */
static void answer(struct hsm_vm *vm, unsigned int vcpu, const struct hsm_request *req, u64 value)
{
	struct acrn_ioreq *slot = &vm->slots->slot[vcpu];

	WRITE_ONCE(slot->kernel_handled, 1);
	if (req->direction == ACRN_IOREQ_READ)
		store_value(slot, req, value);
	complete_and_tell(vm, vcpu, ACRN_IOREQ_PENDING);
}

static void make_pci_request(struct hsm_vm *vm, struct acrn_ioreq *slot, u64 port)
{
	u32 a = vm->pci_address;

	WRITE_ONCE(slot->req.pci.bus, (a >> 16) & 0xFF);
	WRITE_ONCE(slot->req.pci.dev, (a >> 11) & 0x1F);
	WRITE_ONCE(slot->req.pci.func, (a >> 8) & 0x7);
	WRITE_ONCE(slot->req.pci.reg, (a & 0xFC) | ((a >> 16) & 0xF00) | (port & 3));
	WRITE_ONCE(slot->type, ACRN_IOREQ_PCICFG);
}

/*
 * Ports 0xCF8 and 0xCFC become accesses to a device's config space. True if the request is answered.
 * Only a 4-byte access to 0xCF8 is the address register: 0xCF9 is the reset register.
 */
static bool fold_pci(struct hsm_vm *vm, unsigned int vcpu, const struct hsm_request *req)
{
	if (req->address == PCI_ADDRESS_PORT && req->size == 4) {
		if (req->direction == ACRN_IOREQ_WRITE)
			vm->pci_address = req->value;
		answer(vm, vcpu, req, vm->pci_address);
		return true;
	}
	if (req->address < PCI_DATA_PORT || req->address > PCI_DATA_PORT + 3)
		return false;
	vm->count[HSM_COUNT_PCI]++;
	if (!(vm->pci_address & PCI_ENABLE)) {
		answer(vm, vcpu, req, ~0ull);
		return true;
	}
	make_pci_request(vm, &vm->slots->slot[vcpu], req->address);
	return false;
}

/* True if the DM has something to do. */
static bool dispatch_slot(struct hsm_vm *vm, unsigned int vcpu, struct hsm_client *client)
{
	struct acrn_ioreq *slot = &vm->slots->slot[vcpu];
	struct hsm_request req;

	snapshot(&req, slot);
	vm->count[req.type == ACRN_IOREQ_PORTIO ? HSM_COUNT_PIO : HSM_COUNT_MMIO]++;
	if (req.type == ACRN_IOREQ_PORTIO && fold_pci(vm, vcpu, &req))
		return false;
	if (hsm_ioeventfd_match(vm, &req)) {
		vm->count[HSM_COUNT_EVENTFD]++;
		answer(vm, vcpu, &req, 0);
		return false;
	}
	if (!client) {
		vm->count[HSM_COUNT_UNCLAIMED]++;
		answer(vm, vcpu, &req, ~0ull);
		return false;
	}
	WRITE_ONCE(slot->kernel_handled, 0);
	set_bit(vcpu, &client->busy);
	smp_store_release(&slot->state, ACRN_IOREQ_PROCESSING);
	set_bit(vcpu, &client->fresh);
	return true;
}

/* Takes every pending request of the VM; true if some are for the DM. */
static bool take_pending(struct hsm_vm *vm)
{
	struct hsm_client *client;
	unsigned long flags;
	unsigned int vcpu;
	bool for_dm = false;

	spin_lock_irqsave(&vm->ioreq_lock, flags);
	client = rcu_dereference_protected(vm->client, lockdep_is_held(&vm->ioreq_lock));
	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++)
		if (smp_load_acquire(&vm->slots->slot[vcpu].state) == ACRN_IOREQ_PENDING)
			for_dm |= dispatch_slot(vm, vcpu, client);
	if (vm->rings)
		hsm_rings_drain(vm);
	spin_unlock_irqrestore(&vm->ioreq_lock, flags);
	return for_dm;
}

void hsm_ioreq_dispatch(struct hsm_vm *vm)
{
	if (take_pending(vm) && wq_has_sleeper(vm->wait))
		wake_up_interruptible_poll(vm->wait, EPOLLIN);
}

int hsm_ioreq_client_create(struct hsm_vm *vm)
{
	struct hsm_client *client;

	if (rcu_access_pointer(vm->client))
		return -EEXIST;
	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	kref_init(&client->ref);
	rcu_assign_pointer(vm->client, client);
	return 0;
}

static void client_free(struct kref *ref)
{
	struct hsm_client *client = container_of(ref, struct hsm_client, ref);

	kfree_rcu(client, rcu);
}

/* Requests that the client has not answered are answered with all ones, or their vCPUs would hang. */
void hsm_ioreq_client_destroy(struct hsm_vm *vm)
{
	struct hsm_client *client;
	struct hsm_request req;
	unsigned int vcpu;

	spin_lock_irq(&vm->ioreq_lock);
	client = rcu_dereference_protected(vm->client, lockdep_is_held(&vm->ioreq_lock));
	RCU_INIT_POINTER(vm->client, NULL);
	for (vcpu = 0; client && READ_ONCE(vm->live) && vcpu < vm->vcpu_num; vcpu++) {
		if (!test_and_clear_bit(vcpu, &client->busy))
			continue;
		snapshot(&req, &vm->slots->slot[vcpu]);
		if (req.direction == ACRN_IOREQ_READ)
			store_value(&vm->slots->slot[vcpu], &req, ~0ull);
		complete_and_tell(vm, vcpu, ACRN_IOREQ_PROCESSING);
	}
	spin_unlock_irq(&vm->ioreq_lock);
	if (!client)
		return;
	WRITE_ONCE(client->gone, true);
	wake_up_all(vm->wait);
	kref_put(&client->ref, client_free);
}

/* Within rcu_read_lock(), or under ioreq_lock. */
static void answer_from_client(struct hsm_vm *vm, struct hsm_client *client, unsigned int vcpu)
{
	clear_bit(vcpu, &client->fresh);
	if (test_and_clear_bit(vcpu, &client->busy))
		complete_and_tell(vm, vcpu, ACRN_IOREQ_PROCESSING);
}

int hsm_ioreq_notify(struct hsm_file *f, u32 vcpu)
{
	struct hsm_client *client;
	struct hsm_vm *vm;
	int ret = -EINVAL;

	rcu_read_lock();
	vm = hsm_file_vm(f);
	if (vm && vcpu < vm->vcpu_num) {
		client = rcu_dereference(vm->client);
		if (client)
			answer_from_client(vm, client, vcpu);
		ret = 0;
	}
	rcu_read_unlock();
	return ret;
}

/* The DM's client, with a reference. -EINVAL: no VM; -ENODEV: no client. */
static struct hsm_client *client_get(struct hsm_file *f)
{
	struct hsm_client *client = ERR_PTR(-EINVAL);
	struct hsm_vm *vm;

	rcu_read_lock();
	vm = hsm_file_vm(f);
	if (vm) {
		client = rcu_dereference(vm->client);
		if (!client || !kref_get_unless_zero(&client->ref))
			client = ERR_PTR(-ENODEV);
	}
	rcu_read_unlock();
	return client;
}

/* 0 also after a signal: the original's DM leaves its main loop on anything else. */
int hsm_ioreq_attach(struct hsm_file *f)
{
	struct hsm_client *client = client_get(f);
	int ret;

	if (IS_ERR(client))
		return PTR_ERR(client);
	wait_event_interruptible(f->wait, READ_ONCE(client->busy) || READ_ONCE(client->gone));
	ret = READ_ONCE(client->gone) ? -ENODEV : 0;
	kref_put(&client->ref, client_free);
	return ret;
}

/*
 * One thread waits for this VM's requests; `owed` is a vCPU whose slot is COMPLETE but which has not
 * been told so, or ACRN_WAIT_NO_VCPU: telling and waiting can be one hypercall.
 */
struct waiter {
	struct hsm_file *f;
	struct hsm_client *client;
	unsigned int owed;
};

/* Is there nobody but this thread who could use the CPU, and nothing for it to do but wait? */
static bool may_hold_cpu(const struct waiter *w)
{
	return single_task_running() && !need_resched() && !signal_pending(current) &&
	       !READ_ONCE(w->client->gone) && !READ_ONCE(w->client->fresh);
}

/* Completes the slots in `done`. If `owe` is set, the last of them is not told yet. */
static int answer_done(struct waiter *w, unsigned long done, bool owe)
{
	unsigned int vcpu, last = owe ? __fls(done) : ACRN_WAIT_NO_VCPU;
	struct hsm_vm *vm;
	int ret = -EINVAL;

	rcu_read_lock();
	vm = hsm_file_vm(w->f);
	if (vm && !(done >> vm->vcpu_num)) {
		ret = 0;
		for_each_set_bit(vcpu, &done, ACRN_IOREQ_SLOTS) {
			clear_bit(vcpu, &w->client->fresh);
			if (!test_and_clear_bit(vcpu, &w->client->busy))
				continue;
			if (vcpu != last)
				complete_and_tell(vm, vcpu, ACRN_IOREQ_PROCESSING);
			else if (complete_slot(vm, vcpu, ACRN_IOREQ_PROCESSING))
				w->owed = vcpu;
		}
	}
	rcu_read_unlock();
	return ret;
}

/* One round: with interrupts off, so that none is served between the last look and the wait. */
static long wait_round(struct waiter *w, bool *again)
{
	struct hsm_vm *vm;
	long ret = 0;

	local_irq_disable();
	rcu_read_lock();
	vm = hsm_file_vm(w->f);
	*again = vm && may_hold_cpu(w);
	if (*again) {
		ret = hsm_hypercall(ACRN_HC_NOTIFY_AND_WAIT, vm->vmid, w->owed);
		/* for this very thread: the sleeping ones sleep on */
		if (ret == 0)
			take_pending(vm);
	} else if (vm && w->owed != ACRN_WAIT_NO_VCPU) {
		ret = hsm_hypercall(ACRN_HC_NOTIFY_REQUEST_FINISH, vm->vmid, w->owed);
	}
	w->owed = ACRN_WAIT_NO_VCPU;
	rcu_read_unlock();
	local_irq_enable();
	return ret;
}

/*
 * While nothing else wants this CPU, waits inside the hypervisor instead of going through the idle
 * loop and back: the CPU is halted just the same, the way is much shorter. Interrupts are served
 * between the rounds. Gives up after a while, for the sake of what only an idle CPU can do.
 */
static void wait_in_hypervisor(struct waiter *w)
{
	unsigned long end = jiffies + WAIT_IN_HYPERVISOR_JIFFIES;
	bool again;

	do {
		if (wait_round(w, &again) < 0 || READ_ONCE(w->client->fresh))
			break;
	} while (again && time_before(jiffies, end));
}

static long wait_next(struct waiter *w)
{
	struct hsm_client *client = w->client;
	unsigned long fresh = 0;
	int ret;

	ret = wait_event_interruptible_exclusive(w->f->wait,
						 (fresh = xchg(&client->fresh, 0)) ||
							 READ_ONCE(client->gone));
	if (fresh)
		return fresh;
	return ret ? -EINTR : -ENODEV;
}

long hsm_ioreq_next(struct hsm_file *f, unsigned long arg)
{
	unsigned long done = arg & (BIT(ACRN_IOREQ_SLOTS) - 1);
	bool block = !(arg & ACRN_IOREQ_NEXT_NONBLOCK), in_hypervisor;
	struct waiter w = { .f = f, .client = client_get(f), .owed = ACRN_WAIT_NO_VCPU };
	long ret = 0;

	if (IS_ERR(w.client))
		return PTR_ERR(w.client);
	in_hypervisor = block && (hsm_hv.extensions & ACRN_EXTENSION_WAIT) && may_hold_cpu(&w);
	if (arg & ~(done | ACRN_IOREQ_NEXT_NONBLOCK))
		ret = -EINVAL;
	else if (done)
		ret = answer_done(&w, done, in_hypervisor);
	if (!ret && in_hypervisor)
		wait_in_hypervisor(&w);
	if (!ret)
		ret = xchg(&w.client->fresh, 0);
	if (!ret)
		ret = block ? wait_next(&w) : -EAGAIN;
	kref_put(&w.client->ref, client_free);
	return ret;
}

/* Before a reset: whatever is under way ends at once, its value as it is. */
void hsm_ioreq_clear(struct hsm_vm *vm)
{
	struct hsm_client *client;
	unsigned int vcpu;

	spin_lock_irq(&vm->ioreq_lock);
	client = rcu_dereference_protected(vm->client, lockdep_is_held(&vm->ioreq_lock));
	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++) {
		if (client)
			answer_from_client(vm, client, vcpu);
		if (smp_load_acquire(&vm->slots->slot[vcpu].state) == ACRN_IOREQ_PENDING)
			complete_and_tell(vm, vcpu, ACRN_IOREQ_PENDING);
	}
	vm->pci_address = 0;
	spin_unlock_irq(&vm->ioreq_lock);
}

/* After a reset: the hypervisor has freed every slot, so no request is anybody's any more. */
void hsm_ioreq_forget(struct hsm_vm *vm)
{
	struct hsm_client *client;

	spin_lock_irq(&vm->ioreq_lock);
	client = rcu_dereference_protected(vm->client, lockdep_is_held(&vm->ioreq_lock));
	if (client) {
		WRITE_ONCE(client->fresh, 0);
		WRITE_ONCE(client->busy, 0);
	}
	vm->pci_address = 0;
	spin_unlock_irq(&vm->ioreq_lock);
}

__poll_t hsm_ioreq_poll(struct hsm_file *f)
{
	struct hsm_client *client;
	struct hsm_vm *vm;
	__poll_t mask = 0;

	rcu_read_lock();
	vm = hsm_file_vm(f);
	client = vm ? rcu_dereference(vm->client) : NULL;
	if (!client)
		mask = EPOLLHUP;
	else if (READ_ONCE(client->fresh))
		mask = EPOLLIN | EPOLLRDNORM;
	rcu_read_unlock();
	return mask;
}
