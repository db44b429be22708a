/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual local APIC, xAPIC and x2APIC. Registers belong to the vCPU's own CPU (the exit path of
 * that vCPU); other CPUs only set bits in irr, tmr and esr_pending and call ops->kick. It knows no
 * VM: what real hardware would signal on pins and buses goes out through ops. Source: SDM 3A
 * chapter 11 (12 in newer editions), APM 2 chapter 16.
 */
#pragma once

#include "lib/bitmap.h"
#include "lib/util.h"
#include "vdev/apic_bus.h"
#include "vdev/io_bus.h"
#include "x86/apic.h"

#define VLAPIC_DEFAULT_BASE 0xFEE00000UL
#define VLAPIC_VERSION 0x00060015U

struct vlapic_ops {
	/* The vCPU should look at what is pending; from any CPU. Called after the state. */
	void (*kick)(void *ctx);
	void (*nmi)(void *ctx);
	void (*init)(void *ctx);
	void (*sipi)(void *ctx, uint8_t vector);
	/* One-shot deadline of its timer in guest TSC ticks; 0 cancels. From its own CPU. */
	void (*timer_set)(void *ctx, uint64_t deadline);
	uint64_t (*tsc)(void *ctx); /* guest TSC now */
	/* APIC base, mode, LDR or DFR changed; may be NULL. From its own CPU. */
	void (*routing_changed)(void *ctx);
};

enum vlapic_lvt {
	VLAPIC_LVT_CMCI,
	VLAPIC_LVT_TIMER,
	VLAPIC_LVT_THERMAL,
	VLAPIC_LVT_PMC,
	VLAPIC_LVT_LINT0,
	VLAPIC_LVT_LINT1,
	VLAPIC_LVT_ERROR,
	VLAPIC_LVT_COUNT,
};

/*
 * How a vector travels: a sender sets TMR, then IRR, then irr_hint, then kicks. The owner looks at
 * irr_hint before each entry; only when it finds IRR empty it clears the hint, and looks again.
 */
struct vlapic {
	/* Changed from any CPU. irr_hint is set after a bit of irr: a cheap "look again". */
	uint64_t irr[4];
	uint64_t tmr[4];
	uint32_t irr_hint;
	uint32_t esr_pending;

	/* The vCPU's own; others may read id, ldr, dfr, svr, base_msr, ppr and the LVT. */
	uint32_t tpr;
	uint32_t ppr;	   /* the greater class of tpr and isrv: each entry needs it */
	uint32_t isrv;	   /* the highest vector in isr, 0 when none */
	uint64_t isr[4];
	uint64_t base_msr; /* IA32_APIC_BASE */
	uint32_t id;	   /* APIC id (32 bits; shown in 31:24 by xAPIC) */
	uint32_t ldr, dfr, svr, esr;
	uint64_t icr;
	uint32_t lvt[VLAPIC_LVT_COUNT];
	uint32_t timer_initial, timer_divide;
	uint64_t timer_start;	 /* guest TSC when the running count stood at timer_initial */
	uint64_t timer_deadline; /* guest TSC of the next expiry; 0 when stopped or disarmed */
	bool timer_is_set;	 /* ops->timer_set was told a deadline that still stands */
	uint8_t index;		 /* in bus->lapic */
	bool is_bsp;		 /* the first on the bus */
	bool was_move_refused;	 /* and logged */
	struct apic_bus *bus;
	const struct vlapic_ops *ops;
	void *ctx;
};

/*
 * Puts the vlapic on the bus with its id, in the state after power-on; the first one is the boot
 * CPU. -ENOSPC when the bus is full, -EEXIST when the id is taken or is the broadcast.
 */
int vlapic_init(struct vlapic *v, struct apic_bus *bus, uint32_t id, const struct vlapic_ops *ops,
		void *ctx);

/*
 * After INIT (keeps id, base and mode) or power-on (is_cold). Its own CPU, or before it runs. Calls
 * ops->routing_changed, which vlapic_init does not.
 */
void vlapic_reset(struct vlapic *v, bool is_cold);

/* What firmware leaves on the boot CPU: enabled, LINT0 ExtINT (the 8259 pair), LINT1 NMI. */
void vlapic_set_virtual_wire(struct vlapic *v);

/* xAPIC register page: offset = io->addr & 0xFFF. Valid only in xAPIC mode, else IO_FORWARD. */
enum io_result vlapic_mmio(void *v, struct io_access *io);

/*
 * MSRs 0x1B, 0x6E0 and 0x800-0x8FF. -EINVAL: #GP. Moving the register page away from
 * VLAPIC_DEFAULT_BASE is refused with a line in the log: a VM's bus is composed once.
 */
