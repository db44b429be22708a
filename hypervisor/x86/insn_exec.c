/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * At most two accesses to the device, a read and then a write. The result is computed from the
 * registers each time it is needed, before the write and at the end, and stored only at the end: so
 * an instruction that is abandoned, or started anew, has left no trace.
 */
#include "x86/insn_exec.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "x86/regs.h"

enum step { STEP_READ, STEP_WRITE };

#define FLAGS_ARITH (RFLAGS_OF | RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF | RFLAGS_CF)

/* What an instruction gives: a value for its first operand, flags, and a value for the other. */
struct result {
	uint64_t value;
	uint64_t flags;
	uint64_t other;
};

static uint64_t reg_read(const struct insn_cpu *cpu, const struct insn *insn, unsigned int reg)
{
	if (insn->reg_high)
		return (cpu->gpr[reg - 4U] >> 8) & 0xFFU;
	return cpu->gpr[reg] & bytes_mask(insn->op_size);
}

/* Writes size low bytes of a register: 4 clear the upper half, 1 and 2 leave the rest. */
static void gpr_write(struct insn_cpu *cpu, unsigned int reg, unsigned int size, uint64_t value)
{
	uint64_t mask = bytes_mask(size);

	if (size >= 4U)
		cpu->gpr[reg] = value & mask;
	else
		cpu->gpr[reg] = (cpu->gpr[reg] & ~mask) | (value & mask);
}

static void reg_write(struct insn_cpu *cpu, const struct insn *insn, uint64_t value)
{
	unsigned int reg = insn->reg;

	if (insn->reg_high)
		cpu->gpr[reg - 4U] = (cpu->gpr[reg - 4U] & ~0xFF00UL) | (value & 0xFFU) << 8;
	else
		gpr_write(cpu, reg, insn->op_size, value);
}

