/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wires between local APICs, I/O APICs and message-signalled interrupts of one VM. Any CPU may
 * deliver at any time: the only state that delivery changes is each vlapic's atomic IRR and TMR and
 * what the owner's callbacks change. Source: SDM 3A 11.6, 11.11; APM 2 16.5-16.6.
 */
#pragma once

#include "lib/types.h"

#define APIC_BUS_MAX 64U
#define APIC_BUS_NONE 0xFFU
#define APIC_BROADCAST 0xFFFFFFFFU

enum apic_delivery {
	APIC_FIXED = 0,
	APIC_LOWEST = 1,
	APIC_SMI = 2,
	APIC_NMI = 4,
	APIC_INIT = 5,
	APIC_STARTUP = 6,
	APIC_EXTINT = 7,
};

struct vlapic;

struct apic_bus {
	unsigned int count;
	uint8_t index_of[256]; /* of the vlapic with that id, or APIC_BUS_NONE: no search */
	struct vlapic *lapic[APIC_BUS_MAX];
	/* A level-triggered vector was acknowledged on some CPU: to the I/O APICs. May be NULL. */
	void (*eoi)(void *ctx, uint8_t vector);
	void *ctx;
};

struct apic_message {
	/* APIC id, or logical destination. APIC_BROADCAST reaches all; 0xFF only all in xAPIC
	 * mode, so senders with an 8-bit destination field go through apic_dest_widen. */
	uint32_t dest;
	bool dest_logical;
	bool is_level;
	enum apic_delivery mode;
	uint8_t vector;
};

void apic_bus_init(struct apic_bus *bus, void (*eoi)(void *ctx, uint8_t vector), void *ctx);

/* The destination in an 8-bit field (xAPIC ICR, RTE, MSI): physical 0xFF is the broadcast. */
static inline uint32_t apic_dest_widen(uint8_t dest, bool dest_logical)
{
	return dest == 0xFFU && !dest_logical ? APIC_BROADCAST : dest;
}

/* Puts a vlapic on the bus; before any CPU of the VM runs. Errors of vlapic_init. */
int apic_bus_add(struct apic_bus *bus, struct vlapic *lapic, uint32_t id);

/*
 * Delivers to every matching vlapic (one of them for lowest priority). Number of receivers. SMI and
 * ExtINT messages reach nobody: guests have no SMM, and the 8259 pair comes in by LINT0 alone.
 */
unsigned int apic_bus_deliver(struct apic_bus *bus, const struct apic_message *msg);

/* Hands a message that was found to match to one vlapic. False when it did not take it. */
bool apic_bus_hand(struct vlapic *lapic, const struct apic_message *msg);

/* An MSI as a device writes it. -EINVAL when addr is not in 0xFEExxxxx or the mode is reserved. */
int apic_bus_deliver_msi(struct apic_bus *bus, uint64_t addr, uint64_t data);
