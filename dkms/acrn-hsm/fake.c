// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pretended hypervisor, linked in place of hypercall.c when the module is built for tests
 * (ACRN_HSM_FAKE=1) and in no other build. It keeps the state of each VM, its memory map and its
 * request page as the real one does, raises the real interrupt, and is driven by commands written to
 * /sys/kernel/debug/acrn_hsm_fake/command; `log`, `memory` and `slots` beside it show what happened.
 *
 *   request VMID VCPU TYPE DIRECTION ADDRESS SIZE VALUE   a guest's access, then the upcall
 *   polling VMID VCPU 0|1      its accesses poll for completion
 *   repeat VMID VCPU 0|1       whoever answers it and waits in the hypervisor gets the same again
 *   ring VMID COOKIE           a doorbell, then the upcall
 *   event VMID TYPE            a VM event, then the upcall
 *   upcall                     only the interrupt
 *   fail ID ERRNO COUNT SKIP   after SKIP calls of this number (low byte), COUNT fail with that errno
 *   extensions BITS            as CPUID tells them
 *   clear                      empties the log
 */
#define pr_fmt(fmt) "acrn_hsm: " fmt

#include <asm/apic.h>

#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include <acrn/dev.h>
#include <acrn/sbuf.h>

#include "hsm.h"

#define VMS_MAX 8
#define LOG_MAX 8192
#define FAKE_TSC_KHZ 2500000

static char *backend = "";
module_param(backend, charp, 0444);
MODULE_PARM_DESC(backend, "fake: pretend that there is a hypervisor (this build has no other)");

struct fake_slot {
	bool polling;
	bool repeat;
	unsigned int done; /* requests completed so far */
	u64 value;	   /* of the last one */
	u32 type;
	u32 reg; /* if it had become a PCI request */
};

struct fake_vm {
	u32 state; /* ACRN_VM_* */
	u16 vcpu_num;
	struct acrn_ioreq_page *page;
	struct acrn_sbuf *asyncio;
	struct acrn_sbuf *events;
	struct fake_slot slot[ACRN_IOREQ_SLOTS];
	struct xarray memory; /* guest page number -> value entry: physical page number */
};

struct record {
	u32 id;
	u64 a, b;
	u64 detail[2];
	long ret;
};

static struct {
	spinlock_t lock;
	struct fake_vm vm[VMS_MAX]; /* VM n is [n - 1] */
	unsigned int vector;
	struct {
		u32 id;
		int error;
		unsigned int count, skip;
	} fail;
	struct record *log;
	unsigned int logged;
	struct dentry *root;
} fake;

static struct fake_vm *vm_of(u64 vmid)
{
	struct fake_vm *vm = vmid >= 1 && vmid <= VMS_MAX ? &fake.vm[vmid - 1] : NULL;

	return vm && vm->state != ACRN_VM_POWERED_OFF ? vm : NULL;
}

static void upcall(void)
{
	apic->send_IPI(0, fake.vector);
}

/* The handlers. Each gets the call as recorded and may add details to it. fake.lock is held. */

static long fake_vector(struct record *r)
{
	if (r->a < ACRN_CALLBACK_VECTOR_MIN || r->a > ACRN_CALLBACK_VECTOR_MAX)
		return -EINVAL;
	fake.vector = r->a;
	return 0;
}

static long fake_create(struct record *r)
{
	struct acrn_vm_creation *c = phys_to_virt(r->a);
	unsigned int i;

	c->vmid = ACRN_VMID_INVALID;
	for (i = 0; i < VMS_MAX && fake.vm[i].state != ACRN_VM_POWERED_OFF; i++)
		;
	if (i == VMS_MAX)
		return 0;
	fake.vm[i].state = ACRN_VM_CREATED;
	fake.vm[i].vcpu_num = c->cpu_affinity ? hweight64(c->cpu_affinity) : 1;
	fake.vm[i].page = NULL;
	fake.vm[i].asyncio = NULL;
	fake.vm[i].events = NULL;
	memset(fake.vm[i].slot, 0, sizeof(fake.vm[i].slot));
	c->vmid = i + 1;
	c->vcpu_num = fake.vm[i].vcpu_num;
	r->detail[0] = c->vmid;
	r->detail[1] = c->vcpu_num;
	return 0;
}

