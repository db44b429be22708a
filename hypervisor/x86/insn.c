/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder: a word of attributes for each opcode, and one straight pass over the bytes. What an
 * attribute word cannot say because it hangs on ModRM.reg is in resolve_group(). VEX, EVEX and XOP
 * are no instructions here: the operating systems we run do not use them on devices.
 */
#include "x86/insn.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "x86/insn_table.h"
#include "x86/regs.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) unaligned_u64;

struct decoder {
	const uint8_t *code;
	unsigned int avail;
	unsigned int pos;
	enum insn_mode mode;
	uint32_t attr;
	bool operand_prefix, address_prefix;
	uint8_t seg; /* override, or SEG_NONE */
};

/* Takes size bytes (1 to 8), little-endian; false when they are not there. */
static inline bool fetch(struct decoder *d, unsigned int size, uint64_t *value)
{
	const uint8_t *p = d->code + d->pos;
	unsigned int left = d->avail - d->pos;

	if (likely(left >= 8U)) { /* one load, the surplus shifted out */
		*value = *(const unaligned_u64 *)p & bytes_mask(size);
	} else {
		if (left < size)
			return false;
		*value = 0;
		for (unsigned int i = 0; i < size; i++)
			*value |= (uint64_t)p[i] << (8U * i);
	}
	d->pos += size;
	return true;
}

static inline int64_t sign_extend(uint64_t value, unsigned int size)
{
	unsigned int shift = 64U - 8U * size;

	return (int64_t)(value << shift) >> shift;
}

static void take_prefix(struct decoder *d, struct insn *insn, uint8_t byte)
{
	switch (byte) {
	case 0x66:
		d->operand_prefix = true;
		break;
	case 0x67:
		d->address_prefix = true;
		break;
	case 0xF0:
		insn->lock = true;
		break;
	case 0xF2:
	case 0xF3:
		insn->repne = byte == 0xF2;
		insn->rep = byte == 0xF3;
		break;
	case 0x64:
	case 0x65:
		d->seg = byte == 0x64 ? SEG_FS : SEG_GS;
		break;
	default: /* ES CS SS DS: without effect in 64-bit mode */
		if (d->mode != INSN_MODE_64)
			d->seg = (byte >> 3) & 3U;
		break;
	}
}

/* The opcode's bytes after 0F. */
static int decode_escape(struct decoder *d, struct insn *insn)
{
	uint8_t byte;

	if (d->pos == d->avail)
		return -EFAULT;
	byte = d->code[d->pos++];
	insn->opcode = (uint16_t)(0x0F00U | byte);
	d->attr = insn_two_byte[byte];
	if (byte == 0x38U || byte == 0x3AU) { /* SSSE3 and later: all have ModRM */
		if (d->pos == d->avail)
			return -EFAULT;
		insn->opcode = (uint16_t)(byte << 8 | d->code[d->pos++]);
		d->attr = byte == 0x3AU ? M | I8 : M;
	}
	return (d->attr & V) != 0U ? 0 : -EINVAL;
}

/* Prefixes, of which REX counts only right before the opcode; then the opcode's attributes. */
static inline int decode_opcode(struct decoder *d, struct insn *insn)
{
	uint8_t byte;

	for (;;) {
		if (unlikely(d->pos == d->avail))
			return -EFAULT;
		byte = d->code[d->pos++];
		if ((byte & 0xF0U) == 0x40U && d->mode == INSN_MODE_64) {
			insn->rex = byte;
			continue;
		}
		d->attr = insn_one_byte[byte];
		if (likely((d->attr & PREFIX) == 0U))
			break;
		insn->rex = 0;
		take_prefix(d, insn, byte);
	}
	insn->opcode = byte;
	if (likely((d->attr & (V | NO64)) == V))
		return 0;
	if ((d->attr & ESCAPE) != 0U)
		return decode_escape(d, insn);
	return (d->attr & V) == 0U || d->mode == INSN_MODE_64 ? -EINVAL : 0;
}

