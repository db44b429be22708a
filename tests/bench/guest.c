/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that measures what leaving it costs, in ticks of the TSC: under the emulator's deterministic flags a tick is
 * an instruction. Its command line says bench=TESTS: "2" at the start speaks on COM2, then each letter is a test of
 * the switch below. The very same file runs as Service VM and as User VM of ours, and under KVM. A letter stands for
 * a loop that holds nothing but the access; the ticks of the same loop without it are taken off.
 *
 * Rounds are timed by the score, and the figure is of the score in the middle: on one CPU the others' timers and
 * threads get their turn within some, and what they do then is no part of the access. The line also has the mean, and
 * how many scores took more than twice as long. A kick goes on after its round, in a worker's thread: its figure is the
 * mean. (One round alone would be too short: an emulator may move the TSC only where it leaves a run of instructions.)
 */
#include "tests/guest/tiny/tiny.h"

#define SCORE 20
#define SCORES 50
#define WARM 3 /* scores, too */
#define PIC_MASK 0x21
#define IOAPIC 0xfec00000
#define UART_SCRATCH 0x3ff
#define HPET_COUNTER 0xfed000f0
#define RING 0x700000
#define RING_SIZE 0x4000
#define TIMES ((uint32_t *)0x710000)
#define EMPTY_TIMES ((uint32_t *)0x720000)
#define KVM_KICK_PORT 0x700
#define LINE_CONTROL 3
#define EIGHT_BITS 3
#define VENDOR_INTEL 0x756e6547u /* "Genu" */
#define NO_SUCH_HYPERCALL 0x800000ffu

void guest_main(const uint8_t *params);

static uint16_t com, kick_port;

static inline uint64_t ticks(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return ((uint64_t)hi << 32) | lo;
}

/* Ticks of each score of the instruction; the last ones, which come first, are to warm up. */
#define TIME(times, insn, ...) do { \
	uint64_t time_start; \
	uint32_t time_left, time_round; \
	for (time_left = WARM + SCORES; time_left-- != 0;) { \
		time_start = ticks(); \
		for (time_round = SCORE; time_round != 0; time_round--) \
			asm volatile(insn : __VA_ARGS__ : "memory"); \
		(times)[time_left] = (uint32_t)(ticks() - time_start); \
	} \
} while (0)

/* And of rounds in which the operands are made ready, and nothing done with them. */
#define LOOP(insn, ...) do { \
	TIME(EMPTY_TIMES, "", __VA_ARGS__); \
	TIME(TIMES, insn, __VA_ARGS__); \
} while (0)

static void run(char test)
{
	uint32_t a = 0, b, c, d, value = 0;
	uint32_t *ioapic = (uint32_t *)IOAPIC, *hpet = (uint32_t *)HPET_COUNTER;
	register uint64_t id asm("r8") = NO_SUCH_HYPERCALL;
	uint64_t ret = 0;

	switch (test) {
	case 'c':
		LOOP("cpuid", "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0), "c"(0));
		break;
	case 'h':
		asm volatile("cpuid" : "=b"(b), "+a"(a) : : "ecx", "edx");
		if (b == VENDOR_INTEL)
			LOOP("vmcall", "+a"(ret) : "r"(id), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0));
		else
			LOOP("vmmcall", "+a"(ret) : "r"(id), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0));
		break;
	case 'i':
		LOOP("inb %w1, %b0", "+a"(a) : "d"(PIC_MASK));
		break;
	case 'o':
		LOOP("outb %b0, %w1", : "a"(0xff), "d"(PIC_MASK));
		break;
	case 'a':
		LOOP("movl %1, %0", "=r"(value) : "m"(*ioapic));
		break;
	case 'A':
		LOOP("movl %1, %0", "=m"(*ioapic) : "r"(value));
		break;
	case 'P':
		LOOP("inb %w1, %b0", "+a"(a) : "d"(UART_SCRATCH));
		break;
	case 'Q':
		LOOP("outb %b0, %w1", : "a"(0x55), "d"(UART_SCRATCH));
		break;
	case 'M':
		LOOP("movl %1, %0", "=r"(value) : "m"(*hpet));
		break;
	case 'W':
		LOOP("movl %1, %0", "=m"(*hpet) : "r"(value));
		break;
	case 'K':
		LOOP("outw %w0, %w1", : "a"(0), "d"(kick_port));
		break;
	}
}

struct cost {
	uint32_t middle, mean, longer;
};

/* Sorts the scores. */
static struct cost sum_up(uint32_t *times)
{
	struct cost cost = { 0, 0, 0 };
	uint64_t sum = 0;
	uint32_t i, at, value;

	for (i = 0; i < SCORES; i++) {
		value = times[i];
		sum += value;
		for (at = i; at != 0 && times[at - 1] > value; at--)
			times[at] = times[at - 1];
		times[at] = value;
	}
	cost.middle = times[SCORES / 2];
	cost.mean = (uint32_t)(sum / SCORES);
	for (i = 0; i < SCORES; i++)
		cost.longer += times[i] > 2 * cost.middle;
	return cost;
}

/* Of one round. */
static void put_cost(const char *word, uint32_t spent, uint32_t empty)
{
	put(com, word);
	put_number(com, spent <= empty ? 0 : (spent - empty + SCORE / 2) / SCORE, 10);
}

static void report(char test)
{
	char name[2] = { test, 0 };
	struct cost cost, empty;

	run(test);
	cost = sum_up(TIMES);
	empty = sum_up(EMPTY_TIMES);
	put(com, "BENCH ");
	put(com, name);
	if (test == 'K')
		put_cost(" ", cost.mean, empty.middle);
	else
		put_cost(" ", cost.middle, empty.middle);
	put_cost(" mean ", cost.mean, empty.middle);
	put(com, " longer ");
	put_number(com, cost.longer, 10);
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

/* What follows "bench=" on the command line. */
static const char *find_tests(const char *text)
{
	const char *key = "bench=";
	uint32_t i = 0;

	for (; *text && key[i]; text++)
		i = *text == key[i] ? i + 1 : 0;
	return text;
}

void guest_main(const uint8_t *params)
{
	const char *tests = find_tests(command_line(params));
	uint32_t i;

	com = COM1;
	if (*tests == '2') {
		com = COM2;
		outb(COM2 + LINE_CONTROL, EIGHT_BITS);
		tests++;
	}
	for (i = 0; i < RING_SIZE; i++)
		((volatile uint8_t *)RING)[i] = 0;
	find_kick_port();
	for (; *tests > ' '; tests++)
		report(*tests);
	put(com, "BENCH end\n");
	outl(DEBUG_EXIT, 0);
}
