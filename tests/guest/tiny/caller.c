/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Service VM of nothing but hypercalls: each with what it must refuse, then the life of a User VM, all of it twice,
 * by VMMCALL and by VMCALL, which the kernel's in-tree driver issues on every CPU. A check is a line on COM2. It needs
 * two CPUs; the second one is the User VM's, in the end alone.
 */
#include <acrn/dev.h>
#include <acrn/hypercall.h>
#include <acrn/ioreq.h>
#include <acrn/sbuf.h>
#include <acrn/vm.h>

#include "lib/errno.h"
#include "tiny.h"

#define PAGE 4096u
#define SCRATCH 0x700000ul /* low memory that is nobody's: pages for parameters, requests, rings, the User VM */
#define PARAM (SCRATCH)
#define REQUESTS (SCRATCH + 1 * PAGE)
#define DOORBELLS (SCRATCH + 2 * PAGE)
#define EVENTS (SCRATCH + 3 * PAGE)
#define USER_RAM (SCRATCH + 16 * PAGE)
#define LOCAL_APIC 0xfee00000ul
#define NOWHERE 0x7ffffff000ul
#define BELL_PORT 0x2010u
#define BELL_COOKIE 0xc00c1e0000000042ul
#define USER_CODE 0x1000u
#define USER_COUNT 0x3000u
#define RESET_PORT 0xcf9u
#define POWER_PORT 0x404u
#define LINE_CONTROL 3
#define EIGHT_BITS 3
#define PATIENCE 200000000u

void guest_main(const uint8_t *params);

static const char *group;
static uint32_t failures, group_failures;
static uint8_t by_vmcall;
static uint16_t vm;
static uint64_t not_ours; /* an address in the middle of the hypervisor's memory */

static int64_t call(uint32_t nr, uint64_t p1, uint64_t p2)
{
	register uint64_t r8 asm("r8") = nr;
	int64_t ret;

	if (by_vmcall)
		asm volatile("vmcall" : "=a"(ret) : "r"(r8), "D"(p1), "S"(p2) : "memory");
	else
		asm volatile("vmmcall" : "=a"(ret) : "r"(r8), "D"(p1), "S"(p2) : "memory");
	return ret;
}

static void begin(const char *name)
{
	group = name;
	group_failures = 0;
}

static void end(void)
{
	put(COM2, group_failures ? "FAIL " : "PASS ");
	put(COM2, by_vmcall ? "vmcall-" : "vmmcall-");
	put(COM2, group);
	put(COM2, group_failures ? ": see above\n" : "\n");
	failures += group_failures;
}

static void say_signed(int64_t n)
{
	if (n < 0)
		put(COM2, "-");
	put_number(COM2, (uint32_t)(n < 0 ? -n : n), 10);
}

static void check(uint32_t line, int64_t got, int64_t wanted)
{
	if (got == wanted)
		return;
	group_failures++;
	put(COM2, "caller.c:");
	put_number(COM2, line, 10);
	put(COM2, ": got ");
	say_signed(got);
	put(COM2, ", wanted ");
	say_signed(wanted);
	put(COM2, "\n");
}

#define CHECK(got, wanted) check(__LINE__, (int64_t)(got), (int64_t)(wanted))

static void *clean(uint64_t at)
{
	for (uint64_t *p = (uint64_t *)at; p != (uint64_t *)(at + PAGE); p++)
		*(volatile uint64_t *)p = 0;
	return (void *)at;
}

/* --- what is refused ------------------------------------------------------------------------------------------- */

static void try_ids(void)
{
	struct acrn_api_version *version = clean(PARAM);

	begin("api-version");
	CHECK(call(ACRN_HC_GET_API_VERSION, PARAM, 0), 0);
	CHECK(version->major, ACRN_API_MAJOR);
	CHECK(version->minor, ACRN_API_MINOR);
	CHECK(call(ACRN_HC_GET_API_VERSION, NOWHERE, 0), -EFAULT);
	end();
	begin("unknown-ids-are-refused");
	CHECK(call(0x10, PARAM, 0), -ENOTTY); /* without the tag */
	CHECK(call(0x80000150, PARAM, 0), -ENOTTY);
	CHECK(call(ACRN_HC(0x70), PARAM, 0), -ENOTTY);
	CHECK(call(ACRN_HC(0xff), PARAM, 0), -ENOTTY);
	end();
	begin("callback-vectors-are-checked"); /* advisory 1.4 */
	CHECK(call(ACRN_HC_SET_CALLBACK_VECTOR, 0x1f, 0), -EINVAL);
	CHECK(call(ACRN_HC_SET_CALLBACK_VECTOR, 0x100, 0), -EINVAL);
	CHECK(call(ACRN_HC_SET_CALLBACK_VECTOR, 0x1000000f3, 0), -EINVAL);
	CHECK(call(ACRN_HC_SET_CALLBACK_VECTOR, ACRN_CALLBACK_VECTOR, 0), 0);
	end();
}

