/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual processor: what is the same on both vendors. General registers, RIP and the exit record
 * live here; the back end keeps the rest in its control block and gives it by reg_get and seg_get.
 * A vCPU belongs to one physical CPU for life (pcpu), and only code on that CPU may touch anything
 * but the fields marked shared.
 */
#pragma once

#include "sched/sched.h"
#include "sched/timer.h"
#include "vcpu/exit.h"
#include "vcpu/vcpu_group.h"
#include "vdev/vlapic.h"
#include "x86/insn_exec.h"
#include "x86/regs.h"
#include "x86/segment.h"

/* Bits of requests: what to look at before the next entry. Set from any CPU, then vcpu_kick. */
enum {
	VCPU_REQ_NMI = 1U << 0,
	VCPU_REQ_INIT = 1U << 1,
	VCPU_REQ_SIPI = 1U << 2,
	VCPU_REQ_FLUSH = 1U << 3,  /* the nested tables changed */
	VCPU_REQ_PIC = 1U << 5,	   /* the 8259 pair's output rose */
	VCPU_REQ_IOREQ = 1U << 6,  /* the device model completed the request */
	VCPU_REQ_EVENT = 1U << 7,  /* look at the vlapic again */
	VCPU_REQ_TIMER = 1U << 8,  /* the vlapic's timer expired */
};

enum vcpu_reg { VREG_RFLAGS, VREG_CR0, VREG_CR2, VREG_CR3, VREG_CR4, VREG_EFER, VREG_PAT,
		VREG_DR6, VREG_DR7, VREG_COUNT };

/* How a vCPU stands in its guest's eyes; OFFLINE also when its VM is paused or gone. */
enum vcpu_state { VCPU_OFFLINE, VCPU_WAIT_SIPI, VCPU_RUNNING, VCPU_HALTED };

/*
 * What a handler says of an exit. HANDLED: the instruction is done, RIP advances. RETRY: enter at
 * the same RIP (an event may have been queued). BLOCKED: vcpu->resume is called when something was
 * requested of the vCPU, and says how it goes on.
 */
enum exit_result { EXIT_HANDLED, EXIT_RETRY, EXIT_BLOCKED };

/* An event that goes in with the next entry. */
struct vcpu_event {
	enum { EVENT_NONE, EVENT_INTERRUPT, EVENT_NMI, EVENT_EXCEPTION, EVENT_SOFTWARE } type;
	uint8_t vector;
	bool has_error;
	uint32_t error;
};

/* A fetched code page, so that the length of a simple instruction costs no page walk. */
#define CODE_TRAIL 5U

struct __attribute__((aligned(64))) code_cache {
	uint64_t cr3;
	gva_t page; /* of RIP; ~0: empty */
	uint32_t generation;
	const uint8_t *code;
	/*
	 * The guest's page-table entries that led there, and what they held: it may change them. Those
	 * that a shorter walk leaves over point at their own value.
	 */
	const uint64_t *entry[CODE_TRAIL];
	uint64_t value[CODE_TRAIL];
};

/* Both caches' elements are aligned so that finding one costs a shift. */
#define CODE_CACHES 8U /* pages, by the low bits of their number */
#define INSN_CACHES 8U /* instructions, likewise by address */

/* A decoded instruction, good for these very bytes at this address in this mode. */
struct __attribute__((aligned(64))) insn_cache {
	gva_t rip;
	uint64_t bytes[2];
	enum insn_mode mode; /* 0: empty */
	struct insn insn;
};

