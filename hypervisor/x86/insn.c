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
#include "x86/regs.h"

/* What follows the opcode and ModRM. */
enum imm_kind {
	IMM_NONE,
	IMM_8,	   /* a byte, zero-extended */
	IMM_8S,	   /* a byte, sign-extended */
	IMM_Z,	   /* 2 or 4 bytes by operand size, sign-extended */
	IMM_V,	   /* 2, 4 or 8 bytes by operand size */
	IMM_16,	   /* 2 bytes */
	IMM_24,	   /* ENTER: 2 and 1 bytes */
	IMM_FAR,   /* an offset of 2 or 4 bytes, and a selector */
	IMM_MOFFS, /* an offset of address size */
};

/* Attribute words: operation in bits 7:0, enum imm_kind in 11:8, then flags. 0: no instruction. */
#define OP(op) ((uint32_t)(op))
#define IMM_SHIFT 8U
#define I8 (IMM_8 << IMM_SHIFT)
#define I8S (IMM_8S << IMM_SHIFT)
#define IZ (IMM_Z << IMM_SHIFT)
#define IV (IMM_V << IMM_SHIFT)
#define I16 (IMM_16 << IMM_SHIFT)
#define I24 (IMM_24 << IMM_SHIFT)
#define IFAR (IMM_FAR << IMM_SHIFT)
#define MOFFS (IMM_MOFFS << IMM_SHIFT)
#define V BIT32(12)	 /* valid */
#define M (BIT32(13) | V) /* has ModRM */
#define B BIT32(14)	 /* byte operands */
#define DEST BIT32(15)	 /* memory is the first operand */
#define D64 BIT32(16)	 /* operand size is 64 in 64-bit mode unless 66 makes it 16 */
#define F64 BIT32(17)	 /* operand size is 64 in 64-bit mode whatever the prefixes */
#define NO64 BIT32(18)	 /* invalid in 64-bit mode */
#define PREFIX BIT32(19)
#define GROUP BIT32(20)	 /* ModRM.reg decides: resolve_group() */
#define NOMEM BIT32(21)	 /* ModRM.rm is a register whatever ModRM.mod says */
#define MEM8 BIT32(22)	 /* memory operand is a byte */
#define MEM16 BIT32(23)	 /* memory operand is a word */
#define OPREG BIT32(24)	 /* register in the opcode's low bits */
#define STRING BIT32(25)

#define ALU(base, op, dest)                                                                        \
	[(base)] = M | B | (dest) | OP(op), [(base) + 1] = M | (dest) | OP(op),                    \
	[(base) + 2] = M | B | OP(op), [(base) + 3] = M | OP(op), [(base) + 4] = V | B | I8,       \
	[(base) + 5] = V | IZ

