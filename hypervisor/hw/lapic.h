/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The physical local APIC of the CPU we run on. Its mode is per CPU and follows what the Service VM
 * programs into its virtual one (as do the logical id registers), because devices' interrupts are
 * addressed by the guest. The mode that firmware left is the one we start with.
 */
#pragma once

#include "lib/types.h"
#include "x86/apic.h"

/*
 * Enables the APIC of this CPU: spurious vector, TPR that lets 0x20 and above come, all local vectors masked but
 * LINT1 = NMI.
 */
void lapic_init_cpu(void);

uint32_t lapic_id(void);
bool lapic_is_x2apic(void);

/*
 * Mode switch of this CPU. x2APIC to xAPIC goes through disabled, which loses the timer: the caller
 * sets it again. -ENODEV when the CPU has no x2APIC, or an id above 254 would not fit xAPIC.
 */
int lapic_set_mode(bool x2apic);

/* Logical id registers, in xAPIC mode only (read-only in x2APIC mode, where this does nothing). */
void lapic_set_logical(uint32_t ldr, uint32_t dfr);

void lapic_eoi(void);

/* Whether vector is in service here: taken, and no EOI yet. */
bool lapic_in_service(uint8_t vector);
bool lapic_is_requested(uint8_t vector);

/* Whether it was taken as level-triggered, so that its EOI goes to the I/O APICs, too (SDM 3A 11.8.4). */
bool lapic_came_as_level(uint8_t vector);

/* Interrupts to one CPU by APIC id; fixed, NMI, and the two of a CPU's start (page below 1 MiB). */
void lapic_send_ipi(uint32_t apic_id, uint8_t vector);
void lapic_send_nmi(uint32_t apic_id);
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, hpa_t page);
void lapic_send_nmi_others(void);

/* Raw access by the offset of the xAPIC page (x86/apic.h), for dumps and for APIC pass-through. */
uint32_t lapic_read(uint32_t reg);
void lapic_write(uint32_t reg, uint32_t value);
