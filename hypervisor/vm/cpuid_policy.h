/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPUID that a VM sees: a table made once when the VM is, from the host's leaves through
 * allow-lists. What is not named in them is 0, so a new feature of a new CPU stays hidden until
 * somebody has thought about it. Leaves that depend on the vCPU are finished at each exit.
 */
#pragma once

#include "x86/cpuid.h"

#define CPUID_POLICY_MAX 96U
#define CPUID_POLICY_RUNS 3U /* of leaves: 0, 40000000H, 80000000H and on */
#define CPUID_POLICY_RUN 32U
#define CPUID_POLICY_NOWHERE (CPUID_POLICY_RUNS * CPUID_POLICY_RUN)

struct cpuid_entry {
	uint32_t leaf, subleaf;
	bool has_subleaves;
	struct cpuid_regs regs;
};

struct cpuid_policy {
	unsigned int count;
	uint32_t max_basic, max_ext;
	uint8_t first[CPUID_POLICY_NOWHERE + 1]; /* where a leaf's entries begin */
	/* Sorted by leaf, subleaf; the last is all zero, what is not there. */
	struct cpuid_entry entry[CPUID_POLICY_MAX + 1];
};

/* Fills the table from the CPU we run on. is_privileged: the Service VM. */
void cpuid_policy_init(struct cpuid_policy *policy, bool is_privileged);

/* The entry for leaf and subleaf; all zero when there is none. Hot. */
const struct cpuid_regs *cpuid_policy_find(const struct cpuid_policy *policy, uint32_t leaf,
					   uint32_t subleaf);
