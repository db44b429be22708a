/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between the vendors' hardware and everything above. All calls run on the
 * vCPU's own physical CPU with interrupts off, unless said otherwise.
 */
#pragma once

#include "vcpu/vcpu.h"

enum intercept_kind { INTERCEPT_PORT, INTERCEPT_MSR_READ, INTERCEPT_MSR_WRITE };

/* Instructions that a guest may have only where the back end can let it. */
enum vcpu_feature { VCPU_RDTSCP /* RDPID too */, VCPU_INVPCID, VCPU_XSAVES };

struct vcpu_backend {
	const char *name;

	/* The processor. probe: NULL when usable, else a sentence why not. */
	const char *(*probe)(void);
	bool (*offers)(enum vcpu_feature feature);
	const struct pgtable_format *(*format)(void); /* of the nested tables */
	unsigned int (*max_leaf)(void); /* the highest level of theirs that may hold a leaf */
	int (*cpu_on)(void);
	void (*cpu_off)(void);

	/* Life. -ENOMEM. group_init leaves every port and MSR intercepted. Any CPU. */
	int (*group_init)(struct vcpu_group *group);
	void (*group_free)(struct vcpu_group *group);
	/* The VM is put together and will run: what the CPU wants in its memory map. May be NULL. */
	int (*group_start)(struct vcpu_group *group);
	int (*vcpu_init)(struct vcpu *vcpu);
	void (*vcpu_reset)(struct vcpu *vcpu);
	void (*vcpu_free)(struct vcpu *vcpu);

	/* The guest. run enters and comes back with vcpu->exit filled. */
	void (*run)(struct vcpu *vcpu);
	/* After EXIT_INVALID_STATE: what of the guest's state the CPU cannot have liked. */
	const char *(*explain)(struct vcpu *vcpu);
	/* Puts away what of the vCPU is loaded in this CPU, before another CPU or nobody runs it. */
	void (*put)(struct vcpu *vcpu);
	uint64_t (*reg_get)(struct vcpu *vcpu, enum vcpu_reg reg);
	void (*reg_set)(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value);
	void (*seg_get)(struct vcpu *vcpu, enum x86_seg seg, struct segment *s);
	void (*seg_set)(struct vcpu *vcpu, enum x86_seg seg, const struct segment *s);
	/* How the code at CS:RIP is to be read. */
	enum insn_mode (*mode)(struct vcpu *vcpu);
	unsigned int (*cpl)(struct vcpu *vcpu);
	void (*table_set)(struct vcpu *vcpu, bool is_idt, const struct desc_table *t);

	/* True when the guest would take an external interrupt right now (IF, no shadow, no event). */
	bool (*can_interrupt)(struct vcpu *vcpu);
	/*
	 * Offers a vector (-1: none) that the CPU takes as soon as the guest allows, without an
	 * exit. When it was taken, vcpu->offered is -1 after the next run.
	 */
	void (*offer)(struct vcpu *vcpu, int vector);
	/*
	 * Gives all that waits in the vlapic to the CPU, where that delivers by itself. False, or NULL:
	 * it does not, so offer. In that case vlapic_taken is not called either.
	 */
	bool (*post)(struct vcpu *vcpu);
	/*
	 * From any CPU: gives what waits in the vlapic to a guest that runs, which takes it by the
	 * interrupt IRQ_POSTED on its CPU, without an exit. False, or NULL: not all of it. unpost, on its
	 * own CPU, takes back what came too late for the guest.
	 */
	bool (*post_remote)(struct vcpu *vcpu);
	void (*unpost)(struct vcpu *vcpu);
	/* Asks for EXIT_WINDOW as soon as the guest can take an interrupt. */
	void (*want_window)(struct vcpu *vcpu);
	/* An NMI goes in: hold further ones until its IRET. */
	void (*mask_nmi)(struct vcpu *vcpu);
	/* Tells the CPU about the task priority (CR8); run brings back what it is in vcpu->cr8. */
	void (*tpr_set)(struct vcpu *vcpu, uint8_t cr8);

	/* vcpu->tsc_offset changed. */
	void (*set_tsc_offset)(struct vcpu *vcpu);
	/* Forget translations of guest-physical addresses before the next entry. */
	void (*flush_gpa)(struct vcpu *vcpu);
	/* Turns intercepts of count ports or MSRs from first on or off. Before the VM runs. */
	void (*intercept)(struct vcpu_group *group, enum intercept_kind kind, uint32_t first,
			  uint32_t count, bool on);
};

/* The one that fits this machine; set once by vcpu_backend_probe, which panics when none does. */
extern const struct vcpu_backend *vcpu_backend;

/* Set before the probe: guests get no local APIC from the CPU, to try the way of CPUs without. */
extern bool vcpu_plain_apic;

void vcpu_backend_probe(void);
