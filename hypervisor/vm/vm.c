/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of VMs and their states. VMs and their vCPUs are made and unmade under the VM's lock;
 * what a running vCPU needs of its VM does not change while it runs.
 */
#include "vm/vm.h"

#include "hw/paging.h"
#include "hw/smp_call.h"
#include "hw/tsc.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "sched/run_queue.h"
#include "vcpu/backend.h"
#include "vcpu/fpu.h"
#include "vm/ioreq.h"
#include "vm/msr_policy.h"
#include "vm/passthru.h"
#include "vm/vcpu_events.h"
#include "x86/cr.h"

#define GUEST_RAM_MAX 64U

static struct vm vms[VM_MAX];
static struct spinlock names_lock; /* of claiming a slot; below a VM's lock */

static struct {
	hpa_t base;
	uint64_t size;
} guest_ram[GUEST_RAM_MAX];
static unsigned int guest_ram_count;

struct vm *vm_service(void)
{
	return &vms[SERVICE_VM_ID];
}

struct vm *vm_get(uint16_t id)
{
	if (id >= VM_MAX || atomic_load(&vms[id].state) == ACRN_VM_POWERED_OFF)
		return NULL;
	return &vms[id];
}

/* Other CPUs may want something of this one before they let go of the lock. */
void vm_lock(struct vm *vm)
{
	uint32_t ticket = atomic_fetch_add(&vm->lock.next, 1U);

	while (atomic_load(&vm->lock.owner) != ticket)
		smp_call_poll();
}

void vm_unlock(struct vm *vm)
{
	spinlock_unlock(&vm->lock);
}

void vm_add_guest_ram(hpa_t base, uint64_t size)
{
	if (guest_ram_count == GUEST_RAM_MAX) {
		log_warn("vm: memory %lx-%lx is left unused: too many ranges", base, base + size);
		return;
	}
	guest_ram[guest_ram_count].base = base;
	guest_ram[guest_ram_count++].size = size;
}

bool vm_is_guest_ram(hpa_t hpa)
{
	for (unsigned int i = 0; i < guest_ram_count; i++)
		if (hpa - guest_ram[i].base < guest_ram[i].size)
			return true;
	return false;
}

bool vm_overlaps_guest_ram(hpa_t hpa, uint64_t size)
{
	for (unsigned int i = 0; i < guest_ram_count; i++)
		if (ranges_overlap(hpa, size, guest_ram[i].base, guest_ram[i].size))
			return true;
	return false;
}

void *vm_to_virt(hpa_t hpa)
{
	return vm_is_guest_ram(hpa) ? phys_to_virt(hpa) : NULL;
}

void vm_guest_copy(void *dst, const void *src, size_t size)
{
	guest_access_begin();
	memcpy(dst, src, size);
	guest_access_end();
}

/* Runs on each CPU of the VM, so none of its vCPUs is in the guest. */
static void flush_here(void *ctx)
{
	struct vm *vm = ctx;

	for (unsigned int i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i]->pcpu == cpu_id())
			vcpu_backend->flush_gpa(vm->vcpu[i]);
}

static void flush_space(struct gpa_space *space)
{
	struct vm *vm = container_of(container_of(space, struct vcpu_group, space), struct vm,
				     group);

	if (vm->state == ACRN_VM_RUNNING)
		smp_call(vm->pcpus, flush_here, vm);
}

static void vm_eoi(void *ctx, uint8_t vector)
{
	struct vm *vm = ctx;

	for (unsigned int i = 0; i < vm->ioapic_count; i++)
		vioapic_eoi(&vm->ioapic[i], vector);
}

static void pic_interrupt(void *ctx)
{
	struct vcpu *boot = ((struct vm *)ctx)->vcpu[0];

	vlapic_lint(&boot->vlapic, 0);
	vcpu_request(boot, VCPU_REQ_PIC);
}

static void vcpu_destroy(struct vcpu *vcpu)
{
	vcpu_backend->vcpu_free(vcpu);
	vcpu_xsave_put(vcpu->xsave_area);
	page_pool_free(&host_pool, vcpu);
}

static struct vcpu *vcpu_create(struct vm *vm, unsigned int pcpu)
{
	struct vcpu *vcpu = page_pool_alloc(&host_pool);

