/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GDT and IDT, the same for all CPUs. The GDT has no TSS: the hypervisor has one privilege level
 * and one stack a CPU, and TR stays the guest's.
 */
#include "hw/cpu.h"
#include "hw/exception.h"
#include "lib/util.h"

#define SELECTOR_CODE 0x08U
#define STUB_SIZE 16U
#define GATE_INTERRUPT 0x8E00UL

struct gate {
	uint64_t low, high;
};

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern const uint8_t isr_stubs[];

static uint64_t gdt[] = {
	0,
	0x00AF9B000000FFFFUL, /* 0x08: 64-bit code */
	0x00CF93000000FFFFUL, /* 0x10: data */
};
static struct gate idt[256];

void descriptor_init(void)
{
	for (unsigned int vector = 0; vector < ARRAY_SIZE(idt); vector++) {
		uint64_t entry = (uint64_t)isr_stubs + (uint64_t)vector * STUB_SIZE;

		idt[vector].low = (entry & 0xFFFFUL) | (SELECTOR_CODE << 16) |
				  (GATE_INTERRUPT << 32) | ((entry & 0xFFFF0000UL) << 32);
		idt[vector].high = entry >> 32;
	}
	descriptor_init_cpu();
}

void descriptor_init_cpu(void)
{
	struct table_register gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};
	struct table_register idtr = {sizeof(idt) - 1, (uint64_t)idt};

	asm volatile("lgdt %0\n\t"
		     "pushq %2\n\t"
		     "leaq 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:\tlidt %1" ::"m"(gdtr), "m"(idtr), "i"(SELECTOR_CODE)
		     : "rax", "memory");
}
