/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual I/O APIC: registers at base + 0x00 (select) and 0x10 (window), version 0x11. A pin has
 * a level (asserted or not); edge pins deliver on a rising edge, level pins while asserted and not
 * awaiting an EOI. Any CPU may call; the lock is per I/O APIC. Source: 82093AA, spec 3.10.
 */
#pragma once

#include "lib/spinlock.h"
#include "vdev/apic_bus.h"
#include "vdev/io_bus.h"

#define VIOAPIC_MAX_PINS 120U

#define RTE_VECTOR 0xFFUL
#define RTE_DELIVERY_SHIFT 8
#define RTE_LOGICAL (1UL << 11)
#define RTE_STATUS (1UL << 12)
#define RTE_ACTIVE_LOW (1UL << 13)
#define RTE_REMOTE_IRR (1UL << 14)
#define RTE_LEVEL (1UL << 15)
#define RTE_MASKED (1UL << 16)
#define RTE_DEST_SHIFT 56

struct vioapic {
	struct spinlock lock; /* above nothing; delivery under it takes no other lock */
	uint64_t base;
	unsigned int pins;
	uint32_t id, select;
	uint64_t rte[VIOAPIC_MAX_PINS];
	bool has_wires;	      /* asserted is the wires' level, high or low; polarity says which asserts */
	uint64_t asserted[2]; /* bitmap of pin levels */
	uint64_t awaiting[2]; /* bitmap of pins with remote IRR: an EOI looks at these only */
	struct apic_bus *bus;
	/*
	 * Mirror for pins wired to hardware: told, under the lock, of each RTE write, and of each
	 * remote IRR that falls (by EOI, or because the guest made the pin edge-triggered), before
	 * the pin's level is looked at again: pin_eoi may vioapic_lower it. May be NULL.
	 */
	void (*rte_changed)(void *ctx, unsigned int pin, uint64_t rte);
	void (*pin_eoi)(void *ctx, unsigned int pin);
	void *ctx;
};

void vioapic_init(struct vioapic *v, uint64_t base, uint32_t id, unsigned int pins,
		  struct apic_bus *bus);
void vioapic_reset(struct vioapic *v);
enum io_result vioapic_mmio(void *v, struct io_access *io);

/*
 * The pins are wires from here on, which others drive high and low, and a reset leaves as they are; those of PCI (from
 * 16 on) are pulled high. Without this a pin is told whether it asserts.
 */
void vioapic_wire(struct vioapic *v);

/* Sets a pin's level; -EINVAL when there is no such pin. */
int vioapic_set_pin(struct vioapic *v, unsigned int pin, bool asserted);

/* EOI of vector from a local APIC. */
void vioapic_eoi(struct vioapic *v, uint8_t vector);

/* Makes a pin assert, or not, whatever its polarity. */
int vioapic_assert_pin(struct vioapic *v, unsigned int pin, bool asserted);

/*
 * For pin_eoi only, under its lock: the level falls, since the hardware behind the pin will raise
 * it anew if it still asserts. Without this a level pin would be delivered again at once.
 */
void vioapic_lower(struct vioapic *v, unsigned int pin);
