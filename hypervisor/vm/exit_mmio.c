/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses to guest-physical memory that is not there: device registers, or memory to be mapped when
 * it is first touched. The instruction is decoded and carried out one access at a time.
 */
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "vcpu/backend.h"
#include "vm/exit.h"
#include "vm/ioreq.h"
#include "vm/vm_memory.h"
#include "x86/exception.h"

static int read_operand(void *ctx, gva_t addr, void *buf, unsigned int size)
{
	struct vcpu *vcpu = ctx;
	struct vcpu_fault fault;
	int err = vcpu_read_linear(vcpu, addr, buf, size, &fault);

	if (unlikely(err == -EIO) && vm_memory_is_missing(vcpu_vm(vcpu), vcpu->no_memory))
		vcpu->to_fetch = vcpu->no_memory;
	return err;
}

static int write_operand(void *ctx, gva_t addr, const void *buf, unsigned int size)
{
	struct vcpu_fault fault;

	return vcpu_write_linear(ctx, addr, buf, size, &fault);
}

/* A move computes nothing, so the flags stay out of it. */
static bool uses_flags(const struct insn *insn)
{
	return insn->op != INSN_MOV && insn->op != INSN_MOVZX && insn->op != INSN_MOVSX;
}

static void set_bases(struct vcpu *vcpu, const struct insn *insn)
{
	struct insn_cpu *cpu = &vcpu->mmio_cpu;
	struct segment s;

	/* In 64-bit mode only FS and GS have bases, and fetching those two is dear. */
	for (unsigned int i = SEG_ES; i <= SEG_GS; i++) {
		cpu->seg_base[i] = 0;
		if (cpu->mode == INSN_MODE_64 && (i < SEG_FS || insn->seg != i))
			continue;
		vcpu_backend->seg_get(vcpu, i, &s);
		cpu->seg_base[i] = s.base;
	}
}

static void set_cpu(struct vcpu *vcpu, const struct insn *insn, enum insn_mode mode)
{
	struct insn_cpu *cpu = &vcpu->mmio_cpu;

	if (unlikely(cpu->ctx == NULL)) {
		cpu->gpr = vcpu->gpr;
		cpu->ctx = vcpu;
		cpu->read = read_operand;
		cpu->write = write_operand;
	}
	cpu->rip = vcpu->rip;
	cpu->mode = mode;
	if (!uses_flags(insn))
		return; /* nor do addresses matter: the CPU has told where the access goes */
	cpu->rflags = vcpu_backend->reg_get(vcpu, VREG_RFLAGS);
	set_bases(vcpu, insn);
}

static enum exit_result finish_mmio(struct vcpu *vcpu);

static enum exit_result do_access(struct vcpu *vcpu)
{
	const struct insn_access *access = &vcpu->mmio.access;

	vcpu->io.space = IO_MMIO;
	vcpu->io.is_write = access->is_write;
	vcpu->io.size = access->size;
	vcpu->io.addr = vcpu->exit.mem.gpa;
	vcpu->io.value = access->value & bytes_mask(access->size);
	vcpu->finish = finish_mmio;
	return exit_dispatch_io(vcpu);
}

static enum exit_result undecodable(struct vcpu *vcpu)
{
	log_warn("vm%u: no way to carry out the instruction at %lx on device memory %lx",
		 vcpu_vm(vcpu)->id, vcpu->rip, vcpu->exit.mem.gpa);
	return exit_fault_code(vcpu, EXC_GP, 0);
}

static enum exit_result finish_mmio(struct vcpu *vcpu)
{
	int more = insn_exec_next(&vcpu->mmio, &vcpu->mmio_cpu, vcpu->io.value);

	if (more < 0)
		return undecodable(vcpu);
	if (more > 0)
		return do_access(vcpu);
	if (uses_flags(vcpu->mmio.insn))
		vcpu_backend->reg_set(vcpu, VREG_RFLAGS, vcpu->mmio_cpu.rflags);
	if (vcpu->mmio.repeat)
		return EXIT_RETRY;
	vcpu->exit.insn_len = vcpu->mmio.insn->len;
	return EXIT_HANDLED;
}

