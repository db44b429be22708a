/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Service VM that tries its local APIC: as a page of registers, as MSRs, and between two CPUs when there are two.
 * It cannot tell who the APIC is, the CPU or the hypervisor, and must not: every way gives the same lines on COM2.
 */
#include "tiny.h"
#include "x86/apic.h"

#define MSR_APIC_BASE 0x1b
#define FEATURES_X2APIC (1u << 21)
#define NMI 2
#define GP 13
#define PAGE ((uintptr_t)APIC_BASE_DEFAULT)
#define SELF ((APIC_SHORTHAND_SELF << APIC_ICR_SHORTHAND_SHIFT) | APIC_ICR_ASSERT)
#define OTHERS ((APIC_SHORTHAND_OTHERS << APIC_ICR_SHORTHAND_SHIFT) | APIC_ICR_ASSERT)
#define SEND_ILLEGAL (1u << 5)
#define PATIENCE 50000000u
#define ROUNDS 200u
#define LAST 0x30u
#define AP_CODE 0x8000ul /* low memory that is nobody's */
#define AP_MAIN 0x8ff0ul
#define EIGHT_BITS 3

struct frame {
	uint64_t regs[9];
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct __attribute__((packed)) table {
	uint16_t limit;
	uint64_t base;
};

extern const char stubs[] __attribute__((visibility("hidden")));
extern const char ap_begin[] __attribute__((visibility("hidden")));
extern const char ap_end[] __attribute__((visibility("hidden")));
void guest_main(const uint8_t *params);
void taken(struct frame *f);

/* 256 ways in, 16 bytes each. Only what a call may change is kept: the handler keeps the rest. */
asm("	.balign 16\n"
	"stubs:\n"
	"	.set v, 0\n"
	"	.rept 256\n"
	"	.balign 16\n"
	"	.if v != 8 && (v < 10 || v > 14) && v != 17 && v != 21 && v != 29 && v != 30\n"
	"	push $0\n"
	"	.endif\n"
	"	push $v\n"
	"	jmp 1f\n"
	"	.set v, v + 1\n"
	"	.endr\n"
	"1:	push %rax; push %rcx; push %rdx; push %rsi; push %rdi; push %r8; push %r9; push %r10; push %r11\n"
	"	mov %rsp, %rdi\n"
	"	cld\n"
	"	call taken\n"
	"	pop %r11; pop %r10; pop %r9; pop %r8; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rax\n"
	"	add $16, %rsp\n"
	"	iretq\n");

/* The second CPU begins here, copied to AP_CODE: from real mode to 64 bits over the tables of the first one. */
asm("	.code16\n"
	"ap_begin:\n"
	"	cli\n"
	"	xor %ax, %ax\n"
	"	mov %ax, %ds\n"
	"	lgdtl 0x8000 + 3f - ap_begin\n"
	"	mov $0x20, %eax\n"
	"	mov %eax, %cr4\n"
	"	mov $0x800000, %eax\n"
	"	mov %eax, %cr3\n"
	"	mov $0xc0000080, %ecx\n"
	"	rdmsr\n"
	"	or $0x100, %eax\n"
	"	wrmsr\n"
	"	mov $0x80000011, %eax\n"
	"	mov %eax, %cr0\n"
	"	ljmpl $8, $(0x8000 + 2f - ap_begin)\n"
	"	.balign 8\n"
	"1:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff\n"
	"3:	.word 3 * 8 - 1\n"
	"	.long 0x8000 + 1b - ap_begin\n"
	"	.code64\n"
	"2:	mov $16, %eax\n"
	"	mov %eax, %ds\n"
	"	mov %eax, %es\n"
	"	mov %eax, %ss\n"
	"	mov $0x5f0000, %esp\n"
	"	call *0x8ff0\n"
	"ap_end:\n");

static uint64_t idt[512];
static uint8_t is_x2apic, is_eoi_late;
static volatile uint8_t order[8];
static volatile uint32_t taken_count, skip, faults, failures, all_failures, counts[256];
static volatile uint32_t ap_stage, ap_count;
static volatile uint32_t nmis, nmi_depth, nmis_inside;

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((uint64_t)hi << 32) | lo;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static uint32_t get(uint32_t offset)
{
	return is_x2apic ? (uint32_t)rdmsr(X2APIC_MSR(offset)) : *(volatile uint32_t *)(PAGE + offset);
}

static void set(uint32_t offset, uint32_t value)
{
	if (is_x2apic)
		wrmsr(X2APIC_MSR(offset), value);
	else
		*(volatile uint32_t *)(PAGE + offset) = value;
}

static void send(uint32_t command)
{
	set(APIC_ICR, command);
}

static uint32_t bit_of(uint32_t map, uint8_t vector)
{
	return get(map + 16u * (vector / 32u)) >> (vector % 32u) & 1u;
}

static uint32_t apic_id(void)
{
	return is_x2apic ? get(APIC_ID) : get(APIC_ID) >> 24;
}

static uint32_t features(void)
{
	uint32_t a = 1, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c;
}

static void send_nmi(void)
{
	uint32_t command = APIC_DM_NMI << APIC_ICR_MODE_SHIFT | APIC_ICR_ASSERT;

	if (is_x2apic) {
		wrmsr(X2APIC_MSR(APIC_ICR), (uint64_t)apic_id() << 32 | command);
		return;
	}
	set(APIC_ICR_HIGH, apic_id() << 24);
	set(APIC_ICR, command);
}

/* The first one sends another, which has to wait for IRET, though the hypervisor comes in between. */
static void take_nmi(void)
{
	nmis_inside += nmi_depth++;
	if (nmis++ == 0) {
		send_nmi();
		(void)features();
	}
	nmi_depth--;
}

void taken(struct frame *f)
{
	if (f->vector == NMI) {
		take_nmi();
		return;
	}
	if (f->vector == GP && skip) {
		f->rip += skip;
		skip = 0;
		faults++;
		return;
	}
	if (f->vector < 32) {
		put(COM2, "FAIL unexpected fault ");
		put_number(COM2, (uint32_t)f->vector, 16);
		put(COM2, " at ");
		put_number(COM2, (uint32_t)f->rip, 16);
		put(COM2, "\nTEST-EXIT 1\n");
		for (;;)
			asm volatile("cli; hlt");
	}
	if (ap_stage != 0 && apic_id() != 0) {
		ap_count++;
		counts[f->vector]++; /* after all else that the first CPU waits for */
		set(APIC_EOI, 0);
		return;
	}
	counts[f->vector]++;
	order[taken_count++ % sizeof(order)] = (uint8_t)f->vector;
	if (!is_eoi_late)
		set(APIC_EOI, 0);
}

static void expect(uint32_t line, uint64_t got, uint64_t wanted)
{
	if (got == wanted)
		return;
	put(COM2, "apic.c:");
	put_number(COM2, line, 10);
	put(COM2, ": got ");
	put_number(COM2, (uint32_t)got, 16);
	put(COM2, ", wanted ");
	put_number(COM2, (uint32_t)wanted, 16);
	put(COM2, "\n");
	failures++;
}
#define EXPECT(got, wanted) expect(__LINE__, got, wanted)

/* What was expected since the last one came. */
static void report(const char *name)
{
	put(COM2, failures ? "FAIL " : "PASS ");
	put(COM2, is_x2apic ? "x2apic-" : "xapic-");
	put(COM2, name);
	put(COM2, "\n");
	all_failures += failures;
	failures = 0;
}

/* The vectors that were taken since forget(), in their order, up to three of them. */
#define TAKEN(...) expect_taken(__LINE__, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
static void expect_taken(uint32_t line, const uint8_t *vectors, uint32_t count)
{
	expect(line, taken_count, count);
	for (uint32_t i = 0; i < count && i < sizeof(order); i++)
		expect(line, order[i], vectors[i]);
}

static void forget(void)
{
	asm volatile("cli");
	taken_count = 0;
	is_eoi_late = 0;
	set(APIC_TPR, 0);
}

/* Interrupts in for a moment. */
static void let_in(void)
{
	asm volatile("sti; nop; nop; nop; nop; cli" : : : "memory");
}

static int wait_for(volatile uint32_t *what, uint32_t least)
{
	uint32_t left = PATIENCE;

	while (*what < least && --left)
		let_in();
	return *what >= least;
}

static void try_vectors(void)
{
	forget();
	send(SELF | 0x41);
	let_in();
	TAKEN(0x41);
	report("an-interrupt-to-itself-is-taken");
	forget();
	send(SELF | 0x41);
	send(SELF | 0x61);
	send(SELF | 0x52);
	let_in();
	TAKEN(0x61, 0x52, 0x41);
	report("the-highest-is-taken-first");
}

/* Interrupts are off: an NMI does not ask. */
static void try_nmi(void)
{
	uint32_t left = PATIENCE;

	forget();
	nmis = nmis_inside = 0;
	send_nmi();
	while (nmis < 2 && --left)
		asm volatile("pause");
	EXPECT(nmis, 2);
	EXPECT(nmis_inside, 0);
	report("an-nmi-waits-for-the-end-of-the-last");
}

static void try_priority(void)
{
	forget();
	set(APIC_TPR, 0x50);
	send(SELF | 0x41);
	let_in();
	TAKEN();
	EXPECT(bit_of(APIC_IRR, 0x41), 1);
	EXPECT(bit_of(APIC_ISR, 0x41), 0);
	EXPECT(get(APIC_PPR), 0x50);
	send(SELF | 0x61);
	let_in();
	TAKEN(0x61);
	set(APIC_TPR, 0x3f);
	let_in();
	TAKEN(0x61, 0x41);
	EXPECT(get(APIC_TPR), 0x3f);
	report("priority-holds-back");
}

static void try_service(void)
{
	forget();
	is_eoi_late = 1;
	send(SELF | 0x61);
	let_in();
	send(SELF | 0x41);
	let_in();
	TAKEN(0x61);
	EXPECT(bit_of(APIC_ISR, 0x61), 1);
	EXPECT(bit_of(APIC_IRR, 0x41), 1);
	if (is_x2apic) /* Bochs does not write PPR to the page of a virtual APIC when it delivers */
		EXPECT(get(APIC_PPR), 0x60);
	set(APIC_EOI, 0);
	let_in();
	TAKEN(0x61, 0x41);
	EXPECT(bit_of(APIC_ISR, 0x61), 0);
	EXPECT(bit_of(APIC_ISR, 0x41), 1);
	set(APIC_EOI, 0);
	EXPECT(bit_of(APIC_ISR, 0x41), 0);
	EXPECT(get(APIC_PPR), 0);
	report("what-is-served-holds-back");
}

static void try_cr8(void)
{
	uint64_t cr8 = 5;

	forget();
	asm volatile("mov %0, %%cr8" : : "r"(cr8));
	EXPECT(get(APIC_TPR), 0x50);
	set(APIC_TPR, 0x7a);
	asm volatile("mov %%cr8, %0" : "=r"(cr8));
	EXPECT(cr8, 7);
	send(SELF | 0x41);
	let_in();
	TAKEN();
	asm volatile("mov %0, %%cr8" : : "r"(0ul));
	let_in();
	TAKEN(0x41);
	report("cr8-is-the-priority");
}

static void try_registers(void)
{
	forget();
	set(APIC_LVT_ERROR, 0xfe);
	set(APIC_LVT_PMC, 0x4fd);
	EXPECT(get(APIC_LVT_ERROR), 0xfe);
	EXPECT(get(APIC_LVT_PMC), 0x4fd);
	set(APIC_SVR, 0xef);
	EXPECT(get(APIC_SVR), 0xef);
	EXPECT(get(APIC_LVT_ERROR), APIC_LVT_MASKED | 0xfe);
	set(APIC_SVR, APIC_SVR_ENABLE | 0xff);
	set(APIC_LVT_ERROR, APIC_LVT_MASKED | 0xfe);
	EXPECT(get(APIC_SVR), APIC_SVR_ENABLE | 0xff);
	EXPECT(get(APIC_VERSION) & 0xf0, 0x10);
	report("registers-keep-what-is-written");
	set(APIC_ESR, 0);
	send(SELF | 5);
	set(APIC_ESR, 0);
	EXPECT(get(APIC_ESR), SEND_ILLEGAL);
	set(APIC_ESR, 0);
	EXPECT(get(APIC_ESR), 0);
	report("an-illegal-vector-is-an-error");
}

/* What is left of a count just begun. The emulator may be away for longer than it lasts: then once more. */
static uint32_t begin_count(void)
{
	uint32_t left = 0;

	for (uint32_t tries = 20; left == 0 && tries; tries--) {
		counts[0x71] = 0;
		set(APIC_TIMER_INIT, 1000000);
		left = get(APIC_TIMER_CURRENT);
		if (left == 0)
			wait_for(&counts[0x71], 1);
	}
	return left;
}

static void try_timer(void)
{
	forget();
	set(APIC_TIMER_DIVIDE, 0xb);
	set(APIC_LVT_TIMER, 0x71);
	EXPECT(begin_count() - 1 < 1000000, 1);
	EXPECT(get(APIC_TIMER_INIT), 1000000);
	asm volatile("sti; hlt; cli" : : : "memory");
	EXPECT(counts[0x71], 1);
	EXPECT(get(APIC_TIMER_CURRENT), 0);
	set(APIC_LVT_TIMER, APIC_TIMER_PERIODIC | 0x71);
	set(APIC_TIMER_INIT, 300000);
	EXPECT(wait_for(&counts[0x71], 4), 1);
	set(APIC_TIMER_INIT, 0);
	set(APIC_LVT_TIMER, APIC_LVT_MASKED);
	let_in(); /* one that came before the timer stopped */
	report("the-timer-wakes-a-halted-cpu");
}

/* The instruction is 2 bytes long. */
#define READ_FAULTS(msr) expect_fault(__LINE__, msr, 0, 0)
#define WRITE_FAULTS(msr, value) expect_fault(__LINE__, msr, 1, value)
static void expect_fault(uint32_t line, uint32_t msr, int is_write, uint64_t value)
{
	uint32_t before = faults;

	skip = 2;
	if (is_write)
		wrmsr(msr, value);
	else
		(void)rdmsr(msr);
	skip = 0;
	expect(line, faults, before + 1);
}

static void try_bad_msrs(void)
{
	static const uint8_t unreadable[] = { 0x00, 0x01, 0x04, 0x09, 0x0b, 0x0c, 0x0e, 0x29, 0x31, 0x3a, 0x3f };
	static const uint8_t unwritable[] = { 0x02, 0x03, 0x0a, 0x0d, 0x10, 0x20, 0x27, 0x39 };

	forget();
	for (uint32_t msr = 0x840; msr < 0x900; msr++) {
		READ_FAULTS(msr);
		WRITE_FAULTS(msr, 0);
	}
	for (uint32_t i = 0; i < sizeof(unreadable); i++)
		READ_FAULTS(0x800u + unreadable[i]);
	report("msrs-that-are-none-fault");
	for (uint32_t i = 0; i < sizeof(unwritable); i++)
		WRITE_FAULTS(0x800u + unwritable[i], 0);
	WRITE_FAULTS(0x808, 0x100);
	WRITE_FAULTS(0x808, 1ul << 32);
	WRITE_FAULTS(0x80b, 1);
	WRITE_FAULTS(0x80f, 1ul << 32);
	WRITE_FAULTS(0x828, 1);
	WRITE_FAULTS(0x83f, 0x100);
	report("bad-writes-fault");
}

static void try_msrs(void)
{
	forget();
	wrmsr(0x83f, 0x43);
	let_in();
	TAKEN(0x43);
	wrmsr(0x830, 0x200000000ul | SELF | 0x44);
	let_in();
	TAKEN(0x43, 0x44);
	EXPECT(rdmsr(0x830), 0x200000000ul | SELF | 0x44);
	EXPECT(rdmsr(0x830) >> 32, 2);
	wrmsr(0x828, 0);
	wrmsr(0x83f, 5);
	let_in();
	wrmsr(0x828, 0);
	EXPECT(rdmsr(0x828) & SEND_ILLEGAL, SEND_ILLEGAL);
	TAKEN(0x43, 0x44);
	report("the-self-ipi-register-works");
}

static void ap_main(void)
{
	struct table t = { sizeof(idt) - 1, (uintptr_t)idt };

	asm volatile("lidt %0" : : "m"(t));
	if (is_x2apic)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	set(APIC_SVR, APIC_SVR_ENABLE | 0xff);
	ap_stage = 1;
	while (ap_stage < 2) /* never leaves the guest by itself */
		asm volatile("sti; pause" : : : "memory");
	for (;;)
		asm volatile("sti; hlt" : : : "memory");
}

static void start_second(void)
{
	uint8_t *to = (uint8_t *)AP_CODE;

	for (const char *from = ap_begin; from < ap_end; from++)
		*to++ = (uint8_t)*from;
	*(volatile uint64_t *)AP_MAIN = (uintptr_t)ap_main;
	ap_stage = 0;
	send(OTHERS | (APIC_DM_INIT << APIC_ICR_MODE_SHIFT));
	send(OTHERS | (APIC_DM_STARTUP << APIC_ICR_MODE_SHIFT) | (AP_CODE >> 12));
	EXPECT(wait_for(&ap_stage, 1), 1);
}

/*
 * One at a time, so that none may be lost or come twice; then some that fall together. Of those the same vector may
 * come once or twice: the lowest of all is sent last, and when it has been taken, there is no other.
 */
static void ask_second(void)
{
	uint32_t i;

	for (i = 32; i < 256; i++)
		counts[i] = 0;
	ap_count = 0;
	for (i = 1; i <= ROUNDS && !failures; i++) {
		send(OTHERS | (0x40 + i % 0x40));
		EXPECT(wait_for(&ap_count, i), 1);
		EXPECT(ap_count, i);
	}
	for (i = 0; i < 8; i++)
		send(OTHERS | (0x90 + 0x10 * (i % 4)));
	send(OTHERS | LAST);
	EXPECT(wait_for(&counts[LAST], 1), 1);
	for (i = 0; i < 4; i++)
		EXPECT(counts[0x90 + 0x10 * i] - 1 < 2, 1);
}

static void try_second(void)
{
	forget();
	start_second();
	report("a-second-cpu-starts");
	ask_second();
	report("a-cpu-at-work-takes-interrupts");
	ap_stage = 2;
	ask_second();
	report("a-halted-cpu-takes-interrupts");
	send(OTHERS | (APIC_DM_INIT << APIC_ICR_MODE_SHIFT));
	ap_stage = 0;
}

static void try_all(void)
{
	try_vectors();
	try_nmi();
	try_priority();
	try_service();
	try_cr8();
	try_registers();
	try_timer();
}

static void make_idt(void)
{
	struct table t = { sizeof(idt) - 1, (uintptr_t)idt };

	for (uint32_t i = 0; i < 256; i++) {
		uintptr_t to = (uintptr_t)stubs + 16u * i;

		idt[2 * i] = (to & 0xffff) | 8ul << 16 | 0x8e00ul << 32 | (to >> 16 & 0xffff) << 48;
		idt[2 * i + 1] = to >> 32;
	}
	asm volatile("lidt %0" : : "m"(t));
}

/* The word "cpus=2" at the end says that there is a second one. */
static int is_alone(const char *words)
{
	const char *word = last_word(words);

	return word[0] != 'c' || word[5] != '2';
}

void guest_main(const uint8_t *params)
{
	int alone = is_alone(command_line(params));

	outb(COM2 + 3, EIGHT_BITS);
	make_idt();
	set(APIC_SVR, APIC_SVR_ENABLE | 0xff);
	set(APIC_LVT_LINT0, APIC_LVT_MASKED);
	try_all();
	if (!alone)
		try_second();
	if (features() & FEATURES_X2APIC) {
		forget();
		send(SELF | 0x41);
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
		is_x2apic = 1;
		let_in();
		TAKEN(0x41);
		report("what-waits-survives-the-change-of-mode");
		try_all();
		try_bad_msrs();
		try_msrs();
		if (!alone)
			try_second();
	}
	put(COM2, all_failures ? "TEST-EXIT 1\n" : "TEST-EXIT 0\n");
	for (;;)
		asm volatile("cli; hlt");
}
