/* SPDX-License-Identifier: BSD-3-Clause */
/* From a physical vector to who wants it. */
#include "hw/irq.h"
#include "hw/exception.h"
#include "hw/lapic.h"
#include "hw/percpu.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/panic.h"

#define OWN_VECTORS 16U

static irq_handler *own[OWN_VECTORS];
static void (*forward_to)(uint8_t vector);
static void (*device_to)(uint8_t vector);
static DEFINE_PERCPU(unsigned int, irqs_dropped);

irq_handler *irq_register(uint8_t vector, irq_handler *handler)
{
	ASSERT(vector > IRQ_FORWARD_LAST && vector < IRQ_SPURIOUS);
	return atomic_swap(&own[vector - IRQ_FORWARD_LAST - 1U], handler);
}

void irq_set_forward(void (*forward)(uint8_t vector))
{
	forward_to = forward;
}

void irq_set_device(void (*device)(uint8_t vector))
{
	device_to = device;
}

unsigned int irq_dropped(void)
{
	return this_cpu(irqs_dropped);
}

static void drop(uint8_t vector)
{
	/* One line a CPU: an unowned level interrupt could otherwise fill the log. */
	if (this_cpu(irqs_dropped)++ == 0)
		log_warn("interrupt vector 0x%x belongs to nobody, dropped", vector);
}

void irq_handle(struct isr_frame *frame)
{
	irq_dispatch((uint8_t)frame->vector);
}

void irq_dispatch(uint8_t vector)
{
	if (vector <= IRQ_FORWARD_LAST) {
		if (forward_to != NULL) {
			forward_to(vector);
			return;
		}
		lapic_eoi();
		drop(vector);
		return;
	}
	if (vector == IRQ_SPURIOUS) {
		/* Nothing is in service but when a device has sent it; that would hold back all others. */
		if (lapic_in_service(vector))
			lapic_eoi();
		return;
	}
	if (vector >= IRQ_DEVICE_FIRST && vector <= IRQ_DEVICE_LAST && device_to != NULL) {
		device_to(vector);
		return;
	}
	lapic_eoi();
	if (own[vector - IRQ_FORWARD_LAST - 1U] != NULL)
		own[vector - IRQ_FORWARD_LAST - 1U]();
	else
		drop(vector);
}
