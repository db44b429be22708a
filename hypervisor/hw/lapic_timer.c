/* SPDX-License-Identifier: BSD-3-Clause */
/* The local APIC's timer as the CPU's one deadline. */
#include "hw/lapic_timer.h"
#include "hw/cpu.h"
#include "hw/irq.h"
#include "hw/lapic.h"
#include "hw/tsc.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/util.h"
#include "x86/msr.h"

#define DIVIDE_BY_1 0xBU
#define MAX_COUNT 0x7FFFFFFFU
#define SCALE_SHIFT 32
#define SAMPLE_US 2000U

static uint64_t counts_per_tick; /* times 2^32; 0 in TSC-deadline mode */
static uint64_t longest;	 /* ticks that the counter can hold */
static uint64_t timer_hz;

/* Counts of the timer during SAMPLE_US, scaled to counts a TSC tick. */
static uint64_t sample(void)
{
	uint64_t start, ticks;
	uint32_t counts;

	lapic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | APIC_TIMER_ONE_SHOT | IRQ_TIMER);
	lapic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	start = rdtsc();
	lapic_write(APIC_TIMER_INIT, 0xFFFFFFFFU);
	tsc_delay_us(SAMPLE_US);
	counts = 0xFFFFFFFFU - lapic_read(APIC_TIMER_CURRENT);
	ticks = rdtsc() - start;
	lapic_write(APIC_TIMER_INIT, 0);
	return ((uint64_t)counts << SCALE_SHIFT) / ticks;
}

void lapic_timer_calibrate(void)
{
	uint64_t a, b, c;

	if (cpu_features.tsc_deadline) {
		log_info("timer: TSC deadline");
		return;
	}
	/* The middle of three: a stolen time slice spoils one of them at most. */
	a = sample();
	b = sample();
	c = sample();
	counts_per_tick = MAX(MIN(a, b), MIN(MAX(a, b), c));
	if (counts_per_tick == 0)
		panic("the local APIC's timer does not run");
	longest = ((uint64_t)MAX_COUNT << SCALE_SHIFT) / counts_per_tick;
	timer_hz = (uint64_t)(((unsigned __int128)counts_per_tick * tsc_khz * 1000U) >>
			      SCALE_SHIFT);
	log_info("timer: one-shot, %lu kHz", timer_hz / 1000U);
}

bool lapic_timer_is_deadline_mode(void)
{
	return counts_per_tick == 0;
}

uint64_t lapic_timer_hz(void)
{
	return timer_hz;
}

void lapic_timer_init_cpu(void)
{
	lapic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	if (lapic_timer_is_deadline_mode()) {
		lapic_write(APIC_LVT_TIMER, APIC_TIMER_DEADLINE | IRQ_TIMER);
		/* In xAPIC mode the LVT write must be done before the MSR is (SDM 3A 10.5.4.1). */
		asm volatile("mfence" ::: "memory");
	} else {
		lapic_write(APIC_LVT_TIMER, APIC_TIMER_ONE_SHOT | IRQ_TIMER);
	}
}

void lapic_timer_set(uint64_t tsc)
{
	uint64_t now, delta, count;

	if (lapic_timer_is_deadline_mode()) {
		msr_write(MSR_IA32_TSC_DEADLINE, tsc != 0 ? tsc : 1);
		return;
	}
	now = rdtsc();
	delta = tsc > now ? MIN(tsc - now, longest) : 0;
	count = (uint64_t)(((unsigned __int128)delta * counts_per_tick) >> SCALE_SHIFT);
	lapic_write(APIC_TIMER_INIT, (uint32_t)MAX(count, 1UL));
}

void lapic_timer_stop(void)
{
	if (lapic_timer_is_deadline_mode())
		msr_write(MSR_IA32_TSC_DEADLINE, 0);
	else
		lapic_write(APIC_TIMER_INIT, 0);
}
