/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of things around each entry is on this page: requests, what a vCPU waits for, events,
 * the guest, its exit. Interrupts are off but in exit_interrupt() and cpu_idle().
 *
 * Nothing pending is overlooked: whoever wants something of a vCPU stores it, then reads in_guest
 * (vcpu_request); we store in_guest, then read requests. One of the two sees the other.
 */
#include "vm/run.h"

#include "hw/cpu.h"
#include "hw/irq.h"
#include "hw/tsc.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "sched/run_queue.h"
#include "vcpu/backend.h"
#include "vcpu/inject.h"
#include "vm/exit.h"
#include "x86/cr.h"

static DEFINE_PERCPU(struct timer, slice_timer);

static void slice_expired(void *ctx)
{
	atomic_store(&((struct sched_cpu *)ctx)->resched, 1U);
}

void run_init_cpu(void)
{
	timer_cpu_init();
	run_queue_init_cpu();
	timer_init(&this_cpu(slice_timer), slice_expired, &this_cpu(sched));
	if (vcpu_backend->cpu_on() != 0)
		panic("CPU %u: no memory to turn virtualization on", cpu_id());
}

/* INIT, SIPI and NMI; what only wants a new look at the vlapic needs little more than being here. */
static void take_requests(struct vcpu *vcpu)
{
	uint32_t requests = atomic_swap(&vcpu->requests, 0U);

	if ((requests & VCPU_REQ_INIT) != 0 && vcpu->state != VCPU_OFFLINE) {
		vcpu_reset(vcpu, false);
		vcpu->state = vcpu->index == 0 ? VCPU_RUNNING : VCPU_WAIT_SIPI;
	}
	if ((requests & VCPU_REQ_SIPI) != 0 && vcpu->state == VCPU_WAIT_SIPI)
		vm_vcpu_sipi(vcpu, atomic_load(&vcpu->sipi_vector));
	if ((requests & VCPU_REQ_NMI) != 0)
		vcpu->nmi_pending = true;
	if ((requests & VCPU_REQ_PIC) != 0)
		vcpu->pic_pending = true;
	if ((requests & VCPU_REQ_EVENT) != 0 && vcpu_backend->unpost != NULL)
		vcpu_backend->unpost(vcpu);
	if ((requests & VCPU_REQ_TIMER) != 0)
		vlapic_timer_expired(&vcpu->vlapic);
	if ((requests & VCPU_REQ_FLUSH) != 0)
		vcpu_backend->flush_gpa(vcpu);
}

static bool has_interrupt(struct vcpu *vcpu)
{
	return vlapic_pending(&vcpu->vlapic) >= 0 ||
	       (vcpu->pic_pending && vpic_pending(&vcpu_vm(vcpu)->pic));
}

/* Whether a halted vCPU goes on: SDM 2A HLT. */
static bool is_woken(struct vcpu *vcpu)
{
	if (vcpu->nmi_pending)
		return true;
	return (vcpu_backend->reg_get(vcpu, VREG_RFLAGS) & RFLAGS_IF) != 0 && has_interrupt(vcpu);
}

/* The one line that moves RIP. */
static void apply(struct vcpu *vcpu, enum exit_result result)
{
	if (result == EXIT_HANDLED)
		vcpu->rip += vcpu->exit.insn_len;
}

/* What the vCPU waited for may have come. False: it has not. */
static bool resume(struct vcpu *vcpu)
{
	enum exit_result (*fn)(struct vcpu *vcpu) = vcpu->resume;
	enum exit_result result;

	vcpu->resume = NULL;
	result = fn(vcpu);
	apply(vcpu, result);
	return result != EXIT_BLOCKED;
}

/* True when the vCPU can enter its guest now. */
static bool is_ready(struct vcpu *vcpu)
{
	if (unlikely(atomic_load_relaxed(&vcpu->requests) != 0))
		take_requests(vcpu);
	if (unlikely(vcpu->resume != NULL) && !resume(vcpu))
		return false;
	if (unlikely(vcpu->state != VCPU_RUNNING)) {
		if (vcpu->state != VCPU_HALTED || !is_woken(vcpu))
			return false;
		vcpu->state = VCPU_RUNNING;
	}
	return true;
}

/* One entry and its exit. False when the vCPU must wait for something. */
static bool run_once(struct vcpu *vcpu)
{
	enum exit_result result;

	if (!is_ready(vcpu))
		return false;
	inject_pending(vcpu, &vcpu_vm(vcpu)->pic);
	(void)atomic_swap(&vcpu->in_guest, 1U);
	if (unlikely(atomic_load_relaxed(&vcpu->requests) != 0)) {
		atomic_store(&vcpu->in_guest, 0U);
		return true;
	}
	if (unlikely(vcpu->tpr_shown != vcpu->vlapic.tpr >> 4))
		inject_show_priority(vcpu);
	vcpu_backend->run(vcpu);
	atomic_store_relaxed(&vcpu->in_guest, 0U);
	inject_settle(vcpu);
	result = exit_handle(vcpu);
	apply(vcpu, result);
	return result != EXIT_BLOCKED;
}

static void run_until_it_waits(struct vcpu *vcpu, struct sched_cpu *cpu)
{
	while (run_once(vcpu)) {
		if (unlikely(atomic_load_relaxed(&cpu->resched) != 0))
			return;
	}
	/* Off the queue first, then a last look: a request in between wakes it again. */
	sched_block(&vcpu->sched);
	if (atomic_load(&vcpu->requests) != 0)
		(void)sched_wake(cpu, &vcpu->sched);
}

static void run_turn(struct vcpu *vcpu, struct sched_cpu *cpu)
{
	uint64_t deadline = sched_deadline(cpu, rdtsc());

	if (deadline != ~0UL)
		timer_set(&this_cpu(slice_timer), deadline);
	run_until_it_waits(vcpu, cpu);
	if (unlikely(!vcpu->sched.is_listed))
		vcpu_backend->put(vcpu); /* stopped within an exit, which had need of it to its end */
}

static void sleep_here(void)
{
	cpu_idle();
	run_pass_nmis();
}

void run_pass_nmis(void)
{
	struct vm *service = vm_service();

	if (cpu_id() < service->vcpu_count && unlikely(irq_take_nmis() != 0))
		vcpu_request(service->vcpu[cpu_id()], VCPU_REQ_NMI);
}

_Noreturn void run_cpu(void)
{
	struct sched_cpu *cpu = &this_cpu(sched);

	for (;;) {
		struct sched_entity *e = sched_pick(cpu, rdtsc());

		if (e != NULL)
			run_turn(container_of(e, struct vcpu, sched), cpu);
		else if (atomic_load(&cpu->resched) == 0)
			sleep_here();
	}
}
