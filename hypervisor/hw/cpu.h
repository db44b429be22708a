/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The privileged instructions, one wrapper each, and what the boot CPU was found to have.
 * Everything here assumes that the hypervisor runs with interrupts off; cpu_irq_window() and
 * cpu_idle() are the only two places of the program where they are on.
 */
#pragma once

#include "lib/types.h"
#include "x86/cpuid.h"
#include "x86/segment.h"

enum cpu_vendor { CPU_VENDOR_UNKNOWN, CPU_VENDOR_INTEL, CPU_VENDOR_AMD };

/*
 * Probed once on the boot CPU by cpu_probe(); constant afterwards. All CPUs are taken to be alike.
 */
struct cpu_features {
	enum cpu_vendor vendor;
	unsigned int family, model, stepping;
	unsigned int phys_bits, virt_bits;
	uint32_t max_leaf, max_ext_leaf;
	bool smep, smap, umip, pge, page1g, nx, pat;
	bool x2apic, tsc_deadline, invariant_tsc, rdtscp;
	bool xsave, xsaves, mtrr;
	bool vmx, svm;
	bool hypervisor; /* we are a guest ourselves */
	char brand[49];
};

extern struct cpu_features cpu_features;

/* Fills cpu_features. */
void cpu_probe(void);

/* Sets CR0, CR4, EFER and PAT of this CPU to what the hypervisor runs with. After cpu_probe(). */
void cpu_set_controls(void);

/* Safe access: false, and *value 0, when the register does not exist (#GP). */
bool msr_read_safe(uint32_t msr, uint64_t *value);
bool msr_write_safe(uint32_t msr, uint64_t value);

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((uint64_t)hi << 32) | lo;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}

/* a * b / c with 128 bits between; the quotient must fit 64 bits (else a division error). */
static inline uint64_t muldiv64(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t quotient, rest;

	asm("mulq %3\n\tdivq %4" : "=&a"(quotient), "=&d"(rest) : "0"(a), "r"(b), "r"(c) : "cc");
	return quotient;
}

/* cr0_read() ... cr4_write(); dr0_read() ... dr6_write(), the guest's: the hypervisor uses none. */
#define CPU_REGISTER(name)                                                                         \
	static inline uint64_t name##_read(void)                                                   \
	{                                                                                          \
		uint64_t v;                                                                        \
												   \
		asm volatile("mov %%" #name ", %0" : "=r"(v));                                     \
		return v;                                                                          \
	}                                                                                          \
												   \
	static inline void name##_write(uint64_t v)                                                \
	{                                                                                          \
		asm volatile("mov %0, %%" #name ::"r"(v) : "memory");                              \
	}

CPU_REGISTER(cr0)
CPU_REGISTER(cr2)
CPU_REGISTER(cr3)
CPU_REGISTER(cr4)
CPU_REGISTER(dr0)
CPU_REGISTER(dr1)
CPU_REGISTER(dr2)
CPU_REGISTER(dr3)
CPU_REGISTER(dr6)
#undef CPU_REGISTER

/* Needs CR4.OSXSAVE. */
static inline uint64_t xcr0_read(void)
{
	uint32_t lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return ((uint64_t)hi << 32) | lo;
}

static inline void xcr0_write(uint64_t v)
{
	asm volatile("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

/* The state components of mask, to and from a 64-byte aligned area in standard format. */
static inline void xsave(void *area, uint64_t mask)
{
	asm volatile("xsave64 (%0)" ::"r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
		     : "memory");
}

static inline void xrstor(const void *area, uint64_t mask)
{
	asm volatile("xrstor64 (%0)" ::"r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
		     : "memory");
}

static inline void fxsave(void *area)
{
	asm volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void fxrstor(const void *area)
{
	asm volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/* SVM: the state that VMRUN leaves alone (APM 2 15.5.2). */
static inline void svm_vmload(hpa_t vmcb)
{
	asm volatile("vmload %0" ::"a"(vmcb) : "memory");
}

static inline void svm_vmsave(hpa_t vmcb)
{
	asm volatile("vmsave %0" ::"a"(vmcb) : "memory");
}

/*
 * Around every access to memory that is not the hypervisor's own: such pages carry the user bit,
 * and SMAP faults on them outside this bracket. Not nested. No-ops on a CPU without SMAP.
 */
static inline void guest_access_begin(void)
{
	if (cpu_features.smap)
		asm volatile("stac" ::: "memory");
}

static inline void guest_access_end(void)
{
	if (cpu_features.smap)
		asm volatile("clac" ::: "memory");
}

static inline void cpu_write_back_caches(void)
{
	asm volatile("wbinvd" ::: "memory");
}

/* Takes the physical interrupts that are pending now, then goes on with interrupts off. */
static inline void cpu_irq_window(void)
{
	asm volatile("sti\n\tnop\n\tcli" ::: "memory");
}

/*
 * Sleeps until an interrupt, takes it, goes on with interrupts off. STI delays interrupts by one
 * instruction, so what arrives after the caller's last check wakes the HLT.
 */
static inline void cpu_idle(void)
{
	asm volatile("sti\n\thlt\n\tcli" ::: "memory");
}

static inline _Noreturn void cpu_halt_forever(void)
{
	for (;;)
		asm volatile("cli\n\thlt" ::: "memory");
}