static __attribute__((noinline)) enum exit_result start_mmio(struct vcpu *vcpu, const struct insn *insn,
							     enum insn_mode mode)
{
	int more;

	if (insn == NULL)
		return undecodable(vcpu);
	set_cpu(vcpu, insn, mode);
	vcpu->to_fetch = HPA_INVALID;
	more = insn_exec_start(&vcpu->mmio, insn, &vcpu->mmio_cpu, ~0UL);
	if (unlikely(vcpu->to_fetch != HPA_INVALID))
		return ioreq_fetch(vcpu, vcpu->to_fetch);
	if (more < 0)
		return undecodable(vcpu);
	if (more > 0)
		return do_access(vcpu);
	vcpu->exit.insn_len = insn->len;
	return EXIT_HANDLED;
}

/* What nearly all accesses of drivers are: a register's 32 bits, or a constant, and nothing else changes. */
static enum exit_result finish_plain_move(struct vcpu *vcpu)
{
	if (!vcpu->io.is_write)
		vcpu->gpr[vcpu->mmio.insn->reg] = (uint32_t)vcpu->io.value;
	return EXIT_HANDLED;
}

static inline enum exit_result plain_move(struct vcpu *vcpu, const struct insn *insn)
{
	bool is_write = insn->mem_is_dest;

	vcpu->io = (struct io_access){
		.space = IO_MMIO,
		.is_write = is_write,
		.size = sizeof(uint32_t),
		.addr = vcpu->exit.mem.gpa,
		.value = !is_write ? 0 : (uint32_t)(insn->has_imm ? insn->imm : vcpu->gpr[insn->reg]),
	};
	vcpu->mmio.insn = insn;
	vcpu->exit.insn_len = insn->len;
	vcpu->finish = finish_plain_move;
	return exit_dispatch_io(vcpu);
}

/*
 * False: there is memory by now, another vCPU was faster, or the translation was stale; or it is missing, see
 * try_memory().
 */
static inline bool is_device(struct vcpu *vcpu)
{
	struct vm *vm = vcpu_vm(vcpu);
	gpa_t gpa = vcpu->exit.mem.gpa;

	return likely(io_bus_is_near(&vm->io, IO_MMIO, gpa, &vcpu->near)) ||
	       io_bus_find(&vm->io, IO_MMIO, gpa, &vcpu->near) != NULL || !vm->map_on_demand(vm, gpa);
}

static __attribute__((noinline)) enum exit_result try_memory(struct vcpu *vcpu)
{
	gpa_t gpa = vcpu->exit.mem.gpa;

	return vm_memory_is_missing(vcpu_vm(vcpu), gpa) ? ioreq_fetch(vcpu, gpa) : EXIT_RETRY;
}

/* Code or page tables: in device memory there is no such instruction to carry out. */
static __attribute__((noinline)) enum exit_result no_data(struct vcpu *vcpu)
{
	bool is_fetch = vcpu->exit.mem.kind == MEM_FETCH;
	struct vm *vm = vcpu_vm(vcpu);

	if (is_fetch && gpa_space_split(&vm->group.space, vcpu->exit.mem.gpa))
		return EXIT_RETRY;
	if (!is_device(vcpu))
		return try_memory(vcpu);
	vm->fatal(vcpu, is_fetch ? "code fetched where no memory is" : "page tables where no memory is");
	return EXIT_RETRY;
}

enum exit_result exit_memory(struct vcpu *vcpu)
{
	const struct insn *insn;
	enum insn_mode mode;

	if (unlikely(vcpu->exit.mem.kind != MEM_DATA))
		return no_data(vcpu);
	if (unlikely(!is_device(vcpu)))
		return try_memory(vcpu);
	insn = vcpu_decode(vcpu, &mode);
	if (unlikely(insn == NULL || !insn->is_plain_move))
		return start_mmio(vcpu, insn, mode);
	return plain_move(vcpu, insn);
}
