/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks of the running machine that no host test can make: interrupts, timers, page tables as
 * loaded.
 */
#include "hw/selftest.h"
#include "hw/cpu.h"
#include "hw/exception.h"
#include "hw/irq.h"
#include "hw/lapic.h"
#include "hw/lapic_timer.h"
#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/percpu.h"
#include "hw/smp_call.h"
#include "hw/tsc.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/log.h"
#include "x86/cr.h"
#include "x86/msr.h"
#include "x86/pte.h"

#define TIMER_US 1000U
#define PATIENCE_US 2000000U
#define SIGN_EXTENSION 0xFFFF000000000000UL
#define DIRECT_MAP_END_SLOT 384U /* index in the top table */

extern uint8_t boot_stack_guard[], image_start[];

static unsigned int failures;
static uint64_t ran_on;
static DEFINE_PERCPU(uint32_t, timer_fired);

static void check(bool ok, const char *what)
{
	if (ok) {
		log_debug("selftest: PASS %s", what);
	} else {
		log_error("selftest: FAIL %s", what);
		failures++;
	}
}

static void note_cpu(void *arg)
{
	(void)arg;
	(void)atomic_fetch_or(&ran_on, BIT64(cpu_id()));
}

static void test_calls(void)
{
	uint64_t all = cpu_count() == 64 ? ~0UL : BIT64(cpu_count()) - 1UL;
	uint64_t start = rdtsc();

	atomic_store(&ran_on, 0UL);
	smp_call(CPU_MASK_ALL, note_cpu, NULL);
	log_debug("selftest: a call to all %u CPUs took %lu us", cpu_count(),
		  tsc_to_us(rdtsc() - start));
	check(atomic_load(&ran_on) == all, "every CPU answers a call");
}

static void count_nmis(void *arg)
{
	(void)atomic_fetch_add((uint32_t *)arg, irq_take_nmis());
}

static void test_nmis(void)
{
	uint64_t start = rdtsc();
	uint32_t nmis = 0;

	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		lapic_send_nmi(cpu_apic_id(cpu));
	while (nmis < cpu_count() && rdtsc() - start < tsc_from_us(PATIENCE_US))
		smp_call(CPU_MASK_ALL, count_nmis, &nmis);
	check(nmis == cpu_count(), "every CPU survives an NMI and counts it");
}

static void note_tsc(void *arg)
{
	atomic_store((uint64_t *)arg, rdtsc());
}

static void test_tscs(void)
{
	bool agree = true;

	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		uint64_t before = rdtsc(), there = 0;

		smp_call(BIT64(cpu), note_tsc, &there);
		agree = agree && before <= there && there <= rdtsc();
	}
	check(agree, "the TSCs of all CPUs agree");
}

static void timer_irq(void)
{
	atomic_store(&this_cpu(timer_fired), this_cpu(timer_fired) + 1U);
}

static void set_timer(void *arg)
{
	(void)arg;
	lapic_timer_set(rdtsc() + tsc_from_us(TIMER_US));
}

static bool all_fired(uint32_t times)
{
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		if (atomic_load(&per_cpu(timer_fired, cpu)) != times)
			return false;
	}
	return true;
}

/* The other CPUs are in cpu_idle(); this one opens its window itself. */
static void test_timers(void)
{
	irq_handler *before = irq_register(IRQ_TIMER, timer_irq);
	uint64_t start, early;

	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		atomic_store(&per_cpu(timer_fired, cpu), 0U);
	start = rdtsc();
	smp_call(CPU_MASK_ALL, set_timer, NULL);
	while (!all_fired(1) && rdtsc() - start < tsc_from_us(PATIENCE_US))
		cpu_irq_window();
	early = rdtsc() - start;
	check(all_fired(1), "the timer of every CPU fires once");
	check(early >= tsc_from_us(TIMER_US * 9 / 10), "and not before its time");
	lapic_timer_set(0);
	start = rdtsc();
	while (this_cpu(timer_fired) != 2 && rdtsc() - start < tsc_from_us(PATIENCE_US))
		cpu_irq_window();
	check(this_cpu(timer_fired) == 2, "a deadline in the past fires at once");
	(void)irq_register(IRQ_TIMER, before);
}

struct table_facts {
	unsigned int leaves, writable_code, user_code, user_ours;
	const uint8_t *guest_page; /* some page with the user bit */
};

