/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual local APIC, xAPIC and x2APIC. Registers belong to the vCPU's own CPU (the exit path of
 * that vCPU); other CPUs only set bits in irr and tmr and call ops->kick. It knows no VM: what real
 * hardware would signal on pins and buses goes out through ops. Source: SDM 3A chapter 11 (12 in
 * newer editions), APM 2 chapter 16.
 */
#pragma once

#include "lib/bitmap.h"
#include "vdev/apic_bus.h"
#include "vdev/io_bus.h"

#define VLAPIC_DEFAULT_BASE 0xFEE00000UL
#define VLAPIC_VERSION 0x00060015U

struct vlapic_ops {
	/* Something is pending that the vCPU should look at; from any CPU. Called after the state. */
	void (*kick)(void *ctx);
	void (*nmi)(void *ctx);
	void (*init)(void *ctx);
	void (*sipi)(void *ctx, uint8_t vector);
	/* One-shot deadline in guest TSC ticks for the vCPU's timer; 0 cancels. From its own CPU. */
	void (*timer_set)(void *ctx, uint64_t deadline);
	uint64_t (*tsc)(void *ctx); /* guest TSC now */
	/* APIC base, mode, LDR or DFR changed; may be NULL. From its own CPU. */
	void (*routing_changed)(void *ctx);
};

struct vlapic {
	/* Changed from any CPU. irr_hint is set after a bit of irr: a cheap "look again". */
	uint64_t irr[4];
	uint64_t tmr[4];
	uint32_t irr_hint;

	/* The vCPU's own. */
	uint64_t isr[4];
	uint64_t base_msr; /* IA32_APIC_BASE */
	uint32_t id;	   /* APIC id (32 bits; shown in 31:24 by xAPIC) */
	uint32_t tpr, ldr, dfr, svr, esr, esr_pending;
	uint64_t icr;
	uint32_t lvt[7];   /* CMCI, timer, thermal, perf, LINT0, LINT1, error: see vlapic.c */
	uint32_t timer_initial, timer_divide;
	uint64_t timer_start;	 /* guest TSC when the count began, 0 when stopped */
	uint64_t timer_deadline; /* IA32_TSC_DEADLINE, or the end of the running count */
	uint8_t index;		 /* in bus->lapic */
	bool is_bsp;
	struct apic_bus *bus;
	const struct vlapic_ops *ops;
	void *ctx;
};

/* Puts the vlapic on the bus with its id, in the state after power-on. -ENOSPC when it is full. */
int vlapic_init(struct vlapic *v, struct apic_bus *bus, uint32_t id, const struct vlapic_ops *ops,
		void *ctx);

/* After INIT (keeps id and base) or power-on (is_cold). */
void vlapic_reset(struct vlapic *v, bool is_cold);

/* xAPIC register page: offset = io->addr & 0xFFF. Valid only in xAPIC mode, else IO_FORWARD. */
enum io_result vlapic_mmio(void *v, struct io_access *io);

/* MSRs 0x1B, 0x6E0 and 0x800-0x8FF. -EINVAL: #GP. */
int vlapic_msr_read(struct vlapic *v, uint32_t msr, uint64_t *value);
int vlapic_msr_write(struct vlapic *v, uint32_t msr, uint64_t value);

/* CR8: bits 3:0 are TPR 7:4. */
uint64_t vlapic_cr8_get(const struct vlapic *v);
void vlapic_cr8_set(struct vlapic *v, uint64_t cr8);

/* The vector that may be injected now (above the processor priority), or -1. Hot: each entry. */
int vlapic_pending(struct vlapic *v);

/* A vector waits in IRR, whether or not TPR lets it in: for HLT wake-ups use vlapic_pending. */
/* The CPU took vector: moves it from IRR to ISR. */
void vlapic_taken(struct vlapic *v, uint8_t vector);

/* Accepts a vector from anywhere, any CPU. */
void vlapic_accept(struct vlapic *v, uint8_t vector, bool is_level);

/* EOI of the highest in-service vector (register 0xB0): the hot path of both modes. */
void vlapic_eoi(struct vlapic *v);

/* The timer set with timer_set expired. From its own CPU. */
void vlapic_timer_expired(struct vlapic *v);

/* LINT0 takes ExtINT: the 8259 pair may interrupt this CPU. */
bool vlapic_accepts_pic(const struct vlapic *v);

/* LINT1/LINT0 programmed as NMI: whether a board NMI reaches this CPU. */
bool vlapic_is_enabled(const struct vlapic *v);
bool vlapic_is_x2apic(const struct vlapic *v);

/* Whether msg reaches this vlapic. */
bool vlapic_matches(const struct vlapic *v, uint32_t dest, bool dest_logical);

/* Priority for lowest-priority arbitration: smaller wins. */
unsigned int vlapic_priority(const struct vlapic *v);
