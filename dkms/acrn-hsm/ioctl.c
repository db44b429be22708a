// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls as one table: what is copied in, under which lock, by whom it is handled. A structure is
 * copied to a kmalloc buffer (the hypervisor gets its physical address) and freed in one place only.
 * Some calls pass a value, not a pointer, although their number claims a size: in the table, size 0.
 */
#define pr_fmt(fmt) "acrn_hsm: " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <acrn/dev.h>

#include "hsm.h"

/* A call under way. buf: the structure copied in, zeroed up to BUF_MIN. */
struct call {
	struct hsm_file *f;
	struct hsm_vm *vm;
	unsigned long arg;
	void *buf;
	u32 hypercall;
};

/* A structure may be read by the hypervisor up to a multiple of 8, and a reply put into its buffer. */
#define BUF_MIN 48u
#define BUF_MAX 296u

enum lock {
	LOCK_VM,  /* file->lock, and there must be a VM */
	LOCK_ANY, /* file->lock, with or without VM */
	LOCK_NONE /* the handler looks for the VM itself */
};

struct entry {
	u32 cmd;
	u16 size;
	u8 lock;
	u32 hypercall;
	long (*fn)(struct call *c);
};

static void __user *user_ptr(const struct call *c)
{
	return (void __user *)c->arg;
}

static long do_create_vm(struct call *c)
{
	struct acrn_vm_creation *creation = c->buf;
	u64 ioreq_buf = creation->ioreq_buf;
	int ret = hsm_vm_create(c->f, creation);

	if (ret)
		return ret;
	creation->ioreq_buf = ioreq_buf;
	if (copy_to_user(user_ptr(c), creation, sizeof(*creation))) {
		hsm_vm_release(c->f);
		return -EFAULT;
	}
	return 0;
}

static long do_destroy_vm(struct call *c)
{
	return hsm_vm_destroy(c->f);
}

/* hypercall(vmid) */
static long do_plain(struct call *c)
{
	return hsm_hypercall(c->hypercall, c->vm->vmid, 0);
}

static long do_reset_vm(struct call *c)
{
	long ret = do_plain(c);

	if (ret < 0)
		return ret;
	hsm_ioreq_forget(c->vm);
	return hsm_passthru_renew(c->vm);
}

/* hypercall(vmid, buffer) */
static long do_buf(struct call *c)
{
	return hsm_hypercall_buf(c->hypercall, c->vm->vmid, c->buf);
}

static long do_set_vcpu_regs(struct call *c)
{
	const struct acrn_vcpu_regs *v = c->buf;
	const struct acrn_regs *r = &v->regs;

	if (memchr_inv(v->reserved, 0, sizeof(v->reserved)) ||
	    memchr_inv(r->reserved64, 0, sizeof(r->reserved64)) ||
	    memchr_inv(r->reserved32, 0, sizeof(r->reserved32)) ||
	    memchr_inv(r->gdt.reserved, 0, sizeof(r->gdt.reserved)) ||
	    memchr_inv(r->idt.reserved, 0, sizeof(r->idt.reserved)))
		return -EINVAL;
	return do_buf(c);
}

/* These two are frequent: no mutex. The read section keeps the VM, and so its id, alive. */
static long do_inject_msi(struct call *c)
{
	struct hsm_vm *vm;
	long ret = -EINVAL;

	rcu_read_lock();
	vm = hsm_file_vm(c->f);
	if (vm)
		ret = hsm_hypercall_buf(ACRN_HC_INJECT_MSI, vm->vmid, c->buf);
	rcu_read_unlock();
	return ret;
}

static long do_set_irqline(struct call *c)
{
	struct hsm_vm *vm;
	long ret = -EINVAL;

	rcu_read_lock();
	vm = hsm_file_vm(c->f);
	if (vm)
		ret = hsm_hypercall(ACRN_HC_SET_IRQLINE, vm->vmid, c->arg);
	rcu_read_unlock();
	return ret;
}

