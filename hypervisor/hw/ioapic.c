/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The physical I/O APICs. Index and data register are a pair, so each I/O APIC has a lock. An
 * entry is changed with its pin masked: first the low half with the mask, then the high half, then
 * the low half.
 */
#include "hw/ioapic.h"
#include "hw/io.h"
#include "hw/paging.h"
#include "hw/platform.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/spinlock.h"
#include "lib/util.h"

#define IOAPIC_VERSION_EOI 0x20U
#define PIC_MASTER 0x20
#define PIC_SLAVE 0xA0

static struct ioapic {
	struct spinlock lock; /* innermost */
	volatile uint8_t *regs;
	unsigned int pins;
	uint32_t version;
} ioapics[MAX_IOAPICS];

static uint32_t reg_read(struct ioapic *io, uint32_t reg)
{
	mmio_write32(io->regs + IOAPIC_REGSEL, reg);
	return mmio_read32(io->regs + IOAPIC_WINDOW);
}

static void reg_write(struct ioapic *io, uint32_t reg, uint32_t value)
{
	mmio_write32(io->regs + IOAPIC_REGSEL, reg);
	mmio_write32(io->regs + IOAPIC_WINDOW, value);
}

static struct ioapic *get(unsigned int ioapic, unsigned int pin)
{
	ASSERT(ioapic < ioapic_count() && pin < ioapics[ioapic].pins);
	return &ioapics[ioapic];
}

unsigned int ioapic_init(void)
{
	for (unsigned int i = 0; i < ioapic_count(); i++) {
		struct ioapic *io = &ioapics[i];

		spinlock_init(&io->lock);
		io->regs = paging_map_mmio(ioapic_base(i), IOAPIC_PAGE_SIZE, PG_UC);
		io->version = reg_read(io, IOAPIC_REG_VERSION);
		io->pins = MIN(((io->version >> 16) & 0xFFU) + 1U, IOAPIC_MAX_PINS);
		for (unsigned int pin = 0; pin < io->pins; pin++)
			ioapic_rte_write(i, pin, IOAPIC_RTE_MASKED);
		log_info("ioapic %u: at 0x%lx, GSI %u-%u", ioapic_id(i), ioapic_base(i),
			 ioapic_gsi_base(i), ioapic_gsi_base(i) + io->pins - 1U);
	}
	return ioapic_count();
}

unsigned int ioapic_count(void)
{
	return MIN(platform_acpi.ioapic_count, MAX_IOAPICS);
}

uint8_t ioapic_id(unsigned int ioapic)
{
	return platform_acpi.ioapic[ioapic].id;
}

hpa_t ioapic_base(unsigned int ioapic)
{
	return platform_acpi.ioapic[ioapic].base;
}

uint32_t ioapic_gsi_base(unsigned int ioapic)
{
	return platform_acpi.ioapic[ioapic].gsi_base;
}

unsigned int ioapic_pins(unsigned int ioapic)
{
	return ioapics[ioapic].pins;
}

uint32_t ioapic_version(unsigned int ioapic)
{
	return ioapics[ioapic].version;
}

uint64_t ioapic_rte_read(unsigned int ioapic, unsigned int pin)
{
	struct ioapic *io = get(ioapic, pin);
	uint64_t rte;

	spinlock_lock(&io->lock);
	rte = reg_read(io, IOAPIC_REG_RTE + 2 * pin);
	rte |= (uint64_t)reg_read(io, IOAPIC_REG_RTE + 2 * pin + 1) << 32;
	spinlock_unlock(&io->lock);
	return rte;
}

void ioapic_rte_write(unsigned int ioapic, unsigned int pin, uint64_t rte)
{
	struct ioapic *io = get(ioapic, pin);

	spinlock_lock(&io->lock);
	reg_write(io, IOAPIC_REG_RTE + 2 * pin, (uint32_t)(rte | IOAPIC_RTE_MASKED));
	reg_write(io, IOAPIC_REG_RTE + 2 * pin + 1, (uint32_t)(rte >> 32));
	if ((rte & IOAPIC_RTE_MASKED) == 0)
		reg_write(io, IOAPIC_REG_RTE + 2 * pin, (uint32_t)rte);
	spinlock_unlock(&io->lock);
}

static void set_mask(unsigned int ioapic, unsigned int pin, uint32_t mask)
{
	struct ioapic *io = get(ioapic, pin);
	uint32_t low;

	spinlock_lock(&io->lock);
	low = reg_read(io, IOAPIC_REG_RTE + 2 * pin) & ~(uint32_t)IOAPIC_RTE_MASKED;
	reg_write(io, IOAPIC_REG_RTE + 2 * pin, low | mask);
	spinlock_unlock(&io->lock);
}

void ioapic_mask(unsigned int ioapic, unsigned int pin)
{
	set_mask(ioapic, pin, (uint32_t)IOAPIC_RTE_MASKED);
}

void ioapic_unmask(unsigned int ioapic, unsigned int pin)
{
	set_mask(ioapic, pin, 0);
}

/* The way for chips without the register is that of all systems: a pin that becomes edge-triggered awaits nothing. */
void ioapic_end(unsigned int ioapic, unsigned int pin)
{
	struct ioapic *io = get(ioapic, pin);
	uint32_t low;

	spinlock_lock(&io->lock);
	low = reg_read(io, IOAPIC_REG_RTE + 2 * pin);
	if ((io->version & 0xFFU) >= IOAPIC_VERSION_EOI) {
		mmio_write32(io->regs + IOAPIC_EOI, low & (uint32_t)IOAPIC_RTE_VECTOR);
	} else {
		reg_write(io, IOAPIC_REG_RTE + 2 * pin,
			  (low & ~(uint32_t)IOAPIC_RTE_LEVEL) | (uint32_t)IOAPIC_RTE_MASKED);
		reg_write(io, IOAPIC_REG_RTE + 2 * pin, low);
	}
	spinlock_unlock(&io->lock);
}

bool ioapic_find_gsi(uint32_t gsi, unsigned int *ioapic, unsigned int *pin)
{
	for (unsigned int i = 0; i < ioapic_count(); i++) {
		if (gsi >= ioapic_gsi_base(i) && gsi - ioapic_gsi_base(i) < ioapics[i].pins) {
			*ioapic = i;
			*pin = gsi - ioapic_gsi_base(i);
			return true;
		}
	}
	return false;
}

void i8259_disable(void)
{
	/* ICW1-4, so that even a spurious one comes at a vector that is nobody's exception. */
	out8(PIC_MASTER, 0x11);
	out8(PIC_SLAVE, 0x11);
	out8(PIC_MASTER + 1, 0x20);
	out8(PIC_SLAVE + 1, 0x28);
	out8(PIC_MASTER + 1, 0x04);
	out8(PIC_SLAVE + 1, 0x02);
	out8(PIC_MASTER + 1, 0x01);
	out8(PIC_SLAVE + 1, 0x01);
	out8(PIC_MASTER + 1, 0xFF);
	out8(PIC_SLAVE + 1, 0xFF);
}
