/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decodes one x86 instruction that touches memory or has been intercepted: length, operands,
 * addressing form. Pure and total: any 15 bytes give an instruction or an error, never more.
 * Source: SDM 2 chapter 2 and appendix A; APM 3 chapter 1.
 */
#pragma once

#include "lib/types.h"
#include "x86/segment.h"

#define INSN_MAX_LEN 15U
#define INSN_BASE_RIP 16

enum insn_mode { INSN_MODE_16 = 2, INSN_MODE_32 = 4, INSN_MODE_64 = 8 };

/* Segments are enum x86_seg, in the order of their encoding; none for a register-only form. */
#define SEG_NONE SEG_COUNT

enum insn_op {
	INSN_OTHER, /* decoded for its length only */
	INSN_MOV,   /* between register or immediate and memory, A0-A3 forms included */
	INSN_MOVZX,
	INSN_MOVSX,
	INSN_MOVS,
	INSN_STOS,
	INSN_LODS,
	INSN_ADD,
	INSN_OR,
	INSN_ADC,
	INSN_SBB,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	INSN_TEST,
	INSN_XCHG,
	INSN_INC,
	INSN_DEC,
	INSN_NOT,
	INSN_NEG,
	INSN_BT,
	INSN_BTS,
	INSN_BTR,
	INSN_BTC,
	INSN_CMPXCHG,
	INSN_XADD,
	INSN_PUSH,
	INSN_POP,
};

struct insn {
	uint8_t len;
	enum insn_op op;
	uint16_t opcode;     /* 0x0FA2 for 0F A2, 0x38F0 for 0F 38 F0, else the byte */
	uint8_t modrm;	     /* valid when has_modrm */
	bool has_modrm;
	bool has_mem;	     /* an operand in memory exists; of MOVS the source is described */
	bool mem_is_dest;    /* memory is the first operand: written, but by CMP, TEST, BT */
	bool has_imm;
	bool is_plain_move;  /* MOV of 32 bits between memory and a register or an immediate */
	bool rep, repne, lock;
	uint8_t rex;	     /* 0 when absent */
	uint8_t op_size;     /* 1, 2, 4, 8: of the register or immediate operand */
	uint8_t mem_size;    /* 1, 2, 4, 8: of the memory operand */
	uint8_t addr_size;   /* 2, 4, 8 */
	uint8_t reg;	     /* register operand, 0..15 */
	bool reg_high;	     /* AH CH DH BH when reg is 4..7 and op_size is 1 without REX */
	enum x86_seg seg;    /* of the memory operand, defaults and overrides applied */
	int8_t base, index;  /* -1: none; base may be INSN_BASE_RIP */
	uint8_t scale;	     /* 1, 2, 4, 8 */
	int64_t disp;
	uint64_t imm;	     /* sign-extended to op_size where the form says so */
};

/*
 * Decodes at most avail bytes (<= 15) of code in mode. 0; -EFAULT when the instruction goes on past
 * avail (fetch more, or the limit of 15 is broken when avail is 15); -EINVAL when it is none, or one
 * with VEX, EVEX or XOP.
 */
int insn_decode(const uint8_t *code, unsigned int avail, enum insn_mode mode, struct insn *insn);

/* The instruction's length with prefixes, or 0: for intercepted instructions without NRIP. */
unsigned int insn_length(const uint8_t *code, unsigned int avail, enum insn_mode mode);
