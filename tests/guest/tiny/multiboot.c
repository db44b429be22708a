/* SPDX-License-Identifier: BSD-3-Clause */
/* What a multiboot kernel finds: the magic number, its memory, zeroed .bss; then it powers off by the FADT's port. */
#include "tiny.h"

#define PM1_CONTROL 0x404
#define S5 (5u << 10 | 1u << 13)

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper;
};

static uint32_t in_bss[16];

void multiboot_main(uint32_t magic, const struct multiboot_info *info);
void multiboot_main(uint32_t magic, const struct multiboot_info *info)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < 16; i++)
		sum |= in_bss[i];
	put(COM1, "multiboot guest: magic 0x");
	put_number(COM1, magic, 16);
	put(COM1, " flags ");
	put_number(COM1, info->flags, 10);
	put(COM1, " lower ");
	put_number(COM1, info->mem_lower, 10);
	put(COM1, " upper ");
	put_number(COM1, info->mem_upper, 10);
	put(COM1, sum ? " bss dirty\r\n" : " bss clean\r\n");
	for (;;)
		asm volatile("outw %0, %1" : : "a"((uint16_t)S5), "Nd"((uint16_t)PM1_CONTROL));
}
