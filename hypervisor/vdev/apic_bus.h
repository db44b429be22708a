/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wires between local APICs, I/O APICs and message-signalled interrupts of one VM. Any CPU may
 * deliver at any time: the only state that delivery changes is each vlapic's atomic IRR and TMR and
 * what the owner's callbacks change. Source: SDM 3A 11.6, 11.11; APM 2 16.5-16.6.
 */
#pragma once

#include "lib/types.h"

#define APIC_BUS_MAX 64U

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
	struct vlapic *lapic[APIC_BUS_MAX];
	/* A level-triggered vector was acknowledged on some CPU: to the I/O APICs. May be NULL. */
	void (*eoi)(void *ctx, uint8_t vector);
	void *ctx;
};

struct apic_message {
	uint32_t dest;	   /* APIC id, or logical destination; 0xFF (xAPIC, MSI) or ~0: broadcast */
	bool dest_logical;
	bool is_level;
	enum apic_delivery mode;
	uint8_t vector;
};

void apic_bus_init(struct apic_bus *bus, void (*eoi)(void *ctx, uint8_t vector), void *ctx);

/* Delivers to every matching vlapic (one of them for lowest priority). Number of receivers. */
unsigned int apic_bus_deliver(struct apic_bus *bus, const struct apic_message *msg);

/* An MSI as a device writes it. -EINVAL when addr is not in 0xFEExxxxx or the mode is reserved. */
int apic_bus_deliver_msi(struct apic_bus *bus, uint64_t addr, uint64_t data);