/* Every call that names a VM, with ids that are none and with the Service VM's own. */
static void try_targets(void)
{
	begin("vm-ids-are-checked");
	for (uint32_t nr = 0x11; nr <= 0x5a; nr++) {
		if (nr == 0x14 || nr == 0x42)
			continue;
		CHECK(call(ACRN_HC(nr), 0, PARAM), -ENOTTY);
		CHECK(call(ACRN_HC(nr), 1, PARAM), -ENOTTY);
		CHECK(call(ACRN_HC(nr), 17, PARAM), -ENOTTY);
		CHECK(call(ACRN_HC(nr), 0xffff, PARAM), -ENOTTY);
	}
	CHECK(call(ACRN_HC_NOTIFY_AND_WAIT, 17, ACRN_WAIT_NO_VCPU), -ENOTTY);
	end();
}

static int64_t create(const char *name, uint64_t flags, uint64_t cpus)
{
	struct acrn_vm_creation *c = clean(PARAM);
	int64_t ret;

	for (uint32_t i = 0; name[i] && i < ACRN_VM_NAME_LEN; i++)
		c->name[i] = (uint8_t)name[i];
	c->flags = flags;
	c->cpu_affinity = cpus;
	ret = call(ACRN_HC_CREATE_VM, PARAM, 0);
	if (ret == 0)
		vm = c->vmid;
	return ret;
}

static void try_creations(void)
{
	begin("creations-are-checked");
	CHECK(call(ACRN_HC_CREATE_VM, NOWHERE, 0), -EFAULT);
	CHECK(create("", 0, 2), -EINVAL);
	CHECK(create("sixteen letters!", 0, 2), -EINVAL);
	CHECK(create("none", 0, 1ul << 40), -EINVAL);
	CHECK(create("apic", ACRN_VM_FLAG_RT | ACRN_VM_FLAG_LAPIC_PASSTHROUGH, 2), -EINVAL);
	CHECK(create("secure", ACRN_VM_FLAG_SECURE_WORLD, 2), -EINVAL);
	CHECK(create("anywhere", ACRN_VM_FLAG_RT, 0), -EINVAL);
	CHECK(create("boot", ACRN_VM_FLAG_RT, 1), -EBUSY);
	CHECK(call(ACRN_HC_OFFLINE_CPU, 0, 0), -EPERM);
	CHECK(call(ACRN_HC_OFFLINE_CPU, 99, 0), 0);
	end();
}

/* --- a VM that has been created and not started ---------------------------------------------------------------- */

static void try_states(void)
{
	begin("states-are-checked"); /* advisory 1.6 */
	CHECK(create("user", 0, 2), 0);
	CHECK(((struct acrn_vm_creation *)PARAM)->vcpu_num, 1);
	CHECK(vm, 1);
	CHECK(create("user", 0, 2), -EEXIST);
	CHECK(call(ACRN_HC_START_VM, vm, 0), -EPERM); /* no request page */
	CHECK(call(ACRN_HC_DESTROY_VM, vm, 0), -EPERM);
	CHECK(call(ACRN_HC_RESET_VM, vm, 0), -EPERM);
	CHECK(call(ACRN_HC_NOTIFY_REQUEST_FINISH, vm, 1), -EINVAL); /* never created */
	CHECK(call(ACRN_HC_NOTIFY_AND_WAIT, vm, ACRN_WAIT_NO_VCPU), -EPERM);
	end();
}

