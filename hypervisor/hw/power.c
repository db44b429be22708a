/* SPDX-License-Identifier: BSD-3-Clause */
/* Restart and power-off. */
#include "hw/power.h"
#include "hw/cpu.h"
#include "hw/io.h"
#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/platform.h"
#include "hw/tsc.h"
#include "hw/uart.h"

#define RESET_PORT 0xCF9
#define RESET_HOT 0x02
#define RESET_CPU 0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_PULSE_RESET 0xFE
#define PATIENCE_US 50000U

#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK 0x1C00U
#define PM1_SLP_EN 0x2000U

/*
 * The reset register is 8 bits wide (ACPI 4.8.3.6): in memory, a port, or PCI configuration space.
 */
static void acpi_reset(void)
{
	const struct acpi_gas *reset = &platform_acpi.reset;

	if (reset->address == 0)
		return;
	if (reset->space == 1)
		out8((uint16_t)reset->address, platform_acpi.reset_value);
	else if (reset->space == 0)
		mmio_write8(paging_map_mmio(reset->address, 1, PG_UC), platform_acpi.reset_value);
	else if (reset->space == 2)
		pci_write(PCI_BDF(0, (reset->address >> 32) & 0x1FU, (reset->address >> 16) & 7U),
			  (unsigned int)(reset->address & 0xFFFU), 1, platform_acpi.reset_value);
	tsc_delay_us(PATIENCE_US);
}

static void triple_fault(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt = {0, 0};

	asm volatile("lidt %0\n\tud2" ::"m"(no_idt));
}

_Noreturn void power_reset(void)
{
	uart_drain();
	/* A reset drops what is only in the caches, and the last log is not for them. */
	cpu_write_back_caches();
	acpi_reset();
	out8(RESET_PORT, RESET_HOT);
	tsc_delay_us(100);
	out8(RESET_PORT, RESET_CPU);
	tsc_delay_us(PATIENCE_US);
	out8(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
	tsc_delay_us(PATIENCE_US);
	triple_fault();
	cpu_halt_forever();
}

static uint16_t pm1_read(const struct acpi_gas *reg)
{
	if (reg->space == 1)
		return in16((uint16_t)reg->address);
	return mmio_read16(paging_map_mmio(reg->address, 2, PG_UC));
}

static void pm1_write(const struct acpi_gas *reg, uint16_t value)
{
	if (reg->space == 1)
		out16((uint16_t)reg->address, value);
	else
		mmio_write16(paging_map_mmio(reg->address, 2, PG_UC), value);
}

static void sleep(const struct acpi_gas *reg, unsigned int type)
{
	uint16_t value;

	if (reg->address == 0)
		return;
	value = (uint16_t)((pm1_read(reg) & ~(PM1_SLP_TYP_MASK | PM1_SLP_EN)) |
			   ((type << PM1_SLP_TYP_SHIFT) & PM1_SLP_TYP_MASK));
	/* Two writes: type first, then the same with SLP_EN (ACPI 4.8.3.2.1). */
	pm1_write(reg, value);
	pm1_write(reg, value | PM1_SLP_EN);
}

void power_off(unsigned int slp_typ_a, unsigned int slp_typ_b)
{
	uart_drain();
	sleep(&platform_acpi.pm1a_cnt, slp_typ_a);
	sleep(&platform_acpi.pm1b_cnt, slp_typ_b);
	tsc_delay_us(1000000U);
}