/* What the opcodes with GROUP are, by ModRM and mode. */
static int resolve_group(struct decoder *d, const struct insn *insn)
{
	static const uint8_t unary[8] = { INSN_TEST, INSN_TEST, INSN_NOT, INSN_NEG };
	static const uint8_t bit_test[8] = { [4] = INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC };
	unsigned int reg = (insn->modrm >> 3) & 7U;
	unsigned int op = INSN_OTHER;

	switch (insn->opcode) {
	case 0x63:
		op = d->mode == INSN_MODE_64 ? INSN_MOVSX : INSN_OTHER;
		break;
	case 0x8F: /* POP; XOP */
		if (reg != 0U)
			return -EINVAL;
		op = INSN_POP;
		break;
	case 0xC4: /* VEX when it would be a register */
	case 0xC5:
		if (insn->modrm >= 0xC0U)
			return -EINVAL;
		break;
	case 0xC6: /* MOV; XABORT and XBEGIN */
	case 0xC7:
		if (reg != 0U && insn->modrm != 0xF8U)
			return -EINVAL;
		op = reg == 0U ? INSN_MOV : INSN_OTHER;
		break;
	case 0xF6:
	case 0xF7:
		op = unary[reg];
		if (op == INSN_TEST)
			d->attr |= insn->opcode == 0xF6U ? I8 : IZ;
		break;
	case 0xFE:
	case 0xFF: /* INC DEC CALL CALLF JMP JMPF PUSH */
		if (reg > (insn->opcode == 0xFEU ? 1U : 6U))
			return -EINVAL;
		op = reg == 0U ? INSN_INC : reg == 1U ? INSN_DEC : INSN_OTHER;
		if (reg == 6U)
			op = INSN_PUSH;
		if (reg == 2U || reg == 4U || reg == 6U)
			d->attr |= D64;
		break;
	case 0x0FBA:
		op = bit_test[reg];
		if (reg < 4U)
			return -EINVAL;
		break;
	default: /* 80 to 83 */
		op = INSN_ADD + reg;
		break;
	}
	d->attr |= op;
	return 0;
}

static void set_sizes(const struct decoder *d, struct insn *insn)
{
	unsigned int size = 4;

	if ((d->attr & B) != 0U) {
		size = 1;
		insn->reg_high = insn->rex == 0U && insn->reg >= 4U;
	} else if (d->mode != INSN_MODE_64) {
		size = (d->mode == INSN_MODE_16) == d->operand_prefix ? 4 : 2;
	} else if ((insn->rex & 8U) != 0U || (d->attr & F64) != 0U) {
		size = 8;
	} else if (unlikely(d->operand_prefix)) {
		size = 2;
	} else if ((d->attr & D64) != 0U) {
		size = 8;
	}
	insn->op_size = (uint8_t)size;
	if (unlikely((d->attr & (MEM8 | MEM16 | MEM32)) != 0U))
		size = (d->attr & MEM8) != 0U	 ? 1 :
		       (d->attr & MEM16) != 0U ? 2 :
						 MIN(size, 4U);
	insn->mem_size = (uint8_t)size;
}

/* Addressing with 16-bit registers: SDM 2 table 2-1. */
static int decode_mem16(struct decoder *d, struct insn *insn)
{
	static const int8_t base[8] = { REG_RBX, REG_RBX, REG_RBP, REG_RBP,
					REG_RSI, REG_RDI, REG_RBP, REG_RBX };
	static const int8_t index[8] = { REG_RSI, REG_RDI, REG_RSI, REG_RDI, -1, -1, -1, -1 };
	unsigned int mod = insn->modrm >> 6, rm = insn->modrm & 7U;
	unsigned int size = mod; /* of the displacement: 0, 1, 2 bytes */
	uint64_t disp;

	insn->base = base[rm];
	insn->index = index[rm];
	if (mod == 0U && rm == 6U) {
		insn->base = -1;
		size = 2;
	}
	insn->seg = insn->base == REG_RBP ? SEG_SS : SEG_DS;
	if (size == 0U)
		return 0;
	if (!fetch(d, size, &disp))
		return -EFAULT;
	insn->disp = sign_extend(disp, size);
	return 0;
}

/* Addressing with 32-bit and 64-bit registers: SDM 2 tables 2-2, 2-3. */
static int decode_mem(struct decoder *d, struct insn *insn)
{
	unsigned int mod = insn->modrm >> 6, rm = insn->modrm & 7U;
	unsigned int size = mod == 2U ? 4 : mod; /* of the displacement */
	uint64_t disp;

	if (rm == 4U) {
		uint8_t sib;

		if (unlikely(d->pos == d->avail))
			return -EFAULT;
		sib = d->code[d->pos++];
		rm = sib & 7U;
		insn->index = (int8_t)(((sib >> 3) & 7U) | (insn->rex & 2U) << 2);
		insn->scale = (uint8_t)(1U << (sib >> 6));
		if (insn->index == REG_RSP)
			insn->index = -1;
	} else if (mod == 0U && rm == 5U && d->mode == INSN_MODE_64) {
		insn->base = INSN_BASE_RIP;
		size = 4;
	}
	if (mod == 0U && rm == 5U)
		size = 4; /* and no base */
	else
		insn->base = (int8_t)(rm | (insn->rex & 1U) << 3);
	if (insn->base == REG_RSP || insn->base == REG_RBP)
		insn->seg = SEG_SS;
	if (size == 0U)
		return 0;
	if (!fetch(d, size, &disp))
		return -EFAULT;
	insn->disp = sign_extend(disp, size);
	return 0;
}

