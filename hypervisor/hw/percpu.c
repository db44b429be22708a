/* SPDX-License-Identifier: BSD-3-Clause */
/* Where each CPU's variables lie, and which APIC id is whose. */
#include "hw/percpu.h"
#include "lib/atomic.h"
#include "lib/panic.h"

extern uint8_t percpu_start[], percpu_end[];

uint64_t percpu_distances[MAX_CPUS];
static unsigned int cpus = 1;

DEFINE_PERCPU(unsigned int, cpu_id);
DEFINE_PERCPU(uint32_t, apic_id);

unsigned int cpu_count(void)
{
	return atomic_load(&cpus);
}

int cpu_by_apic_id(uint32_t apic_id)
{
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		if (per_cpu(apic_id, cpu) == apic_id)
			return (int)cpu;
	}
	return -1;
}

void percpu_init_boot(uint32_t apic_id)
{
	this_cpu(apic_id) = apic_id;
}

void percpu_prepare(void *area, void *stack, uint32_t apic_id)
{
	unsigned int cpu = cpu_count();

	ASSERT(cpu < MAX_CPUS);
	percpu_distances[cpu] = (uint64_t)area - (uint64_t)percpu_start;
	*(uint64_t *)stack = percpu_distances[cpu];
	per_cpu(cpu_id, cpu) = cpu;
	per_cpu(apic_id, cpu) = apic_id;
}

void percpu_confirm(void)
{
	atomic_store(&cpus, cpus + 1U);
}

size_t percpu_size(void)
{
	return (size_t)(percpu_end - percpu_start);
}
