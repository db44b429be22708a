/* SPDX-License-Identifier: BSD-3-Clause */
/* A small machine for tests: some virtual local APICs on a bus, whose signals are counted. */
#pragma once

#include "vdev/vlapic.h"

#define RIG_CPUS 8U

struct rig_cpu {
	struct vlapic apic;
	unsigned int kicks, nmis, inits, sipis, routings;
	uint8_t sipi_vector;
	uint64_t deadline;	 /* told by timer_set */
	unsigned int timer_sets; /* how often */
};

struct rig {
	struct apic_bus bus;
	struct rig_cpu cpu[RIG_CPUS];
	unsigned int eois;
	uint8_t eoi_vector; /* last level vector acknowledged */
};

extern uint64_t rig_tsc; /* guest TSC of every CPU */

/* cpus vlapics with ids first_id, first_id + 1 ..., software enabled, in x2APIC mode or not. */
void rig_init(struct rig *rig, unsigned int cpus, uint32_t first_id, bool is_x2apic);

/* Accesses as the guest makes them; each asserts that it was allowed. */
void rig_write(struct rig_cpu *cpu, uint32_t offset, uint32_t value);
uint32_t rig_read(struct rig_cpu *cpu, uint32_t offset);
void rig_wrmsr(struct rig_cpu *cpu, uint32_t msr, uint64_t value);
uint64_t rig_rdmsr(struct rig_cpu *cpu, uint32_t msr);

/* The CPU takes what is pending, if anything: its vector, else -1. */
int rig_take(struct rig_cpu *cpu);

/* Lets the time pass to tsc and the timer expire as often as it falls due. */
void rig_run_until(struct rig_cpu *cpu, uint64_t tsc);