int vlapic_msr_read(struct vlapic *v, uint32_t msr, uint64_t *value);
int vlapic_msr_write(struct vlapic *v, uint32_t msr, uint64_t value);

/*
 * CR8: bits 3:0 are TPR 7:4. Setting the class that TPR has already changes nothing (so a TPR copy
 * kept by hardware can be set after each exit without losing the low four bits).
 */
uint64_t vlapic_cr8_get(const struct vlapic *v);
void vlapic_cr8_set(struct vlapic *v, uint64_t cr8);
void vlapic_tpr_set(struct vlapic *v, uint8_t tpr);

/* The way of vlapic_pending when something may wait: above the class of priority, or -1. */
int vlapic_scan(struct vlapic *v, uint32_t priority);

/* The vector that may be injected now (above the processor priority), or -1. Hot: each entry. */
static inline int vlapic_pending(struct vlapic *v)
{
	return likely(atomic_load(&v->irr_hint) == 0) ? -1 : vlapic_scan(v, v->ppr);
}

/*
 * The highest vector in IRR that the one in service lets in, whether or not TPR does, or -1: for
 * hardware that is offered a vector and compares its priority with its own TPR. For HLT wake-ups
 * use vlapic_pending.
 */
int vlapic_waiting(struct vlapic *v);

/* The hardware had kept isr and TPR, and has just written them back: the rest follows from them. */
void vlapic_restore(struct vlapic *v, uint8_t tpr);

/* EOI of a vector that the hardware has taken out of service. */
static inline void vlapic_eoi_seen(struct vlapic *v, uint8_t vector)
{
	if (v->bus->eoi != NULL)
		v->bus->eoi(v->bus->ctx, vector);
}

/* The CPU took vector: moves it from IRR to ISR. */
void vlapic_taken(struct vlapic *v, uint8_t vector);

/* Accepts a vector from anywhere, any CPU; dropped while software disabled, as hardware does. */
void vlapic_accept(struct vlapic *v, uint8_t vector, bool is_level);

/* Accepts a vector that the vCPU sends itself while it is handling an exit: no kick. */
void vlapic_accept_self(struct vlapic *v, uint8_t vector);

/* EOI of the highest in-service vector (register 0xB0): the hot path of both modes. */
void vlapic_eoi(struct vlapic *v);

/* The timer set with timer_set expired; too early or stale calls are harmless. From its own CPU. */
void vlapic_timer_expired(struct vlapic *v);

/* The guest TSC was moved by delta: counts go on unmoved, TSC-deadline follows the new TSC. */
void vlapic_tsc_moved(struct vlapic *v, int64_t delta);

/* Delivers a local source (PMC, thermal, CMCI) as its LVT entry says. Any CPU. */
void vlapic_deliver_local(struct vlapic *v, enum vlapic_lvt entry);

/*
 * A rising edge on pin LINT0 (the 8259 pair's output) or LINT1 (board NMI). With ExtINT it kicks:
 * the entry path then finds vlapic_accepts_pic and asks the 8259 pair. Any CPU.
 */
void vlapic_lint(struct vlapic *v, unsigned int pin);

/* LINT0 takes ExtINT (or the APIC is off): the 8259 pair may interrupt this CPU. */
bool vlapic_accepts_pic(const struct vlapic *v);

/* Enabled in IA32_APIC_BASE (software enable in SVR is another matter). */
static inline bool vlapic_is_enabled(const struct vlapic *v)
{
	return (atomic_load_relaxed(&v->base_msr) & APIC_BASE_ENABLE) != 0;
}

static inline bool vlapic_is_x2apic(const struct vlapic *v)
{
	return (atomic_load_relaxed(&v->base_msr) & APIC_BASE_X2APIC) != 0;
}

/* Enabled in IA32_APIC_BASE and in SVR: takes fixed and lowest-priority messages. */
static inline bool vlapic_takes_vectors(const struct vlapic *v)
{
	return vlapic_is_enabled(v) && (atomic_load_relaxed(&v->svr) & APIC_SVR_ENABLE) != 0;
}

/* Whether msg reaches this vlapic. */
bool vlapic_matches(const struct vlapic *v, uint32_t dest, bool dest_logical);

/* Priority for lowest-priority arbitration: smaller wins. */
unsigned int vlapic_priority(const struct vlapic *v);

/* Notes an error for ESR and delivers the error LVT entry. Any CPU. */
void vlapic_error(struct vlapic *v, uint32_t esr_bit);