	_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "a vCPU is one page of the pool");
	if (vcpu == NULL)
		return NULL;
	vcpu->group = &vm->group;
	vcpu->owner = vm;
	vcpu->pcpu = (uint16_t)pcpu;
	vcpu->index = (uint16_t)vm->vcpu_count;
	vcpu->xsave_area = vcpu_xsave_get();
	if (vcpu->xsave_area == NULL)
		goto free_vcpu;
	if (vcpu_backend->vcpu_init(vcpu) != 0)
		goto free_xsave;
	if (vlapic_init(&vcpu->vlapic, &vm->apics, cpu_apic_id(pcpu), &vcpu_vlapic_ops, vcpu) != 0)
		goto free_arch;
	timer_init(&vcpu->timer, vcpu_timer_expired, vcpu);
	return vcpu;

free_arch:
	vcpu_backend->vcpu_free(vcpu);
free_xsave:
	vcpu_xsave_put(vcpu->xsave_area);
free_vcpu:
	page_pool_free(&host_pool, vcpu);
	return NULL;
}

/* Registers and vlapics as after power-on. The vCPUs are on no CPU. */
static void reset_vcpus(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		vcpu->requests = 0;
		vcpu->resume = NULL;
		vcpu->state = vcpu->frozen = VCPU_OFFLINE;
		vcpu->tsc_adjust = 0;
		vcpu->tsc_offset = 0;
		vcpu_reset(vcpu, true);
	}
}

static int create_vcpus(struct vm *vm, uint64_t pcpus)
{
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++) {
		struct vcpu *vcpu;

		if ((pcpus & BIT64(cpu)) == 0)
			continue;
		vcpu = vcpu_create(vm, cpu);
		if (vcpu == NULL)
			return -ENOMEM;
		vm->vcpu[vm->vcpu_count++] = vcpu;
	}
	return 0;
}

static void free_parts(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_count; i++)
		vcpu_destroy(vm->vcpu[i]);
	vm->vcpu_count = 0;
	vcpu_backend->group_free(&vm->group);
	gpa_space_destroy(&vm->group.space);
}

/* Takes a slot: VM ids other than the Service VM's are handed out in order. */
static int claim(const char *name, bool is_service, struct vm **out)
{
	struct vm *found = NULL;

	spinlock_lock(&names_lock);
	for (unsigned int i = is_service ? 0 : 1; i < (is_service ? 1 : VM_MAX); i++) {
		struct vm *vm = &vms[i];

		if (vm->state == ACRN_VM_POWERED_OFF && !vm->is_claimed) {
			if (found == NULL)
				found = vm;
		} else if (strncmp(vm->name, name, sizeof(vm->name)) == 0) {
			spinlock_unlock(&names_lock);
			return -EEXIST;
		}
	}
	if (found != NULL) {
		found->is_claimed = true;
		(void)str_copy(found->name, name, sizeof(found->name));
	}
	spinlock_unlock(&names_lock);
	*out = found;
	return found == NULL ? -ENOSPC : 0;
}

/* The APIC page is a different device for each CPU that looks. */
static enum io_result lapic_page(void *dev, struct io_access *io)
{
	struct sched_entity *e = this_cpu(sched).current;

	(void)dev;
	return vlapic_mmio(&container_of(e, struct vcpu, sched)->vlapic, io);
}

static void compose(struct vm *vm)
{
	vm->group.space.flush = flush_space;
	vm->group.space.to_virt = vm_to_virt;
	vm->group.space.copy = vm_guest_copy;
	msr_policy_apply(&vm->group);
	io_bus_init(&vm->io);
	(void)io_bus_add_mmio(&vm->io, VLAPIC_DEFAULT_BASE, PAGE_SIZE, lapic_page, vm);
	apic_bus_init(&vm->apics, vm_eoi, vm);
	vpic_init(&vm->pic, pic_interrupt, vm);
	vm->ioapic_count = 0;
	vm->has_protected_pages = false;
	memset(vm->lent, 0, sizeof(vm->lent));
	vm->ioreq_hpa = 0;
	rings_init(&vm->rings);
	vm->waiter = NULL;
	vm->group.wants_vmcall = vm->may_hypercall;
}

