/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registers of a virtual local APIC as the guest sees them: the xAPIC page, the x2APIC MSRs,
 * IA32_APIC_BASE and IA32_TSC_DEADLINE. One table says who may touch what. Wrong accesses are
 * forgiven in the page (an ESR bit, or nothing) and are #GP in the MSRs. Source: SDM 3A 11.4,
 * 11.12; the APIC id is read-only in both modes, as on all recent processors.
 */
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "vdev/vlapic.h"
#include "vdev/vlapic_icr.h"
#include "vdev/vlapic_timer.h"
#include "x86/apic.h"
#include "x86/msr.h"

#define ESR_ILLEGAL_REGISTER BIT32(7)

/* Bits that the guest can change. */
#define SVR_WRITABLE 0x3FFU
#define ICR_WRITABLE 0xCCFFFU
#define LVT_TIMER_WRITABLE 0x700FFU
#define LVT_LOCAL_WRITABLE 0x107FFU /* CMCI, thermal, performance counters */
#define LVT_LINT_WRITABLE 0x1A7FFU
#define LVT_ERROR_WRITABLE 0x100FFU
/* Read-only bits of an LVT entry that a guest may write back as it read them. */
#define LVT_STATUS (APIC_LVT_PENDING | APIC_LVT_REMOTE_IRR)

enum {
	R1 = 1U << 0, /* readable, writable in xAPIC mode */
	W1 = 1U << 1,
	R2 = 1U << 2, /* readable, writable in x2APIC mode */
	W2 = 1U << 3,
	RW = R1 | W1 | R2 | W2,
};

struct rule {
	uint8_t access;
	uint32_t allowed; /* bits that may be 1 in an x2APIC write */
};

#define MAP_RULE(offset) [(offset) / 16U ... (offset) / 16U + 7U] = { R1 | R2, 0 }

static const struct rule rules[64] = {
	[APIC_ID / 16U] = { R1 | R2, 0 },
	[APIC_VERSION / 16U] = { R1 | R2, 0 },
	[APIC_TPR / 16U] = { RW, 0xFFU },
	[APIC_APR / 16U] = { R1, 0 },
	[APIC_PPR / 16U] = { R1 | R2, 0 },
	[APIC_EOI / 16U] = { W1 | W2, 0 },
	[APIC_RRD / 16U] = { R1, 0 },
	[APIC_LDR / 16U] = { R1 | W1 | R2, 0 },
	[APIC_DFR / 16U] = { R1 | W1, 0 },
	[APIC_SVR / 16U] = { RW, SVR_WRITABLE },
	MAP_RULE(APIC_ISR),
	MAP_RULE(APIC_TMR),
	MAP_RULE(APIC_IRR),
	[APIC_ESR / 16U] = { RW, 0 },
	[APIC_LVT_CMCI / 16U] = { RW, LVT_LOCAL_WRITABLE | LVT_STATUS },
	[APIC_ICR / 16U] = { RW, ICR_WRITABLE | APIC_ICR_PENDING },
	[APIC_ICR_HIGH / 16U] = { R1 | W1, 0 },
	[APIC_LVT_TIMER / 16U] = { RW, LVT_TIMER_WRITABLE | LVT_STATUS },
	[APIC_LVT_THERMAL / 16U] = { RW, LVT_LOCAL_WRITABLE | LVT_STATUS },
	[APIC_LVT_PMC / 16U] = { RW, LVT_LOCAL_WRITABLE | LVT_STATUS },
	[APIC_LVT_LINT0 / 16U] = { RW, LVT_LINT_WRITABLE | LVT_STATUS },
	[APIC_LVT_LINT1 / 16U] = { RW, LVT_LINT_WRITABLE | LVT_STATUS },
	[APIC_LVT_ERROR / 16U] = { RW, LVT_ERROR_WRITABLE | LVT_STATUS },
	[APIC_TIMER_INIT / 16U] = { RW, ~0U },
	[APIC_TIMER_CURRENT / 16U] = { R1 | R2, 0 },
	[APIC_TIMER_DIVIDE / 16U] = { RW, 0xBU },
	[APIC_SELF_IPI / 16U] = { W2, 0xFFU },
};

