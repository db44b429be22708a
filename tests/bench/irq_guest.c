/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device's interrupt costs on its way to a guest's handler, in ticks of the TSC: under the emulator's
 * deterministic flags a tick is an instruction. The device is QEMU's edu, which interrupts when it is told to, in the
 * same instruction. Where the guest finds one on PCI it prepares its MSI; where it does not, its registers are at
 * EDU_AT and its message is made by who started the guest. Says "BENCH irq TICKS", from the write to the handler's
 * first instructions, and "BENCH round TICKS", until the loop goes on.
 */
#include "tests/guest/tiny/tiny.h"

#define ROUNDS 1000
#define WARM 50
#define EDU_ID 0x11e81234u
#define EDU_AT 0xe0000000ul
#define RAISE (0x60 / 4)
#define ACKNOWLEDGE (0x64 / 4)
#define VECTOR 0x50
#define APIC ((volatile uint32_t *)0xfee00000ul)
#define APIC_EOI (0xb0 / 4)
#define APIC_SPURIOUS (0xf0 / 4)
#define IDT_AT 0x900000ul
#define CAP_MSI 5
#define MSI_64BIT 0x80u
#define CODE 8

void guest_main(const uint8_t *params);

struct gate {
	uint16_t low, selector;
	uint8_t ist, type;
	uint16_t middle;
	uint32_t high, reserved;
} __attribute__((packed));

struct frame;

static volatile uint32_t *edu;
static volatile uint64_t came;

static inline uint64_t ticks(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return ((uint64_t)hi << 32) | lo;
}

static __attribute__((interrupt)) void handler(struct frame *frame)
{
	(void)frame;
	came = ticks();
	edu[ACKNOWLEDGE] = 1;
	APIC[APIC_EOI] = 0;
}

static uint32_t pci_read(uint32_t device, uint32_t reg)
{
	outl(0xcf8, 0x80000000 | device << 11 | reg);
	return inl(0xcfc);
}

static void pci_write(uint32_t device, uint32_t reg, uint32_t value)
{
	outl(0xcf8, 0x80000000 | device << 11 | reg);
	outl(0xcfc, value);
}

static void prepare_msi(uint32_t device)
{
	uint32_t at = pci_read(device, 0x34) & 0xfc, head;

	for (; at; at = head >> 8 & 0xfc) {
		head = pci_read(device, at);
		if ((head & 0xff) != CAP_MSI)
			continue;
		pci_write(device, at + 4, 0xfee00000);
		pci_write(device, at + 8, head >> 16 & MSI_64BIT ? 0 : VECTOR);
		if (head >> 16 & MSI_64BIT)
			pci_write(device, at + 12, VECTOR);
		pci_write(device, at, head | 0x10000);
	}
}

static void find_device(void)
{
	uint32_t device;

	edu = (volatile uint32_t *)EDU_AT;
	for (device = 0; device < 32; device++) {
		if (pci_read(device, 0) != EDU_ID)
			continue;
		pci_write(device, 4, 6);
		edu = (volatile uint32_t *)(uintptr_t)(pci_read(device, 0x10) & ~0xfu);
		prepare_msi(device);
		return;
	}
}

static void prepare_interrupts(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idt = { 256 * sizeof(struct gate) - 1, IDT_AT };
	struct gate *gate = (struct gate *)IDT_AT + VECTOR;
	uint64_t at = (uint64_t)(uintptr_t)handler;

	*gate = (struct gate){ .low = (uint16_t)at, .selector = CODE, .type = 0x8e, .middle = (uint16_t)(at >> 16),
			       .high = (uint32_t)(at >> 32) };
	asm volatile("lidt %0" : : "m"(idt));
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	APIC[APIC_SPURIOUS] = 0x1ff;
	asm volatile("sti");
}

static void say(const char *name, uint64_t sum)
{
	put(COM1, name);
	put_number(COM1, (uint32_t)((sum + ROUNDS / 2) / ROUNDS), 10);
	put(COM1, "\n");
}

void guest_main(const uint8_t *params)
{
	uint64_t irq = 0, round = 0;

	(void)params;
	find_device();
	prepare_interrupts();
	for (uint32_t i = 0; i < WARM + ROUNDS; i++) {
		uint64_t from;

		came = 0;
		from = ticks();
		edu[RAISE] = 1;
		while (came == 0)
			;
		if (i < WARM)
			continue;
		round += ticks() - from;
		irq += came - from;
	}
	say("BENCH irq ", irq);
	say("BENCH round ", round);
	put(COM1, "BENCH end\n");
	outl(DEBUG_EXIT, 0);
}
