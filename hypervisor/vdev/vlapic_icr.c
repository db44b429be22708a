/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inter-processor interrupts. All are edge: the trigger bit of the ICR only tells the INIT level
 * de-assert, which later processors ignore. Source: SDM 3A 11.6, table 11-3.
 */
#include "vdev/vlapic_icr.h"

#include "lib/bits.h"
#include "x86/apic.h"

#define ESR_SEND_ILLEGAL_VECTOR BIT32(5)

static bool has_vector(enum apic_delivery mode)
{
	return mode == APIC_FIXED || mode == APIC_LOWEST;
}

void vlapic_icr_send_self(struct vlapic *v, uint8_t vector)
{
	if (vector < 16U)
		vlapic_error(v, ESR_SEND_ILLEGAL_VECTOR);
	else
		vlapic_accept_self(v, vector);
}

/* Shorthands "all" and "all but self". INIT and STARTUP are valid for the latter only. */
static void send_all(struct vlapic *v, const struct apic_message *msg, bool is_self_included)
{
	struct apic_bus *bus = v->bus;

	if (is_self_included && (msg->mode == APIC_INIT || msg->mode == APIC_STARTUP))
		return;
	for (unsigned int i = 0; i < bus->count; i++) {
		if ((i != v->index || is_self_included) && vlapic_is_enabled(bus->lapic[i]))
			(void)apic_bus_hand(bus->lapic[i], msg);
	}
}

/* Shorthand "self": fixed, and NMI, which processors allow. */
static void send_self(struct vlapic *v, const struct apic_message *msg)
{
	if (has_vector(msg->mode))
		vlapic_accept_self(v, msg->vector);
	else if (msg->mode == APIC_NMI)
		v->ops->nmi(v->ctx);
}

void vlapic_icr_send(struct vlapic *v, uint64_t icr)
{
	uint32_t low = (uint32_t)icr;
	bool is_logical = (low & APIC_ICR_LOGICAL) != 0;
	struct apic_message msg = {
		.dest_logical = is_logical,
		.mode = (enum apic_delivery)((low >> APIC_ICR_MODE_SHIFT) & 7U),
		.vector = (uint8_t)low,
	};

	if (has_vector(msg.mode) && msg.vector < 16U) {
		vlapic_error(v, ESR_SEND_ILLEGAL_VECTOR);
		return;
	}
	if (msg.mode == APIC_INIT && (low & (APIC_ICR_ASSERT | APIC_ICR_LEVEL)) == APIC_ICR_LEVEL)
		return;
	switch ((low >> APIC_ICR_SHORTHAND_SHIFT) & 3U) {
	case APIC_SHORTHAND_NONE:
		msg.dest = vlapic_is_x2apic(v) ? (uint32_t)(icr >> 32)
					       : apic_dest_widen((uint8_t)(icr >> 56), is_logical);
		(void)apic_bus_deliver(v->bus, &msg);
		break;
	case APIC_SHORTHAND_SELF:
		send_self(v, &msg);
		break;
	default:
		send_all(v, &msg, ((low >> APIC_ICR_SHORTHAND_SHIFT) & 3U) == APIC_SHORTHAND_ALL);
		break;
	}
}
