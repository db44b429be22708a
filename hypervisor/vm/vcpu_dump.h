/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of a vCPU that cannot go on, for a person. */
#pragma once

#include "vcpu/vcpu.h"

/* Registers, last exit, and the bytes at RIP, as error lines of the log. On the vCPU's own CPU. */
void dump_vcpu(struct vcpu *vcpu);