/* Walks the tables as the processor sees them: from CR3, by the bits, not through mm/pgtable. */
static void walk(hpa_t table, unsigned int level, uint64_t va, struct table_facts *facts)
{
	const uint64_t *entries = phys_to_virt(table);

	for (uint64_t i = 0; i < 512; i++) {
		uint64_t e = entries[i];
		uint64_t at = va | (i << (12 + 9 * (level - 1)));

		if ((e & PTE_P) == 0)
			continue;
		if (level > 1 && (e & PTE_PS) == 0) {
			walk(e & PTE_ADDR_MASK, level - 1, at, facts);
			continue;
		}
		facts->leaves++;
		if ((e & PTE_NX) == 0) {
			facts->writable_code += (e & PTE_W) != 0;
			facts->user_code += (e & PTE_U) != 0;
		}
		if ((e & PTE_U) != 0)
			facts->guest_page = (const uint8_t *)(at | SIGN_EXTENSION);
		/* Above the direct map all is ours. */
		if ((e & PTE_U) != 0 && (at >> 39) >= DIRECT_MAP_END_SLOT)
			facts->user_ours++;
	}
}

/* Whether the access goes through; a page fault is expected if not. */
static bool can_read(const volatile uint8_t *p)
{
	uint32_t ok = 0;
	uint8_t value;

	asm volatile("1:\tmovb %2, %1\n\tmovl $1, %0\n2:\n\t" EXCEPTION_FIXUP("1b", "2b")
		     : "+r"(ok), "=q"(value)
		     : "m"(*p));
	return ok != 0;
}

/* Writes back what it has read. */
static bool can_write(volatile uint8_t *p)
{
	uint32_t ok = 0;
	uint8_t value = *p;

	asm volatile("1:\tmovb %2, %1\n\tmovl $1, %0\n2:\n\t" EXCEPTION_FIXUP("1b", "2b")
		     : "+r"(ok), "=m"(*p)
		     : "q"(value));
	return ok != 0;
}

static void test_accesses(const uint8_t *guest_page)
{
	static const uint8_t constant = 1;
	bool in_bracket;

	check(!can_write((uint8_t *)(uint64_t)test_accesses), "our code cannot be written");
	check(!can_write((uint8_t *)(uint64_t)&constant), "our constants cannot be written");
	check(!can_read(boot_stack_guard), "the page below the stack cannot be read");
	guest_access_begin();
	in_bracket = can_read(guest_page);
	guest_access_end();
	check(in_bracket, "guest memory can be read where we mean to");
	if (cpu_features.smap)
		check(!can_read(guest_page), "and SMAP stops it where we do not");
}

static void test_tables(void)
{
	struct table_facts facts = {0};
	struct pgtable_leaf leaf;
	const struct pgtable *pt = paging_tables();
	hpa_t pool = host_pool.base_hpa;

	walk(cr3_read() & PTE_ADDR_MASK, 4, 0, &facts);
	log_debug("selftest: %u leaves in the page tables, %lu pages of the pool in use",
		  facts.leaves, host_pool.used);
	check(facts.leaves != 0 && facts.writable_code == 0, "no page is writable and executable");
	check(facts.user_code == 0 && facts.user_ours == 0, "no page of ours has the user bit");
	check(pgtable_lookup(pt, (uint64_t)phys_to_virt(pool), &leaf) &&
		      leaf.prot == (PG_READ | PG_WRITE),
	      "the pool is supervisor, read-write, no-execute");
	check(!pgtable_lookup(pt, (uint64_t)phys_to_virt(paging_image_start()), &leaf),
	      "the image has no alias in the direct map");
	check(!pgtable_lookup(pt, 0, &leaf), "page 0 is not mapped");
	test_accesses(facts.guest_page);
}

static void test_controls(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t value, cr4 = cr4_read();

	check((cr0_read() & CR0_WP) != 0 && (msr_read(MSR_EFER) & EFER_NXE) != 0,
	      "WP and NX are on");
	check(((cr4 & CR4_SMEP) != 0) == f->smep && ((cr4 & CR4_SMAP) != 0) == f->smap &&
		      ((cr4 & CR4_UMIP) != 0) == f->umip,
	      "SMEP, SMAP and UMIP are on where the CPU has them");
	check(msr_read_safe(MSR_EFER, &value) && value == msr_read(MSR_EFER),
	      "an MSR is read by the safe way");
}

unsigned int selftest_run(void)
{
	test_controls();
	test_tables();
	test_calls();
	test_tscs();
	test_nmis();
	test_timers();
	check(pci_read(PCI_BDF(0, 0, 0), 0, 4) != 0xFFFFFFFFU, "PCI device 00:00.0 answers");
	log_debug("selftest: done, %u failures", failures);
	return failures;
}

void selftest_crash(void)
{
	log_notice("crash=fault: writing to the hypervisor's own code");
	*(volatile uint8_t *)image_start = 0xCC;
}