static long fake_destroy(struct record *r)
{
	struct fake_vm *vm = vm_of(r->a);

	if (vm->state != ACRN_VM_PAUSED)
		return -EPERM;
	vm->state = ACRN_VM_POWERED_OFF;
	xa_destroy(&vm->memory);
	return 0;
}

static void free_slots(struct fake_vm *vm)
{
	unsigned int i;

	for (i = 0; vm->page && i < ACRN_IOREQ_SLOTS; i++)
		vm->page->slot[i].state = ACRN_IOREQ_FREE;
}

static long fake_life(struct record *r)
{
	struct fake_vm *vm = vm_of(r->a);

	switch (r->id) {
	case ACRN_HC_START_VM:
		if (vm->state != ACRN_VM_CREATED || !vm->page)
			return -EPERM;
		vm->state = ACRN_VM_RUNNING;
		return 0;
	case ACRN_HC_PAUSE_VM:
		vm->state = ACRN_VM_PAUSED;
		return 0;
	default: /* reset */
		if (vm->state != ACRN_VM_PAUSED)
			return -EPERM;
		vm->state = ACRN_VM_CREATED;
		free_slots(vm);
		return 0;
	}
}

static long fake_ioreq_buffer(struct record *r)
{
	struct fake_vm *vm = vm_of(r->a);

	if (vm->state != ACRN_VM_CREATED)
		return -EPERM;
	vm->page = phys_to_virt(*(u64 *)phys_to_virt(r->b));
	free_slots(vm);
	return 0;
}

static void consume(struct fake_vm *vm, unsigned int vcpu)
{
	struct acrn_ioreq *slot = &vm->page->slot[vcpu];
	struct fake_slot *s = &vm->slot[vcpu];

	if (smp_load_acquire(&slot->state) != ACRN_IOREQ_COMPLETE)
		return;
	s->done++;
	s->type = slot->type;
	s->value = slot->type == ACRN_IOREQ_MMIO ? slot->req.mmio.value : slot->req.pio.value;
	s->reg = slot->type == ACRN_IOREQ_PCICFG ? slot->req.pci.reg : 0;
	smp_store_release(&slot->state, ACRN_IOREQ_FREE);
}

static long fake_notify(struct record *r)
{
	struct fake_vm *vm = vm_of(r->a);

	bool wait = r->id == ACRN_HC_NOTIFY_AND_WAIT;

	if (wait && r->b == ACRN_WAIT_NO_VCPU)
		return 1;
	if (r->b >= vm->vcpu_num)
		return -EINVAL;
	consume(vm, r->b);
	if (!wait || !vm->slot[r->b].repeat)
		return wait;
	smp_store_release(&vm->page->slot[r->b].state, ACRN_IOREQ_PENDING);
	return 0;
}

static long fake_msi(struct record *r)
{
	const struct acrn_msi *msi = phys_to_virt(r->b);

	r->detail[0] = msi->addr;
	r->detail[1] = msi->data;
	return 0;
}

static long fake_sbuf(struct record *r)
{
	const struct acrn_sbuf_param *p = phys_to_virt(r->b);
	struct fake_vm *vm = vm_of(r->a);

	r->detail[0] = p->sbuf_id;
	if (p->sbuf_id == ACRN_SBUF_ASYNCIO)
		vm->asyncio = phys_to_virt(p->gpa);
	else if (p->sbuf_id == ACRN_SBUF_VM_EVENT)
		vm->events = phys_to_virt(p->gpa);
	else
		return -EINVAL;
	return 0;
}

static long fake_asyncio(struct record *r)
{
	const struct acrn_asyncio_info *info = phys_to_virt(r->b);

	r->detail[0] = info->cookie;
	r->detail[1] = info->addr;
	return 0;
}

static long fake_pm(struct record *r)
{
	struct fake_vm *vm = vm_of(ACRN_PM_VMID(r->a));

	if (!vm || vm->state == ACRN_VM_RUNNING)
		return -EPERM;
	if (ACRN_PM_TYPE(r->a) & 1)
		memset(phys_to_virt(r->b), 0x5A, 20); /* less than the reply: the rest must be 0 */
	else
		*(u8 *)phys_to_virt(r->b) = 3;
	return 0;
}

