// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings in a page of the DM's in which the hypervisor leaves what needs no answer: doorbells (asyncio)
 * and VM events. User space can write these pages. So the geometry and our head are our own copies,
 * and a doorbell's cookie is an index with a generation, looked up here, never a pointer.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include <acrn/sbuf.h>

#include "compat.h"
#include "hsm.h"

struct bell {
	struct eventfd_ctx *ctx; /* NULL: free; the reference is the ioeventfd's */
	u32 generation;
};

struct hsm_rings {
	u32 asyncio_size; /* bytes; 0: not set up */
	u32 asyncio_head;
	struct bell bells[ACRN_ASYNCIO_MAX];
	u32 event_tail; /* when the eventfd was last rung */
	struct eventfd_ctx *event_ctx;
};

static int ensure_rings(struct hsm_vm *vm)
{
	struct hsm_rings *rings;

	if (vm->rings)
		return 0;
	rings = kzalloc(sizeof(*rings), GFP_KERNEL_ACCOUNT);
	if (!rings)
		return -ENOMEM;
	spin_lock_irq(&vm->ioreq_lock);
	vm->rings = rings;
	spin_unlock_irq(&vm->ioreq_lock);
	return 0;
}

/* The size in bytes of the ring in this page, or 0 if it is no ring of such elements. */
static u32 ring_size(const struct acrn_sbuf *sb, u32 ele_size)
{
	u32 num = READ_ONCE(sb->ele_num), room = PAGE_SIZE - sizeof(*sb);

	if (READ_ONCE(sb->magic) != ACRN_SBUF_MAGIC || READ_ONCE(sb->ele_size) != ele_size)
		return 0;
	if (num < 2 || num > room / ele_size || READ_ONCE(sb->size) != num * ele_size)
		return 0;
	return READ_ONCE(sb->head) || READ_ONCE(sb->tail) ? 0 : num * ele_size;
}

static long setup(struct hsm_vm *vm, u32 id, const struct hsm_pin *pin)
{
	struct acrn_sbuf_param *param = vm->hc_page;

	*param = (struct acrn_sbuf_param){
		.cpu_id = ACRN_SBUF_NO_CPU,
		.sbuf_id = id,
		.gpa = page_to_phys(pin->page),
	};
	return hsm_hypercall_buf(ACRN_HC_SETUP_SBUF, vm->vmid, param);
}

int hsm_rings_setup_asyncio(struct hsm_vm *vm, u64 uaddr)
{
	struct hsm_pin pin = {};
	long ret;
	u32 size;

	if (vm->asyncio_page.page)
		return -EEXIST;
	ret = ensure_rings(vm);
	if (!ret)
		ret = hsm_pin_page(&pin, uaddr);
	if (ret)
		return ret;
	size = ring_size(pin.va, sizeof(u64));
	ret = size ? setup(vm, ACRN_SBUF_ASYNCIO, &pin) : -EINVAL;
	if (ret < 0) {
		hsm_unpin_page(&pin);
		return ret;
	}
	spin_lock_irq(&vm->ioreq_lock);
	vm->asyncio_page = pin;
	vm->rings->asyncio_size = size;
	spin_unlock_irq(&vm->ioreq_lock);
	return 0;
}

int hsm_rings_setup_event_ring(struct hsm_vm *vm, u64 uaddr)
{
	struct hsm_pin pin = {};
	long ret;

	if (vm->event_page.page)
		return -EEXIST;
	ret = ensure_rings(vm);
	if (!ret)
		ret = hsm_pin_page(&pin, uaddr);
	if (ret)
		return ret;
	ret = ring_size(pin.va, sizeof(struct acrn_vm_event)) ?
		      setup(vm, ACRN_SBUF_VM_EVENT, &pin) : -EINVAL;
	if (ret < 0) {
		hsm_unpin_page(&pin);
		return ret;
	}
	spin_lock_irq(&vm->ioreq_lock);
	vm->event_page = pin;
	spin_unlock_irq(&vm->ioreq_lock);
	return 0;
}

int hsm_rings_setup_event_fd(struct hsm_vm *vm, int fd)
{
	struct eventfd_ctx *ctx;
	int ret = ensure_rings(vm);

	if (ret)
		return ret;
	if (vm->rings->event_ctx)
		return -EEXIST;
	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	spin_lock_irq(&vm->ioreq_lock);
	vm->rings->event_ctx = ctx;
	spin_unlock_irq(&vm->ioreq_lock);
	return 0;
}