static long do_intr_monitor(struct call *c)
{
	struct hsm_pin pin = {};
	long ret = hsm_pin_page(&pin, c->arg);

	if (ret)
		return ret;
	ret = hsm_hypercall(ACRN_HC_VM_INTR_MONITOR, c->vm->vmid, page_to_phys(pin.page));
	if (ret >= 0)
		swap(pin, c->vm->monitor_page);
	hsm_unpin_page(&pin);
	return ret;
}

static long do_notify(struct call *c)
{
	const struct acrn_ioreq_notify *n = c->buf;

	return n->reserved ? -EINVAL : hsm_ioreq_notify(c->f, n->vcpu);
}

static long do_create_client(struct call *c)
{
	return hsm_ioreq_client_create(c->vm);
}

static long do_attach_client(struct call *c)
{
	return hsm_ioreq_attach(c->f);
}

static long do_destroy_client(struct call *c)
{
	hsm_ioreq_client_destroy(c->vm);
	return 0;
}

static long do_clear(struct call *c)
{
	hsm_ioreq_clear(c->vm);
	return 0;
}

static long do_set_memseg(struct call *c)
{
	return hsm_memory_set(c->vm, c->buf);
}

static long do_unset_memseg(struct call *c)
{
	return hsm_memory_unset(c->vm, c->buf);
}

/* Whoever may do this decides about the machine's devices. */
static long do_pcidev(struct call *c)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return c->hypercall == ACRN_HC_ASSIGN_PCIDEV ? hsm_passthru_assign(c->vm, c->buf) :
						       hsm_passthru_deassign(c->vm, c->buf);
}

static long do_ptdev_intr(struct call *c)
{
	return capable(CAP_SYS_ADMIN) ? hsm_passthru_line(c->vm, c->hypercall, c->buf) : -EPERM;
}

static long do_mmiodev(struct call *c)
{
	return capable(CAP_SYS_ADMIN) ? do_buf(c) : -EPERM;
}

/* What comes back has a size of its own, up to 48 bytes, whatever the number of the ioctl says. */
static long do_pm(struct call *c)
{
	static const u8 reply_size[] = {
		[ACRN_PM_PX_COUNT] = sizeof(u64),
		[ACRN_PM_PX_DATA] = sizeof(struct acrn_px_data),
		[ACRN_PM_CX_COUNT] = sizeof(u64),
		[ACRN_PM_CX_DATA] = sizeof(struct acrn_cx_data),
	};
	u64 cmd = *(u64 *)c->buf;
	u32 type = ACRN_PM_TYPE(cmd);
	long ret;

	if (type >= ARRAY_SIZE(reply_size) || c->vm->vmid > 0xFF)
		return -EINVAL;
	cmd = ACRN_PM_CMD(c->vm->vmid, ACRN_PM_VCPU(cmd), ACRN_PM_STATE(cmd), type);
	memset(c->buf, 0, BUF_MIN);
	ret = hsm_hypercall_buf(ACRN_HC_PM_GET_CPU_STATE, cmd, c->buf);
	if (ret < 0)
		return ret;
	return copy_to_user(user_ptr(c), c->buf, reply_size[type]) ? -EFAULT : 0;
}

static long do_ioeventfd(struct call *c)
{
	return hsm_ioeventfd(c->vm, c->buf);
}

static long do_irqfd(struct call *c)
{
	return hsm_irqfd(c->vm, c->buf);
}

static long do_setup_asyncio(struct call *c)
{
	return hsm_rings_setup_asyncio(c->vm, c->arg);
}

static long do_setup_event_ring(struct call *c)
{
	return hsm_rings_setup_event_ring(c->vm, c->arg);
}

static long do_setup_event_fd(struct call *c)
{
	return hsm_rings_setup_event_fd(c->vm, c->arg);
}

