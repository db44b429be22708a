/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses to ports and device memory. Both become one struct io_access in vcpu->io, go through
 * exit_dispatch_io, and come back to the function in vcpu->finish, at once or after a wait. String
 * forms and instructions with several accesses are unrolled here: one access, one round.
 */
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "vcpu/backend.h"
#include "vm/exit.h"
#include "vm/ioreq.h"
#include "vm/vm_memory.h"
#include "x86/exception.h"

static inline enum exit_result finish(struct vcpu *vcpu, enum io_result result)
{
	if (likely(result == IO_DONE))
		return vcpu->finish(vcpu);
	return result == IO_FAULT ? exit_fault_code(vcpu, EXC_GP, 0) : vcpu_vm(vcpu)->forward(vcpu);
}

/* Not the device that was asked last. Apart, so that the other way has little to save. */
static __attribute__((noinline)) enum exit_result dispatch_far(struct vcpu *vcpu)
{
	return finish(vcpu, io_bus_access(&vcpu_vm(vcpu)->io, &vcpu->io, &vcpu->near));
}

enum exit_result exit_dispatch_io(struct vcpu *vcpu)
{
	const struct io_range *range = io_bus_near(&vcpu_vm(vcpu)->io, &vcpu->io, &vcpu->near);

	if (unlikely(range == NULL))
		return dispatch_far(vcpu);
	return finish(vcpu, range->handler(range->dev, &vcpu->io));
}

static void set_port(struct vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->exit;

	vcpu->io.space = IO_PORT;
	vcpu->io.is_write = !exit->io.is_in;
	vcpu->io.size = exit->io.size;
	vcpu->io.addr = exit->io.port;
}

/* IN of 1 and 2 bytes leaves the rest of RAX, of 4 clears the upper half. */
static enum exit_result finish_port(struct vcpu *vcpu)
{
	uint64_t *rax = &vcpu->gpr[REG_RAX];

	if (vcpu->io.is_write)
		return EXIT_HANDLED;
	if (vcpu->io.size == 4)
		*rax = (uint32_t)vcpu->io.value;
	else
		*rax = (*rax & ~bytes_mask(vcpu->io.size)) |
		       (vcpu->io.value & bytes_mask(vcpu->io.size));
	return EXIT_HANDLED;
}

static uint64_t address_mask(const struct vcpu *vcpu)
{
	return bytes_mask(vcpu->exit.io.addr_size);
}

/* Linear address of the memory side of INS (ES:rDI) or OUTS (rSI in its segment). */
static gva_t string_address(struct vcpu *vcpu, enum x86_reg reg)
{
	uint64_t offset = vcpu->gpr[reg] & address_mask(vcpu);
	enum x86_seg seg = vcpu->exit.io.is_in ? SEG_ES : SEG_DS;
	enum insn_mode mode;
	const struct insn *insn = vcpu_decode(vcpu, &mode);
	struct segment s;

	if (!vcpu->exit.io.is_in && insn != NULL && insn->seg != SEG_NONE)
		seg = insn->seg;
	if (mode == INSN_MODE_64 && seg < SEG_FS)
		return offset;
	vcpu_backend->seg_get(vcpu, seg, &s);
	return s.base + offset;
}

static void step_register(struct vcpu *vcpu, enum x86_reg reg, int64_t by)
{
	uint64_t mask = address_mask(vcpu);
	uint64_t value = (vcpu->gpr[reg] + (uint64_t)by) & mask;

	/* A 32-bit result clears the upper half, a 16-bit one leaves it. */
	if (vcpu->exit.io.addr_size == 2)
		value |= vcpu->gpr[reg] & ~mask;
	vcpu->gpr[reg] = value;
}

/* One round of INS or OUTS is done; RIP stays while rounds remain. */
static enum exit_result finish_string(struct vcpu *vcpu)
{
	enum x86_reg reg = vcpu->exit.io.is_in ? REG_RDI : REG_RSI;
	bool down = (vcpu_backend->reg_get(vcpu, VREG_RFLAGS) & RFLAGS_DF) != 0;
	struct vcpu_fault fault;

	if (vcpu->exit.io.is_in &&
	    vcpu_write_linear(vcpu, string_address(vcpu, reg), &vcpu->io.value, vcpu->io.size,
			      &fault) != 0)
		return exit_page_fault(vcpu, &fault);
	step_register(vcpu, reg, down ? -(int64_t)vcpu->io.size : vcpu->io.size);
	if (!vcpu->exit.io.is_rep)
		return EXIT_HANDLED;
	step_register(vcpu, REG_RCX, -1);
	return (vcpu->gpr[REG_RCX] & address_mask(vcpu)) == 0 ? EXIT_HANDLED : EXIT_RETRY;
}

static enum exit_result start_string(struct vcpu *vcpu)
{
	enum x86_reg reg = vcpu->exit.io.is_in ? REG_RDI : REG_RSI;
	gva_t address = string_address(vcpu, reg);
	struct vcpu_fault fault;
	uint64_t probe = 0;
	int err;

	if (vcpu->exit.io.is_rep && (vcpu->gpr[REG_RCX] & address_mask(vcpu)) == 0)
		return EXIT_HANDLED;
	/* For INS too: a fault must come before the device is touched. */
	err = vcpu_read_linear(vcpu, address, &probe, vcpu->io.size, &fault);
	if (err == -EFAULT)
		return exit_page_fault(vcpu, &fault);
	if (err != 0 && vm_memory_is_missing(vcpu_vm(vcpu), vcpu->no_memory))
		return ioreq_fetch(vcpu, vcpu->no_memory);
	if (err != 0)
		return exit_fault_code(vcpu, EXC_GP, 0);
	vcpu->io.value = probe;
	vcpu->finish = finish_string;
	return exit_dispatch_io(vcpu);
}

enum exit_result exit_io(struct vcpu *vcpu)
{
	set_port(vcpu);
	if (unlikely(vcpu->exit.io.is_string))
		return start_string(vcpu);
	vcpu->io.value = vcpu->gpr[REG_RAX] & bytes_mask(vcpu->io.size);
	vcpu->finish = finish_port;
	return exit_dispatch_io(vcpu);
}
