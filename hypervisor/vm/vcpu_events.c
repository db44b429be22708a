/* SPDX-License-Identifier: BSD-3-Clause */
/* What a vCPU's vlapic asks of the world: becomes a request to the vCPU, or its timer. */
#include "vm/vcpu_events.h"

#include "hw/cpu.h"
#include "hw/lapic.h"
#include "hw/lapic_timer.h"
#include "hw/paging.h"
#include "hw/percpu.h"
#include "vcpu/fpu.h"
#include "vm/vm.h"

static void kick(void *ctx)
{
	vcpu_request(ctx, VCPU_REQ_EVENT);
}

static void nmi(void *ctx)
{
	vcpu_request(ctx, VCPU_REQ_NMI);
}

static void init(void *ctx)
{
	vcpu_request(ctx, VCPU_REQ_INIT);
}

static void sipi(void *ctx, uint8_t vector)
{
	struct vcpu *vcpu = ctx;

	atomic_store(&vcpu->sipi_vector, vector);
	vcpu_request(vcpu, VCPU_REQ_SIPI);
}

static void set_timer(void *ctx, uint64_t deadline)
{
	struct vcpu *vcpu = ctx;

	if (deadline == 0)
		timer_cancel(&vcpu->timer);
	else
		timer_set(&vcpu->timer, deadline - vcpu->tsc_offset);
}

static uint64_t guest_tsc(void *ctx)
{
	return rdtsc() + ((struct vcpu *)ctx)->tsc_offset;
}

/*
 * Devices address the Service VM's CPUs as its guest programmed them, so the physical APIC of the
 * vCPU's CPU answers to the same names.
 */
static void routing_changed(void *ctx)
{
	struct vcpu *vcpu = ctx;
	bool is_x2apic = vlapic_is_x2apic(&vcpu->vlapic);

	if (vcpu_vm(vcpu)->id != SERVICE_VM_ID || vcpu->pcpu != cpu_id())
		return;
	if (is_x2apic != lapic_is_x2apic() && lapic_set_mode(is_x2apic) == 0) {
		lapic_timer_init_cpu();
		timer_run();
	}
	lapic_set_logical(vcpu->vlapic.ldr, vcpu->vlapic.dfr);
}

const struct vlapic_ops vcpu_vlapic_ops = {
	.kick = kick,
	.nmi = nmi,
	.init = init,
	.sipi = sipi,
	.timer_set = set_timer,
	.tsc = guest_tsc,
	.routing_changed = routing_changed,
};

void vcpu_timer_expired(void *ctx)
{
	vcpu_request(ctx, VCPU_REQ_TIMER);
}

static struct spinlock spare_lock; /* below a VM's lock, above the page pool's */
static void *spare;

void *vcpu_xsave_get(void)
{
	void *area;

	spinlock_lock(&spare_lock);
	area = spare;
	if (area != NULL)
		spare = *(void **)area;
	spinlock_unlock(&spare_lock);
	if (area != NULL)
		return area;
	return page_pool_alloc_contig(&host_pool, (fpu_area_size() + PAGE_SIZE - 1) / PAGE_SIZE);
}

void vcpu_xsave_put(void *area)
{
	spinlock_lock(&spare_lock);
	*(void **)area = spare;
	spare = area;
	spinlock_unlock(&spare_lock);
}
