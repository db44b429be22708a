/* SPDX-License-Identifier: BSD-3-Clause */
/* Extended state by XSAVE, or FXSAVE on a CPU without it. */
#include "vcpu/fpu.h"

#include "hw/cpu.h"
#include "lib/string.h"
#include "x86/cr.h"
#include "x86/msr.h"

#define XCR0_OFFERED                                                                               \
	(XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)
#define FXSAVE_SIZE 512U
#define FCW_RESET 0x0040U
#define MXCSR_RESET 0x1F80U

static uint64_t supported = XCR0_X87 | XCR0_SSE;
static size_t area_size = FXSAVE_SIZE;

void fpu_cpu_on(void)
{
	struct cpuid_regs r;

	cr4_write(cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	if (!cpu_features.xsave)
		return;
	cr4_write(cr4_read() | CR4_OSXSAVE);
	r = cpuid(CPUID_XSAVE, 0);
	supported = (((uint64_t)r.edx << 32) | r.eax) & XCR0_OFFERED;
	xcr0_write(supported);
	area_size = cpuid(CPUID_XSAVE, 0).ebx;
	/* No state of supervisors' is offered, so no guest can set a bit of it, and XSAVES is XSAVEC to it. */
	if (cpu_features.xsaves)
		msr_write(MSR_IA32_XSS, 0);
}

uint64_t fpu_supported(void)
{
	return supported;
}

size_t fpu_area_size(void)
{
	return area_size;
}

/* The legacy region's control words after reset (SDM 1 8.1.5, 10.2.3); the rest is zero. */
void fpu_reset(struct vcpu *vcpu)
{
	uint16_t fcw = FCW_RESET;
	uint32_t mxcsr = MXCSR_RESET;
	uint64_t in_use = XCR0_X87 | XCR0_SSE;

	memset(vcpu->xsave_area, 0, area_size);
	memcpy(vcpu->xsave_area, &fcw, sizeof(fcw));
	memcpy((uint8_t *)vcpu->xsave_area + 24, &mxcsr, sizeof(mxcsr));
	if (cpu_features.xsave)
		memcpy((uint8_t *)vcpu->xsave_area + FXSAVE_SIZE, &in_use, sizeof(in_use));
	vcpu->xcr0 = XCR0_X87;
	vcpu->tsc_aux = 0;
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
}

void fpu_load(struct vcpu *vcpu)
{
	if (cpu_features.xsave) {
		xrstor(vcpu->xsave_area, supported);
		xcr0_write(vcpu->xcr0);
	} else {
		fxrstor(vcpu->xsave_area);
	}
	if (cpu_features.rdtscp)
		msr_write(MSR_TSC_AUX, vcpu->tsc_aux);
	dr0_write(vcpu->dr[0]);
	dr1_write(vcpu->dr[1]);
	dr2_write(vcpu->dr[2]);
	dr3_write(vcpu->dr[3]);
}

void fpu_save(struct vcpu *vcpu)
{
	if (cpu_features.xsave) {
		xcr0_write(supported);
		xsave(vcpu->xsave_area, supported);
	} else {
		fxsave(vcpu->xsave_area);
	}
	vcpu->dr[0] = dr0_read();
	vcpu->dr[1] = dr1_read();
	vcpu->dr[2] = dr2_read();
	vcpu->dr[3] = dr3_read();
}

void fpu_set_xcr0(struct vcpu *vcpu, uint64_t xcr0)
{
	vcpu->xcr0 = xcr0;
	xcr0_write(xcr0);
}
