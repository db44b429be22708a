/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that measures what leaving it costs, in ticks of the TSC: under the emulator's deterministic flags a tick is
 * an instruction. The last word of its command line: "2" at the start speaks on COM2, and each further letter is a
 * test of the table below. The same file runs under our hypervisor, as Service VM and as User VM, and under KVM.
 */
#include "tiny.h"

#define ROUNDS 512
#define WARM 32
#define PIC_MASK 0x21
#define IOAPIC 0xfec00000
#define UART_SCRATCH 0x3ff
#define HPET_COUNTER 0xfed000f0
#define RING 0x700000
#define KVM_KICK_PORT 0x700

void tiny_main(const uint8_t *params);
void tiny_fault(void *f);

static uint16_t com, kick_port;

/* A fault here would be a result that is none: stop. */
void tiny_fault(void *f)
{
	(void)f;
	for (;;)
		asm volatile("cli; hlt");
}

static inline uint64_t ticks(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return ((uint64_t)hi << 32) | lo;
}

static inline void once(char test)
{
	uint32_t a = 0, b, c = 0, d;

	switch (test) {
	case 'c':
		asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		break;
	case 'h':
		/* GET_API_VERSION without a buffer: refused after the look-up. 32 bits have no R8. */
		asm volatile("vmmcall" : "+a"(a) : "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory");
		break;
	case 'i':
		inb(PIC_MASK);
		break;
	case 'o':
		outb(PIC_MASK, 0xff);
		break;
	case 'a':
		(void)*(volatile uint32_t *)IOAPIC;
		break;
	case 'A':
		*(volatile uint32_t *)IOAPIC = 0;
		break;
	case 'P':
		inb(UART_SCRATCH);
		break;
	case 'Q':
		outb(UART_SCRATCH, 0x55);
		break;
	case 'M':
		(void)*(volatile uint32_t *)HPET_COUNTER;
		break;
	case 'W':
		*(volatile uint32_t *)HPET_COUNTER = 0;
		break;
	case 'K':
		asm volatile("outw %w0, %w1" : : "a"(0), "d"(kick_port));
		break;
	}
}

static uint32_t measure(char test)
{
	uint64_t start;
	uint32_t i;

	for (i = 0; i < WARM; i++)
		once(test);
	start = ticks();
	for (i = 0; i < ROUNDS; i++)
		once(test);
	return (uint32_t)(ticks() - start);
}

static void report(char test, uint32_t empty)
{
	uint32_t spent = measure(test) - empty;
	char name[2] = { test, 0 };

	put(com, "BENCH ");
	put(com, name);
	put(com, " ");
	put_number(com, (spent + ROUNDS / 2) / ROUNDS, 10);
	put(com, "\n");
}

static uint32_t pci_read(uint32_t device, uint32_t reg)
{
	outl(0xcf8, 0x80000000 | device << 11 | reg);
	return inl(0xcfc);
}

/* The first virtio device, made ready the legacy way with an empty ring, so that a kick finds nothing to do. */
static void find_kick_port(void)
{
	uint32_t device;
	uint16_t base;

	kick_port = KVM_KICK_PORT;
	for (device = 0; device < 32; device++) {
		if ((pci_read(device, 0) & 0xffff) != 0x1af4)
			continue;
		base = (uint16_t)(pci_read(device, 0x10) & ~3u);
		outl(0xcf8, 0x80000000 | device << 11 | 4);
		outl(0xcfc, 7);
		outb(base + 18, 0);
		outb(base + 18, 1);
		outb(base + 18, 3);
		outl(base + 4, 0);
		asm volatile("outw %w0, %w1" : : "a"(0), "d"(base + 14));
		outl(base + 8, RING >> 12);
		outb(base + 18, 7);
		kick_port = base + 16;
		return;
	}
}

void tiny_main(const uint8_t *params)
{
	const char *tests = last_word(command_line(params));
	uint32_t i, empty;

	com = COM1;
	if (*tests == '2') {
		com = COM2;
		tests++;
	}
	for (i = 0; i < 0x4000; i++)
		((volatile uint8_t *)RING)[i] = 0;
	find_kick_port();
	empty = measure(' ');
	for (; *tests; tests++)
		report(*tests, empty);
	put(com, "BENCH end\n");
	outl(DEBUG_EXIT, 0);
}
