/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that misbehaves as the last word of its command line says: T triple fault, S spin with interrupts
 * off, M touch what is not there and report, E end by debug exit with 21. There is no relocation: no table of
 * pointers may stand in data.
 */
#include "tiny.h"

#define GP 13
#define UD 6

struct fault {
	uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
	uint32_t vector, code;
	uint32_t eip, cs, eflags;
};

struct gate {
	uint16_t low, selector, flags, high;
};

struct __attribute__((packed)) table {
	uint16_t limit;
	uint32_t base;
};

extern const char fault_stubs[] __attribute__((visibility("hidden")));
void tiny_main(const uint8_t *params);
void tiny_fault(struct fault *f);

static struct gate idt[32];
static volatile uint32_t skip, seen_vector, failures;

static void report(int good, const char *name)
{
	put(COM1, good ? "PASS " : "FAIL ");
	put(COM1, name);
	if (!good) {
		put(COM1, ": vector ");
		put_number(COM1, seen_vector, 16);
		failures++;
	}
	put(COM1, "\n");
}

/* Whoever may fault sets skip to the length of the instruction first. */
void tiny_fault(struct fault *f)
{
	if (!skip) {
		put(COM1, "FAIL unexpected fault ");
		put_number(COM1, f->vector, 16);
		put(COM1, " at ");
		put_number(COM1, f->eip, 16);
		put(COM1, "\n");
		for (;;)
			asm volatile("hlt");
	}
	seen_vector = f->vector;
	f->eip += skip;
	skip = 0;
}

static void idt_init(void)
{
	struct table t = { sizeof(idt) - 1, (uint32_t)idt };
	uint16_t cs;
	uint32_t i;

	asm volatile("mov %%cs, %0" : "=r"(cs));
	for (i = 0; i < 32; i++) {
		uint32_t at = (uint32_t)fault_stubs + 16 * i;

		idt[i] = (struct gate){ (uint16_t)at, cs, 0x8e00, (uint16_t)(at >> 16) };
	}
	asm volatile("lidt %0" : : "m"(t));
}

static void expect(uint32_t length)
{
	seen_vector = 0xff;
	skip = length;
}

static int saw(uint32_t vector)
{
	skip = 0;
	return seen_vector == vector;
}

static void try_msrs(void)
{
	uint32_t first[] = { 0x480, 0x4b564d00, 0x40000200, 0xc0010114, 0xc0010117, 0xc0010140, 0x12345678 };
	uint32_t i, lo, hi, good = 1;

	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		expect(2);
		asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(first[i]));
		good &= saw(GP);
		expect(2);
		asm volatile("wrmsr" : : "a"(1), "d"(0), "c"(first[i]));
		good &= saw(GP);
	}
	report((int)good, "unknown-msrs-fault");

	expect(2);
	asm volatile("wrmsr" : : "a"(0x1000), "d"(0), "c"(0xc0000080));
	report(saw(GP), "efer-svme-faults");
}

#define TRY3(bytes, result) do { \
	expect(3); \
	asm volatile(".byte 0x0f, " bytes : : "a"(0x700000), "c"(0), "d"(0) : "memory", "ebx"); \
	result &= saw(UD); \
} while (0)

static void try_instructions(void)
{
	int good = 1;

	TRY3("0x01, 0xd8", good);	/* vmrun */
	TRY3("0x01, 0xda", good);	/* vmload */
	TRY3("0x01, 0xdb", good);	/* vmsave */
	TRY3("0x01, 0xdc", good);	/* stgi */
	TRY3("0x01, 0xdd", good);	/* clgi */
	TRY3("0x01, 0xdf", good);	/* invlpga */
	report(good, "svm-instructions-fault");

	good = 1;
	TRY3("0x01, 0xc2", good);	/* vmlaunch */
	TRY3("0x01, 0xc3", good);	/* vmresume */
	TRY3("0x01, 0xc4", good);	/* vmxoff */
	TRY3("0x78, 0xc0", good);	/* vmread %eax, %eax */
	TRY3("0x79, 0xc0", good);	/* vmwrite %eax, %eax */
	TRY3("0xc7, 0x30", good);	/* vmptrld (%eax) */
	report(good, "vmx-instructions-fault");

	expect(3);
	asm volatile("xsetbv" : : "a"(0xffffffff), "d"(0xffffffff), "c"(0));
	report(saw(UD) || saw(GP), "bad-xsetbv-faults");
}

