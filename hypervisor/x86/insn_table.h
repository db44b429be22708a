/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the decoder knows of each opcode, in one word: operation in bits 7:0, enum imm_kind in 11:8,
 * then flags. 0 is no instruction. Private to the decoder.
 */
#pragma once

#include "lib/bits.h"
#include "x86/insn.h"

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

#define OP(op) ((uint32_t)(op))
#define IMM_SHIFT 8U
#define IMM_MASK (15U << IMM_SHIFT)
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
#define MEM32 BIT32(24)	 /* memory operand is at most a doubleword */
#define OPREG BIT32(25)	 /* register in the opcode's low bits */
#define STRING BIT32(26)
#define ESCAPE BIT32(27) /* 0F: the opcode goes on */

/* By the opcode's byte, and by the byte after 0F. */
extern const uint32_t insn_one_byte[256], insn_two_byte[256];
