/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Variables of which each CPU has its own. GS belongs to the guest while we run, so a CPU finds
 * its copy through its stack: a stack is 16 KiB, aligned to 16 KiB, and its lowest word holds the
 * distance from the linker's .percpu section to this CPU's area. Access is three instructions and
 * a load.
 *
 *   stack + 16 KiB  +-----------+ < first push             .percpu +---------+ < &percpu_name
 *                   |           |                          (CPU 0) |         |
 *             RSP > |           |                                  +---------+
 *                   |           |                             area +---------+
 *                   | distance -+--------------------------------> | CPU n's |
 *   stack           +-----------+                                  +---------+
 *   stack - 16 KiB    guard, not mapped
 *
 * The section itself is CPU 0's area. Areas start zeroed: no initialisers.
 */
#pragma once

#include "lib/types.h"

#define MAX_CPUS 64U
#define STACK_SIZE 16384UL

#define DEFINE_PERCPU(type, name)                                                                  \
	__attribute__((section(".percpu"), aligned(sizeof(long)))) __typeof__(type) percpu_##name

#define DECLARE_PERCPU(type, name) extern __typeof__(type) percpu_##name

/* The distance of this CPU's area. Without volatile, so that the compiler asks once a function. */
static inline uint64_t percpu_distance(void)
{
	uint64_t distance;

	asm("movq %%rsp, %0\n\tandq $-16384, %0\n\tmovq (%0), %0" : "=r"(distance));
	return distance;
}

#define percpu_at(name, distance)                                                                  \
	(*(__typeof__(percpu_##name) *)((uint64_t)&percpu_##name + (distance)))

/* An lvalue: the variable of the CPU we run on, or of another (0 .. cpu_count() - 1). */
#define this_cpu(name) percpu_at(name, percpu_distance())
#define per_cpu(name, cpu) percpu_at(name, percpu_distances[cpu])

extern uint64_t percpu_distances[MAX_CPUS];

DECLARE_PERCPU(unsigned int, cpu_id);
DECLARE_PERCPU(uint32_t, apic_id);

/* Ours: dense, 0 is the boot CPU. */
static inline unsigned int cpu_id(void)
{
	return this_cpu(cpu_id);
}

/* CPUs that run the hypervisor; final when smp_start() has returned. */
unsigned int cpu_count(void);

static inline uint32_t cpu_apic_id(unsigned int cpu)
{
	return per_cpu(apic_id, cpu);
}

/* The CPU with that APIC id, or -1. */
int cpu_by_apic_id(uint32_t apic_id);

/* Makes the calling CPU the boot CPU, CPU 0, with the area in the image. */
void percpu_init_boot(uint32_t apic_id);

/*
 * Makes area (percpu_size() zeroed bytes) that of the next CPU, and writes the lowest word of its
 * stack. The CPU counts once percpu_confirm() is called, when it has come up; else the number is
 * used again.
 */
void percpu_prepare(void *area, void *stack, uint32_t apic_id);
void percpu_confirm(void);

size_t percpu_size(void);