static long do_get_info(struct call *c)
{
	struct acrn_hsm_info info = {
		.api_major = hsm_hv.api.major,
		.api_minor = hsm_hv.api.minor,
		.caps = ACRN_HSM_CAP_POLL | ACRN_HSM_CAP_IOREQ_NEXT | ACRN_HSM_CAP_ANY_PAGE |
			ACRN_HSM_CAP_UNSET_RAM | ACRN_HSM_CAP_ASYNCIO | ACRN_HSM_CAP_VM_EVENT |
			ACRN_HSM_CAP_PASSTHROUGH,
		.max_vcpus = ACRN_IOREQ_SLOTS,
		.tsc_khz = hsm_hv.tsc_khz,
	};

	if (hsm_hv.extensions & ACRN_EXTENSION_WAIT)
		info.caps |= ACRN_HSM_CAP_WAIT;
	if (hsm_hv.extensions & ACRN_EXTENSION_RESUME)
		info.caps |= ACRN_HSM_CAP_RESUME;
	if (hsm_hv.extensions & ACRN_EXTENSION_FETCH)
		info.caps |= ACRN_HSM_CAP_FETCH;
	return copy_to_user(user_ptr(c), &info, sizeof(info)) ? -EFAULT : 0;
}

#define STRUCT_OF(ioctl) (((ioctl) >> 16) & 0x3FFF)
#define POINTER(ioctl, lock, hc, fn) { ioctl, STRUCT_OF(ioctl), lock, hc, fn }
#define VALUE(ioctl, lock, hc, fn) { ioctl, 0, lock, hc, fn }

/* The frequent ones first: the table is searched from the top. */
static const struct entry table[] = {
	VALUE(ACRN_IOCTL_SET_IRQLINE, LOCK_NONE, 0, do_set_irqline),
	POINTER(ACRN_IOCTL_INJECT_MSI, LOCK_NONE, 0, do_inject_msi),
	POINTER(ACRN_IOCTL_NOTIFY_REQUEST_FINISH, LOCK_NONE, 0, do_notify),
	VALUE(ACRN_IOCTL_ATTACH_IOREQ_CLIENT, LOCK_NONE, 0, do_attach_client),
	VALUE(ACRN_IOCTL_GET_INFO, LOCK_NONE, 0, do_get_info),
	POINTER(ACRN_IOCTL_CREATE_VM, LOCK_ANY, 0, do_create_vm),
	VALUE(ACRN_IOCTL_DESTROY_VM, LOCK_VM, 0, do_destroy_vm),
	VALUE(ACRN_IOCTL_START_VM, LOCK_VM, ACRN_HC_START_VM, do_plain),
	VALUE(ACRN_IOCTL_PAUSE_VM, LOCK_VM, ACRN_HC_PAUSE_VM, do_plain),
	VALUE(ACRN_IOCTL_RESET_VM, LOCK_VM, ACRN_HC_RESET_VM, do_reset_vm),
	POINTER(ACRN_IOCTL_SET_VCPU_REGS, LOCK_VM, ACRN_HC_SET_VCPU_REGS, do_set_vcpu_regs),
	VALUE(ACRN_IOCTL_VM_INTR_MONITOR, LOCK_VM, 0, do_intr_monitor),
	VALUE(ACRN_IOCTL_CREATE_IOREQ_CLIENT, LOCK_VM, 0, do_create_client),
	VALUE(ACRN_IOCTL_DESTROY_IOREQ_CLIENT, LOCK_VM, 0, do_destroy_client),
	VALUE(ACRN_IOCTL_CLEAR_VM_IOREQ, LOCK_VM, 0, do_clear),
	POINTER(ACRN_IOCTL_SET_MEMSEG, LOCK_VM, 0, do_set_memseg),
	POINTER(ACRN_IOCTL_UNSET_MEMSEG, LOCK_VM, 0, do_unset_memseg),
	POINTER(ACRN_IOCTL_SET_PTDEV_INTR, LOCK_VM, ACRN_HC_SET_PTDEV_INTR, do_ptdev_intr),
	POINTER(ACRN_IOCTL_RESET_PTDEV_INTR, LOCK_VM, ACRN_HC_RESET_PTDEV_INTR, do_ptdev_intr),
	POINTER(ACRN_IOCTL_ASSIGN_PCIDEV, LOCK_VM, ACRN_HC_ASSIGN_PCIDEV, do_pcidev),
	POINTER(ACRN_IOCTL_DEASSIGN_PCIDEV, LOCK_VM, ACRN_HC_DEASSIGN_PCIDEV, do_pcidev),
	POINTER(ACRN_IOCTL_ASSIGN_MMIODEV, LOCK_VM, ACRN_HC_ASSIGN_MMIODEV, do_mmiodev),
	POINTER(ACRN_IOCTL_DEASSIGN_MMIODEV, LOCK_VM, ACRN_HC_DEASSIGN_MMIODEV, do_mmiodev),
	POINTER(ACRN_IOCTL_CREATE_VDEV, LOCK_VM, ACRN_HC_ADD_VDEV, do_buf),
	POINTER(ACRN_IOCTL_DESTROY_VDEV, LOCK_VM, ACRN_HC_REMOVE_VDEV, do_buf),
	POINTER(ACRN_IOCTL_PM_GET_CPU_STATE, LOCK_VM, 0, do_pm),
	POINTER(ACRN_IOCTL_IOEVENTFD, LOCK_VM, 0, do_ioeventfd),
	POINTER(ACRN_IOCTL_IRQFD, LOCK_VM, 0, do_irqfd),
	VALUE(ACRN_IOCTL_SETUP_ASYNCIO, LOCK_VM, 0, do_setup_asyncio),
	VALUE(ACRN_IOCTL_SETUP_VM_EVENT_RING, LOCK_VM, 0, do_setup_event_ring),
	VALUE(ACRN_IOCTL_SETUP_VM_EVENT_FD, LOCK_VM, 0, do_setup_event_fd),
};
static_assert(sizeof(struct acrn_vcpu_regs) <= BUF_MAX);

