/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * General registers in the order of their encoding in ModRM and REX, and RFLAGS. The order is what
 * instruction decoding indexes by; it is not the order of PUSHA.
 */
#pragma once

#include "lib/types.h"

enum x86_reg {
	REG_RAX,
	REG_RCX,
	REG_RDX,
	REG_RBX,
	REG_RSP,
	REG_RBP,
	REG_RSI,
	REG_RDI,
	REG_R8,
	REG_R9,
	REG_R10,
	REG_R11,
	REG_R12,
	REG_R13,
	REG_R14,
	REG_R15,
	REG_COUNT
};

#define RFLAGS_CF (1UL << 0)
#define RFLAGS_FIXED1 (1UL << 1) /* always reads 1 */
#define RFLAGS_PF (1UL << 2)
#define RFLAGS_AF (1UL << 4)
#define RFLAGS_ZF (1UL << 6)
#define RFLAGS_SF (1UL << 7)
#define RFLAGS_TF (1UL << 8)
#define RFLAGS_IF (1UL << 9)
#define RFLAGS_DF (1UL << 10)
#define RFLAGS_OF (1UL << 11)
#define RFLAGS_IOPL (3UL << 12)
#define RFLAGS_NT (1UL << 14)
#define RFLAGS_RF (1UL << 16)
#define RFLAGS_VM (1UL << 17)
#define RFLAGS_AC (1UL << 18)
#define RFLAGS_VIF (1UL << 19)
#define RFLAGS_VIP (1UL << 20)
#define RFLAGS_ID (1UL << 21)
