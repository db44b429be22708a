/* SPDX-License-Identifier: BSD-3-Clause */
/* Exception vectors and the page-fault error code (SDM 3A 6.15, 4.7). */
#pragma once

#include "lib/types.h"

#define EXC_DE 0U
#define EXC_DB 1U
#define EXC_NMI 2U
#define EXC_BP 3U
#define EXC_OF 4U
#define EXC_BR 5U
#define EXC_UD 6U
#define EXC_NM 7U
#define EXC_DF 8U
#define EXC_TS 10U
#define EXC_NP 11U
#define EXC_SS 12U
#define EXC_GP 13U
#define EXC_PF 14U
#define EXC_MF 16U
#define EXC_AC 17U
#define EXC_MC 18U
#define EXC_XM 19U
#define EXC_VE 20U
#define EXC_CP 21U
#define EXC_HV 28U
#define EXC_VC 29U
#define EXC_SX 30U
#define EXC_COUNT 32U

#define PFERR_P (1U << 0)
#define PFERR_W (1U << 1)
#define PFERR_U (1U << 2)
#define PFERR_RSVD (1U << 3)
#define PFERR_I (1U << 4)
#define NPF_WALK (1UL << 33) /* APM 2 15.25.6: while the guest's page tables were walked */
#define PFERR_PK (1U << 5)

/* Vectors on which the CPU pushes an error code: 8, 10-14, 17, 21, 29, 30. */
#define EXC_ERROR_CODE_MASK 0x60227D00U

static inline bool exception_has_error_code(unsigned int vector)
{
	return vector < EXC_COUNT && ((EXC_ERROR_CODE_MASK >> vector) & 1U) != 0;
}

/* Contributory exceptions make a double fault of one another (SDM 3A table 6-5). */
static inline bool exception_is_contributory(unsigned int vector)
{
	return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP);
}
