/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The opcode maps of SDM 2 appendix A, and where AMD differs APM 3 appendix A. Opcodes that only
 * VEX or EVEX give a meaning are absent.
 */
#include "x86/insn_table.h"

#define ALU(base, op, dest)                                                                        \
	[(base)] = M | B | (dest) | OP(op), [(base) + 1] = M | (dest) | OP(op),                    \
	[(base) + 2] = M | B | OP(op), [(base) + 3] = M | OP(op), [(base) + 4] = V | B | I8,       \
	[(base) + 5] = V | IZ

const uint32_t insn_one_byte[256] = {
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
	[0x0F] = ESCAPE,
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
	[0x63] = M | MEM32 | GROUP,		      /* MOVSXD; ARPL */
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

const uint32_t insn_two_byte[256] = {
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
