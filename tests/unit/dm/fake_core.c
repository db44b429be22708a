/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls of hsm.h that the core's buses and devices make, recorded. */
#include "dm/fake_core.h"

#include <string.h>

#include "hsm.h"

struct fake_core fake_core;

void fake_core_reset(void)
{
	memset(&fake_core, 0, sizeof(fake_core));
	for (unsigned int i = 0; i < 64; i++)
		fake_core.line[i] = -1;
}

int hsm_inject_msi(uint64_t addr, uint64_t data)
{
	fake_core.msis++;
	fake_core.msi_addr = addr;
	fake_core.msi_data = (uint32_t)data;
	return 0;
}

int hsm_set_irqline(uint32_t gsi, enum hsm_line op)
{
	if (gsi < 64)
		fake_core.line[gsi] = (int)op;
	fake_core.line_changes++;
	return 0;
}