static enum vlapic_lvt lvt_index(uint32_t offset)
{
	return offset == APIC_LVT_CMCI
		       ? VLAPIC_LVT_CMCI
		       : (enum vlapic_lvt)((offset - APIC_LVT_TIMER) / 16U + VLAPIC_LVT_TIMER);
}

static const uint32_t lvt_writable[VLAPIC_LVT_COUNT] = {
	[VLAPIC_LVT_CMCI] = LVT_LOCAL_WRITABLE,	   [VLAPIC_LVT_TIMER] = LVT_TIMER_WRITABLE,
	[VLAPIC_LVT_THERMAL] = LVT_LOCAL_WRITABLE, [VLAPIC_LVT_PMC] = LVT_LOCAL_WRITABLE,
	[VLAPIC_LVT_LINT0] = LVT_LINT_WRITABLE,	   [VLAPIC_LVT_LINT1] = LVT_LINT_WRITABLE,
	[VLAPIC_LVT_ERROR] = LVT_ERROR_WRITABLE,
};

static void routing_changed(struct vlapic *v)
{
	if (v->ops->routing_changed != NULL)
		v->ops->routing_changed(v->ctx);
}

static void write_lvt(struct vlapic *v, enum vlapic_lvt entry, uint32_t value)
{
	value &= lvt_writable[entry];
	if ((v->svr & APIC_SVR_ENABLE) == 0)
		value |= APIC_LVT_MASKED;
	if (entry == VLAPIC_LVT_TIMER)
		vlapic_timer_write_lvt(v, value);
	else
		atomic_store_relaxed(&v->lvt[entry], value);
}

static void write_svr(struct vlapic *v, uint32_t value)
{
	atomic_store_relaxed(&v->svr, value & SVR_WRITABLE);
	/* Software disable masks every LVT entry (SDM 3A 11.4.7.2). */
	if ((value & APIC_SVR_ENABLE) == 0) {
		for (unsigned int i = 0; i < VLAPIC_LVT_COUNT; i++)
			write_lvt(v, (enum vlapic_lvt)i, v->lvt[i]);
	}
}

static void write_ldr(struct vlapic *v, uint32_t value)
{
	atomic_store_relaxed(&v->ldr, value & 0xFF000000U);
	routing_changed(v);
}

static void write_dfr(struct vlapic *v, uint32_t value)
{
	atomic_store_relaxed(&v->dfr, value | APIC_DFR_CLUSTER);
	routing_changed(v);
}

/* The register at offset, already allowed by its rule. ICR has its 64-bit form for x2APIC. */
static void write_register(struct vlapic *v, uint32_t offset, uint64_t value)
{
	uint32_t low = (uint32_t)value;

	switch (offset) {
	case APIC_EOI:
		vlapic_eoi(v);
		break;
	case APIC_TPR:
		vlapic_tpr_set(v, (uint8_t)low);
		break;
	case APIC_LDR:
		write_ldr(v, low);
		break;
	case APIC_DFR:
		write_dfr(v, low);
		break;
	case APIC_SVR:
		write_svr(v, low);
		break;
	case APIC_ESR:
		/* Any write shows what gathered since the last one (SDM 3A 11.5.3). */
		v->esr = atomic_swap(&v->esr_pending, 0U);
		break;
	case APIC_ICR:
		v->icr = vlapic_is_x2apic(v) ? value : (v->icr & ~0xFFFFFFFFUL) | low;
		v->icr &= ~0xFFFFFFFFUL | ICR_WRITABLE;
		vlapic_icr_send(v, v->icr);
		break;
	case APIC_ICR_HIGH:
		v->icr = (v->icr & 0xFFFFFFFFUL) | (uint64_t)(low & 0xFF000000U) << 32;
		break;
	case APIC_SELF_IPI:
		vlapic_icr_send_self(v, (uint8_t)low);
		break;
	case APIC_TIMER_INIT:
		vlapic_timer_write_initial(v, low);
		break;
	case APIC_TIMER_DIVIDE:
		vlapic_timer_write_divide(v, low);
		break;
	default:
		write_lvt(v, lvt_index(offset), low);
		break;
	}
}

