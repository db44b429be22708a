/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries of the processor's own page tables, 4-level and PAE (SDM 3A 4.5). Nested and IOMMU formats
 * are private to mm/pgtable_format.c.
 */
#pragma once

#include "lib/types.h"

#define PTE_P (1UL << 0)
#define PTE_W (1UL << 1)
#define PTE_U (1UL << 2)
#define PTE_PWT (1UL << 3)
#define PTE_PCD (1UL << 4)
#define PTE_A (1UL << 5)
#define PTE_D (1UL << 6)
#define PTE_PS (1UL << 7)	  /* in a PDE or PDPTE: a large leaf */
#define PTE_PAT_4K (1UL << 7)	  /* in a PTE */
#define PTE_G (1UL << 8)
#define PTE_PAT_LARGE (1UL << 12) /* in a large leaf */
#define PTE_PK_SHIFT 59
#define PTE_NX (1UL << 63)
#define PTE_ADDR_MASK 0x000FFFFFFFFFF000UL
