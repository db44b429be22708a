/* SPDX-License-Identifier: BSD-3-Clause */
/* Which MSRs a guest has to itself; the others exit to exit_msr.c. */
#pragma once

#include "vcpu/vcpu_group.h"

/* Opens them in a new group's bitmap. */
void msr_policy_apply(struct vcpu_group *group);