static int build(struct vm *vm, uint64_t pcpus)
{
	int err = gpa_space_init(&vm->group.space, vcpu_backend->format(), &host_pool);

	if (err != 0)
		return err;
	vm->group.space.pt.max_leaf = vcpu_backend->max_leaf();
	err = vcpu_backend->group_init(&vm->group);
	if (err != 0) {
		gpa_space_destroy(&vm->group.space);
		return err;
	}
	compose(vm);
	vm->vcpu_count = 0;
	err = create_vcpus(vm, pcpus);
	if (err != 0) {
		free_parts(vm);
		return err;
	}
	reset_vcpus(vm);
	return 0;
}

static void release_cpus(uint64_t pcpus)
{
	for (; pcpus != 0; pcpus &= pcpus - 1)
		sched_release(&per_cpu(sched, bits_lowest(pcpus)));
}

/* All of them or none. */
static int claim_cpus(uint64_t pcpus, bool is_exclusive)
{
	for (uint64_t rest = pcpus; rest != 0; rest &= rest - 1) {
		unsigned int cpu = bits_lowest(rest);

		if (sched_claim(&per_cpu(sched, cpu), is_exclusive) == 0)
			continue;
		log_warn("vm: CPU %u is %s", cpu,
			 is_exclusive ? "in use: a VM that wants it alone cannot have it" :
					"another VM's alone");
		release_cpus(pcpus & (BIT64(cpu) - 1));
		return -EBUSY;
	}
	return 0;
}

int vm_create(const char *name, uint64_t flags, uint64_t pcpus, struct vm **out)
{
	bool is_service = name == NULL;
	uint64_t all = cpu_count() == MAX_CPUS ? ~0UL : BIT64(cpu_count()) - 1UL;
	struct vm *vm;
	int err;

	if (pcpus == 0 || (pcpus & ~all) != 0)
		return -EINVAL;
	err = claim(is_service ? "service" : name, is_service, &vm);
	if (err != 0)
		return err;
	vm_lock(vm);
	vm->id = (uint16_t)(vm - vms);
	vm->flags = flags;
	vm->pcpus = pcpus;
	vm->may_hypercall = is_service;
	err = claim_cpus(pcpus, (flags & ACRN_VM_FLAG_RT) != 0);
	if (err == 0) {
		err = build(vm, pcpus);
		if (err != 0)
			release_cpus(pcpus);
	}
	vm->is_claimed = false;
	if (err != 0) {
		vm_unlock(vm);
		return err;
	}
	cpuid_policy_init(&vm->cpuid, is_service);
	atomic_store(&vm->state, ACRN_VM_CREATED);
	*out = vm;
	return 0;
}

/* Paused while it ran, and no vCPU came to an end before or did not begin. */
static bool may_go_on(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i]->frozen == VCPU_OFFLINE)
			return false;
	return vm->state == ACRN_VM_PAUSED;
}

/*
 * Each vCPU goes on with what it waited for. Its timer was stopped, and of what the VM's memory map lost meanwhile
 * its CPU was not told.
 */
static void go_on(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		vcpu->state = vcpu->frozen;
		vcpu->frozen = VCPU_OFFLINE;
		sched_add(&per_cpu(sched, vcpu->pcpu), &vcpu->sched, SCHED_WEIGHT_DEFAULT);
	}
	atomic_store(&vm->state, ACRN_VM_RUNNING);
	for (unsigned int i = 0; i < vm->vcpu_count; i++)
		vcpu_request(vm->vcpu[i], VCPU_REQ_TIMER | VCPU_REQ_FLUSH);
}

static void list_vcpus(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		sched_add(&per_cpu(sched, vcpu->pcpu), &vcpu->sched, SCHED_WEIGHT_DEFAULT);
		vcpu->state = i == 0 ? VCPU_RUNNING : VCPU_WAIT_SIPI;
	}
}

int vm_start(struct vm *vm)
{
	int err;

	if (may_go_on(vm)) {
		go_on(vm);
		return 0;
	}
	if (vm->state != ACRN_VM_CREATED)
		return -EPERM;
	err = vcpu_backend->group_start != NULL ? vcpu_backend->group_start(&vm->group) : 0;
	if (err != 0)
		return err;
	list_vcpus(vm);
	atomic_store(&vm->state, ACRN_VM_RUNNING);
	vcpu_request(vm->vcpu[0], VCPU_REQ_EVENT);
	return 0;
}

/*
 * On its CPU: the vCPU leaves it, with all that it has loaded in it. A CPU answers from within an exit, too, where it
 * waits for other CPUs; what is loaded then leaves when that exit, and with it the turn, is over.
 */
