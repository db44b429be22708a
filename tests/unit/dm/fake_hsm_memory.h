/* SPDX-License-Identifier: BSD-3-Clause */
/* What the HSM knows of the guest's memory: which 2 MiB of the first 128 are mapped, and what it can do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

extern struct fake_hsm_memory {
	bool can_take_back, can_fetch;
	int error;			/* of the next calls */
	unsigned int slow_ms;		/* that each mapping takes */
	unsigned int mapped[64];	/* by 2 MiB: how often; 1 is right, 0 missing */
	uint64_t fetch_len;		/* of the ranges given */
} fake_hsm_memory;
