/* SPDX-License-Identifier: BSD-3-Clause */
/* A hypervisor that only remembers what the core asked of it. */
#pragma once

#include <stdint.h>

struct fake_core {
	unsigned int msis;
	uint64_t msi_addr;
	uint32_t msi_data;
	unsigned int line_changes;
	int line[64];	/* enum hsm_line of the last change, -1: none */
};
extern struct fake_core fake_core;

void fake_core_reset(void);
