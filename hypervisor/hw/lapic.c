/* SPDX-License-Identifier: BSD-3-Clause */
/* The physical local APIC in its two dresses: a page of MMIO, or MSRs. */
#include "hw/lapic.h"
#include "hw/cpu.h"
#include "hw/io.h"
#include "hw/irq.h"
#include "hw/paging.h"
#include "hw/percpu.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/msr.h"

#define ICR_WAIT 1000000U /* turns; a message leaves in microseconds */
#define XAPIC_MAX_ID 254U
/* A device can send any vector: those below 0x20, which look like exceptions, wait for ever. */
#define TPR_NO_EXCEPTIONS 0x10U

static DEFINE_PERCPU(bool, lapic_x2apic);
static volatile uint8_t *page; /* NULL while no CPU was ever seen in xAPIC mode */

uint32_t lapic_read(uint32_t reg)
{
	if (this_cpu(lapic_x2apic))
		return (uint32_t)msr_read(X2APIC_MSR(reg));
	return mmio_read32(page + reg);
}

void lapic_write(uint32_t reg, uint32_t value)
{
	if (this_cpu(lapic_x2apic))
		msr_write(X2APIC_MSR(reg), value);
	else
		mmio_write32(page + reg, value);
}

bool lapic_is_x2apic(void)
{
	return this_cpu(lapic_x2apic);
}

uint32_t lapic_id(void)
{
	uint32_t id = lapic_read(APIC_ID);

	return this_cpu(lapic_x2apic) ? id : id >> 24;
}

void lapic_eoi(void)
{
	lapic_write(APIC_EOI, 0);
}

static bool vector_bit(uint32_t reg, uint8_t vector)
{
	return (lapic_read(reg + (vector / 32U) * 0x10U) & BIT32(vector % 32U)) != 0;
}

bool lapic_in_service(uint8_t vector)
{
	return vector_bit(APIC_ISR, vector);
}

bool lapic_is_requested(uint8_t vector)
{
	return vector_bit(APIC_IRR, vector);
}

bool lapic_came_as_level(uint8_t vector)
{
	return vector_bit(APIC_TMR, vector);
}

/* What firmware took and never acknowledged would block all lower priorities. */
static void drain(void)
{
	for (unsigned int turn = 0; turn < 256; turn++) {
		uint32_t any = 0;

		for (uint32_t i = 0; i < 8; i++)
			any |= lapic_read(APIC_ISR + i * 0x10U);
		if (any == 0)
			return;
		lapic_eoi();
	}
}

static void error_irq(void)
{
	static unsigned int reported;
	uint32_t esr;

	lapic_write(APIC_ESR, 0);
	esr = lapic_read(APIC_ESR);
	if (reported++ < 8)
		log_warn("local APIC error, status 0x%x", esr);
}

static void set_up(void)
{
	uint32_t max_lvt = (lapic_read(APIC_VERSION) >> 16) & 0xFFU;

	lapic_write(APIC_SVR, APIC_SVR_ENABLE | IRQ_SPURIOUS);
	lapic_write(APIC_TPR, TPR_NO_EXCEPTIONS);
	lapic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | IRQ_TIMER);
	lapic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	lapic_write(APIC_LVT_LINT1, APIC_DM_NMI << APIC_LVT_MODE_SHIFT);
	if (max_lvt >= 3) {
		lapic_write(APIC_ESR, 0);
		lapic_write(APIC_LVT_ERROR, IRQ_ERROR);
	}
	if (max_lvt >= 4)
		lapic_write(APIC_LVT_PMC, APIC_LVT_MASKED);
	if (max_lvt >= 5)
		lapic_write(APIC_LVT_THERMAL, APIC_LVT_MASKED);
	if (max_lvt >= 6)
		lapic_write(APIC_LVT_CMCI, APIC_LVT_MASKED);
	drain();
}

void lapic_init_cpu(void)
{
	uint64_t base = msr_read(MSR_IA32_APIC_BASE);

	if ((base & APIC_BASE_ENABLE) == 0) {
		base |= APIC_BASE_ENABLE;
		msr_write(MSR_IA32_APIC_BASE, base);
	}
	this_cpu(lapic_x2apic) = (base & APIC_BASE_X2APIC) != 0;
	if (page == NULL)
		page = paging_map_mmio(base & APIC_BASE_ADDR_MASK, APIC_PAGE_SIZE, PG_UC);
	(void)irq_register(IRQ_ERROR, error_irq);
	set_up();
}

int lapic_set_mode(bool x2apic)
{
	uint64_t base = msr_read(MSR_IA32_APIC_BASE);

	if (x2apic == this_cpu(lapic_x2apic))
		return 0;
	if (x2apic && !cpu_features.x2apic)
		return -ENODEV;
	if (!x2apic && lapic_id() > XAPIC_MAX_ID)
		return -ENODEV;
	if (x2apic) {
		/* Nothing is lost on the way up (SDM 3A 10.12.5). */
		msr_write(MSR_IA32_APIC_BASE, base | APIC_BASE_X2APIC);
		this_cpu(lapic_x2apic) = true;
		return 0;
	}
	base &= ~(APIC_BASE_X2APIC | APIC_BASE_ENABLE);
	msr_write(MSR_IA32_APIC_BASE, base);
	msr_write(MSR_IA32_APIC_BASE, base | APIC_BASE_ENABLE);
	this_cpu(lapic_x2apic) = false;
	set_up();
	return 0;
}

void lapic_set_logical(uint32_t ldr, uint32_t dfr)
{
	if (this_cpu(lapic_x2apic))
		return;
	lapic_write(APIC_DFR, dfr);
	lapic_write(APIC_LDR, ldr);
}

static void send(uint32_t apic_id, uint32_t command)
{
	if (this_cpu(lapic_x2apic)) {
		/* The MSR write does not order earlier stores (SDM 3A 10.12.3). */
		asm volatile("mfence; lfence" ::: "memory");
		msr_write(X2APIC_MSR(APIC_ICR), ((uint64_t)apic_id << 32) | command);
		return;
	}
	for (unsigned int i = 0; i < ICR_WAIT; i++) {
		if ((lapic_read(APIC_ICR) & APIC_ICR_PENDING) == 0)
			break;
		cpu_relax();
	}
	lapic_write(APIC_ICR_HIGH, apic_id << 24);
	lapic_write(APIC_ICR, command);
}

void lapic_send_ipi(uint32_t apic_id, uint8_t vector)
{
	send(apic_id, APIC_ICR_ASSERT | vector);
}

void lapic_send_nmi(uint32_t apic_id)
{
	send(apic_id, APIC_ICR_ASSERT | (APIC_DM_NMI << APIC_ICR_MODE_SHIFT));
}

void lapic_send_nmi_others(void)
{
	send(0, APIC_ICR_ASSERT | (APIC_DM_NMI << APIC_ICR_MODE_SHIFT) |
			(APIC_SHORTHAND_OTHERS << APIC_ICR_SHORTHAND_SHIFT));
}

void lapic_send_init(uint32_t apic_id)
{
	send(apic_id, APIC_ICR_ASSERT | APIC_ICR_LEVEL | (APIC_DM_INIT << APIC_ICR_MODE_SHIFT));
}

void lapic_send_startup(uint32_t apic_id, hpa_t start)
{
	send(apic_id, APIC_ICR_ASSERT | (APIC_DM_STARTUP << APIC_ICR_MODE_SHIFT) |
			      (uint32_t)((start >> PAGE_SHIFT) & 0xFFU));
}
