/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Local and I/O APIC: register offsets and fields as seen in the xAPIC page (SDM 3A 10). The x2APIC
 * MSR of a register is 0x800 + offset / 16. Both the physical driver and the virtual ones use these.
 */
#pragma once

#include "lib/types.h"

#define APIC_BASE_DEFAULT 0xFEE00000UL
#define APIC_PAGE_SIZE 0x1000UL

/* IA32_APIC_BASE */
#define APIC_BASE_BSP (1UL << 8)
#define APIC_BASE_X2APIC (1UL << 10)
#define APIC_BASE_ENABLE (1UL << 11)
#define APIC_BASE_ADDR_MASK 0x000FFFFFFFFFF000UL

#define APIC_ID 0x020U
#define APIC_VERSION 0x030U
#define APIC_TPR 0x080U
#define APIC_APR 0x090U
#define APIC_PPR 0x0A0U
#define APIC_EOI 0x0B0U
#define APIC_RRD 0x0C0U
#define APIC_LDR 0x0D0U
#define APIC_DFR 0x0E0U
#define APIC_SVR 0x0F0U
#define APIC_ISR 0x100U /* eight registers, 0x10 apart; likewise TMR and IRR */
#define APIC_TMR 0x180U
#define APIC_IRR 0x200U
#define APIC_ESR 0x280U
#define APIC_LVT_CMCI 0x2F0U
#define APIC_ICR 0x300U /* one 64-bit MSR in x2APIC mode */
#define APIC_ICR_HIGH 0x310U
#define APIC_LVT_TIMER 0x320U
#define APIC_LVT_THERMAL 0x330U
#define APIC_LVT_PMC 0x340U
#define APIC_LVT_LINT0 0x350U
#define APIC_LVT_LINT1 0x360U
#define APIC_LVT_ERROR 0x370U
#define APIC_TIMER_INIT 0x380U
#define APIC_TIMER_CURRENT 0x390U
#define APIC_TIMER_DIVIDE 0x3E0U
#define APIC_SELF_IPI 0x3F0U /* x2APIC only */

#define APIC_SVR_ENABLE (1U << 8)
#define APIC_SVR_NO_EOI_BROADCAST (1U << 12)
#define APIC_DFR_FLAT 0xFFFFFFFFU
#define APIC_DFR_CLUSTER 0x0FFFFFFFU

#define APIC_LVT_VECTOR 0xFFU
#define APIC_LVT_MODE_SHIFT 8
#define APIC_LVT_PENDING (1U << 12)
#define APIC_LVT_LOW_ACTIVE (1U << 13)
#define APIC_LVT_REMOTE_IRR (1U << 14)
#define APIC_LVT_LEVEL (1U << 15)
#define APIC_LVT_MASKED (1U << 16)
#define APIC_TIMER_MODE_MASK (3U << 17)
#define APIC_TIMER_ONE_SHOT (0U << 17)
#define APIC_TIMER_PERIODIC (1U << 17)
#define APIC_TIMER_DEADLINE (2U << 17)

/* Delivery modes: of ICR, LVT, I/O APIC entries and MSI data alike. */
#define APIC_DM_FIXED 0U
#define APIC_DM_LOWEST 1U
#define APIC_DM_SMI 2U
#define APIC_DM_NMI 4U
#define APIC_DM_INIT 5U
#define APIC_DM_STARTUP 6U
#define APIC_DM_EXTINT 7U

#define APIC_ICR_MODE_SHIFT 8
#define APIC_ICR_LOGICAL (1U << 11)
#define APIC_ICR_PENDING (1U << 12)
#define APIC_ICR_ASSERT (1U << 14)
#define APIC_ICR_LEVEL (1U << 15)
#define APIC_ICR_SHORTHAND_SHIFT 18
#define APIC_SHORTHAND_NONE 0U
#define APIC_SHORTHAND_SELF 1U
#define APIC_SHORTHAND_ALL 2U
#define APIC_SHORTHAND_OTHERS 3U

#define X2APIC_MSR(offset) (0x800U + (offset) / 16U)
#define X2APIC_MSR_FIRST 0x800U
#define X2APIC_MSR_LAST 0x8FFU

/* The logical id that x2APIC mode derives from the id (SDM 3A 10.12.10.2). */
static inline uint32_t x2apic_logical_id(uint32_t id)
{
	return ((id >> 4) << 16) | (1U << (id & 15U));
}

/* What the timer's divide register says: 1, 2, 4 ... 128. */
static inline unsigned int apic_timer_divisor(uint32_t reg)
{
	unsigned int code = (reg & 3U) | ((reg >> 1) & 4U);

	return code == 7U ? 1U : 2U << code;
}

/* I/O APIC: two registers in its page, the rest by index. */
#define IOAPIC_REGSEL 0x00U
#define IOAPIC_WINDOW 0x10U
#define IOAPIC_EOI 0x40U /* version 0x20 and later */
#define IOAPIC_PAGE_SIZE 0x1000UL
#define IOAPIC_REG_ID 0x00U
#define IOAPIC_REG_VERSION 0x01U
#define IOAPIC_REG_ARB 0x02U
#define IOAPIC_REG_RTE 0x10U /* two a pin */
#define IOAPIC_MAX_PINS 240U

#define IOAPIC_RTE_VECTOR 0xFFUL
#define IOAPIC_RTE_MODE_SHIFT 8
#define IOAPIC_RTE_LOGICAL (1UL << 11)
#define IOAPIC_RTE_PENDING (1UL << 12)
#define IOAPIC_RTE_LOW_ACTIVE (1UL << 13)
#define IOAPIC_RTE_REMOTE_IRR (1UL << 14)
#define IOAPIC_RTE_LEVEL (1UL << 15)
#define IOAPIC_RTE_MASKED (1UL << 16)
#define IOAPIC_RTE_DEST_SHIFT 56

/* MSI address and data (SDM 3A 10.11). */
#define MSI_ADDR_BASE 0xFEE00000UL
#define MSI_ADDR_BASE_MASK 0xFFF00000UL
#define MSI_ADDR_DEST_SHIFT 12
#define MSI_ADDR_REDIRECT (1U << 3)
#define MSI_ADDR_LOGICAL (1U << 2)
#define MSI_DATA_MODE_SHIFT 8
#define MSI_DATA_ASSERT (1U << 14)
#define MSI_DATA_LEVEL (1U << 15)
