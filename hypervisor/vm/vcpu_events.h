/* SPDX-License-Identifier: BSD-3-Clause */
/* What a vCPU's vlapic asks of the world, and areas for extended state. */
#pragma once

#include "vcpu/vcpu.h"

extern const struct vlapic_ops vcpu_vlapic_ops;

/* The vlapic's timer, on the vCPU's own CPU. */
void vcpu_timer_expired(void *vcpu);

/* An area of fpu_area_size() bytes, 64-byte aligned; areas given back are kept for the next. */
void *vcpu_xsave_get(void);
void vcpu_xsave_put(void *area);
