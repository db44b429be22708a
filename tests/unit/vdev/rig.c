/* SPDX-License-Identifier: BSD-3-Clause */
/* See rig.h. Time stands still unless a test moves it. */
#include "vdev/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "x86/apic.h"
#include "x86/msr.h"

uint64_t rig_tsc;

static void kick(void *ctx)
{
	((struct rig_cpu *)ctx)->kicks++;
}

static void nmi(void *ctx)
{
	((struct rig_cpu *)ctx)->nmis++;
}

static void init(void *ctx)
{
	((struct rig_cpu *)ctx)->inits++;
}

static void sipi(void *ctx, uint8_t vector)
{
	struct rig_cpu *cpu = ctx;

	cpu->sipis++;
	cpu->sipi_vector = vector;
}

static void timer_set(void *ctx, uint64_t deadline)
{
	struct rig_cpu *cpu = ctx;

	cpu->deadline = deadline;
	cpu->timer_sets++;
}

static uint64_t tsc(void *ctx)
{
	(void)ctx;
	return rig_tsc;
}

static void routing(void *ctx)
{
	((struct rig_cpu *)ctx)->routings++;
}

static const struct vlapic_ops ops = {
	.kick = kick,
	.nmi = nmi,
	.init = init,
	.sipi = sipi,
	.timer_set = timer_set,
	.tsc = tsc,
	.routing_changed = routing,
};

static void bus_eoi(void *ctx, uint8_t vector)
{
	struct rig *rig = ctx;

	rig->eois++;
	rig->eoi_vector = vector;
}

void rig_init(struct rig *rig, unsigned int cpus, uint32_t first_id, bool is_x2apic)
{
	memset(rig, 0, sizeof(*rig));
	rig_tsc = 1000;
	apic_bus_init(&rig->bus, bus_eoi, rig);
	for (unsigned int i = 0; i < cpus; i++) {
		struct rig_cpu *cpu = &rig->cpu[i];

		assert_int_equal(vlapic_init(&cpu->apic, &rig->bus, first_id + i, &ops, cpu), 0);
		if (is_x2apic)
			rig_wrmsr(cpu, MSR_IA32_APIC_BASE,
				  rig_rdmsr(cpu, MSR_IA32_APIC_BASE) | APIC_BASE_X2APIC);
		if (is_x2apic)
			rig_wrmsr(cpu, X2APIC_MSR(APIC_SVR), 0x1FF);
		else
			rig_write(cpu, APIC_SVR, 0x1FF);
		cpu->routings = 0;
	}
}

void rig_write(struct rig_cpu *cpu, uint32_t offset, uint32_t value)
{
	struct io_access io = { .space = IO_MMIO, .is_write = true, .size = 4 };

	io.addr = VLAPIC_DEFAULT_BASE + offset;
	io.value = value;
	assert_int_equal(vlapic_mmio(&cpu->apic, &io), IO_DONE);
}

uint32_t rig_read(struct rig_cpu *cpu, uint32_t offset)
{
	struct io_access io = { .space = IO_MMIO, .size = 4, .value = ~0UL };

	io.addr = VLAPIC_DEFAULT_BASE + offset;
	assert_int_equal(vlapic_mmio(&cpu->apic, &io), IO_DONE);
	assert_true(io.value <= 0xFFFFFFFFUL);
	return (uint32_t)io.value;
}

void rig_wrmsr(struct rig_cpu *cpu, uint32_t msr, uint64_t value)
{
	assert_int_equal(vlapic_msr_write(&cpu->apic, msr, value), 0);
}

uint64_t rig_rdmsr(struct rig_cpu *cpu, uint32_t msr)
{
	uint64_t value = 0;

	assert_int_equal(vlapic_msr_read(&cpu->apic, msr, &value), 0);
	return value;
}

int rig_take(struct rig_cpu *cpu)
{
	int vector = vlapic_pending(&cpu->apic);

	if (vector >= 0)
		vlapic_taken(&cpu->apic, (uint8_t)vector);
	return vector;
}

void rig_run_until(struct rig_cpu *cpu, uint64_t until)
{
	while (cpu->deadline != 0 && cpu->deadline <= until) {
		rig_tsc = cpu->deadline;
		cpu->deadline = 0;
		vlapic_timer_expired(&cpu->apic);
	}
	rig_tsc = until;
}
