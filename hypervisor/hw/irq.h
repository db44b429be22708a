/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical interrupts. They are taken only in cpu_irq_window() and cpu_idle(), one after the other,
 * with interrupts off. A guest-owned vector keeps its number (vector identity), so the ranges are
 * fixed: 0x20-0xEF are forwarded, 0xF0-0xFF are the hypervisor's. Of these, 0xF4-0xFD on each CPU belong to devices of
 * User VMs.
 */
#pragma once

#include "lib/types.h"

#define IRQ_FORWARD_FIRST 0x20U
#define IRQ_FORWARD_LAST 0xEFU
#define IRQ_TIMER 0xF0U
#define IRQ_KICK 0xF1U	   /* does nothing: leaving the guest, or HLT, is the effect */
#define IRQ_CALL 0xF2U	   /* smp_call */
#define IRQ_POSTED 0xF3U   /* a guest that runs takes what was posted to it; else does nothing */
#define IRQ_DEVICE_FIRST 0xF4U
#define IRQ_DEVICE_LAST 0xFDU
#define IRQ_ERROR 0xFEU	   /* the local APIC reports an error */
#define IRQ_SPURIOUS 0xFFU /* no EOI */

typedef void irq_handler(void);

/*
 * Sets the handler of one of our own vectors 0xF0-0xFE, for all CPUs; returns the one before, or NULL.
 * The EOI has been sent when it runs.
 */
irq_handler *irq_register(uint8_t vector, irq_handler *handler);

/*
 * Who gets the vectors 0x20-0xEF. It sends the EOI itself, when it knows whether the source is
 * level (mask first) or edge. Until one is set, such an interrupt is counted, acknowledged and
 * dropped.
 */
void irq_set_forward(void (*forward)(uint8_t vector));

/* Who gets the vectors IRQ_DEVICE_FIRST to IRQ_DEVICE_LAST, on all CPUs. It sends the EOI itself, as above. */
void irq_set_device(void (*device)(uint8_t vector));

/* One that the CPU has acknowledged without calling us: does what the window does. */
void irq_dispatch(uint8_t vector);

/* Interrupts that came on this CPU for a vector nobody owns. */
unsigned int irq_dropped(void);

/* NMIs that this CPU took and that nobody has asked for yet; asking takes them. */
unsigned int irq_take_nmis(void);