static const uint32_t one_byte[256] = {
	ALU(0x00, INSN_ADD, DEST),
	ALU(0x08, INSN_OR, DEST),
	ALU(0x10, INSN_ADC, DEST),
	ALU(0x18, INSN_SBB, DEST),
	ALU(0x20, INSN_AND, DEST),
	ALU(0x28, INSN_SUB, DEST),
	ALU(0x30, INSN_XOR, DEST),
	ALU(0x38, INSN_CMP, DEST),
	[0x06 ... 0x07] = V | NO64,		      /* PUSH/POP ES */
	[0x0E] = V | NO64,			      /* PUSH CS */
	[0x16 ... 0x17] = V | NO64,		      /* PUSH/POP SS */
	[0x1E ... 0x1F] = V | NO64,		      /* PUSH/POP DS */
	[0x26] = PREFIX,			      /* ES */
	[0x2E] = PREFIX,			      /* CS */
	[0x36] = PREFIX,			      /* SS */
	[0x3E] = PREFIX,			      /* DS */
	[0x27] = V | NO64,			      /* DAA */
	[0x2F] = V | NO64,			      /* DAS */
	[0x37] = V | NO64,			      /* AAA */
	[0x3F] = V | NO64,			      /* AAS */
	[0x40 ... 0x4F] = V | NO64,		      /* INC, DEC; REX is taken before */
	[0x50 ... 0x57] = V | D64 | OPREG | OP(INSN_PUSH),
	[0x58 ... 0x5F] = V | D64 | OPREG | OP(INSN_POP),
	[0x60 ... 0x61] = V | NO64,		      /* PUSHA, POPA */
	[0x62] = M | NO64,			      /* BOUND */
	[0x63] = M | OP(INSN_MOVSX),		      /* MOVSXD; ARPL elsewhere */
	[0x64 ... 0x67] = PREFIX,		      /* FS, GS, operand size, address size */
	[0x68] = V | D64 | IZ | OP(INSN_PUSH),
	[0x69] = M | IZ,			      /* IMUL */
	[0x6A] = V | D64 | I8S | OP(INSN_PUSH),
	[0x6B] = M | I8S,			      /* IMUL */
	[0x6C] = V | B | STRING,		      /* INS */
	[0x6D] = V | STRING,
	[0x6E] = V | B | STRING,		      /* OUTS */
	[0x6F] = V | STRING,
	[0x70 ... 0x7F] = V | F64 | I8S,	      /* Jcc */
	[0x80] = M | B | I8 | DEST | GROUP,
	[0x81] = M | IZ | DEST | GROUP,
	[0x82] = M | B | I8 | DEST | GROUP | NO64,
	[0x83] = M | I8S | DEST | GROUP,
	[0x84] = M | B | DEST | OP(INSN_TEST),
	[0x85] = M | DEST | OP(INSN_TEST),
	[0x86] = M | B | DEST | OP(INSN_XCHG),
	[0x87] = M | DEST | OP(INSN_XCHG),
	[0x88] = M | B | DEST | OP(INSN_MOV),
	[0x89] = M | DEST | OP(INSN_MOV),
	[0x8A] = M | B | OP(INSN_MOV),
	[0x8B] = M | OP(INSN_MOV),
	[0x8C] = M | DEST | MEM16,		      /* MOV from a segment register */
	[0x8D] = M,				      /* LEA */
	[0x8E] = M | MEM16,			      /* MOV to a segment register */
	[0x8F] = M | D64 | DEST | GROUP,
	[0x90 ... 0x99] = V,			      /* XCHG, NOP, CBW, CWD */
	[0x9A] = V | NO64 | IFAR,		      /* CALL far */
	[0x9B ... 0x9F] = V,			      /* WAIT, PUSHF, POPF, SAHF, LAHF */
	[0xA0] = V | B | MOFFS | OP(INSN_MOV),
	[0xA1] = V | MOFFS | OP(INSN_MOV),
	[0xA2] = V | B | MOFFS | DEST | OP(INSN_MOV),
	[0xA3] = V | MOFFS | DEST | OP(INSN_MOV),
	[0xA4] = V | B | STRING | OP(INSN_MOVS),
	[0xA5] = V | STRING | OP(INSN_MOVS),
	[0xA6] = V | B | STRING,		      /* CMPS */
	[0xA7] = V | STRING,
	[0xA8] = V | B | I8,			      /* TEST */
	[0xA9] = V | IZ,
	[0xAA] = V | B | STRING | DEST | OP(INSN_STOS),
	[0xAB] = V | STRING | DEST | OP(INSN_STOS),
	[0xAC] = V | B | STRING | OP(INSN_LODS),
	[0xAD] = V | STRING | OP(INSN_LODS),
	[0xAE] = V | B | STRING,		      /* SCAS */
	[0xAF] = V | STRING,
	[0xB0 ... 0xB7] = V | B | OPREG | I8 | OP(INSN_MOV),
	[0xB8 ... 0xBF] = V | OPREG | IV | OP(INSN_MOV),
	[0xC0] = M | B | DEST | I8,		      /* shifts */
	[0xC1] = M | DEST | I8,
	[0xC2] = V | I16,			      /* RET */
	[0xC3] = V,
	[0xC4 ... 0xC5] = M | NO64 | GROUP,	      /* LES, LDS; VEX */
	[0xC6] = M | B | I8 | DEST | GROUP,
	[0xC7] = M | IZ | DEST | GROUP,
	[0xC8] = V | I24,			      /* ENTER */
	[0xC9] = V,				      /* LEAVE */
	[0xCA] = V | I16,			      /* RET far */
	[0xCB ... 0xCC] = V,			      /* RET far, INT3 */
	[0xCD] = V | I8,			      /* INT */
	[0xCE] = V | NO64,			      /* INTO */
	[0xCF] = V,				      /* IRET */
	[0xD0] = M | B | DEST,			      /* shifts */
	[0xD1] = M | DEST,
	[0xD2] = M | B | DEST,
	[0xD3] = M | DEST,
	[0xD4 ... 0xD5] = V | NO64 | I8,	      /* AAM, AAD */
	[0xD7] = V | B,				      /* XLAT */
	[0xD8 ... 0xDF] = M,			      /* x87 */
	[0xE0 ... 0xE3] = V | F64 | I8S,	      /* LOOP, JCXZ */
	[0xE4] = V | B | I8,			      /* IN */
	[0xE5] = V | I8,
	[0xE6] = V | B | I8,			      /* OUT */
	[0xE7] = V | I8,
	[0xE8 ... 0xE9] = V | F64 | IZ,		      /* CALL, JMP */
	[0xEA] = V | NO64 | IFAR,		      /* JMP far */
	[0xEB] = V | F64 | I8S,
	[0xEC] = V | B,				      /* IN */
	[0xED] = V,
	[0xEE] = V | B,				      /* OUT */
	[0xEF] = V,
	[0xF0] = PREFIX,			      /* LOCK */
	[0xF1] = V,				      /* INT1 */
	[0xF2 ... 0xF3] = PREFIX,		      /* REPNE, REP */
	[0xF4 ... 0xF5] = V,			      /* HLT, CMC */
	[0xF6] = M | B | DEST | GROUP,
	[0xF7] = M | DEST | GROUP,
	[0xF8 ... 0xFD] = V,			      /* CLC STC CLI STI CLD STD */
	[0xFE] = M | B | DEST | GROUP,
	[0xFF] = M | DEST | GROUP,
};

