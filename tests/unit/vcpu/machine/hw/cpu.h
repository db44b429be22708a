/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine's own header, but the instructions that ask a CPU what it is are functions of the test. */
#pragma once

#define msr_read cpu_msr_read
#define msr_write cpu_msr_write
#define cpuid cpu_cpuid
#include_next "hw/cpu.h"
#undef msr_read
#undef msr_write
#undef cpuid

uint64_t msr_read(uint32_t msr);
void msr_write(uint32_t msr, uint64_t value);
struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf);
