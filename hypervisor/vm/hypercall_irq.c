/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls on interrupts and I/O requests. The hot ones of a User VM's life. */
#include <acrn/dev.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vm/exit.h"
#include "vm/hypercall.h"
#include "vm/ioreq.h"
#include "vm/passthru.h"

int64_t hc_set_callback_vector(struct hypercall *call)
{
	return ioreq_set_upcall_vector(call->rdi);
}

int64_t hc_inject_msi(struct hypercall *call)
{
	struct acrn_msi msi;
	int err = hypercall_read(call, call->rsi, &msi, sizeof(msi));

	if (err != 0)
		return err;
	return apic_bus_deliver_msi(&call->target->apics, msi.addr, (uint32_t)msi.data);
}

/* Physical interrupts are counted; delaying them is not built, and only "no delay" is accepted. */
int64_t hc_intr_monitor(struct hypercall *call)
{
	struct acrn_intr_monitor m;
	int err = hypercall_read(call, call->rsi, &m, sizeof(m));

	if (err != 0)
		return err;
	if (!IS_ALIGNED(call->rsi, PAGE_SIZE) || m.cmd > ACRN_INTR_MONITOR_DELAY_INT ||
	    m.buf_cnt > ACRN_INTR_MONITOR_MAX)
		return -EINVAL;
	if (m.cmd == ACRN_INTR_MONITOR_DELAY_INT) {
		if (m.buffer[0] != 0)
			log_warn("vm%u: interrupts cannot be delayed, by %lu ms", call->target->id, m.buffer[0]);
		return m.buffer[0] == 0 ? 0 : -EINVAL;
	}
	m.buf_cnt = passthru_count_irqs(call->target, m.buffer, ACRN_INTR_MONITOR_MAX);
	return hypercall_write(call, call->rsi, &m, sizeof(m));
}

int64_t hc_set_irqline(struct hypercall *call)
{
	uint32_t gsi = (uint32_t)call->rsi;
	bool first;
	int err;

	switch (call->rsi >> 32) {
	case ACRN_IRQLINE_SET_HIGH:
		return vm_set_gsi(call->target, gsi, true) == 0 ? 0 : -EPERM;
	case ACRN_IRQLINE_SET_LOW:
		return vm_set_gsi(call->target, gsi, false) == 0 ? 0 : -EPERM;
	case ACRN_IRQLINE_RISING_PULSE:
		first = true;
		break;
	case ACRN_IRQLINE_FALLING_PULSE:
		first = false;
		break;
	default:
		return -EINVAL;
	}
	err = vm_set_gsi(call->target, gsi, first);
	if (err == 0)
		err = vm_set_gsi(call->target, gsi, !first);
	return err == 0 ? 0 : -EPERM;
}

int64_t hc_set_ioreq_buffer(struct hypercall *call)
{
	uint64_t gpa;
	int err = hypercall_read(call, call->rsi, &gpa, sizeof(gpa));
	struct gpa_space *service = &call->caller->group->space;

	if (err != 0)
		return err;
	if (!IS_ALIGNED(gpa, PAGE_SIZE) || !vm_is_guest_ram(gpa) ||
	    !gpa_space_is_mapped(service, gpa, PAGE_SIZE, PG_READ | PG_WRITE))
		return -EINVAL;
	ioreq_set_page(call->target, gpa);
	return 0;
}

int64_t hc_notify_request_finish(struct hypercall *call)
{
	if (call->rsi >= call->target->vcpu_count)
		return -EINVAL;
	vcpu_request(call->target->vcpu[call->rsi], VCPU_REQ_IOREQ);
	return 0;
}

bool vm_wake_waiter(struct vm *vm)
{
	struct vcpu *waiter;

	if (atomic_load_relaxed(&vm->waiter) == NULL)
		return false;
	waiter = atomic_swap(&vm->waiter, NULL);
	if (waiter == NULL)
		return false;
	vcpu_request(waiter, VCPU_REQ_IOREQ);
	return true;
}

/* The wait is over when nobody is registered any more, or when the caller has other business. */
static enum exit_result wait_over(struct vcpu *caller)
{
	struct vm *vm = caller->waits_for;
	bool is_mine = atomic_load(&vm->waiter) == caller;

	if (is_mine && !caller->nmi_pending && vlapic_pending(&caller->vlapic) < 0 &&
	    !(caller->pic_pending && vpic_pending(&vcpu_vm(caller)->pic))) {
		caller->resume = wait_over;
		return EXIT_BLOCKED;
	}
	if (is_mine)
		(void)atomic_cas(&vm->waiter, caller, NULL);
	caller->gpr[REG_RAX] = ioreq_is_pending(vm) ? 0 : 1;
	return EXIT_HANDLED;
}

static int64_t notify(struct vm *vm, uint64_t index)
{
	if (vm->state == ACRN_VM_POWERED_OFF || vm->ioreq_hpa == 0)
		return -EPERM;
	if (index == ACRN_WAIT_NO_VCPU)
		return 0;
	if (index >= vm->vcpu_count)
		return -EINVAL;
	vcpu_request(vm->vcpu[index], VCPU_REQ_IOREQ);
	return 0;
}

enum exit_result hypercall_notify_and_wait(struct vcpu *caller)
{
	struct vm *vm = vm_get((uint16_t)caller->gpr[REG_RDI]);
	int64_t ret = -ENOTTY;

	if (vm != NULL && vm->id != SERVICE_VM_ID) {
		vm_lock(vm);
		ret = notify(vm, caller->gpr[REG_RSI]);
		if (ret == 0)
			ret = atomic_cas(&vm->waiter, NULL, caller) ? 0 : -EBUSY;
		vm_unlock(vm);
	}
	if (ret != 0) {
		caller->gpr[REG_RAX] = (uint64_t)ret;
		return EXIT_HANDLED;
	}
	caller->waits_for = vm;
	/* Registered first, then a look: a request posted before is seen here, later ones wake us. */
	if (ioreq_is_pending(vm))
		(void)atomic_cas(&vm->waiter, caller, NULL);
	return wait_over(caller);
}