static const uint32_t two_byte[256] = {
	[0x00 ... 0x03] = M,			      /* SLDT.., SGDT.. VMCALL.., LAR, LSL */
	[0x05 ... 0x09] = V,			      /* SYSCALL CLTS SYSRET INVD WBINVD */
	[0x0B] = V,				      /* UD2 */
	[0x0D] = M,				      /* PREFETCH */
	[0x0E] = V,				      /* FEMMS */
	[0x0F] = M | I8,			      /* 3DNow! */
	[0x10 ... 0x1F] = M,			      /* SSE, hints, NOP */
	[0x20 ... 0x23] = M | F64 | NOMEM,	      /* MOV CR, DR */
	[0x28 ... 0x2F] = M,
	[0x30 ... 0x35] = V,			      /* WRMSR RDTSC RDMSR RDPMC SYSENTER SYSEXIT */
	[0x37] = V,				      /* GETSEC */
	[0x40 ... 0x6F] = M,			      /* CMOVcc, SSE, MMX */
	[0x70 ... 0x73] = M | I8,
	[0x74 ... 0x76] = M,
	[0x77] = V,				      /* EMMS */
	[0x78 ... 0x7F] = M,			      /* VMREAD, VMWRITE, SSE */
	[0x80 ... 0x8F] = V | F64 | IZ,		      /* Jcc */
	[0x90 ... 0x9F] = M | B | DEST,		      /* SETcc */
	[0xA0 ... 0xA2] = V,			      /* PUSH/POP FS, CPUID */
	[0xA3] = M | DEST | OP(INSN_BT),
	[0xA4] = M | DEST | I8,			      /* SHLD */
	[0xA5] = M | DEST,
	[0xA8 ... 0xAA] = V,			      /* PUSH/POP GS, RSM */
	[0xAB] = M | DEST | OP(INSN_BTS),
	[0xAC] = M | DEST | I8,			      /* SHRD */
	[0xAD] = M | DEST,
	[0xAE ... 0xAF] = M,			      /* FXSAVE.., IMUL */
	[0xB0] = M | B | DEST | OP(INSN_CMPXCHG),
	[0xB1] = M | DEST | OP(INSN_CMPXCHG),
	[0xB2] = M,				      /* LSS */
	[0xB3] = M | DEST | OP(INSN_BTR),
	[0xB4 ... 0xB5] = M,			      /* LFS, LGS */
	[0xB6] = M | MEM8 | OP(INSN_MOVZX),
	[0xB7] = M | MEM16 | OP(INSN_MOVZX),
	[0xB8 ... 0xB9] = M,			      /* POPCNT, UD1 */
	[0xBA] = M | DEST | I8 | GROUP,
	[0xBB] = M | DEST | OP(INSN_BTC),
	[0xBC ... 0xBD] = M,			      /* BSF, BSR */
	[0xBE] = M | MEM8 | OP(INSN_MOVSX),
	[0xBF] = M | MEM16 | OP(INSN_MOVSX),
	[0xC0] = M | B | DEST | OP(INSN_XADD),
	[0xC1] = M | DEST | OP(INSN_XADD),
	[0xC2] = M | I8,
	[0xC3] = M | DEST | OP(INSN_MOV),	      /* MOVNTI */
	[0xC4 ... 0xC6] = M | I8,
	[0xC7] = M | DEST,			      /* CMPXCHG8B, RDRAND */
	[0xC8 ... 0xCF] = V,			      /* BSWAP */
	[0xD0 ... 0xFF] = M,
};

