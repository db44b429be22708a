/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happened when a guest left: in neutral words, so that nobody above vcpu/ needs to know whose
 * CPU it was. svm_exit.c and vmx_exit.c are the only places that translate raw exit codes to this.
 */
#pragma once

#include "lib/types.h"

enum exit_reason {
	EXIT_NONE,	/* nothing for anybody above: enter again */
	EXIT_INTERRUPT, /* a physical interrupt or NMI is to be taken */
	EXIT_WINDOW,	/* the guest can take an interrupt now */
	EXIT_IO,
	EXIT_MEMORY, /* a guest-physical access that the nested table did not allow */
	EXIT_MSR,
	EXIT_CPUID,
	EXIT_CR, /* a control register's bits that are not the guest's own */
	EXIT_APIC_WRITE, /* a register of its local APIC was written, and the guest has gone on */
	EXIT_EOI,	 /* of a level-triggered vector, likewise */
	EXIT_HLT,
	EXIT_HYPERCALL,
	EXIT_XSETBV,
	EXIT_WBINVD,
	EXIT_PAUSE,
	EXIT_EXCEPTION,	    /* intercepted: goes back to the guest unless somebody wants it */
	EXIT_UNDEFINED,	    /* an instruction this virtual CPU does not have: #UD */
	EXIT_PROTECTED,	    /* one it has but does not allow: #GP(0) */
	EXIT_SHUTDOWN,	    /* triple fault */
	EXIT_INVALID_STATE, /* the CPU refused to enter: our fault or a hostile state */
	EXIT_UNKNOWN,
	EXIT_REASON_COUNT
};

struct vcpu_exit {
	enum exit_reason reason;
	uint8_t insn_len; /* bytes RIP advances when the exit was HANDLED; 0 for fault-like exits */
	uint8_t acknowledged; /* a physical vector that the exit took already, 0: none; cleared by who handles it */
	uint64_t raw;	  /* the vendor's code, for dumps */
	union {
		struct {
			uint16_t port;
			uint8_t size; /* 1, 2, 4 */
			bool is_in;
			bool is_string;
			bool is_rep;
			uint8_t addr_size; /* string form: 2, 4, 8 */
		} io;
		struct {
			gpa_t gpa;
			enum {
				MEM_DATA,
				MEM_FETCH, /* of code */
				MEM_WALK,  /* while the CPU walked the guest's page tables */
			} kind;
		} mem;
		struct {
			bool is_write; /* number in RCX, value in RDX:RAX */
		} msr;
		struct {
			uint16_t offset;
			uint32_t value;
			uint32_t icr_high; /* when offset is APIC_ICR */
			uint8_t vector;	   /* EXIT_EOI */
		} apic;
		struct {
			uint8_t number; /* 0, 4, 8 */
			bool is_write;
			uint8_t reg; /* enum x86_reg: the other operand */
		} cr;
		struct {
			uint8_t vector;
			bool has_error;
			uint32_t error;
			uint64_t address; /* CR2 of a #PF */
		} exception;
	};
};