static void set_user_registers(uint16_t vcpu, uint64_t cr0, int64_t wanted)
{
	struct acrn_vcpu_regs *r = clean(PARAM);

	r->vcpu_id = vcpu;
	r->regs.rip = USER_CODE;
	r->regs.cr0 = cr0;
	r->regs.cs_limit = 0xffff;
	r->regs.cs_ar = 0x9b;
	CHECK(call(ACRN_HC_SET_VCPU_REGS, vm, PARAM), wanted);
}

static void try_registers_and_lines(void)
{
	struct acrn_msi *msi;

	begin("registers-are-checked");
	set_user_registers(16, 0x10, -EPERM);
	set_user_registers(0, 1ul << 40, -EPERM);
	set_user_registers(0, 0x10, 0);
	CHECK(call(ACRN_HC_SET_VCPU_REGS, vm, not_ours), -EFAULT);
	end();
	begin("interrupts-are-checked");
	CHECK(call(ACRN_HC_SET_IRQLINE, vm, ACRN_IRQLINE(1000, ACRN_IRQLINE_SET_HIGH)), -EPERM);
	CHECK(call(ACRN_HC_SET_IRQLINE, vm, ACRN_IRQLINE(5, 9)), -EINVAL);
	CHECK(call(ACRN_HC_SET_IRQLINE, vm, ACRN_IRQLINE(5, ACRN_IRQLINE_RISING_PULSE)), 0);
	msi = clean(PARAM);
	msi->addr = 0x12345678;
	CHECK(call(ACRN_HC_INJECT_MSI, vm, PARAM) < 0, 1);
	CHECK(call(ACRN_HC_INJECT_MSI, vm, NOWHERE), -EFAULT);
	end();
}

/* What is no device to be given, with an IOMMU and without: advisory 1.6.1, CVE-2020-15687. */
static void try_devices(void)
{
	static const uint16_t none[] = { 0, 0xFFFF, 0x00F8 }; /* the host bridge, nothing, the ISA bridge */
	struct acrn_mmiodev *mmio;

	begin("devices-are-refused");
	for (uint32_t nr = 0x53; nr <= 0x58; nr++)
		CHECK(call(ACRN_HC(nr), vm, NOWHERE), -EFAULT);
	CHECK(call(ACRN_HC_ADD_VDEV, vm, PARAM), -ENODEV);
	CHECK(call(ACRN_HC_REMOVE_VDEV, vm, PARAM), -ENODEV);
	for (unsigned int i = 0; i < 3; i++) {
		((struct acrn_pcidev *)clean(PARAM))->phys_bdf = none[i];
		CHECK(call(ACRN_HC_ASSIGN_PCIDEV, vm, PARAM), -ENODEV);
		CHECK(call(ACRN_HC_DEASSIGN_PCIDEV, vm, PARAM), -ENODEV);
		CHECK(call(ACRN_HC_SET_PTDEV_INTR, vm, PARAM), -ENODEV);
		CHECK(call(ACRN_HC_RESET_PTDEV_INTR, vm, PARAM), -ENODEV);
	}
	for (unsigned int i = 0; i < 104; i++)
		((uint8_t *)PARAM)[i] = 0xFF;
	for (uint32_t nr = 0x53; nr <= 0x58; nr++)
		CHECK(call(ACRN_HC(nr), vm, PARAM) < 0, 1);
	mmio = clean(PARAM); /* its own memory is no device */
	mmio->res[0] = (struct acrn_mmiores){ 0x10000000, PARAM, PAGE, 0 };
	CHECK(call(ACRN_HC_ASSIGN_MMIODEV, vm, PARAM), -ENODEV);
	CHECK(call(ACRN_HC_DEASSIGN_MMIODEV, vm, PARAM) < 0, 1);
	end();
}

static int64_t region(uint32_t type, uint64_t gpa, uint64_t service_gpa, uint64_t size)
{
	struct acrn_set_regions *set = clean(PARAM);
	struct acrn_mem_region *r = (struct acrn_mem_region *)(set + 1);

	set->vmid = vm;
	set->mr_num = 1;
	set->regions_gpa = (uint64_t)r;
	*r = (struct acrn_mem_region){ type, ACRN_MEM_ACCESS_MASK | ACRN_MEM_TYPE_WB, gpa, service_gpa, size };
	return call(ACRN_HC_SET_MEMORY_REGIONS, PARAM, 0);
}

