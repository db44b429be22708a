/* SPDX-License-Identifier: BSD-3-Clause */
/* From VMMCALL or VMCALL to the handler and back. */
#include "vm/hypercall.h"

#include "lib/errno.h"
#include "vm/exit.h"
#include "x86/exception.h"

enum {
	IN_CREATED = 1 << ACRN_VM_CREATED,
	IN_RUNNING = 1 << ACRN_VM_RUNNING,
	IN_PAUSED = 1 << ACRN_VM_PAUSED,
	IN_ALIVE = IN_CREATED | IN_RUNNING | IN_PAUSED,
	NO_TARGET = 0,
};

struct rule {
	int64_t (*handler)(struct hypercall *call);
	int states; /* of the target named by the low 16 bits of RDI; NO_TARGET: it names none */
};

/* By the low byte of the id. SET_MEMORY_REGIONS and PM_GET_CPU_STATE find their target themselves. */
static const struct rule rules[256] = {
	[0x00] = { hc_get_api_version, NO_TARGET },
	[0x01] = { hc_offline_cpu, NO_TARGET },
	[0x02] = { hc_set_callback_vector, NO_TARGET },
	[0x10] = { hc_create_vm, NO_TARGET },
	[0x11] = { hc_destroy_vm, IN_PAUSED },
	[0x12] = { hc_start_vm, IN_CREATED | IN_PAUSED },
	[0x13] = { hc_pause_vm, IN_ALIVE },
	[0x14] = { hc_create_vcpu, NO_TARGET },
	[0x15] = { hc_reset_vm, IN_PAUSED },
	[0x16] = { hc_set_vcpu_regs, IN_CREATED | IN_PAUSED },
	[0x23] = { hc_inject_msi, IN_ALIVE },
	[0x24] = { hc_intr_monitor, IN_ALIVE },
	[0x25] = { hc_set_irqline, IN_ALIVE },
	[0x30] = { hc_set_ioreq_buffer, IN_CREATED },
	[0x31] = { hc_notify_request_finish, IN_ALIVE },
	[0x32] = { hc_asyncio_assign, IN_ALIVE },
	[0x33] = { hc_asyncio_deassign, IN_ALIVE },
	[0x41] = { hc_gpa_to_hpa, IN_ALIVE },
	[0x42] = { hc_set_memory_regions, NO_TARGET },
	[0x43] = { hc_write_protect_page, IN_ALIVE },
	[0x44] = { hc_setup_sbuf, IN_ALIVE },
	[0x53] = { hc_set_ptdev_intr, IN_CREATED },
	[0x54] = { hc_reset_ptdev_intr, IN_CREATED | IN_PAUSED },
	[0x55] = { hc_assign_pcidev, IN_CREATED },
	[0x56] = { hc_deassign_pcidev, IN_CREATED | IN_PAUSED },
	[0x57] = { hc_assign_mmiodev, IN_CREATED },
	[0x58] = { hc_deassign_mmiodev, IN_CREATED | IN_PAUSED },
	[0x59] = { hc_no_vdev, IN_CREATED },
	[0x5A] = { hc_no_vdev, IN_CREATED | IN_PAUSED },
	[0x80] = { hc_pm_get_cpu_state, NO_TARGET },
	[0xC1] = { hc_disarm_watchdog, NO_TARGET },
};

int hypercall_read(const struct hypercall *call, gpa_t gpa, void *buf, size_t size)
{
	return gpa_space_read(&call->caller->group->space, gpa, buf, size);
}

int hypercall_write(const struct hypercall *call, gpa_t gpa, const void *buf, size_t size)
{
	return gpa_space_write(&call->caller->group->space, gpa, buf, size);
}

static __attribute__((noinline)) int64_t dispatch_on_target(const struct rule *rule, struct hypercall *call)
{
	struct vm *vm = vm_get((uint16_t)call->rdi);
	int64_t ret;

	/* An id that is none, and the Service VM itself, cannot be named. */
	if (vm == NULL || vm->id == SERVICE_VM_ID)
		return -ENOTTY;
	vm_lock(vm);
	call->target = vm;
	if (((1 << vm->state) & rule->states) == 0)
		ret = -EPERM;
	else
		ret = rule->handler(call);
	vm_unlock(vm);
	return ret;
}

static __attribute__((noinline)) int64_t dispatch(struct vcpu *vcpu, const struct rule *rule)
{
	struct hypercall call = {
		.caller = vcpu,
		.rdi = vcpu->gpr[REG_RDI],
		.rsi = vcpu->gpr[REG_RSI],
	};

	if (rule->states == NO_TARGET)
		return rule->handler(&call);
	return dispatch_on_target(rule, &call);
}

enum exit_result exit_hypercall(struct vcpu *vcpu)
{
	uint32_t id = (uint32_t)vcpu->gpr[REG_R8];
	const struct rule *rule = &rules[id & 0xFFU];

	if (!vcpu_vm(vcpu)->may_hypercall)
		return exit_fault(vcpu, EXC_UD);
	if (vcpu_cpl(vcpu) != 0)
		return exit_fault_code(vcpu, EXC_GP, 0);
	if (id == ACRN_HC_NOTIFY_AND_WAIT)
		return hypercall_notify_and_wait(vcpu);
	if ((id & ~0xFFU) != ACRN_HC(0) || rule->handler == NULL)
		vcpu->gpr[REG_RAX] = (uint64_t)-ENOTTY;
	else
		vcpu->gpr[REG_RAX] = (uint64_t)dispatch(vcpu, rule);
	return EXIT_HANDLED;
}
