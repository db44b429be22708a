/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments: selectors, descriptors, and one neutral form of a loaded segment register. Its attribute
 * word is that of VMX access rights (SDM 3C 24.4.1): type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13,
 * DB 14, G 15, unusable 16. SVM packs the same bits without the gap.
 */
#pragma once

#include "lib/types.h"

#define SEG_TYPE 0x000FU
#define SEG_S (1U << 4)
#define SEG_DPL_SHIFT 5
#define SEG_P (1U << 7)
#define SEG_AVL (1U << 12)
#define SEG_L (1U << 13)
#define SEG_DB (1U << 14)
#define SEG_G (1U << 15)
#define SEG_UNUSABLE (1U << 16)

#define SEG_TYPE_DATA_RW 0x3U	 /* data, writable, accessed */
#define SEG_TYPE_CODE_RX 0xBU	 /* code, readable, accessed */
#define SEG_TYPE_LDT 0x2U	 /* system */
#define SEG_TYPE_TSS16_BUSY 0x3U /* system */
#define SEG_TYPE_TSS_BUSY 0xBU	 /* system: 32-bit, in long mode 64-bit */

/* Attribute bits of code and data segments (type bits of a segment with S set). */
#define SEG_ACCESSED (1U << 0)
#define SEG_WRITABLE (1U << 1)	 /* data; for code: readable */
#define SEG_EXPAND_DOWN (1U << 2) /* data; for code: conforming */
#define SEG_CODE (1U << 3)

#define SELECTOR_RPL 0x3U
#define SELECTOR_TI 0x4U
#define SELECTOR_INDEX 0xFFF8U

enum x86_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

struct segment {
	uint16_t selector;
	uint32_t attr; /* SEG_* */
	uint32_t limit; /* in bytes, granularity already applied */
	uint64_t base;
};

/* GDTR and IDTR. */
struct desc_table {
	uint64_t base;
	uint16_t limit;
};

static inline unsigned int segment_dpl(const struct segment *s)
{
	return (s->attr >> SEG_DPL_SHIFT) & 3U;
}

static inline bool segment_is_usable(const struct segment *s)
{
	return (s->attr & (SEG_P | SEG_UNUSABLE)) == SEG_P;
}

/* Unpacks the 8 bytes of a descriptor; base bits 63:32 of a system descriptor are the caller's. */
static inline struct segment segment_from_descriptor(uint16_t selector, uint64_t d)
{
	struct segment s = {
		.selector = selector,
		.attr = (uint32_t)(d >> 40) & 0xF0FFU,
		.limit = (uint32_t)((d & 0xFFFFUL) | ((d >> 32) & 0xF0000UL)),
		.base = ((d >> 16) & 0xFFFFFFUL) | ((d >> 32) & 0xFF000000UL),
	};

	if ((s.attr & SEG_G) != 0)
		s.limit = (s.limit << 12) | 0xFFFU;
	return s;
}
