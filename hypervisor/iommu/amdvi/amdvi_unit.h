/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One AMD IOMMU: its registers, the ring of commands that it reads and the ring of events that it writes, a page each.
 * The caller sees to it that only one CPU is in here for a unit, but for amdvi_unit_do().
 */
#pragma once

#include "iommu/amdvi/amdvi_format.h"

struct amdvi_unit {
	struct spinlock lock; /* of the commands; innermost */
	volatile uint8_t *regs;
	struct amdvi_command *commands;
	uint64_t (*events)[2];
	volatile uint64_t *done; /* the unit writes here what a completion wait carries */
	uint64_t waits;
	uint32_t tail, event_head;
	bool can_forget_all; /* has the command INVALIDATE_IOMMU_ALL */
	bool has_counters;
	uint16_t bdf;
};

#define AMDVI_REGISTER_SIZE 0x4000UL
#define AMDVI_REGISTER_SIZE_COUNTERS 0x80000UL /* of one with performance counters; we use none */

/* Takes its pages. -ENODEV, with the reason in the log, when there is no unit; -ENOMEM. */
int amdvi_unit_init(struct amdvi_unit *u, hpa_t base, uint16_t bdf);

/* Turns it on, with that table of AMDVI_DEVICES entries. */
void amdvi_unit_start(struct amdvi_unit *u, hpa_t device_table);

/* Has the commands done and waits for the end. Panics when the unit does not answer. */
void amdvi_unit_do(struct amdvi_unit *u, const struct amdvi_command *commands, unsigned int count);

bool amdvi_unit_next_event(struct amdvi_unit *u, struct iommu_fault *fault);