static int64_t translate(uint64_t gpa)
{
	struct acrn_gpa_to_hpa *t = clean(PARAM);

	t->gpa = gpa;
	return call(ACRN_HC_GPA_TO_HPA, vm, PARAM) == 0 ? (int64_t)t->hpa : -1;
}

static int64_t protect(uint64_t gpa, uint8_t set)
{
	struct acrn_wp_data *wp = clean(PARAM);

	wp->gpa = gpa;
	wp->set = set;
	return call(ACRN_HC_WRITE_PROTECT_PAGE, vm, PARAM);
}

static void try_memory(void)
{
	struct acrn_set_regions *set;

	begin("memory-is-checked");
	CHECK(region(ACRN_MEM_REGION_ADD, 0, USER_RAM, 100), -EINVAL);
	CHECK(region(ACRN_MEM_REGION_ADD, 7, USER_RAM, PAGE), -EINVAL);
	CHECK(region(ACRN_MEM_REGION_ADD, 1ul << 60, USER_RAM, PAGE), -EINVAL);
	CHECK(region(ACRN_MEM_REGION_ADD, 0, NOWHERE, PAGE), -EINVAL);
	CHECK(region(ACRN_MEM_REGION_ADD, 0, not_ours, PAGE), -EINVAL);
	CHECK(region(ACRN_MEM_REGION_ADD, 0, LOCAL_APIC, PAGE), -EINVAL);
	CHECK(region(9, 0, USER_RAM, PAGE), -EINVAL);
	set = clean(PARAM);
	set->vmid = vm;
	set->mr_num = 129;
	set->regions_gpa = PARAM;
	CHECK(call(ACRN_HC_SET_MEMORY_REGIONS, PARAM, 0), -EINVAL);
	CHECK(translate(0), -1);
	CHECK(protect(0, 1), -EINVAL); /* advisory 1.6 */
	CHECK(protect(NOWHERE, 1), -EINVAL);
	end();
	begin("memory-comes-and-goes");
	CHECK(region(ACRN_MEM_REGION_ADD, 0, USER_RAM, 16 * PAGE), 0);
	CHECK(translate(0x3000), USER_RAM + 0x3000);
	CHECK(region(ACRN_MEM_REGION_DEL, 0x3000, 0, PAGE), 0);
	CHECK(translate(0x3000), -1);
	CHECK(region(ACRN_MEM_REGION_ADD, 0x3000, USER_RAM + 0x3000, PAGE), 0);
	CHECK(protect(0x3000, 1), 0);
	CHECK(protect(0x3000, 0), 0);
	CHECK(protect(0x3000, 2), -EINVAL);
	end();
}

/* --- request page and rings ------------------------------------------------------------------------------------ */

static int64_t set_page(uint64_t gpa)
{
	*(uint64_t *)clean(PARAM) = gpa;
	return call(ACRN_HC_SET_IOREQ_BUFFER, vm, PARAM);
}

static void make_ring(uint64_t at, uint32_t ele_size, uint32_t ele_num)
{
	struct acrn_sbuf *ring = clean(at);

	ring->magic = ACRN_SBUF_MAGIC;
	ring->ele_num = ele_num;
	ring->ele_size = ele_size;
	ring->size = ele_num * ele_size;
}

static int64_t set_ring(uint32_t id, uint64_t gpa)
{
	struct acrn_sbuf_param *p = clean(PARAM);

	p->cpu_id = ACRN_SBUF_NO_CPU;
	p->sbuf_id = id;
	p->gpa = gpa;
	return call(ACRN_HC_SETUP_SBUF, vm, PARAM);
}

