/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries out a decoded instruction whose memory operand is a device's register: gives the accesses
 * one at a time, since each may take a trip to the device model, and moves registers and flags when
 * the last came back. Nothing of the CPU changes before that, so the instruction can be abandoned.
 */
#pragma once

#include "x86/insn.h"

/* What of the processor execution reads and changes. Not touched between start and the last step. */
struct insn_cpu {
	uint64_t *gpr; /* 16, in ModRM order: rax rcx rdx rbx rsp rbp rsi rdi r8.. */
	uint64_t rip;
	uint64_t rflags;
	uint64_t seg_base[6];
	enum insn_mode mode;
	void *ctx;
	/* The other memory operand of MOVS (ordinary memory, linear address). 0 or -errno. */
	int (*read)(void *ctx, gva_t addr, void *buf, unsigned int size);
	int (*write)(void *ctx, gva_t addr, const void *buf, unsigned int size);
};

struct insn_access {
	bool is_write;
	uint8_t size;	/* 1, 2, 4, 8 */
	uint64_t value; /* of a write */
	gva_t addr;	/* MOVS alone: linear address of the device's operand of the two */
};

struct insn_exec {
	const struct insn *insn; /* the caller's */
	uint8_t step;
	bool repeat;	  /* after the last step: do not advance RIP, more iterations follow */
	uint64_t operand; /* value read from the device in an earlier step */
	struct insn_access access;
};

/* Linear address of the instruction's memory operand, which must exist; of MOVS the source. */
gva_t insn_linear_address(const struct insn *insn, const struct insn_cpu *cpu);

/*
 * Starts: fault_addr is the linear address that faulted if known (~0: compute), which tells the
 * device side of a MOVS whose both operands are memory. 1: x->access is to be done; 0: nothing to
 * do (REP with RCX 0), RIP may advance; -EINVAL: not an instruction for a device register;
 * -EFAULT: the other operand cannot be read. insn stays the caller's and
 * must not change until the last step.
 */
int insn_exec_start(struct insn_exec *x, const struct insn *insn, struct insn_cpu *cpu,
		    gva_t fault_addr);

/* Goes on when x->access was done, value being what a read gave. 1: another access; 0: finished,
 * cpu's registers and flags are changed (RIP is the caller's); -EFAULT. */
int insn_exec_next(struct insn_exec *x, struct insn_cpu *cpu, uint64_t value);