static uint64_t sign_extend(uint64_t value, unsigned int size)
{
	unsigned int shift = 64U - 8U * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* Linear address of an effective address, SDM 1 3.3.7.1: flat but for FS and GS in 64-bit mode. */
static gva_t linear(const struct insn_cpu *cpu, enum x86_seg seg, uint64_t ea)
{
	if (cpu->mode == INSN_MODE_64)
		return seg == SEG_FS || seg == SEG_GS ? cpu->seg_base[seg] + ea : ea;
	return (uint32_t)(cpu->seg_base[seg] + ea);
}

gva_t insn_linear_address(const struct insn *insn, const struct insn_cpu *cpu)
{
	uint64_t ea = (uint64_t)insn->disp;

	if (insn->base == INSN_BASE_RIP)
		ea += cpu->rip + insn->len;
	else if (insn->base >= 0)
		ea += cpu->gpr[insn->base];
	if (insn->index >= 0)
		ea += cpu->gpr[insn->index] * insn->scale;
	if (insn->op >= INSN_BT && insn->op <= INSN_BTC && !insn->has_imm) {
		/* The register counts bits from here, in both directions. */
		int64_t bit = (int64_t)sign_extend(cpu->gpr[insn->reg], insn->op_size);

		ea += (uint64_t)(bit >> (insn->op_size == 8U ? 6 : insn->op_size == 4U ? 5 : 4)) *
		      insn->op_size;
	}
	if (insn->op == INSN_POP && insn->base == REG_RSP)
		ea += insn->op_size;
	return linear(cpu, insn->seg, ea & bytes_mask(insn->addr_size));
}

static gva_t string_destination(const struct insn *insn, const struct insn_cpu *cpu)
{
	return linear(cpu, SEG_ES, cpu->gpr[REG_RDI] & bytes_mask(insn->addr_size));
}

/* The stack's width is that of the mode: SS.B follows CS.D in every system we know of. */
static gva_t stack_address(const struct insn_cpu *cpu, int64_t offset)
{
	return linear(cpu, SEG_SS,
		      (cpu->gpr[REG_RSP] + (uint64_t)offset) & bytes_mask(cpu->mode));
}

/* SF, ZF and PF of a result. */
static uint64_t flags_result(uint64_t value, unsigned int size)
{
	uint64_t flags = 0;

	value &= bytes_mask(size);
	if (value == 0U)
		flags |= RFLAGS_ZF;
	if ((value >> (8U * size - 1U)) != 0U)
		flags |= RFLAGS_SF;
	if (__builtin_parity((unsigned int)value & 0xFFU) == 0)
		flags |= RFLAGS_PF;
	return flags;
}

/* Adds OF, AF, CF from the carries out of the top bit, into it, and out of bit 3. */
static uint64_t flags_carry(uint64_t carries, uint64_t overflow, unsigned int size)
{
	unsigned int top = 8U * size - 1U;
	uint64_t flags = 0;

	if (((carries >> top) & 1U) != 0U)
		flags |= RFLAGS_CF;
	if (((carries >> 3) & 1U) != 0U)
		flags |= RFLAGS_AF;
	if (((overflow >> top) & 1U) != 0U)
		flags |= RFLAGS_OF;
	return flags;
}

static struct result add(uint64_t a, uint64_t b, uint64_t carry, unsigned int size)
{
	uint64_t sum = a + b + carry;
	uint64_t carries = (a & b) | ((a | b) & ~sum);

	return (struct result){ .value = sum,
				.flags = flags_result(sum, size) |
					 flags_carry(carries, (a ^ sum) & (b ^ sum), size) };
}

static struct result subtract(uint64_t a, uint64_t b, uint64_t borrow, unsigned int size)
{
	uint64_t difference = a - b - borrow;
	uint64_t borrows = (~a & b) | ((~a | b) & difference);

	return (struct result){ .value = difference,
				.flags = flags_result(difference, size) |
					 flags_carry(borrows, (a ^ b) & (a ^ difference), size) };
}

static struct result logic(uint64_t value, unsigned int size)
{
	return (struct result){ .value = value, .flags = flags_result(value, size) };
}

/* One bit of the first operand goes to CF; the other flags, undefined or not, stay. */
static struct result bit_operation(enum insn_op op, uint64_t a, uint64_t index, uint64_t flags)
{
	uint64_t bit = 1UL << index;
	struct result r = { .value = a, .flags = flags & FLAGS_ARITH & ~RFLAGS_CF };

	if ((a & bit) != 0U)
		r.flags |= RFLAGS_CF;
	if (op == INSN_BTS)
		r.value |= bit;
	else if (op == INSN_BTR)
		r.value &= ~bit;
	else if (op == INSN_BTC)
		r.value ^= bit;
	return r;
}

/* INC and DEC leave CF as it was. */
static struct result keep_carry(struct result r, uint64_t flags)
{
	r.flags = (r.flags & ~RFLAGS_CF) | (flags & RFLAGS_CF);
	return r;
}

/* The accumulator is compared with memory; what memory gets is the source or what it has. */
static struct result compare_exchange(uint64_t memory, uint64_t source, uint64_t accumulator,
				      unsigned int size)
{
	struct result r = subtract(accumulator, memory, 0, size);

	r.value = (r.flags & RFLAGS_ZF) != 0U ? source : memory;
	r.other = memory;
	return r;
}

/* The result of the instruction, a being the first operand and b the second. */
static struct result compute(const struct insn *insn, const struct insn_cpu *cpu, uint64_t a,
			     uint64_t b)
{
	unsigned int size = insn->op_size;
	uint64_t flags = cpu->rflags, carry = flags & RFLAGS_CF;
	struct result r;

	switch (insn->op) {
	case INSN_ADD:
		return add(a, b, 0, size);
	case INSN_ADC:
		return add(a, b, carry, size);
	case INSN_SUB:
	case INSN_CMP:
		return subtract(a, b, 0, size);
	case INSN_SBB:
		return subtract(a, b, carry, size);
	case INSN_OR:
		return logic(a | b, size);
	case INSN_AND:
	case INSN_TEST:
		return logic(a & b, size);
	case INSN_XOR:
		return logic(a ^ b, size);
	case INSN_INC:
		return keep_carry(add(a, 1, 0, size), flags);
	case INSN_DEC:
		return keep_carry(subtract(a, 1, 0, size), flags);
	case INSN_NEG:
		return subtract(0, a, 0, size);
	case INSN_NOT:
		return (struct result){ .value = ~a, .flags = flags & FLAGS_ARITH };
	case INSN_BT:
	case INSN_BTS:
	case INSN_BTR:
	case INSN_BTC:
		return bit_operation(insn->op, a, b & (8U * size - 1U), flags);
	case INSN_CMPXCHG:
		return compare_exchange(a, b, cpu->gpr[REG_RAX] & bytes_mask(size), size);
	case INSN_XADD:
		r = add(a, b, 0, size);
		r.other = a;
		return r;
	case INSN_MOVSX:
		b = sign_extend(b, insn->mem_size);
		break;
	default: /* moves: the second operand, and for XCHG the first */
		break;
	}
	return (struct result){ .value = b, .flags = flags & FLAGS_ARITH, .other = a };
}

/* The operand that is not in memory. */
static uint64_t second_operand(const struct insn *insn, const struct insn_cpu *cpu)
{
	return insn->has_imm ? insn->imm : reg_read(cpu, insn, insn->reg);
}

/* Both operands, the device's taken from what was read. */
static struct result run(const struct insn_exec *x, const struct insn_cpu *cpu)
{
	const struct insn *insn = x->insn;
	uint64_t other = second_operand(insn, cpu);

	return insn->mem_is_dest ? compute(insn, cpu, x->operand, other) :
				   compute(insn, cpu, other, x->operand);
}

/* Which accesses a form with one operand in memory makes, by operation and whether that operand is
 * the first; none: no business of ours. MOVS, with two, is apart. */
enum { DEV_READ = 1U << 0, DEV_WRITE = 1U << 1, DEV_BOTH = DEV_READ | DEV_WRITE };

static const uint8_t accesses[INSN_POP + 1][2] = {
	[INSN_MOV] = { DEV_READ, DEV_WRITE },
	[INSN_STOS] = { 0, DEV_WRITE },
	[INSN_LODS] = { DEV_READ, 0 },
	[INSN_POP] = { 0, DEV_WRITE },
	[INSN_PUSH] = { 0, DEV_READ },
	[INSN_MOVZX] = { DEV_READ, 0 },
	[INSN_MOVSX] = { DEV_READ, 0 },
	[INSN_ADD] = { DEV_READ, DEV_BOTH },
	[INSN_OR] = { DEV_READ, DEV_BOTH },
	[INSN_ADC] = { DEV_READ, DEV_BOTH },
	[INSN_SBB] = { DEV_READ, DEV_BOTH },
	[INSN_AND] = { DEV_READ, DEV_BOTH },
	[INSN_SUB] = { DEV_READ, DEV_BOTH },
	[INSN_XOR] = { DEV_READ, DEV_BOTH },
	[INSN_CMP] = { DEV_READ, DEV_READ },
	[INSN_TEST] = { 0, DEV_READ },
	[INSN_XCHG] = { 0, DEV_BOTH },
	[INSN_INC] = { 0, DEV_BOTH },
	[INSN_DEC] = { 0, DEV_BOTH },
	[INSN_NOT] = { 0, DEV_BOTH },
	[INSN_NEG] = { 0, DEV_BOTH },
	[INSN_BT] = { 0, DEV_READ },
	[INSN_BTS] = { 0, DEV_BOTH },
	[INSN_BTR] = { 0, DEV_BOTH },
	[INSN_BTC] = { 0, DEV_BOTH },
	[INSN_CMPXCHG] = { 0, DEV_BOTH },
	[INSN_XADD] = { 0, DEV_BOTH },
};

static int ask_read(struct insn_exec *x)
{
	x->step = STEP_READ;
	x->access.is_write = false;
	x->access.value = 0;
	return 1;
}

static int ask_write(struct insn_exec *x, uint64_t value)
{
	x->step = STEP_WRITE;
	x->access.is_write = true;
	x->access.value = value & bytes_mask(x->access.size);
	return 1;
}

/*
 * MOVS has two operands in memory; when nobody says which is the device, it is the source if that
 * cannot be read as memory.
 */
static int start_movs(struct insn_exec *x, struct insn_cpu *cpu, gva_t fault_addr)
{
	gva_t from = insn_linear_address(x->insn, cpu), to = string_destination(x->insn, cpu);
	uint64_t value = 0;

	x->access.addr = from;
	if (fault_addr == from && fault_addr != to)
		return ask_read(x);
	if (cpu->read(cpu->ctx, from, &value, x->access.size) != 0) {
		if (fault_addr != ~0UL)
			return -EFAULT;
		/* before the device is asked, which may count its reads */
		return cpu->read(cpu->ctx, to, &value, x->access.size) != 0 ? -EFAULT : ask_read(x);
	}
	x->access.addr = to;
	return ask_write(x, value);
}

static bool is_string(enum insn_op op)
{
	return op == INSN_MOVS || op == INSN_STOS || op == INSN_LODS;
}

static bool is_special(enum insn_op op)
{
	return is_string(op) || op == INSN_PUSH || op == INSN_POP;
}

/* The other forms that move data without computing. */
static int start_special(struct insn_exec *x, struct insn_cpu *cpu, gva_t fault_addr)
{
	const struct insn *insn = x->insn;
	uint64_t value = 0;

	if (is_string(insn->op) && (insn->rep || insn->repne) &&
	    (cpu->gpr[REG_RCX] & bytes_mask(insn->addr_size)) == 0U)
		return 0;
	switch (insn->op) {
	case INSN_MOVS:
		return start_movs(x, cpu, fault_addr);
	case INSN_STOS:
		return ask_write(x, cpu->gpr[REG_RAX]);
	case INSN_POP:
		if (cpu->read(cpu->ctx, stack_address(cpu, 0), &value, insn->op_size) != 0)
			return -EFAULT;
		return ask_write(x, value);
	default: /* LODS, PUSH */
		return ask_read(x);
	}
}

int insn_exec_start(struct insn_exec *x, const struct insn *insn, struct insn_cpu *cpu,
		    gva_t fault_addr)
{
	unsigned int how = accesses[insn->op][insn->mem_is_dest];

	if (unlikely(!insn->has_mem || (how == 0U && insn->op != INSN_MOVS)))
		return -EINVAL;
	x->insn = insn;
	x->repeat = false;
	x->operand = 0;
	x->access.size = insn->mem_size;
	if (unlikely(is_special(insn->op)))
		return start_special(x, cpu, fault_addr);
	if ((how & DEV_READ) != 0U)
		return ask_read(x);
	return ask_write(x, second_operand(insn, cpu));
}

/* Moves an index register by one element, within the address size. */
static void step_index(struct insn_cpu *cpu, const struct insn *insn, unsigned int reg)
{
	uint64_t delta = insn->mem_size;

	if ((cpu->rflags & RFLAGS_DF) != 0U)
		delta = 0UL - delta;
	gpr_write(cpu, reg, insn->addr_size, cpu->gpr[reg] + delta);
}

static int finish_string(struct insn_exec *x, struct insn_cpu *cpu)
{
	const struct insn *insn = x->insn;
	uint64_t count;

	if (insn->op == INSN_MOVS && x->step == STEP_READ &&
	    cpu->write(cpu->ctx, string_destination(insn, cpu), &x->operand, x->access.size) != 0)
		return -EFAULT;
	if (insn->op == INSN_LODS)
		gpr_write(cpu, REG_RAX, insn->op_size, x->operand);
	if (insn->op != INSN_STOS)
		step_index(cpu, insn, REG_RSI);
	if (insn->op != INSN_LODS)
		step_index(cpu, insn, REG_RDI);
	if (insn->rep || insn->repne) {
		count = (cpu->gpr[REG_RCX] - 1U) & bytes_mask(insn->addr_size);
		gpr_write(cpu, REG_RCX, insn->addr_size, count);
		x->repeat = count != 0U;
	}
	return 0;
}

static int finish_stack(struct insn_exec *x, struct insn_cpu *cpu)
{
	int64_t move = x->insn->op_size;

	if (x->insn->op == INSN_PUSH) {
		move = -move;
		if (cpu->write(cpu->ctx, stack_address(cpu, move), &x->operand,
			       x->insn->op_size) != 0)
			return -EFAULT;
	}
	gpr_write(cpu, REG_RSP, cpu->mode, cpu->gpr[REG_RSP] + (uint64_t)move);
	return 0;
}

/* All accesses are done: registers and flags. */
static int finish(struct insn_exec *x, struct insn_cpu *cpu)
{
	const struct insn *insn = x->insn;
	struct result r;

	if (is_string(insn->op))
		return finish_string(x, cpu);
	if (insn->op == INSN_PUSH || insn->op == INSN_POP)
		return finish_stack(x, cpu);
	r = run(x, cpu);
	cpu->rflags = (cpu->rflags & ~FLAGS_ARITH) | r.flags;
	if (insn->op == INSN_XCHG || insn->op == INSN_XADD)
		reg_write(cpu, insn, r.other);
	else if (insn->op == INSN_CMPXCHG && (r.flags & RFLAGS_ZF) == 0U)
		gpr_write(cpu, REG_RAX, insn->op_size, r.other);
	else if (!insn->mem_is_dest && insn->op != INSN_CMP)
		reg_write(cpu, insn, r.value);
	return 0;
}

int insn_exec_next(struct insn_exec *x, struct insn_cpu *cpu, uint64_t value)
{
	const struct insn *insn = x->insn;

	if (x->step == STEP_READ) {
		x->operand = value & bytes_mask(x->access.size);
		if ((accesses[insn->op][insn->mem_is_dest] & DEV_WRITE) != 0U)
			return ask_write(x, run(x, cpu).value);
	}
	if (unlikely(insn->op != INSN_MOV))
		return finish(x, cpu);
	if (!insn->mem_is_dest)
		reg_write(cpu, insn, x->operand);
	return 0;
}