static void try_pages(void)
{
	begin("request-page-is-checked");
	CHECK(set_page(REQUESTS + 8), -EINVAL);
	CHECK(set_page(LOCAL_APIC), -EINVAL);
	CHECK(set_page(NOWHERE), -EINVAL);
	CHECK(set_page(not_ours), -EINVAL);
	clean(REQUESTS);
	CHECK(set_page(REQUESTS), 0);
	for (uint32_t i = 0; i < ACRN_IOREQ_SLOTS; i++)
		CHECK(((struct acrn_ioreq_page *)REQUESTS)->slot[i].state, ACRN_IOREQ_FREE);
	end();
	begin("rings-are-checked");
	make_ring(DOORBELLS, 8, 2);
	CHECK(set_ring(99, DOORBELLS), -EINVAL);
	CHECK(set_ring(ACRN_SBUF_TRACE, DOORBELLS), -ENODEV);
	CHECK(set_ring(ACRN_SBUF_ASYNCIO, DOORBELLS + 8), -EINVAL);
	CHECK(set_ring(ACRN_SBUF_ASYNCIO, LOCAL_APIC), -EINVAL);
	CHECK(set_ring(ACRN_SBUF_ASYNCIO, not_ours), -EINVAL);
	CHECK(set_ring(ACRN_SBUF_ASYNCIO, NOWHERE), -EINVAL);
	CHECK(set_ring(ACRN_SBUF_VM_EVENT, DOORBELLS), -EINVAL); /* of other elements */
	((struct acrn_sbuf *)DOORBELLS)->ele_num = 0x20000002;
	CHECK(set_ring(ACRN_SBUF_ASYNCIO, DOORBELLS), -EINVAL);
	make_ring(DOORBELLS, 8, 2);
	CHECK(set_ring(ACRN_SBUF_ASYNCIO, DOORBELLS), 0);
	make_ring(EVENTS, sizeof(struct acrn_vm_event), 4);
	CHECK(set_ring(ACRN_SBUF_VM_EVENT, EVENTS), 0);
	end();
}

static int64_t bell(uint32_t nr, uint32_t type, uint64_t addr)
{
	struct acrn_asyncio_info *info = clean(PARAM);

	*info = (struct acrn_asyncio_info){ type, 1, addr, BELL_COOKIE, 3 };
	return call(nr, vm, PARAM);
}

static void try_doorbells(void)
{
	uint32_t i;

	begin("doorbells-are-checked");
	CHECK(bell(ACRN_HC_ASYNCIO_ASSIGN, 3, BELL_PORT), -EINVAL);
	CHECK(bell(ACRN_HC_ASYNCIO_ASSIGN, ACRN_ASYNCIO_PIO, 0), -EINVAL);
	CHECK(bell(ACRN_HC_ASYNCIO_ASSIGN, ACRN_ASYNCIO_PIO, 0x10000), -EINVAL);
	CHECK(bell(ACRN_HC_ASYNCIO_DEASSIGN, ACRN_ASYNCIO_PIO, BELL_PORT), -ENOENT);
	for (i = 0; i < ACRN_ASYNCIO_MAX; i++)
		CHECK(bell(ACRN_HC_ASYNCIO_ASSIGN, ACRN_ASYNCIO_MMIO, 0x80000000u + 4 * i), 0);
	CHECK(bell(ACRN_HC_ASYNCIO_ASSIGN, ACRN_ASYNCIO_PIO, BELL_PORT), -ENOSPC);
	for (i = 0; i < ACRN_ASYNCIO_MAX; i++)
		CHECK(bell(ACRN_HC_ASYNCIO_DEASSIGN, ACRN_ASYNCIO_MMIO, 0x80000000u + 4 * i), 0);
	CHECK(bell(ACRN_HC_ASYNCIO_ASSIGN, ACRN_ASYNCIO_PIO, BELL_PORT), 0);
	CHECK(bell(ACRN_HC_ASYNCIO_ASSIGN, ACRN_ASYNCIO_PIO, BELL_PORT), -EEXIST);
	end();
}

/* --- and it runs ------------------------------------------------------------------------------------------------ */

/* Real mode: rings the doorbell twice, then shuts down for want of an interrupt table. */
static void write_user_code(void)
{
	static const uint8_t code[] = {
		0xba, 0x10, 0x20,	      /* mov $0x2010, %dx */
		0xb8, 0x03, 0x00,	      /* mov $3, %ax */
		0xef, 0xef,		      /* out %ax, (%dx), twice */
		0x0f, 0x01, 0x1e, 0x00, 0x20, /* lidt 0x2000, which is empty */
		0xcc,			      /* int3 */
	};

	for (uint32_t page = 0; page < 16; page++)
		clean(USER_RAM + page * PAGE);
	for (uint32_t i = 0; i < sizeof(code); i++)
		((volatile uint8_t *)USER_RAM + USER_CODE)[i] = code[i];
}