static int decode_modrm(struct decoder *d, struct insn *insn)
{
	int ret;

	if (unlikely(d->pos == d->avail))
		return -EFAULT;
	insn->has_modrm = true;
	insn->modrm = d->code[d->pos++];
	insn->reg = (uint8_t)(((insn->modrm >> 3) & 7U) | (insn->rex & 4U) << 1);
	if ((d->attr & GROUP) != 0U) {
		ret = resolve_group(d, insn);
		if (ret != 0)
			return ret;
	}
	if (insn->modrm >= 0xC0U || (d->attr & NOMEM) != 0U)
		return 0;
	insn->has_mem = true;
	insn->seg = SEG_DS;
	return insn->addr_size == 2U ? decode_mem16(d, insn) : decode_mem(d, insn);
}

/* Operands that the opcode implies. */
static void set_implied(const struct decoder *d, struct insn *insn)
{
	if ((d->attr & OPREG) != 0U) {
		insn->reg = (uint8_t)((insn->opcode & 7U) | (insn->rex & 1U) << 3);
	} else if ((d->attr & STRING) != 0U) {
		bool to_rdi = (d->attr & DEST) != 0U || insn->opcode == 0x6CU ||
			      insn->opcode == 0x6DU;

		insn->has_mem = true;
		insn->base = to_rdi ? REG_RDI : REG_RSI;
		insn->seg = to_rdi ? SEG_ES : SEG_DS;
	}
}

static int decode_immediate(struct decoder *d, struct insn *insn)
{
	enum imm_kind kind = (enum imm_kind)((d->attr & IMM_MASK) >> IMM_SHIFT);
	unsigned int size = insn->op_size;
	uint64_t offset;

	switch (kind) {
	case IMM_NONE:
		return 0;
	case IMM_8:
	case IMM_8S:
		size = 1;
		break;
	case IMM_Z:
		size = MIN(size, 4U);
		break;
	case IMM_16:
		size = 2;
		break;
	case IMM_24:
		size = 3;
		break;
	case IMM_FAR:
		size += 2U;
		break;
	case IMM_MOFFS:
		insn->has_mem = true;
		insn->seg = SEG_DS;
		if (!fetch(d, insn->addr_size, &offset))
			return -EFAULT;
		insn->disp = (int64_t)offset;
		return 0;
	case IMM_V:
		break;
	}
	insn->has_imm = true;
	if (!fetch(d, size, &insn->imm))
		return -EFAULT;
	if (kind == IMM_8S || kind == IMM_Z)
		insn->imm = (uint64_t)sign_extend(insn->imm, size) & bytes_mask(insn->op_size);
	return 0;
}

int insn_decode(const uint8_t *code, unsigned int avail, enum insn_mode mode, struct insn *insn)
{
	struct decoder d = { .code = code, .avail = MIN(avail, INSN_MAX_LEN), .mode = mode,
			     .seg = SEG_NONE };
	int ret;

	*insn = (struct insn){ .base = -1, .index = -1, .scale = 1, .seg = SEG_NONE };
	ret = decode_opcode(&d, insn);
	if (unlikely(ret != 0))
		return ret;
	insn->addr_size = (uint8_t)mode;
	if (d.address_prefix)
		insn->addr_size = mode == INSN_MODE_32 ? 2 : 4;
	if (likely((d.attr & M) == M)) {
		ret = decode_modrm(&d, insn);
		if (unlikely(ret != 0))
			return ret;
	} else {
		set_implied(&d, insn);
	}
	set_sizes(&d, insn);
	if ((d.attr & IMM_MASK) != 0U) {
		ret = decode_immediate(&d, insn);
		if (unlikely(ret != 0))
			return ret;
	}
	if (unlikely(d.seg != SEG_NONE) && insn->has_mem && insn->seg != SEG_ES)
		insn->seg = d.seg;
	insn->op = (enum insn_op)(d.attr & 0xFFU);
	insn->mem_is_dest = (d.attr & DEST) != 0U;
	insn->is_plain_move = insn->op == INSN_MOV && insn->has_mem && insn->mem_size == 4U &&
			      insn->op_size == 4U;
	insn->len = (uint8_t)d.pos;
	return 0;
}

unsigned int insn_length(const uint8_t *code, unsigned int avail, enum insn_mode mode)
{
	struct insn insn;

	return insn_decode(code, avail, mode, &insn) == 0 ? insn.len : 0U;
}
