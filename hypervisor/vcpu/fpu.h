/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State that the guest keeps in the hardware while it is loaded: x87 to AVX-512 and PKRU, XCR0, the
 * debug address registers, TSC_AUX. The hypervisor uses none of it, so it moves only when another
 * vCPU is loaded.
 */
#pragma once

#include "vcpu/vcpu.h"

/* Sets XCR0 up and finds the size of the area. Each CPU, once. */
void fpu_cpu_on(void);

/* State components that a guest may enable, and bytes of the area for them. */
uint64_t fpu_supported(void);
size_t fpu_area_size(void);

/* The area and registers after reset. */
void fpu_reset(struct vcpu *vcpu);

void fpu_load(struct vcpu *vcpu);
void fpu_save(struct vcpu *vcpu);

/* XSETBV with a valid value, on the loaded vCPU. */
void fpu_set_xcr0(struct vcpu *vcpu, uint64_t xcr0);
