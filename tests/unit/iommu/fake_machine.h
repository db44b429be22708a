/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine below the room iommu: a pool of pages, PCI functions, the registers of one unit. Time goes on by a
 * microsecond whenever somebody looks, and then the unit works, which is what a test makes of fake_work.
 */
#pragma once

#include "hw/cpu.h"
#include "hw/paging.h"

#define FAKE_REGS_SIZE 0x4000U
extern uint8_t fake_regs[FAKE_REGS_SIZE];
extern void (*fake_work)(void);
extern uint64_t fake_now;

/* Fresh pages, registers of zeroes, no PCI function. */
int fake_setup(void **state);
int fake_teardown(void **state);

static inline uint64_t fake_reg(unsigned int reg)
{
	return *(uint64_t *)(fake_regs + reg);
}

static inline void fake_set_reg(unsigned int reg, uint64_t value)
{
	*(uint64_t *)(fake_regs + reg) = value;
}

/* What lies at an address that was given to the unit. */
static inline void *fake_memory(uint64_t hpa)
{
	return phys_to_virt(hpa);
}

/* A PCI function with that many bytes of configuration space; up to eight. */
void fake_pci_add(uint16_t bdf, const uint8_t *config, unsigned int size);
