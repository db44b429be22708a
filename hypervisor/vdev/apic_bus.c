/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who receives a message. Most messages name one APIC id, found by a table; logical destinations,
 * broadcasts and ids above 255 are searched. Reads of other vCPUs' registers race with their
 * owners, as they do on real wires: a guest that reprograms LDR in flight gets either answer.
 */
#include "vdev/apic_bus.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "vdev/vlapic.h"
#include "x86/apic.h"

void apic_bus_init(struct apic_bus *bus, void (*eoi)(void *ctx, uint8_t vector), void *ctx)
{
	bus->count = 0;
	memset(bus->index_of, APIC_BUS_NONE, sizeof(bus->index_of));
	bus->eoi = eoi;
	bus->ctx = ctx;
}

int apic_bus_add(struct apic_bus *bus, struct vlapic *lapic, uint32_t id)
{
	if (id == APIC_BROADCAST)
		return -EEXIST;
	for (unsigned int i = 0; i < bus->count; i++) {
		if (bus->lapic[i]->id == id)
			return -EEXIST;
	}
	if (bus->count == APIC_BUS_MAX)
		return -ENOSPC;
	lapic->index = (uint8_t)bus->count;
	if (id < ARRAY_SIZE(bus->index_of))
		bus->index_of[id] = lapic->index;
	bus->lapic[bus->count++] = lapic;
	return 0;
}

bool apic_bus_hand(struct vlapic *lapic, const struct apic_message *msg)
{
	switch (msg->mode) {
	case APIC_FIXED:
	case APIC_LOWEST:
		if (!vlapic_takes_vectors(lapic))
			return false;
		vlapic_accept(lapic, msg->vector, msg->is_level);
		return true;
	case APIC_NMI:
		lapic->ops->nmi(lapic->ctx);
		return true;
	case APIC_INIT:
		lapic->ops->init(lapic->ctx);
		return true;
	case APIC_STARTUP:
		lapic->ops->sipi(lapic->ctx, msg->vector);
		return true;
	default:
		return false;
	}
}

static unsigned int deliver_lowest(struct apic_bus *bus, const struct apic_message *msg)
{
	struct vlapic *best = NULL;
	unsigned int best_priority = ~0U;

	for (unsigned int i = 0; i < bus->count; i++) {
		struct vlapic *lapic = bus->lapic[i];
		unsigned int priority;

		if (!vlapic_takes_vectors(lapic) ||
		    !vlapic_matches(lapic, msg->dest, msg->dest_logical))
			continue;
		priority = vlapic_priority(lapic);
		if (priority < best_priority) {
			best = lapic;
			best_priority = priority;
		}
	}
	return best != NULL && apic_bus_hand(best, msg) ? 1U : 0U;
}

static unsigned int deliver_search(struct apic_bus *bus, const struct apic_message *msg)
{
	unsigned int receivers = 0;

	for (unsigned int i = 0; i < bus->count; i++) {
		if (vlapic_matches(bus->lapic[i], msg->dest, msg->dest_logical) &&
		    apic_bus_hand(bus->lapic[i], msg))
			receivers++;
	}
	return receivers;
}

/* True when dest can only be the id of the one vlapic that index_of names. */
static bool names_one(const struct apic_message *msg)
{
	return !msg->dest_logical && msg->dest < 0xFFU;
}

unsigned int apic_bus_deliver(struct apic_bus *bus, const struct apic_message *msg)
{
	uint8_t index;

	if (!names_one(msg))
		return msg->mode == APIC_LOWEST ? deliver_lowest(bus, msg)
						: deliver_search(bus, msg);
	index = bus->index_of[msg->dest];
	if (index == APIC_BUS_NONE || !vlapic_is_enabled(bus->lapic[index]))
		return 0;
	return apic_bus_hand(bus->lapic[index], msg) ? 1U : 0U;
}

int apic_bus_deliver_msi(struct apic_bus *bus, uint64_t addr, uint64_t data)
{
	bool is_logical = (addr & MSI_ADDR_LOGICAL) != 0;
	struct apic_message msg = {
		.dest = apic_dest_widen((uint8_t)(addr >> MSI_ADDR_DEST_SHIFT), is_logical),
		.dest_logical = is_logical,
		.is_level = (data & MSI_DATA_LEVEL) != 0,
		.mode = (enum apic_delivery)((data >> MSI_DATA_MODE_SHIFT) & 7U),
		.vector = (uint8_t)data,
	};

	if ((addr >> 20) != MSI_ADDR_BASE >> 20 || msg.mode == 3 || msg.mode == APIC_STARTUP)
		return -EINVAL;
	if (msg.is_level && (data & MSI_DATA_ASSERT) == 0)
		return 0; /* the de-assert message of a level interrupt means nothing to us */
	if (msg.mode == APIC_FIXED && is_logical && (addr & MSI_ADDR_REDIRECT) != 0)
		msg.mode = APIC_LOWEST;
	if (msg.mode != APIC_FIXED && msg.mode != APIC_LOWEST)
		msg.is_level = false;
	(void)apic_bus_deliver(bus, &msg);
	return 0;
}
