/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of the VMX instructions: functions of the test. */
#pragma once

#include "lib/types.h"
#include "vcpu/vmx/vmcs.h"

uint64_t vmcs_read(enum vmcs_field field);
void vmcs_write(enum vmcs_field field, uint64_t value);
void vmx_take_nmi(void);