static void stop_vcpu(void *ctx)
{
	struct vcpu *vcpu = ctx;

	vcpu->frozen = vcpu->state;
	vcpu->state = VCPU_OFFLINE;
	timer_cancel(&vcpu->timer);
	sched_block(&vcpu->sched);
	sched_remove(&this_cpu(sched), &vcpu->sched);
	if (!sched_has_turn(&this_cpu(sched), &vcpu->sched))
		vcpu_backend->put(vcpu);
	atomic_store(&this_cpu(sched).resched, 1U);
}

/* On each CPU of the VM. */
static void stop_here(void *ctx)
{
	struct vm *vm = ctx;

	for (unsigned int i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i]->pcpu == cpu_id())
			stop_vcpu(vm->vcpu[i]);
}

/* Off the run queue it is never picked again, whatever is requested of it. */
void vm_retire_vcpu(struct vcpu *vcpu)
{
	struct vm *vm = vcpu_vm(vcpu);
	unsigned int cpu = vcpu->pcpu;

	smp_call(BIT64(cpu), stop_vcpu, vcpu);
	vcpu->resume = NULL;
	(void)atomic_fetch_and(&vm->pcpus, ~BIT64(cpu));
	sched_release(&per_cpu(sched, cpu));
}

/* No exit of the VM is under way from then on. They take no VM's lock, so the caller may hold this one's. */
static void wait_for_turns(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		while (sched_has_turn(&per_cpu(sched, vcpu->pcpu), &vcpu->sched)) {
			smp_call_poll();
			cpu_relax();
		}
	}
}

int vm_pause(struct vm *vm)
{
	if (vm->state == ACRN_VM_POWERED_OFF)
		return -EPERM;
	if (vm->state == ACRN_VM_PAUSED)
		return 0;
	if (vm->state == ACRN_VM_RUNNING) {
		smp_call(vm->pcpus, stop_here, vm);
		wait_for_turns(vm);
	}
	atomic_store(&vm->state, ACRN_VM_PAUSED);
	(void)vm_wake_waiter(vm);
	return 0;
}

int vm_reset(struct vm *vm)
{
	if (vm->state != ACRN_VM_PAUSED)
		return -EPERM;
	passthru_reset_all(vm);
	reset_vcpus(vm);
	for (unsigned int i = 0; i < vm->ioapic_count; i++)
		vioapic_reset(&vm->ioapic[i]);
	vpic_reset(&vm->pic);
	ioreq_reset(vm);
	atomic_store(&vm->state, ACRN_VM_CREATED);
	return 0;
}

int vm_destroy(struct vm *vm)
{
	if (vm->state != ACRN_VM_PAUSED)
		return -EPERM;
	passthru_release_all(vm); /* before its memory is anybody else's */
	free_parts(vm);
	release_cpus(vm->pcpus);
	vm->ioreq_hpa = 0;
	vm->name[0] = '\0';
	atomic_store(&vm->state, ACRN_VM_POWERED_OFF);
	return 0;
}

/* SDM 3A 8.4.3: real mode at the page that the vector names. */
void vm_vcpu_sipi(struct vcpu *vcpu, uint8_t vector)
{
	struct segment cs = {
		.selector = (uint16_t)(vector << 8),
		.base = (uint64_t)vector << 12,
		.limit = 0xFFFF,
		.attr = SEG_P | SEG_S | SEG_TYPE_CODE_RX,
	};

	vcpu_backend->seg_set(vcpu, SEG_CS, &cs);
	vcpu->rip = 0;
	vcpu->state = VCPU_RUNNING;
}

int vm_set_gsi(struct vm *vm, uint32_t gsi, bool asserted)
{
	int err = -EINVAL;

	for (unsigned int i = 0; i < vm->ioapic_count; i++) {
		uint32_t pin = gsi - vm->ioapic_gsi[i];

		if (pin < vm->ioapic[i].pins)
			err = vioapic_set_pin(&vm->ioapic[i], pin, asserted);
	}
	/* IRQ 0 is GSI 2 by the usual override; the 8259's own input 2 is its cascade. */
	if (err == 0 && gsi < 16)
		vpic_set_pin(&vm->pic, gsi == 2 ? 0 : gsi, asserted);
	return err;
}