static int becomes(const volatile uint32_t *word, uint32_t value)
{
	for (uint32_t i = 0; i < PATIENCE && *word != value; i++)
		asm volatile("pause");
	return *word == value;
}

static void answer(struct acrn_ioreq *slot)
{
	__atomic_store_n(&slot->state, ACRN_IOREQ_COMPLETE, __ATOMIC_RELEASE);
	CHECK(call(ACRN_HC_NOTIFY_REQUEST_FINISH, vm, 0), 0);
}

/* Long mode and paging without PAE. */
static void try_bad_state(struct acrn_ioreq *slot)
{
	struct acrn_vcpu_regs *r = clean(PARAM);

	begin("a-state-that-no-cpu-enters-stops-the-vm");
	r->regs.cr0 = 0x80000011;
	r->regs.efer = 0x100;
	r->regs.cs_ar = 0xa09b;
	r->regs.cs_limit = 0xffffffff;
	CHECK(call(ACRN_HC_SET_VCPU_REGS, vm, PARAM), 0);
	CHECK(call(ACRN_HC_START_VM, vm, 0), 0);
	CHECK(becomes(&slot->state, ACRN_IOREQ_PENDING), 1);
	CHECK(slot->req.pio.address, POWER_PORT);
	CHECK(call(ACRN_HC_PAUSE_VM, vm, 0), 0);
	CHECK(call(ACRN_HC_RESET_VM, vm, 0), 0);
	end();
}

/* In real mode the guest counts for ever, on the other CPU. When its page is taken, not one comes after the call. */
static void try_taking(struct acrn_ioreq *slot)
{
	static const uint8_t code[] = { 0xff, 0x06, 0x00, 0x30, 0xeb, 0xfa }; /* incw 0x3000; jmp back to it */
	volatile uint16_t *count = (volatile uint16_t *)(USER_RAM + USER_COUNT);

	begin("memory-that-was-taken-is-out-of-reach-at-once");
	for (uint32_t i = 0; i < sizeof(code); i++)
		((volatile uint8_t *)USER_RAM + USER_CODE)[i] = code[i];
	for (uint32_t round = 0; round < 20 && group_failures == 0; round++) {
		uint16_t seen = *count;

		set_user_registers(0, 0x10, 0);
		CHECK(call(ACRN_HC_START_VM, vm, 0), 0);
		for (uint32_t i = 0; i < PATIENCE && *count == seen; i++)
			asm volatile("pause");
		CHECK(*count != seen, 1);
		CHECK(region(ACRN_MEM_REGION_DEL, USER_COUNT, 0, PAGE), 0);
		seen = *count;
		CHECK(becomes(&slot->state, ACRN_IOREQ_PENDING), 1);
		CHECK(slot->req.mmio.address, USER_COUNT);
		CHECK(*count, seen);
		CHECK(call(ACRN_HC_PAUSE_VM, vm, 0), 0);
		CHECK(call(ACRN_HC_RESET_VM, vm, 0), 0);
		CHECK(region(ACRN_MEM_REGION_ADD, USER_COUNT, USER_RAM + USER_COUNT, PAGE), 0);
	}
	end();
}

