/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of a virtual local APIC and the way of a vector through it: accept, scan, taken, EOI.
 * Registers as the guest sees them are in vlapic_regs.c. Only accept, error and the readers of
 * another vCPU's routing run on foreign CPUs; all else has one writer and needs no lock.
 */
#include "vdev/vlapic.h"

#include "vdev/vlapic_timer.h"
#include "x86/apic.h"

#define ESR_RECEIVE_ILLEGAL_VECTOR BIT32(6)

/* The highest vector of a 256-bit map, or -1. Unrolled: it is most of the cost of an EOI. */
static inline int highest(const uint64_t *map)
{
#pragma GCC unroll 4
	for (int i = 3; i >= 0; i--) {
		uint64_t word = atomic_load_relaxed(&map[i]);

		if (word != 0)
			return i * 64 + (int)bits_highest(word);
	}
	return -1;
}

/* SDM 3A 11.8.3.1: the class of TPR or of the vector in service, whichever is greater. */
static inline void update_ppr(struct vlapic *v)
{
	uint32_t in_service = v->isrv & 0xF0U;

	atomic_store_relaxed(&v->ppr, (v->tpr & 0xF0U) >= in_service ? v->tpr : in_service);
}

static void reset_registers(struct vlapic *v, bool is_cold)
{
	for (unsigned int i = 0; i < 4U; i++) {
		atomic_store(&v->irr[i], 0UL);
		atomic_store(&v->tmr[i], 0UL);
		v->isr[i] = 0;
	}
	if (is_cold)
		atomic_store_relaxed(&v->base_msr, VLAPIC_DEFAULT_BASE | APIC_BASE_ENABLE |
							   (v->is_bsp ? APIC_BASE_BSP : 0UL));
	atomic_store(&v->esr_pending, 0U);
	v->esr = 0;
	v->icr = 0;
	v->tpr = 0;
	v->isrv = 0;
	update_ppr(v);
	atomic_store_relaxed(&v->ldr, vlapic_is_x2apic(v) ? x2apic_logical_id(v->id) : 0U);
	atomic_store_relaxed(&v->dfr, APIC_DFR_FLAT);
	atomic_store_relaxed(&v->svr, 0xFFU);
	for (unsigned int i = 0; i < VLAPIC_LVT_COUNT; i++)
		atomic_store_relaxed(&v->lvt[i], APIC_LVT_MASKED);
	vlapic_timer_reset(v);
}

int vlapic_init(struct vlapic *v, struct apic_bus *bus, uint32_t id, const struct vlapic_ops *ops,
		void *ctx)
{
	int err;

	*v = (struct vlapic){ .id = id, .bus = bus, .ops = ops, .ctx = ctx };
	err = apic_bus_add(bus, v, id);
	if (err != 0)
		return err;
	v->is_bsp = v->index == 0;
	reset_registers(v, true);
	return 0;
}

void vlapic_reset(struct vlapic *v, bool is_cold)
{
	reset_registers(v, is_cold);
	if (v->ops->routing_changed != NULL)
		v->ops->routing_changed(v->ctx);
}

void vlapic_set_virtual_wire(struct vlapic *v)
{
	atomic_store_relaxed(&v->svr, APIC_SVR_ENABLE | 0xFFU);
	atomic_store_relaxed(&v->lvt[VLAPIC_LVT_LINT0], APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT);
	atomic_store_relaxed(&v->lvt[VLAPIC_LVT_LINT1], APIC_DM_NMI << APIC_LVT_MODE_SHIFT);
}

/* Puts a vector into IRR. True when the vCPU has not been told of it yet. */
static inline bool post(struct vlapic *v, uint8_t vector, bool is_level)
{
	if (unlikely(vector < 16U)) {
		vlapic_error(v, ESR_RECEIVE_ILLEGAL_VECTOR);
		return false;
	}
	if (unlikely((atomic_load_relaxed(&v->svr) & APIC_SVR_ENABLE) == 0))
		return false;
	if (bitmap_test(v->tmr, vector) != is_level) {
		if (is_level)
			bitmap_set(v->tmr, vector);
		else
			bitmap_clear(v->tmr, vector);
	}
	if (bitmap_test_and_set(v->irr, vector))
		return false;
	atomic_store(&v->irr_hint, 1U);
	return true;
}

void vlapic_accept(struct vlapic *v, uint8_t vector, bool is_level)
{
	if (post(v, vector, is_level))
		v->ops->kick(v->ctx);
}

void vlapic_accept_self(struct vlapic *v, uint8_t vector)
{
	(void)post(v, vector, false);
}

int vlapic_waiting(struct vlapic *v)
{
	return atomic_load(&v->irr_hint) == 0 ? -1 : vlapic_scan(v, v->isrv);
}

int vlapic_scan(struct vlapic *v, uint32_t priority)
{
	int vector = highest(v->irr);

	if (vector < 0) {
		/* The swap is a full barrier: a bit set before a hint that it wiped out is seen. */
		(void)atomic_swap(&v->irr_hint, 0U);
		vector = highest(v->irr);
		if (likely(vector < 0))
			return -1;
		atomic_store(&v->irr_hint, 1U);
	}
	return ((unsigned int)vector & 0xF0U) > (priority & 0xF0U) ? vector : -1;
}