static const struct entry *lookup(unsigned int cmd)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].cmd == cmd)
			return &table[i];
	return NULL;
}

static long copy_in_and_run(const struct entry *e, struct call *c)
{
	long ret;

	if (!e->size)
		return e->fn(c);
	c->buf = kzalloc(max_t(size_t, e->size, BUF_MIN), GFP_KERNEL);
	if (!c->buf)
		return -ENOMEM;
	ret = copy_from_user(c->buf, user_ptr(c), e->size) ? -EFAULT : e->fn(c);
	kfree(c->buf);
	return ret;
}

static bool has_vm(struct hsm_file *f)
{
	return rcu_access_pointer(f->vm);
}

long hsm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct call c = { .f = file->private_data, .arg = arg };
	const struct entry *e;
	long ret = -EINVAL;

	/* one of these a request: past the table */
	if (cmd == ACRN_IOCTL_IOREQ_NEXT)
		return hsm_ioreq_next(file->private_data, arg);
	e = lookup(cmd);
	if (!e)
		return -ENOTTY;
	c.hypercall = e->hypercall;
	if (e->lock == LOCK_NONE) {
		if (!has_vm(c.f) && cmd != ACRN_IOCTL_GET_INFO)
			return -EINVAL;
		return copy_in_and_run(e, &c);
	}
	if (mutex_lock_interruptible(&c.f->lock))
		return -EINTR;
	c.vm = rcu_dereference_protected(c.f->vm, lockdep_is_held(&c.f->lock));
	if (c.vm || e->lock == LOCK_ANY)
		ret = copy_in_and_run(e, &c);
	mutex_unlock(&c.f->lock);
	return ret;
}