/* 32 bits of a 256-bit map; offset counts from the map's first register. */
static uint32_t map_word(const uint64_t *map, uint32_t offset)
{
	uint32_t word = offset / 16U;

	return (uint32_t)(atomic_load_relaxed(&map[word / 2U]) >> (word % 2U * 32U));
}

static uint64_t read_register(const struct vlapic *v, uint32_t offset)
{
	switch (offset) {
	case APIC_ID:
		return vlapic_is_x2apic(v) ? v->id : v->id << 24;
	case APIC_VERSION:
		return VLAPIC_VERSION;
	case APIC_TPR:
		return v->tpr;
	case APIC_PPR:
		return v->ppr;
	case APIC_LDR:
		return v->ldr;
	case APIC_DFR:
		return v->dfr;
	case APIC_SVR:
		return v->svr;
	case APIC_ISR ... APIC_ISR + 0x70U:
		return map_word(v->isr, offset - APIC_ISR);
	case APIC_TMR ... APIC_TMR + 0x70U:
		return map_word(v->tmr, offset - APIC_TMR);
	case APIC_IRR ... APIC_IRR + 0x70U:
		return map_word(v->irr, offset - APIC_IRR);
	case APIC_ESR:
		return v->esr;
	case APIC_ICR:
		return vlapic_is_x2apic(v) ? v->icr : (uint32_t)v->icr;
	case APIC_ICR_HIGH:
		return v->icr >> 32;
	case APIC_TIMER_INIT:
		return v->timer_initial;
	case APIC_TIMER_CURRENT:
		return vlapic_timer_current(v);
	case APIC_TIMER_DIVIDE:
		return v->timer_divide;
	case APIC_APR: /* not kept since the Pentium 4 (SDM 3A 11.6.2.4), likewise RRD */
	case APIC_RRD:
		return 0;
	default:
		return v->lvt[lvt_index(offset)];
	}
}

static void mmio_write(struct vlapic *v, uint32_t offset, const struct io_access *io)
{
	if (likely(io->size == 4U && offset % 16U == 0)) {
		if (likely((rules[offset / 16U].access & W1) != 0))
			write_register(v, offset, (uint32_t)io->value);
		else if (rules[offset / 16U].access == 0)
			vlapic_error(v, ESR_ILLEGAL_REGISTER);
	}
}

/* Other sizes than 32 bits are undefined; parts of one register are given for kindness. */
static uint64_t mmio_read(struct vlapic *v, uint32_t offset, unsigned int size)
{
	uint64_t value;

	if (offset % 16U + size > 4U)
		return 0;
	if ((rules[offset / 16U].access & R1) == 0) {
		if (rules[offset / 16U].access == 0)
			vlapic_error(v, ESR_ILLEGAL_REGISTER);
		return 0;
	}
	value = read_register(v, ALIGN_DOWN(offset, 16U));
	return (value >> (offset % 16U * 8U)) & bytes_mask(size);
}

enum io_result vlapic_mmio(void *dev, struct io_access *io)
{
	struct vlapic *v = dev;
	uint32_t offset = (uint32_t)io->addr & 0xFFFU;

	if (unlikely((v->base_msr & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) != APIC_BASE_ENABLE))
		return IO_FORWARD;
	if (unlikely(offset >= ARRAY_SIZE(rules) * 16U)) {
		vlapic_error(v, ESR_ILLEGAL_REGISTER);
		io->value = io->is_write ? io->value : 0;
	} else if (io->is_write) {
		mmio_write(v, offset, io);
	} else {
		io->value = mmio_read(v, offset, io->size);
	}
	return IO_DONE;
}