struct decoder {
	const uint8_t *code;
	unsigned int avail;
	unsigned int pos;
	enum insn_mode mode;
	uint32_t attr;
	bool operand_prefix, address_prefix;
	uint8_t seg; /* override, or SEG_NONE */
};

/* Takes size bytes, little-endian; false when they are not there. */
static inline bool fetch(struct decoder *d, unsigned int size, uint64_t *value)
{
	const uint8_t *p = d->code + d->pos;

	if (unlikely(d->avail - d->pos < size))
		return false;
	d->pos += size;
	*value = 0;
	for (unsigned int i = 0; i < size; i++)
		*value |= (uint64_t)p[i] << (8U * i);
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

/* Prefixes, of which REX counts only right before the opcode; then the opcode's attributes. */
static int decode_opcode(struct decoder *d, struct insn *insn)
{
	uint8_t byte;

	for (;;) {
		if (unlikely(d->pos == d->avail))
			return -EFAULT;
		byte = d->code[d->pos++];
		if (d->mode == INSN_MODE_64 && (byte & 0xF0U) == 0x40U) {
			insn->rex = byte;
			continue;
		}
		d->attr = one_byte[byte];
		if (likely((d->attr & PREFIX) == 0U))
			break;
		insn->rex = 0;
		take_prefix(d, insn, byte);
	}
	insn->opcode = byte;
	if (byte == 0x0FU) {
		if (d->pos == d->avail)
			return -EFAULT;
		byte = d->code[d->pos++];
		insn->opcode = (uint16_t)(0x0F00U | byte);
		d->attr = two_byte[byte];
		if (byte == 0x38U || byte == 0x3AU) { /* SSSE3 and later: all have ModRM */
			if (d->pos == d->avail)
				return -EFAULT;
			insn->opcode = (uint16_t)(byte << 8 | d->code[d->pos++]);
			d->attr = byte == 0x3AU ? M | I8 : M;
		}
	}
	if ((d->attr & (V | NO64)) == V)
		return 0;
	return (d->attr & V) == 0U || d->mode == INSN_MODE_64 ? -EINVAL : 0;
}

/* What the opcodes with GROUP are, by ModRM.reg. */
static int resolve_group(struct decoder *d, const struct insn *insn)
{
	static const uint8_t unary[8] = { INSN_TEST, INSN_TEST, INSN_NOT, INSN_NEG };
	static const uint8_t bit_test[8] = { [4] = INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC };
	unsigned int reg = (insn->modrm >> 3) & 7U;
	unsigned int op = INSN_OTHER;

	switch (insn->opcode) {
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
	unsigned int size = (d->mode == INSN_MODE_16) == d->operand_prefix ? 4 : 2;

	if (d->mode == INSN_MODE_64) {
		if ((insn->rex & 8U) != 0U || (d->attr & F64) != 0U)
			size = 8;
		else if (d->operand_prefix)
			size = 2;
		else
			size = (d->attr & D64) != 0U ? 8 : 4;
	}
	if ((d->attr & B) != 0U)
		size = 1;
	insn->op_size = (uint8_t)size;
	insn->mem_size = (uint8_t)size;
	if ((d->attr & MEM8) != 0U)
		insn->mem_size = 1;
	else if ((d->attr & MEM16) != 0U)
		insn->mem_size = 2;
	else if (insn->opcode == 0x63U)
		insn->mem_size = (uint8_t)MIN(size, 4U);
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
	enum imm_kind kind = (enum imm_kind)((d->attr >> IMM_SHIFT) & 15U);
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
	if ((d.attr & M) == M) {
		ret = decode_modrm(&d, insn);
		if (unlikely(ret != 0))
			return ret;
	} else {
		set_implied(&d, insn);
	}
	if (insn->opcode == 0x63U && mode != INSN_MODE_64)
		d.attr = M; /* ARPL */
	set_sizes(&d, insn);
	ret = decode_immediate(&d, insn);
	if (unlikely(ret != 0))
		return ret;
	if (insn->has_mem && d.seg != SEG_NONE && insn->seg != SEG_ES)
		insn->seg = d.seg;
	insn->op = (enum insn_op)(d.attr & 0xFFU);
	insn->mem_is_dest = (d.attr & DEST) != 0U;
	insn->reg_high = insn->op_size == 1U && insn->rex == 0U && insn->reg >= 4U;
	insn->len = (uint8_t)d.pos;
	return 0;
}

unsigned int insn_length(const uint8_t *code, unsigned int avail, enum insn_mode mode)
{
	struct insn insn;

	return insn_decode(code, avail, mode, &insn) == 0 ? insn.len : 0U;
}
