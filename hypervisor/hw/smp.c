/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting the other CPUs: INIT, then a start-up IPI with the trampoline's page (SDM 3A 8.4.4).
 * One CPU at a time, since the words that tell it its stack are shared.
 */
#include "hw/smp.h"
#include "hw/cpu.h"
#include "hw/exception.h"
#include "hw/lapic.h"
#include "hw/lapic_timer.h"
#include "hw/paging.h"
#include "hw/percpu.h"
#include "hw/platform.h"
#include "hw/tsc.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "lib/util.h"
#include "x86/cr.h"
#include "x86/msr.h"

#define START_TIMEOUT_US 3000000UL
#define SECOND_STARTUP_US 100000UL

/* The tail of boot/trampoline.S. */
struct trampoline_params {
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint16_t pad;
	uint32_t vector32;
	uint16_t cs32, pad32;
	uint32_t vector64;
	uint16_t cs64, pad64;
	uint32_t cr3;
	uint32_t efer;
	uint64_t entry;
} __attribute__((packed));

extern const uint8_t trampoline_start[], trampoline_end[], trampoline_params[];
extern const uint64_t boot_pml4[];
void smp_entry(void);
_Noreturn void smp_main(void);

/* What smp_entry (boot/entry.S) loads. */
uint64_t smp_cr3, smp_stack_top;

static void (*after_start)(void);
static uint32_t online; /* number of the CPU that came up last */

static void trampoline_place(hpa_t at)
{
	uint8_t *page = phys_to_virt(at);
	struct trampoline_params *params;

	ASSERT(at < 0x100000UL && IS_ALIGNED(at, PAGE_SIZE));
	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	params = (void *)(page + (trampoline_params - trampoline_start));
	params->gdt_base += (uint32_t)at;
	params->vector32 += (uint32_t)at;
	params->vector64 += (uint32_t)at;
	params->cr3 = (uint32_t)virt_to_phys(boot_pml4);
	params->efer = (uint32_t)msr_read(MSR_EFER) & ~(uint32_t)EFER_LMA;
	params->entry = (uint64_t)smp_entry;
}

/* First C of another CPU. */
_Noreturn void smp_main(void)
{
	descriptor_init_cpu();
	cpu_set_controls();
	lapic_init_cpu();
	lapic_timer_init_cpu();
	atomic_store(&online, cpu_id());
	after_start();
	panic("CPU %u fell out of its loop", cpu_id());
}

static bool wait_online(unsigned int cpu, uint64_t us)
{
	uint64_t end = rdtsc() + tsc_from_us(us);

	while (atomic_load(&online) != cpu) {
		if (rdtsc() > end)
			return false;
		cpu_relax();
	}
	return true;
}

static bool start(uint32_t apic_id, hpa_t trampoline)
{
	unsigned int cpu = cpu_count();
	size_t pages = ALIGN_UP(percpu_size(), PAGE_SIZE) / PAGE_SIZE;
	void *area = page_pool_alloc_contig(&host_pool, pages);
	uint8_t *stack = paging_map_stack(cpu);

	if (area == NULL)
		panic("no memory for the variables of CPU %u", cpu);
	percpu_prepare(area, stack, apic_id);
	smp_cr3 = cr3_read();
	smp_stack_top = (uint64_t)stack + STACK_SIZE;
	atomic_fence();

	lapic_send_init(apic_id);
	tsc_delay_us(10000);
	lapic_send_startup(apic_id, trampoline);
	if (!wait_online(cpu, SECOND_STARTUP_US)) {
		lapic_send_startup(apic_id, trampoline);
		if (!wait_online(cpu, START_TIMEOUT_US)) {
			/* Back to waiting for a start-up IPI, so that it cannot come up later. */
			lapic_send_init(apic_id);
			return false;
		}
	}
	percpu_confirm();
	return true;
}

unsigned int smp_start(hpa_t trampoline, void (*entry)(void))
{
	uint32_t me = lapic_id();

	after_start = entry;
	trampoline_place(trampoline);
	for (unsigned int i = 0; i < platform_acpi.cpu_count; i++) {
		uint32_t apic_id = platform_acpi.cpu[i].apic_id;

		if (apic_id == me)
			continue;
		if (cpu_count() == MAX_CPUS) {
			log_warn("only %u CPUs are used", MAX_CPUS);
			break;
		}
		if (apic_id > 254 && !lapic_is_x2apic())
			log_warn("the CPU with APIC id %u needs x2APIC mode, left out", apic_id);
		else if (!start(apic_id, trampoline))
			log_error("the CPU with APIC id %u did not start in %lu s, left out",
				  apic_id, START_TIMEOUT_US / 1000000UL);
	}
	return cpu_count();
}