static int find_free(const struct hsm_rings *rings)
{
	int i;

	for (i = 0; i < ACRN_ASYNCIO_MAX; i++)
		if (!rings->bells[i].ctx)
			return i;
	return -1;
}

static u64 cookie_of(const struct hsm_rings *rings, int index)
{
	return (u64)rings->bells[index].generation << 32 | index;
}

static void set_bell(struct hsm_vm *vm, int index, struct eventfd_ctx *ctx)
{
	spin_lock_irq(&vm->ioreq_lock);
	vm->rings->bells[index].ctx = ctx;
	if (ctx)
		vm->rings->bells[index].generation++;
	spin_unlock_irq(&vm->ioreq_lock);
}

static long asyncio_call(struct hsm_vm *vm, u32 id, const struct acrn_ioeventfd *args, u64 cookie)
{
	struct acrn_asyncio_info *info = vm->hc_page;

	*info = (struct acrn_asyncio_info){
		.type = args->flags & ACRN_IOEVENTFD_PIO ? ACRN_ASYNCIO_PIO : ACRN_ASYNCIO_MMIO,
		.match_data = !!(args->flags & ACRN_IOEVENTFD_DATAMATCH),
		.addr = args->addr,
		.cookie = cookie,
		.data = args->data,
	};
	return hsm_hypercall_buf(id, vm->vmid, info);
}

u64 hsm_rings_asyncio_add(struct hsm_vm *vm, const struct acrn_ioeventfd *args,
			  struct eventfd_ctx *ctx)
{
	u64 cookie;
	int index;

	if (!vm->asyncio_page.page)
		return 0;
	index = find_free(vm->rings);
	if (index < 0)
		return 0;
	set_bell(vm, index, ctx);
	cookie = cookie_of(vm->rings, index);
	if (asyncio_call(vm, ACRN_HC_ASYNCIO_ASSIGN, args, cookie) >= 0)
		return cookie;
	set_bell(vm, index, NULL);
	return 0;
}

void hsm_rings_asyncio_remove(struct hsm_vm *vm, const struct acrn_ioeventfd *args, u64 cookie)
{
	/* a refusal does no harm: the cookie means nothing from here on */
	if (READ_ONCE(vm->live))
		asyncio_call(vm, ACRN_HC_ASYNCIO_DEASSIGN, args, cookie);
	set_bell(vm, (u32)cookie, NULL);
}

static void ring_bell(struct hsm_vm *vm, u64 cookie)
{
	struct hsm_rings *rings = vm->rings;
	u32 index = (u32)cookie;

	if (index >= ACRN_ASYNCIO_MAX || !rings->bells[index].ctx ||
	    cookie != cookie_of(rings, index))
		return;
	vm->count[HSM_COUNT_ASYNCIO]++;
	hsm_eventfd_signal(rings->bells[index].ctx);
}

static void drain_asyncio(struct hsm_vm *vm)
{
	struct hsm_rings *rings = vm->rings;
	struct acrn_sbuf *sb = vm->asyncio_page.va;
	u32 tail = smp_load_acquire(&sb->tail);

	if (tail >= rings->asyncio_size || tail % sizeof(u64))
		return;
	while (rings->asyncio_head != tail) {
		ring_bell(vm, READ_ONCE(*(u64 *)((u8 *)(sb + 1) + rings->asyncio_head)));
		rings->asyncio_head = (rings->asyncio_head + sizeof(u64)) % rings->asyncio_size;
	}
	smp_store_release(&sb->head, tail);
}

void hsm_rings_drain(struct hsm_vm *vm)
{
	struct hsm_rings *rings = vm->rings;
	struct acrn_sbuf *events = vm->event_page.va;

	if (rings->asyncio_size)
		drain_asyncio(vm);
	if (events && rings->event_ctx) {
		u32 tail = smp_load_acquire(&events->tail);

		if (tail != rings->event_tail)
			hsm_eventfd_signal(rings->event_ctx);
		rings->event_tail = tail;
	}
}

void hsm_rings_free(struct hsm_vm *vm)
{
	if (vm->rings && vm->rings->event_ctx)
		eventfd_ctx_put(vm->rings->event_ctx);
	kfree(vm->rings);
	vm->rings = NULL;
	hsm_unpin_page(&vm->asyncio_page);
	hsm_unpin_page(&vm->event_page);
}
