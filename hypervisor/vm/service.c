/* SPDX-License-Identifier: BSD-3-Clause */
/* Composing and starting the Service VM, one step a line. */
#include "vm/service.h"

#include "vm/vcpu_dump.h"
#include "hw/last_log.h"
#include "hw/percpu.h"
#include "hw/power.h"
#include "hw/tsc.h"
#include "lib/bits.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "vm/ptirq.h"
#include "vm/ptirq_msi.h"

/* As on hardware: what shuts the machine's own system down resets the machine. */
static void fatal(struct vcpu *vcpu, const char *why)
{
	log_error("Service VM vcpu%u: %s: the machine restarts", vcpu->index, why);
	last_log_want();
	dump_vcpu(vcpu);
	power_reset();
}

/* Refusals are told within this time, on the boot CPU; devices cannot make it more often. */
#define FAULT_POLL_US 100000U
static struct timer fault_timer;

static void poll_faults(void *ctx)
{
	(void)ctx;
	iommu_poll_faults();
	timer_set(&fault_timer, rdtsc() + tsc_from_us(FAULT_POLL_US));
}

static void guard_devices(struct vm *vm)
{
	if (!iommu_present())
		return;
	iommu_start(&vm->dma);
	timer_init(&fault_timer, poll_faults, NULL);
	timer_set(&fault_timer, rdtsc() + tsc_from_us(FAULT_POLL_US));
}

static uint64_t all_cpus(void)
{
	return cpu_count() == MAX_CPUS ? ~0UL : BIT64(cpu_count()) - 1UL;
}

void service_vm_start(struct bzimage_source *source, struct memmap *memmap)
{
	struct vm *vm;
	int err = vm_create(NULL, 0, all_cpus(), &vm);

	if (err != 0)
		panic("the Service VM cannot be made: error %d", -err);
	vm->forward = service_forward;
	vm->map_on_demand = service_map_on_demand;
	vm->fatal = fatal;
	service_io_init(vm);
	ptirq_init(vm);
	ptirq_msi_init();
	service_load(vm, source, memmap);
	service_memory_init(vm, memmap);
	guard_devices(vm);
	err = vm_start(vm);
	vm_unlock(vm);
	if (err != 0)
		panic("the Service VM cannot be started: error %d", -err);
	log_notice("Service VM started on %u CPUs", vm->vcpu_count);
}