static void run_user(void)
{
	struct acrn_ioreq *slot = &((struct acrn_ioreq_page *)REQUESTS)->slot[0];
	struct acrn_sbuf *bells = (struct acrn_sbuf *)DOORBELLS, *events = (struct acrn_sbuf *)EVENTS;

	begin("doorbell-rings-without-a-wait-and-a-full-ring-is-a-request");
	write_user_code();
	CHECK(call(ACRN_HC_START_VM, vm, 0), 0);
	CHECK(becomes(&slot->state, ACRN_IOREQ_PENDING), 1); /* the ring holds one: this is the second */
	CHECK(bells->tail, 8);
	CHECK(*(uint64_t *)(bells + 1) == BELL_COOKIE, 1);
	CHECK(slot->type, ACRN_IOREQ_PORTIO);
	CHECK(slot->req.pio.address, BELL_PORT);
	CHECK(slot->req.pio.value, 3);
	end();
	begin("triple-fault-is-an-event-and-a-request");
	answer(slot);
	CHECK(becomes(&events->tail, sizeof(struct acrn_vm_event)), 1);
	CHECK(((struct acrn_vm_event *)(events + 1))->type, ACRN_VM_EVENT_TRIPLE_FAULT);
	CHECK(becomes(&slot->state, ACRN_IOREQ_PENDING), 1);
	CHECK(slot->req.pio.address, RESET_PORT);
	end();
	begin("vm-ends");
	CHECK(call(ACRN_HC_DESTROY_VM, vm, 0), -EPERM);
	CHECK(call(ACRN_HC_PAUSE_VM, vm, 0), 0);
	CHECK(call(ACRN_HC_PAUSE_VM, vm, 0), 0);
	CHECK(call(ACRN_HC_START_VM, vm, 0), -EPERM);
	CHECK(call(ACRN_HC_RESET_VM, vm, 0), 0);
	CHECK(slot->state, ACRN_IOREQ_FREE);
	end();
	try_bad_state(slot);
	try_taking(slot);
	begin("vm-goes");
	CHECK(call(ACRN_HC_PAUSE_VM, vm, 0), 0);
	CHECK(call(ACRN_HC_DESTROY_VM, vm, 0), 0);
	CHECK(call(ACRN_HC_DESTROY_VM, vm, 0), -ENOTTY);
	end();
}

/* A CPU that was given up is a real-time VM's alone. Once only: there is no way back. */
static void try_own_cpu(void)
{
	uint16_t first;

	begin("a-cpu-of-its-own");
	CHECK(create("early", ACRN_VM_FLAG_RT, 2), -EBUSY);
	CHECK(call(ACRN_HC_OFFLINE_CPU, 1, 0), 0);
	CHECK(call(ACRN_HC_OFFLINE_CPU, 1, 0), 0);
	CHECK(create("shared", 0, 2), 0);
	CHECK(create("early", ACRN_VM_FLAG_RT, 2), -EBUSY);
	CHECK(call(ACRN_HC_PAUSE_VM, vm, 0), 0);
	CHECK(call(ACRN_HC_DESTROY_VM, vm, 0), 0);
	CHECK(create("own", ACRN_VM_FLAG_RT | ACRN_VM_FLAG_IO_POLLING, 2), 0);
	first = vm;
	CHECK(create("guest", 0, 3), -EBUSY);
	CHECK(create("second", ACRN_VM_FLAG_RT, 2), -EBUSY);
	CHECK(create("beside", 0, 0), 0); /* on what is left to share */
	CHECK(((struct acrn_vm_creation *)PARAM)->vcpu_num, 1);
	CHECK(call(ACRN_HC_PAUSE_VM, first, 0), 0);
	CHECK(call(ACRN_HC_DESTROY_VM, first, 0), 0);
	CHECK(create("guest", 0, 3), 0);
	end();
}

/* The largest range below 2 GiB that the memory map calls reserved: the hypervisor's pool. */
static void find_not_ours(const uint8_t *params)
{
	const struct __attribute__((packed)) entry {
		uint64_t base, size;
		uint32_t type;
	} *e = (const struct entry *)(params + 0x2d0);
	uint64_t largest = 0;

	for (uint32_t i = 0; i < params[0x1e8]; i++) {
		if (e[i].type != 2 || e[i].base < 0x100000 || e[i].base >= 0x80000000 || e[i].size < largest)
			continue;
		largest = e[i].size;
		not_ours = (e[i].base + e[i].size / 2) & ~(PAGE - 1ul);
	}
	begin("the-hypervisors-memory-is-no-parameter");
	CHECK(largest >= 0x800000, 1);
	CHECK(call(ACRN_HC_GET_API_VERSION, not_ours, 0), -EFAULT);
	end();
}

void guest_main(const uint8_t *params)
{
	outb(COM2 + LINE_CONTROL, EIGHT_BITS);
	for (by_vmcall = 0; by_vmcall < 2; by_vmcall++) {
		find_not_ours(params);
		try_ids();
		try_targets();
		try_creations();
		try_states();
		try_memory();
		try_registers_and_lines();
		try_devices();
		try_pages();
		try_doorbells();
		run_user();
	}
	by_vmcall = 0;
	try_own_cpu();
	put(COM2, failures ? "TEST-EXIT 1\n" : "TEST-EXIT 0\n");
	for (;;)
		asm volatile("hlt");
}
