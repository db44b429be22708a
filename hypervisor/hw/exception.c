/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions of the hypervisor itself. All are bugs but two kinds: instructions listed in the
 * fixup table, and NMIs, which belong to nobody yet (or tell this CPU that another one panics).
 */
#include "hw/exception.h"
#include "hw/cpu.h"
#include "hw/irq.h"
#include "hw/panic.h"
#include "hw/percpu.h"
#include "x86/exception.h"

struct fixup {
	uint64_t from, to;
};

extern const struct fixup fixup_table_start[], fixup_table_end[];

static DEFINE_PERCPU(unsigned int, nmis);

static const char *const names[EXC_COUNT] = {
	[EXC_DE] = "division error",
	[EXC_DB] = "debug exception",
	[EXC_NMI] = "NMI",
	[EXC_BP] = "breakpoint",
	[EXC_OF] = "overflow",
	[EXC_BR] = "bound range exceeded",
	[EXC_UD] = "invalid opcode",
	[EXC_NM] = "FPU not available",
	[EXC_DF] = "double fault",
	[EXC_TS] = "invalid TSS",
	[EXC_NP] = "segment not present",
	[EXC_SS] = "stack segment fault",
	[EXC_GP] = "general protection fault",
	[EXC_PF] = "page fault",
	[EXC_MF] = "FPU error",
	[EXC_AC] = "alignment check",
	[EXC_MC] = "machine check",
	[EXC_XM] = "SIMD error",
	[EXC_VE] = "virtualization exception",
	[EXC_CP] = "control protection fault",
	[EXC_HV] = "hypervisor injection exception",
	[EXC_VC] = "VMM communication exception",
	[EXC_SX] = "security exception",
};

const char *exception_name(unsigned int vector)
{
	return vector < EXC_COUNT && names[vector] != NULL ? names[vector] : "unknown exception";
}

static bool fix_up(struct isr_frame *frame)
{
	for (const struct fixup *f = fixup_table_start; f < fixup_table_end; f++) {
		if (f->from == frame->rip) {
			frame->rip = f->to;
			return true;
		}
	}
	return false;
}

void exception_handle(struct isr_frame *frame)
{
	if (frame->vector == EXC_NMI) {
		if (panic_is_active())
			cpu_halt_forever();
		this_cpu(nmis)++;
	} else if ((frame->vector != EXC_GP && frame->vector != EXC_PF) || !fix_up(frame)) {
		panic_exception(frame, exception_name((unsigned int)frame->vector));
	}
}

unsigned int irq_take_nmis(void)
{
	unsigned int n;

	/* An NMI may come between the two. */
	asm volatile("xchgl %0, %1" : "=r"(n), "+m"(this_cpu(nmis)) : "0"(0U) : "memory");
	return n;
}