void vlapic_taken(struct vlapic *v, uint8_t vector)
{
	bitmap_clear(v->irr, vector);
	v->isr[vector / 64U] |= BIT64(vector % 64U);
	if (vector > v->isrv)
		v->isrv = vector;
	update_ppr(v);
}

void vlapic_restore(struct vlapic *v, uint8_t tpr)
{
	int in_service = highest(v->isr);

	v->isrv = in_service < 0 ? 0U : (unsigned int)in_service;
	v->tpr = tpr;
	update_ppr(v);
}

void vlapic_eoi(struct vlapic *v)
{
	unsigned int vector = v->isrv;
	int next;

	if (unlikely(vector == 0))
		return;
	v->isr[vector / 64U] &= ~BIT64(vector % 64U);
	next = highest(v->isr);
	v->isrv = next < 0 ? 0U : (unsigned int)next;
	update_ppr(v);
	if (unlikely(bitmap_test(v->tmr, vector)) && v->bus->eoi != NULL)
		v->bus->eoi(v->bus->ctx, (uint8_t)vector);
}

void vlapic_error(struct vlapic *v, uint32_t esr_bit)
{
	uint32_t lvt = atomic_load_relaxed(&v->lvt[VLAPIC_LVT_ERROR]);

	(void)atomic_fetch_or(&v->esr_pending, esr_bit);
	/* An illegal vector in the error entry itself must not report itself for ever. */
	if ((lvt & APIC_LVT_MASKED) == 0 && (lvt & APIC_LVT_VECTOR) >= 16U)
		vlapic_accept(v, (uint8_t)lvt, false);
}

void vlapic_deliver_local(struct vlapic *v, enum vlapic_lvt entry)
{
	uint32_t lvt = atomic_load_relaxed(&v->lvt[entry]);
	uint32_t mode = (lvt >> APIC_LVT_MODE_SHIFT) & 7U;

	if ((lvt & APIC_LVT_MASKED) != 0)
		return;
	/* The timer has no mode field, its bits 10:8 are 0. */
	if (mode == APIC_DM_FIXED)
		vlapic_accept(v, (uint8_t)lvt, false);
	else if (mode == APIC_DM_NMI)
		v->ops->nmi(v->ctx);
	else if (mode == APIC_DM_INIT)
		v->ops->init(v->ctx);
	else if (mode == APIC_DM_EXTINT)
		v->ops->kick(v->ctx);
}

void vlapic_lint(struct vlapic *v, unsigned int pin)
{
	if (vlapic_is_enabled(v))
		vlapic_deliver_local(v, pin == 0 ? VLAPIC_LVT_LINT0 : VLAPIC_LVT_LINT1);
	else if (pin == 0) /* without APIC the pins are INTR and NMI (SDM 3A 11.4.3) */
		v->ops->kick(v->ctx);
	else
		v->ops->nmi(v->ctx);
}

bool vlapic_accepts_pic(const struct vlapic *v)
{
	uint32_t lvt = atomic_load_relaxed(&v->lvt[VLAPIC_LVT_LINT0]);

	if (!vlapic_is_enabled(v))
		return v->is_bsp;
	return (lvt & APIC_LVT_MASKED) == 0 &&
	       ((lvt >> APIC_LVT_MODE_SHIFT) & 7U) == APIC_DM_EXTINT;
}

void vlapic_tpr_set(struct vlapic *v, uint8_t tpr)
{
	v->tpr = tpr;
	update_ppr(v);
}

uint64_t vlapic_cr8_get(const struct vlapic *v)
{
	return v->tpr >> 4;
}

void vlapic_cr8_set(struct vlapic *v, uint64_t cr8)
{
	if (v->tpr >> 4 == cr8)
		return;
	vlapic_tpr_set(v, (uint8_t)(cr8 << 4));
}

/* xAPIC: flat or cluster by DFR (SDM 3A 11.6.2.2); dest has 8 bits, 0xFF is everybody. */
static bool matches_xapic_logical(const struct vlapic *v, uint32_t dest)
{
	uint32_t ldr = atomic_load_relaxed(&v->ldr) >> 24;

	if (dest >= 0xFFU)
		return dest == 0xFFU || dest == APIC_BROADCAST;
	if (atomic_load_relaxed(&v->dfr) >> 28 == 0xFU)
		return (ldr & dest) != 0;
	return (dest >> 4 == 0xFU || dest >> 4 == ldr >> 4) && (ldr & dest & 0xFU) != 0;
}

/* x2APIC: cluster in 31:16, members in 15:0 (SDM 3A 11.12.10.2). */
static bool matches_x2apic_logical(const struct vlapic *v, uint32_t dest)
{
	uint32_t ldr = atomic_load_relaxed(&v->ldr);

	return dest == APIC_BROADCAST ||
	       (dest >> 16 == ldr >> 16 && (dest & ldr & 0xFFFFU) != 0);
}

bool vlapic_matches(const struct vlapic *v, uint32_t dest, bool dest_logical)
{
	if (!vlapic_is_enabled(v))
		return false;
	if (vlapic_is_x2apic(v))
		return dest_logical ? matches_x2apic_logical(v, dest)
				    : dest == APIC_BROADCAST || dest == v->id;
	return dest_logical ? matches_xapic_logical(v, dest)
			    : dest == APIC_BROADCAST || dest == 0xFFU || dest == v->id;
}

unsigned int vlapic_priority(const struct vlapic *v)
{
	return atomic_load_relaxed(&v->ppr);
}