static long fake_ok(struct record *r)
{
	return 0;
}

static long fake_pcidev(struct record *r)
{
	const struct acrn_pcidev *dev = phys_to_virt(r->b);

	r->detail[0] = dev->phys_bdf;
	r->detail[1] = dev->type;
	return 0;
}

static long fake_region(struct fake_vm *vm, const struct acrn_mem_region *op)
{
	u64 first = op->gpa >> PAGE_SHIFT, num = op->size >> PAGE_SHIFT, i;
	bool add = op->type == ACRN_MEM_REGION_ADD;

	if (!op->size || !PAGE_ALIGNED(op->size | op->gpa))
		return -EINVAL;
	if (op->type == ACRN_MEM_REGION_FETCH)
		return 0;
	for (i = 0; i < num; i++)
		if (!xa_load(&vm->memory, first + i) != add)
			return -EINVAL;
	for (i = 0; i < num; i++) {
		void *entry = add ? xa_mk_value((op->service_vm_gpa >> PAGE_SHIFT) + i) : NULL;

		if (xa_err(xa_store(&vm->memory, first + i, entry, GFP_KERNEL)))
			return -ENOMEM;
	}
	return 0;
}

/* The one call that may sleep: comes without the lock. */
static long fake_regions(struct record *r)
{
	const struct acrn_set_regions *set = phys_to_virt(r->a);
	const struct acrn_mem_region *op = phys_to_virt(set->regions_gpa);
	struct fake_vm *vm = vm_of(set->vmid);
	long ret = 0;
	u32 i;

	r->detail[0] = set->vmid;
	r->detail[1] = set->mr_num;
	if (!vm || offset_in_page(op) + set->mr_num * sizeof(*op) > PAGE_SIZE)
		return -EINVAL;
	for (i = 0; i < set->mr_num && !ret; i++)
		ret = fake_region(vm, &op[i]);
	return ret;
}

#define ANY_VM 1 /* the first argument is no VM */

static const struct {
	u32 id;
	int flags;
	long (*fn)(struct record *r);
} calls[] = {
	{ ACRN_HC_NOTIFY_REQUEST_FINISH, 0, fake_notify },
	{ ACRN_HC_NOTIFY_AND_WAIT, 0, fake_notify },
	{ ACRN_HC_SET_CALLBACK_VECTOR, ANY_VM, fake_vector },
	{ ACRN_HC_OFFLINE_CPU, ANY_VM, fake_ok },
	{ ACRN_HC_CREATE_VM, ANY_VM, fake_create },
	{ ACRN_HC_DESTROY_VM, 0, fake_destroy },
	{ ACRN_HC_START_VM, 0, fake_life },
	{ ACRN_HC_PAUSE_VM, 0, fake_life },
	{ ACRN_HC_RESET_VM, 0, fake_life },
	{ ACRN_HC_SET_VCPU_REGS, 0, fake_ok },
	{ ACRN_HC_INJECT_MSI, 0, fake_msi },
	{ ACRN_HC_VM_INTR_MONITOR, 0, fake_ok },
	{ ACRN_HC_SET_IRQLINE, 0, fake_ok },
	{ ACRN_HC_SET_IOREQ_BUFFER, 0, fake_ioreq_buffer },
	{ ACRN_HC_SETUP_SBUF, 0, fake_sbuf },
	{ ACRN_HC_ASYNCIO_ASSIGN, 0, fake_asyncio },
	{ ACRN_HC_ASYNCIO_DEASSIGN, 0, fake_asyncio },
	{ ACRN_HC_SET_MEMORY_REGIONS, ANY_VM, fake_regions },
	{ ACRN_HC_SET_PTDEV_INTR, 0, fake_ok },
	{ ACRN_HC_RESET_PTDEV_INTR, 0, fake_ok },
	{ ACRN_HC_ASSIGN_PCIDEV, 0, fake_pcidev },
	{ ACRN_HC_DEASSIGN_PCIDEV, 0, fake_pcidev },
	{ ACRN_HC_ASSIGN_MMIODEV, 0, fake_ok },
	{ ACRN_HC_DEASSIGN_MMIODEV, 0, fake_ok },
	{ ACRN_HC_ADD_VDEV, 0, fake_ok },
	{ ACRN_HC_REMOVE_VDEV, 0, fake_ok },
	{ ACRN_HC_PM_GET_CPU_STATE, ANY_VM, fake_pm },
};

