/* SPDX-License-Identifier: BSD-3-Clause */
/* The reset register, for the FADT. */
#pragma once

#define RESET_PORT	0xcf9
#define RESET_VALUE	0x06