/* Modes by bits 11 (enabled) and 10 (x2APIC); what leads where is SDM 3A figure 11-27. */
static bool base_may_become(uint64_t from, uint64_t to)
{
	uint64_t modes = APIC_BASE_ENABLE | APIC_BASE_X2APIC;

	from &= modes;
	to &= modes;
	if (to == APIC_BASE_X2APIC) /* x2APIC without enable: no such state */
		return false;
	if (from == modes)
		return to != APIC_BASE_ENABLE;
	return from != 0 || to != modes;
}

/* One line, not one a try: the guest may be hostile. */
static int refuse_move(struct vlapic *v, uint64_t to)
{
	if (!v->was_move_refused)
		log_warn("vCPU %u: the guest moves its local APIC to %lx: not supported, #GP",
			 v->index, to);
	v->was_move_refused = true;
	return -EINVAL;
}

static int write_base(struct vlapic *v, uint64_t value)
{
	uint64_t old = v->base_msr;
	uint64_t known = APIC_BASE_ADDR_MASK | APIC_BASE_ENABLE | APIC_BASE_X2APIC | APIC_BASE_BSP;

	if ((value & ~known) != 0 || !base_may_become(old, value))
		return -EINVAL;
	if ((value & APIC_BASE_ADDR_MASK) != VLAPIC_DEFAULT_BASE)
		return refuse_move(v, value & APIC_BASE_ADDR_MASK);
	value = (value & ~APIC_BASE_BSP) | (old & APIC_BASE_BSP);
	if (value == old)
		return 0;
	atomic_store_relaxed(&v->base_msr, value);
	if ((value & APIC_BASE_ENABLE) == 0) {
		vlapic_reset(v, false); /* SDM 3A 11.4.3: what was set up is lost */
		return 0;
	}
	if ((value & ~old & APIC_BASE_X2APIC) != 0) {
		v->icr &= 0xFFFFFFFFUL;
		atomic_store_relaxed(&v->ldr, x2apic_logical_id(v->id));
	}
	routing_changed(v);
	return 0;
}

static int x2apic_write(struct vlapic *v, uint32_t msr, uint64_t value)
{
	uint32_t index = msr - X2APIC_MSR_FIRST;
	uint64_t allowed;

	if (unlikely(!vlapic_is_x2apic(v)))
		return -EINVAL;
	if (unlikely(index >= ARRAY_SIZE(rules) || (rules[index].access & W2) == 0))
		return -EINVAL;
	allowed = rules[index].allowed;
	if (index == APIC_ICR / 16U)
		allowed |= ~0xFFFFFFFFUL;
	if (unlikely((value & ~allowed) != 0))
		return -EINVAL;
	write_register(v, index * 16U, value);
	return 0;
}

int vlapic_msr_write(struct vlapic *v, uint32_t msr, uint64_t value)
{
	if (msr >= X2APIC_MSR_FIRST && msr <= X2APIC_MSR_LAST)
		return x2apic_write(v, msr, value);
	switch (msr) {
	case MSR_IA32_TSC_DEADLINE:
		vlapic_timer_write_deadline(v, value);
		return 0;
	case MSR_IA32_APIC_BASE:
		return write_base(v, value);
	default:
		return -EINVAL;
	}
}

static int x2apic_read(const struct vlapic *v, uint32_t msr, uint64_t *value)
{
	uint32_t index = msr - X2APIC_MSR_FIRST;

	if (!vlapic_is_x2apic(v) || index >= ARRAY_SIZE(rules) || (rules[index].access & R2) == 0)
		return -EINVAL;
	*value = read_register(v, index * 16U);
	return 0;
}

int vlapic_msr_read(struct vlapic *v, uint32_t msr, uint64_t *value)
{
	if (msr >= X2APIC_MSR_FIRST && msr <= X2APIC_MSR_LAST)
		return x2apic_read(v, msr, value);
	switch (msr) {
	case MSR_IA32_TSC_DEADLINE:
		*value = vlapic_timer_read_deadline(v);
		return 0;
	case MSR_IA32_APIC_BASE:
		*value = v->base_msr;
		return 0;
	default:
		return -EINVAL;
	}
}