struct vcpu {
	uint64_t gpr[REG_COUNT]; /* RAX and RSP are here too, except while the guest runs */
	uint64_t rip;
	uint64_t cr3;		    /* as of the last exit whose handling may read code */
	struct vcpu_exit exit;
	struct vcpu_event event;    /* waits for the next entry */
	int offered;		    /* vector offered to the CPU, -1: none */
	uint8_t cr8;		    /* what the CPU had as priority class at the last exit */
	int offer_made;		    /* what was offered when the guest was entered */
	uint8_t tpr_shown;	    /* task priority class that the CPU was told */
	bool nmi_pending, nmi_masked;
	bool pic_pending;	    /* the 8259 pair's output may be up */
	enum vcpu_state state;
	enum vcpu_state frozen;	    /* what state was when its VM was paused, which put it off-line */
	uint8_t sipi_vector;	    /* shared: written before VCPU_REQ_SIPI is set */
	uint32_t requests;	    /* shared: VCPU_REQ_* */
	uint32_t in_guest;	    /* shared: 1 from before the last look at requests until exit */
	uint16_t index;		    /* in its VM */
	uint16_t pcpu;
	void *arch;		    /* the back end's: a page of its pool */
	struct vcpu_group *group;
	struct vlapic vlapic;
	struct sched_entity sched;
	struct timer timer;	    /* of the vlapic */
	enum exit_result (*resume)(struct vcpu *vcpu); /* of what blocked; NULL: nothing did */
	enum exit_result (*finish)(struct vcpu *vcpu); /* what to do when vcpu->io is done */
	void *waits_for;	    /* the VM whose request this vCPU waits for */
	struct insn_exec mmio;	    /* an instruction under way across a wait */
	struct insn_cpu mmio_cpu;
	struct io_access io;	    /* the access under way */
	struct io_near near;
	gpa_t no_memory;	    /* where vcpu_read_linear() or its like found none (-EIO) */
	gpa_t to_fetch;		    /* missing memory that an instruction on device memory needs */
	struct code_cache code[CODE_CACHES];
	struct insn_cache insns[INSN_CACHES];
	/* Extended state while another vCPU runs on the CPU; size from CPUID 0DH. */
	void *xsave_area;
	uint64_t xcr0;
	uint64_t tsc_aux;
	uint64_t dr[4];
	uint64_t tsc_adjust;
	uint64_t tsc_offset;
	void *owner;		    /* the VM; vcpu/ never looks inside */
};

/* The fields common to all vendors, in the state after power-on; keeps identity. */
void vcpu_reset(struct vcpu *vcpu, bool is_cold);

/* Sets requests and makes sure the vCPU sees them soon: IPI when in guest, wake when blocked. */
void vcpu_request(struct vcpu *vcpu, uint32_t requests);

/* Reads up to size bytes of code at RIP; the count that could be read (0..size). */
unsigned int vcpu_fetch(struct vcpu *vcpu, uint8_t *buf, unsigned int size);

/*
 * Decodes the instruction at RIP. NULL when there is none that we know. The result stays good until
 * the next call. Hot: what was decoded lately is kept.
 */
const struct insn *vcpu_decode(struct vcpu *vcpu, enum insn_mode *mode);

/*
 * Length of the intercepted instruction at linear address rip, 0 when it cannot be read. opcode
 * (0x0Fxx, a byte, or 0) is what it must be unless prefixed, which spares decoding. Hot.
 */
unsigned int vcpu_insn_length(struct vcpu *vcpu, gva_t rip, uint64_t cr3, uint16_t opcode);

/* Linear to guest-physical as the guest's own tables say; errors of guest_walk. */
int vcpu_walk(struct vcpu *vcpu, gva_t gva, unsigned int access, gpa_t *gpa, uint32_t *error);

/* Copies guest-linear memory; -EFAULT sets *error and *fault for a #PF. */
struct vcpu_fault {
	gva_t address;
	uint32_t error;
};
int vcpu_read_linear(struct vcpu *vcpu, gva_t gva, void *buf, unsigned int size,
		     struct vcpu_fault *fault);
int vcpu_write_linear(struct vcpu *vcpu, gva_t gva, const void *buf, unsigned int size,
		      struct vcpu_fault *fault);

/* 16, 32 or 64-bit code, from CS and EFER. */
enum insn_mode vcpu_mode(struct vcpu *vcpu);
unsigned int vcpu_cpl(struct vcpu *vcpu);