static bool shall_fail(u32 id)
{
	if ((fake.fail.id != (id & 0xFF)) || !fake.fail.count)
		return false;
	if (fake.fail.skip) {
		fake.fail.skip--;
		return false;
	}
	fake.fail.count--;
	return true;
}

static void add_record(const struct record *r)
{
	if (fake.logged < LOG_MAX)
		fake.log[fake.logged++] = *r;
}

static long run(struct record *r)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(calls) && calls[i].id != r->id; i++)
		;
	if (i == ARRAY_SIZE(calls))
		return -ENOTTY;
	if (!(calls[i].flags & ANY_VM) && !vm_of(r->a))
		return -ENOTTY;
	return calls[i].fn(r);
}

long hsm_hypercall(u32 id, u64 arg1, u64 arg2)
{
	struct record r = { .id = id, .a = arg1, .b = arg2 };
	bool may_sleep = id == ACRN_HC_SET_MEMORY_REGIONS, fails;
	unsigned long flags;

	spin_lock_irqsave(&fake.lock, flags);
	fails = shall_fail(id);
	r.ret = fails ? -fake.fail.error : 0;
	if (!fails && !may_sleep)
		r.ret = run(&r);
	if (!may_sleep)
		add_record(&r);
	spin_unlock_irqrestore(&fake.lock, flags);
	if (!may_sleep)
		return r.ret;
	if (!fails)
		r.ret = run(&r);
	spin_lock_irqsave(&fake.lock, flags);
	add_record(&r);
	spin_unlock_irqrestore(&fake.lock, flags);
	return r.ret;
}

/* Commands. */

static int cmd_request(struct fake_vm *vm, const u64 *arg)
{
	struct acrn_ioreq *slot;
	struct fake_slot *s;

	if (arg[1] >= vm->vcpu_num || !vm->page)
		return -EINVAL;
	slot = &vm->page->slot[arg[1]];
	s = &vm->slot[arg[1]];
	if (s->polling)
		consume(vm, arg[1]);
	if (smp_load_acquire(&slot->state) != ACRN_IOREQ_FREE)
		return -EBUSY;
	slot->type = arg[2];
	slot->completion_polling = s->polling;
	slot->req.mmio.direction = arg[3];
	slot->req.mmio.address = arg[4];
	slot->req.mmio.size = arg[5];
	slot->req.mmio.value = arg[6];
	smp_store_release(&slot->state, ACRN_IOREQ_PENDING);
	upcall();
	return 0;
}

static int push(struct acrn_sbuf *sb, u64 first)
{
	u64 *element;
	u32 tail;

	if (!sb)
		return -ENXIO;
	tail = sb->tail;
	if (tail >= sb->size || sb->size > PAGE_SIZE - sizeof(*sb))
		return -EINVAL;
	element = (void *)((u8 *)(sb + 1) + tail);
	*element = first;
	smp_store_release(&sb->tail, (tail + sb->ele_size) % sb->size);
	upcall();
	return 0;
}

static int vm_command(const char *name, const u64 *arg)
{
	struct fake_vm *vm = vm_of(arg[0]);

	if (!vm)
		return -ENXIO;
	if (!strcmp(name, "request"))
		return cmd_request(vm, arg);
	if (!strcmp(name, "ring"))
		return push(vm->asyncio, arg[1]);
	if (!strcmp(name, "event"))
		return push(vm->events, arg[1]);
	if (!strcmp(name, "polling") && arg[1] < ACRN_IOREQ_SLOTS) {
		vm->slot[arg[1]].polling = arg[2];
		return 0;
	}
	if (!strcmp(name, "repeat") && arg[1] < ACRN_IOREQ_SLOTS) {
		vm->slot[arg[1]].repeat = arg[2];
		return 0;
	}
	return -EINVAL;
}

