/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is done about the CPU's leaks between guests, and about one erratum that lets a guest stop the
 * machine. Found once, by what the CPU says of itself; listed in the log.
 */
#pragma once

#include "hw/cpu.h"
#include "x86/msr.h"

struct mitigations {
	bool no_large_exec; /* iTLB multi-hit: no executable nested page above 4 KiB */
	bool l1d_flush;	    /* L1TF: when another VM's vCPU is loaded */
	bool clear_buffers; /* MDS, TAA: VERW before each entry */
	bool ibpb;	    /* Spectre v2: when another VM's vCPU is loaded */
	bool ibrs;	    /* Spectre v2: enhanced IBRS, on for good */
};
extern struct mitigations mitigations;

/* On the boot CPU, before the back end is asked for its tables. */
void mitigation_probe(void);

/* On each CPU. */
void mitigation_cpu_on(void);

/* A vCPU of another VM than the last one's will run on this CPU. */
static inline void mitigation_switch(void)
{
	if (mitigations.ibpb)
		msr_write(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	if (mitigations.l1d_flush)
		msr_write(MSR_IA32_FLUSH_CMD, FLUSH_CMD_L1D);
}

/* The last thing before a guest is entered. The operand form is the one that clears (SDM 2B VERW). */
static inline void mitigation_entry(void)
{
	static const uint16_t data_selector = 0x10;

	if (mitigations.clear_buffers)
		asm volatile("verw %0" ::"m"(data_selector) : "cc");
}
