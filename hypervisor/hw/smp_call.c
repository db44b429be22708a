/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One call at a time for the whole machine: a function, its argument, and a bit for each CPU that
 * owes it.
 */
#include "hw/smp_call.h"
#include "hw/irq.h"
#include "hw/lapic.h"
#include "hw/percpu.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/panic.h"

static struct {
	uint32_t busy;
	uint64_t owing;
	void (*fn)(void *arg);
	void *arg;
} call;

static DEFINE_PERCPU(bool, in_call);

static void kick_irq(void)
{
}

void smp_call_init(void)
{
	(void)irq_register(IRQ_KICK, kick_irq);
	(void)irq_register(IRQ_POSTED, kick_irq);
	(void)irq_register(IRQ_CALL, smp_call_poll);
}

void smp_call_poll(void)
{
	uint64_t me = BIT64(cpu_id());

	if ((atomic_load(&call.owing) & me) == 0)
		return;
	this_cpu(in_call) = true;
	call.fn(call.arg);
	this_cpu(in_call) = false;
	(void)atomic_fetch_and(&call.owing, ~me);
}

static uint64_t running_cpus(void)
{
	unsigned int n = cpu_count();

	return n >= 64 ? ~0UL : BIT64(n) - 1UL;
}

void smp_call(uint64_t mask, void (*fn)(void *arg), void *arg)
{
	uint64_t me = BIT64(cpu_id());
	uint64_t others;

	ASSERT(!this_cpu(in_call));
	mask &= running_cpus();
	others = mask & ~me;
	if (others != 0) {
		while (!atomic_cas(&call.busy, 0U, 1U)) {
			smp_call_poll();
			cpu_relax();
		}
		call.fn = fn;
		call.arg = arg;
		atomic_store(&call.owing, others);
		for (uint64_t rest = others; rest != 0; rest &= rest - 1)
			lapic_send_ipi(cpu_apic_id(bits_lowest(rest)), IRQ_CALL);
	}
	if ((mask & me) != 0)
		fn(arg);
	if (others != 0) {
		while (atomic_load(&call.owing) != 0)
			cpu_relax();
		atomic_store(&call.busy, 0U);
	}
}

void smp_kick(unsigned int cpu, uint8_t vector)
{
	lapic_send_ipi(cpu_apic_id(cpu), vector);
}