static int command(const char *name, const u64 *arg)
{
	if (!strcmp(name, "upcall")) {
		upcall();
	} else if (!strcmp(name, "fail")) {
		fake.fail.id = arg[0];
		fake.fail.error = arg[1];
		fake.fail.count = arg[2];
		fake.fail.skip = arg[3];
	} else if (!strcmp(name, "extensions")) {
		hsm_hv.extensions = arg[0];
	} else if (!strcmp(name, "clear")) {
		fake.logged = 0;
	} else {
		return vm_command(name, arg);
	}
	return 0;
}

static ssize_t command_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char text[128] = "", name[16];
	u64 arg[7] = {};
	int ret;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	if (sscanf(text, "%15s %lli %lli %lli %lli %lli %lli %lli", name, &arg[0], &arg[1], &arg[2],
		   &arg[3], &arg[4], &arg[5], &arg[6]) < 1)
		return -EINVAL;
	spin_lock_irq(&fake.lock);
	ret = command(name, arg);
	spin_unlock_irq(&fake.lock);
	return ret ? ret : len;
}

static const struct file_operations command_fops = {
	.owner = THIS_MODULE,
	.write = command_write,
};

static int log_show(struct seq_file *s, void *unused)
{
	unsigned int i;

	for (i = 0; i < READ_ONCE(fake.logged); i++) {
		const struct record *r = &fake.log[i];

		seq_printf(s, "%02x %llx %llx %llx %llx %ld\n", r->id & 0xFF, r->a, r->b,
			   r->detail[0], r->detail[1], r->ret);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(log);

static int memory_show(struct seq_file *s, void *unused)
{
	unsigned long index;
	void *entry;
	int i;

	for (i = 0; i < VMS_MAX; i++)
		xa_for_each(&fake.vm[i].memory, index, entry)
			seq_printf(s, "%d %lx %lx\n", i + 1, index, xa_to_value(entry));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(memory);

static int slots_show(struct seq_file *s, void *unused)
{
	int i, v;

	for (i = 0; i < VMS_MAX; i++)
		for (v = 0; vm_of(i + 1) && v < fake.vm[i].vcpu_num && v < ACRN_IOREQ_SLOTS; v++)
			seq_printf(s, "%d %d done %u type %u value %llx reg %x\n", i + 1, v,
				   fake.vm[i].slot[v].done, fake.vm[i].slot[v].type,
				   fake.vm[i].slot[v].value, fake.vm[i].slot[v].reg);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(slots);

int hsm_hypervisor_probe(struct hsm_hypervisor *hv)
{
	int i;

	if (strcmp(backend, "fake"))
		return -ENODEV;
	fake.log = kvcalloc(LOG_MAX, sizeof(*fake.log), GFP_KERNEL);
	if (!fake.log)
		return -ENOMEM;
	spin_lock_init(&fake.lock);
	for (i = 0; i < VMS_MAX; i++)
		xa_init(&fake.vm[i].memory);
	fake.vector = ACRN_CALLBACK_VECTOR;
	hv->tsc_khz = FAKE_TSC_KHZ;
	strscpy(hv->version, "fake", sizeof(hv->version));
	hv->api = (struct acrn_api_version){ .major = ACRN_API_MAJOR, .minor = ACRN_API_MINOR };
	fake.root = debugfs_create_dir("acrn_hsm_fake", NULL);
	debugfs_create_file("command", 0200, fake.root, NULL, &command_fops);
	debugfs_create_file("log", 0400, fake.root, NULL, &log_fops);
	debugfs_create_file("memory", 0400, fake.root, NULL, &memory_fops);
	debugfs_create_file("slots", 0400, fake.root, NULL, &slots_fops);
	pr_warn("a pretended hypervisor: for tests only\n");
	return 0;
}

void hsm_hypervisor_exit(void)
{
	int i;

	debugfs_remove(fake.root);
	for (i = 0; i < VMS_MAX; i++)
		xa_destroy(&fake.vm[i].memory);
	kvfree(fake.log);
}