/* A hypercall of a guest that may make none: refused by a number or an exception, never obeyed. */
static void try_hypercalls(void)
{
	uint32_t nr, eax;
	int good = 1;

	for (nr = 0x80000000; nr < 0x80000090; nr++) {
		expect(3);
		asm volatile("vmmcall" : "=a"(eax) : "a"(nr), "c"(0), "d"(0), "D"(0), "S"(0) : "memory", "ebx");
		good &= saw(UD) || saw(GP) || (int32_t)eax < 0;
		expect(3);
		asm volatile("vmcall" : "=a"(eax) : "a"(nr), "c"(0), "d"(0), "D"(0), "S"(0) : "memory", "ebx");
		good &= saw(UD) || saw(GP) || (int32_t)eax < 0;
	}
	report(good, "hypercalls-are-refused");
}

static void try_mmio(void)
{
	uint32_t places[] = { 0xe0000000, 0xf1234000, 0xfed40000, 0xfedf0000, 0xfff00000, 0x7f000000 };
	uint32_t i, value, edi, ecx, esi;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		volatile uint8_t *p = (volatile uint8_t *)places[i];

		value = *p;
		value += *(volatile uint16_t *)(p + 2);
		value += *(volatile uint32_t *)(p + 4);
		*p = 1;
		*(volatile uint16_t *)(p + 2) = 2;
		*(volatile uint32_t *)(p + 4) = 3;
		/* not aligned, over the end of a page, read-modify-write, strings */
		value += *(volatile uint32_t *)(p + 0xffe);
		asm volatile("lock addl $1, %0" : "+m"(*(volatile uint32_t *)(p + 8)));
		asm volatile("lock btsl $3, %0" : "+m"(*(volatile uint32_t *)(p + 16)));
		edi = 0x700000, esi = places[i], ecx = 16;
		asm volatile("rep movsb" : "+D"(edi), "+S"(esi), "+c"(ecx) : : "memory");
		edi = places[i], esi = 0x700000, ecx = 16;
		asm volatile("rep movsl" : "+D"(edi), "+S"(esi), "+c"(ecx) : : "memory");
	}
	report(1, "unmapped-mmio-is-survived");
}

static void try_ports(void)
{
	uint32_t port;

	/* every eleventh port, read in each size; not those whose reading has a meaning of its own here */
	for (port = 0; port < 0xfff0; port += 11) {
		uint32_t value;

		asm volatile("inb %w1, %b0" : "=a"(value) : "d"(port));
		asm volatile("inl %w1, %0" : "=a"(value) : "d"(port));
	}
	report(1, "unknown-ports-are-survived");
}

static void try_cpuid(void)
{
	uint32_t leaf, sub, a, b, c, d;

	for (leaf = 0; leaf < 0x40; leaf++)
		for (sub = 0; sub < 3; sub++)
			asm volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(leaf), "c"(sub));
	for (leaf = 0x80000000; leaf < 0x80000030; leaf++)
		asm volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(leaf), "c"(0));
	asm volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000001), "c"(0));
	report(!(c & 4), "cpuid-hides-svm");
	asm volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
	report(!(c & 0x20), "cpuid-hides-vmx");
}

void tiny_main(const uint8_t *params)
{
	const char *cmdline = command_line(params);
	struct table none = { 0, 0 };

	put(COM1, "tiny guest: ");
	put(COM1, cmdline);
	put(COM1, "\n");
	switch (last_word(cmdline)[0]) {
	case 'T':
		asm volatile("lidt %0; int3" : : "m"(none));
		break;
	case 'E':
		failures = 21;
		break;
	case 'S':
		for (;;)
			asm volatile("cli; pause");
	case 'M':
		idt_init();
		try_cpuid();
		try_msrs();
		try_instructions();
		try_hypercalls();
		try_mmio();
		try_ports();
		break;
	}
	put(COM1, "tiny guest: end\n");
	outl(DEBUG_EXIT, failures);
}
