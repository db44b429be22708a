/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two local APICs and an I/O APIC under any sequence of what guests and devices can do to them.
 * Input: records of an operation and its operands; after each, what must always hold is checked.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/panic.h"
#include "vdev/vioapic.h"
#include "vdev/vlapic.h"
#include "x86/apic.h"
#include "x86/msr.h"

#define CPUS 2U

struct record {
	uint8_t op, cpu;
	uint16_t where;
	uint32_t value;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct apic_bus bus;
static struct vlapic apic[CPUS];
static struct vioapic ioapic;
static uint64_t deadline[CPUS], tsc;

static void nothing(void *ctx)
{
	(void)ctx;
}

static void no_sipi(void *ctx, uint8_t vector)
{
	(void)ctx;
	(void)vector;
}

static void timer_set(void *ctx, uint64_t value)
{
	deadline[(struct vlapic *)ctx - apic] = value;
}

static uint64_t get_tsc(void *ctx)
{
	(void)ctx;
	return tsc;
}

static const struct vlapic_ops ops = {
	.kick = nothing,
	.nmi = nothing,
	.init = nothing,
	.sipi = no_sipi,
	.timer_set = timer_set,
	.tsc = get_tsc,
};

static void eoi(void *ctx, uint8_t vector)
{
	vioapic_eoi(ctx, vector);
}

static unsigned int top_of(const uint64_t *map)
{
	unsigned int vector = 255;

	while (vector > 0 && !bitmap_test(map, vector))
		vector--;
	return vector;
}

static void check(struct vlapic *v)
{
	unsigned int top = top_of(v->isr), class = MAX(top & 0xF0U, v->tpr & 0xF0U);
	int pending = vlapic_pending(v);
	uint64_t base;

	ASSERT(v->isrv == top);
	ASSERT((v->ppr & 0xF0U) == class);
	ASSERT((v->irr[0] & 0xFFFFU) == 0);
	ASSERT(pending < 0 ? (top_of(v->irr) & 0xF0U) <= class : pending == (int)top_of(v->irr));
	ASSERT(vlapic_msr_read(v, MSR_IA32_APIC_BASE, &base) == 0);
	ASSERT((base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) != APIC_BASE_X2APIC);
	ASSERT(v->timer_deadline != 0 || deadline[v - apic] == 0);
}

static void check_ioapic(void)
{
	for (unsigned int pin = 0; pin < ioapic.pins; pin++) {
		bool awaits = (ioapic.rte[pin] & RTE_REMOTE_IRR) != 0;

		ASSERT(awaits == bitmap_test(ioapic.awaiting, pin));
		ASSERT(!awaits || (ioapic.rte[pin] & RTE_LEVEL) != 0);
	}
}

static void page(struct vlapic *v, const struct record *r)
{
	struct io_access io = {
		.space = IO_MMIO,
		.is_write = (r->cpu & 2U) != 0,
		.size = (uint8_t)(1U << (r->cpu >> 2 & 3U)),
		.addr = VLAPIC_DEFAULT_BASE + r->where % 4096U,
		.value = r->value,
	};

	if ((r->cpu & 16U) != 0) { /* mostly well formed */
		io.size = 4;
		io.addr &= ~0xFUL;
	}
	(void)vlapic_mmio(v, &io);
}

static void msr(struct vlapic *v, const struct record *r)
{
	static const uint32_t others[] = { MSR_IA32_APIC_BASE, MSR_IA32_TSC_DEADLINE };
	uint32_t number = (r->cpu & 4U) != 0 ? others[r->where & 1U] : 0x800U + r->where % 256U;
	uint64_t value = r->value | ((r->cpu & 8U) != 0 ? (uint64_t)r->value << 32 : 0);

	if ((r->cpu & 2U) != 0)
		(void)vlapic_msr_write(v, number, value);
	else
		(void)vlapic_msr_read(v, number, &value);
}

static void pins(const struct record *r)
{
	struct io_access io = {
		.space = IO_MMIO,
		.is_write = (r->cpu & 2U) != 0,
		.size = 4,
		.addr = ioapic.base + (r->where & 0x10U),
		.value = r->value,
	};

	if ((r->cpu & 4U) != 0)
		(void)vioapic_set_pin(&ioapic, r->where % 30U, (r->cpu & 2U) != 0);
	else
		(void)vioapic_mmio(&ioapic, &io);
}

static void pass_time(struct vlapic *v, uint32_t ticks)
{
	unsigned int i = (unsigned int)(v - apic);

	tsc += ticks;
	if (deadline[i] == 0 || deadline[i] > tsc)
		return;
	deadline[i] = 0;
	vlapic_timer_expired(v);
	ASSERT(deadline[i] == 0 || deadline[i] > tsc);
}

static void step(const struct record *r)
{
	struct vlapic *v = &apic[r->cpu & 1U];
	int vector;

	switch (r->op % 10U) {
	case 0:
	case 1:
		page(v, r);
		break;
	case 2:
	case 3:
		msr(v, r);
		break;
	case 4:
		pins(r);
		break;
	case 5:
		vlapic_accept(v, (uint8_t)r->where, (r->cpu & 2U) != 0);
		break;
	case 6:
		vector = vlapic_pending(v);
		if (vector >= 0)
			vlapic_taken(v, (uint8_t)vector);
		break;
	case 7:
		pass_time(v, r->value);
		break;
	case 8:
		(void)apic_bus_deliver_msi(&bus, 0xFEE00000UL | (uint64_t)r->where << 4, r->value);
		break;
	default:
		if ((r->cpu & 0xFEU) == 0)
			vlapic_reset(v, (r->where & 1U) != 0);
		else
			vlapic_cr8_set(v, r->where & 15U);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record r;

	tsc = 1000;
	memset(deadline, 0, sizeof(deadline));
	apic_bus_init(&bus, eoi, &ioapic);
	vioapic_init(&ioapic, 0xFEC00000, 0, 24, &bus);
	for (unsigned int i = 0; i < CPUS; i++) {
		ASSERT(vlapic_init(&apic[i], &bus, i, &ops, &apic[i]) == 0);
		vlapic_set_virtual_wire(&apic[i]);
	}
	for (; size >= sizeof(r); data += sizeof(r), size -= sizeof(r)) {
		memcpy(&r, data, sizeof(r));
		step(&r);
		for (unsigned int i = 0; i < CPUS; i++)
			check(&apic[i]);
		check_ioapic();
	}
	return 0;
}
