/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hypervisor's own exceptions and the frame that hw/isr.S builds. No TSS and no IST are used:
 * TR is the guest's while we run. An exception of ours is a bug and ends in panic(), but for
 * instructions named in the fixup table, which are expected to fault. An NMI is counted, never
 * fatal.
 */
#pragma once

#include "lib/types.h"

struct isr_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

/* Puts (address that may fault, where to go on) into the fixup table. For asm templates. */
#define EXCEPTION_FIXUP(from, to)                                                                  \
	".pushsection .fixup_table, \"a\"\n\t.quad " from ", " to "\n\t.popsection\n\t"

/* Builds GDT and IDT once; loads them on this CPU. */
void descriptor_init(void);
void descriptor_init_cpu(void);

/* From hw/isr.S: vectors 0-31, and 32-255. */
void exception_handle(struct isr_frame *frame);
void irq_handle(struct isr_frame *frame);

/* "page fault" and so on. */
const char *exception_name(unsigned int vector);
