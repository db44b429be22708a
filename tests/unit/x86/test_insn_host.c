/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x86/insn_exec.c against the CPU that runs the test: random instructions with random operands are
 * executed once by the CPU on plain memory and once by us with that memory as the device. Registers,
 * defined flags and memory must come out the same.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/bits.h"
#include "lib/util.h"
#include "x86/insn_exec.h"
#include "x86/regs.h"
#include "unit.h"

#define BUF_SIZE 64U
#define OSZAPC (RFLAGS_OF | RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF | RFLAGS_CF)

/* What generated code loads and stores, in a page behind it. */
struct context {
	uint64_t gpr[16];
	uint64_t flags;
	uint64_t host_rsp;
	uint8_t buf[BUF_SIZE];
};

static uint8_t *page; /* code */
static struct context *context;
static uint64_t seed;

/* One kind of instruction: opcode bytes, then ModRM. */
static const struct kind {
	const char *name;
	uint8_t opcode[2];
	uint8_t opcode_len;
	int8_t reg;	 /* ModRM.reg, or -1 for any register */
	int8_t imm;	 /* bytes; -1: 2 or 4 by operand size */
	bool byte;
	uint64_t undefined; /* flags */
} kinds[] = {
#define ALU(name, n)                                                                               \
	{ name " Eb,Gb", { n * 8 }, 1, -1, 0, true, 0 },                                           \
	{ name " Ev,Gv", { n * 8 + 1 }, 1, -1, 0, false, 0 },                                      \
	{ name " Gb,Eb", { n * 8 + 2 }, 1, -1, 0, true, 0 },                                       \
	{ name " Gv,Ev", { n * 8 + 3 }, 1, -1, 0, false, 0 },                                      \
	{ name " Eb,Ib", { 0x80 }, 1, n, 1, true, 0 },                                             \
	{ name " Ev,Iz", { 0x81 }, 1, n, -1, false, 0 },                                           \
	{ name " Ev,Ib", { 0x83 }, 1, n, 1, false, 0 }
	ALU("add", 0),
	ALU("or", 1),
	ALU("adc", 2),
	ALU("sbb", 3),
	ALU("and", 4),
	ALU("sub", 5),
	ALU("xor", 6),
	ALU("cmp", 7),
	{ "test Eb,Gb", { 0x84 }, 1, -1, 0, true, 0 },
	{ "test Ev,Gv", { 0x85 }, 1, -1, 0, false, 0 },
	{ "test Eb,Ib", { 0xF6 }, 1, 0, 1, true, 0 },
	{ "test Ev,Iz", { 0xF7 }, 1, 0, -1, false, 0 },
	{ "xchg Eb,Gb", { 0x86 }, 1, -1, 0, true, 0 },
	{ "xchg Ev,Gv", { 0x87 }, 1, -1, 0, false, 0 },
	{ "mov Eb,Gb", { 0x88 }, 1, -1, 0, true, 0 },
	{ "mov Ev,Gv", { 0x89 }, 1, -1, 0, false, 0 },
	{ "mov Gb,Eb", { 0x8A }, 1, -1, 0, true, 0 },
	{ "mov Gv,Ev", { 0x8B }, 1, -1, 0, false, 0 },
	{ "mov Eb,Ib", { 0xC6 }, 1, 0, 1, true, 0 },
	{ "mov Ev,Iz", { 0xC7 }, 1, 0, -1, false, 0 },
	{ "movnti Ev,Gv", { 0x0F, 0xC3 }, 2, -1, 0, false, 0 },
	{ "movzx Gv,Eb", { 0x0F, 0xB6 }, 2, -1, 0, false, 0 },
	{ "movzx Gv,Ew", { 0x0F, 0xB7 }, 2, -1, 0, false, 0 },
	{ "movsx Gv,Eb", { 0x0F, 0xBE }, 2, -1, 0, false, 0 },
	{ "movsx Gv,Ew", { 0x0F, 0xBF }, 2, -1, 0, false, 0 },
	{ "movsxd Gv,Ed", { 0x63 }, 1, -1, 0, false, 0 },
	{ "not Eb", { 0xF6 }, 1, 2, 0, true, 0 },
	{ "not Ev", { 0xF7 }, 1, 2, 0, false, 0 },
	{ "neg Eb", { 0xF6 }, 1, 3, 0, true, 0 },
	{ "neg Ev", { 0xF7 }, 1, 3, 0, false, 0 },
	{ "inc Eb", { 0xFE }, 1, 0, 0, true, 0 },
	{ "inc Ev", { 0xFF }, 1, 0, 0, false, 0 },
	{ "dec Eb", { 0xFE }, 1, 1, 0, true, 0 },
	{ "dec Ev", { 0xFF }, 1, 1, 0, false, 0 },
	{ "bt Ev,Gv", { 0x0F, 0xA3 }, 2, -1, 0, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "bts Ev,Gv", { 0x0F, 0xAB }, 2, -1, 0, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "btr Ev,Gv", { 0x0F, 0xB3 }, 2, -1, 0, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "btc Ev,Gv", { 0x0F, 0xBB }, 2, -1, 0, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "bt Ev,Ib", { 0x0F, 0xBA }, 2, 4, 1, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "bts Ev,Ib", { 0x0F, 0xBA }, 2, 5, 1, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "btr Ev,Ib", { 0x0F, 0xBA }, 2, 6, 1, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "btc Ev,Ib", { 0x0F, 0xBA }, 2, 7, 1, false, OSZAPC & ~(RFLAGS_CF | RFLAGS_ZF) },
	{ "cmpxchg Eb,Gb", { 0x0F, 0xB0 }, 2, -1, 0, true, 0 },
	{ "cmpxchg Ev,Gv", { 0x0F, 0xB1 }, 2, -1, 0, false, 0 },
	{ "xadd Eb,Gb", { 0x0F, 0xC0 }, 2, -1, 0, true, 0 },
	{ "xadd Ev,Gv", { 0x0F, 0xC1 }, 2, -1, 0, false, 0 },
};

static const struct string_kind {
	const char *name;
	uint8_t opcode;
} strings[] = {
	{ "movsb", 0xA4 }, { "movs", 0xA5 }, { "stosb", 0xAA },
	{ "stos", 0xAB },  { "lodsb", 0xAC }, { "lods", 0xAD },
};

static int setup(void **state)
{
	(void)state;
	seed = 11;
	page = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	context = (struct context *)(page + PAGE_SIZE);
	return page == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(page, 2 * PAGE_SIZE);
}

static uint8_t *put(uint8_t *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

/* op /reg with a RIP-relative operand; rex as given. */
static uint8_t *put_rip(uint8_t *p, uint8_t rex, uint8_t op, unsigned int reg, const void *operand)
{
	uint8_t code[3] = { rex, op, (uint8_t)(0x05U | (reg & 7U) << 3) };
	int32_t disp = (int32_t)((const uint8_t *)operand - (p + 7));

	p = put(p, code, 3);
	return put(p, &disp, 4);
}

/* Executes insn on this CPU with the registers (but RSP) and flags of the context. */
static void run_on_cpu(const uint8_t *insn, size_t len)
{
	static const uint8_t save[] = { 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57 };
	static const uint8_t restore[] = { 0xFC, 0x41, 0x5F, 0x41, 0x5E, 0x41, 0x5D,
					   0x41, 0x5C, 0x5D, 0x5B, 0xC3 };
	uint8_t *p = put(page, save, sizeof(save));

	p = put_rip(p, 0x48, 0x89, REG_RSP, &context->host_rsp);
	p = put_rip(p, 0x40, 0xFF, 6, &context->flags); /* push, popf */
	*p++ = 0x9D;
	for (unsigned int r = 0; r < 16; r++)
		if (r != REG_RSP)
			p = put_rip(p, r < 8 ? 0x48 : 0x4C, 0x8B, r, &context->gpr[r]);
	p = put(p, insn, len);
	for (unsigned int r = 0; r < 16; r++)
		if (r != REG_RSP)
			p = put_rip(p, r < 8 ? 0x48 : 0x4C, 0x89, r, &context->gpr[r]);
	*p++ = 0x9C;
	p = put_rip(p, 0x40, 0x8F, 0, &context->flags); /* pushf, pop */
	put(p, restore, sizeof(restore));
	((void (*)(void))(void *)page)();
}

static int copy_in(void *ctx, gva_t addr, void *buf, unsigned int size)
{
	(void)ctx;
	memcpy(buf, (const void *)addr, size);
	return 0;
}

static int copy_out(void *ctx, gva_t addr, const void *buf, unsigned int size)
{
	(void)ctx;
	memcpy((void *)addr, buf, size);
	return 0;
}

/* Executes by insn_exec on memory; returns iterations. */
static unsigned int run_by_us(const uint8_t *code, size_t len, struct insn_cpu *cpu, gva_t device)
{
	unsigned int iterations = 0;
	struct insn_exec x;
	struct insn insn;

	assert_int_equal(insn_decode(code, (unsigned int)len, INSN_MODE_64, &insn), 0);
	assert_int_equal(insn.len, len);
	do {
		int more = insn_exec_start(&x, &insn, cpu, device);
		gva_t addr = insn_linear_address(&insn, cpu);
		uint64_t value;

		if (insn.op == INSN_MOVS)
			addr = x.access.addr;
		assert_in_range(more, 0, 1);
		while (more == 1) {
			assert_in_range(addr, (gva_t)context->buf,
					(gva_t)context->buf + BUF_SIZE - x.access.size);
			value = 0xDEADBEEFDEADBEEFUL;
			memcpy(x.access.is_write ? (void *)addr : &value,
			       x.access.is_write ? &x.access.value : (void *)addr,
			       x.access.size);
			more = insn_exec_next(&x, cpu, value);
		}
		assert_int_equal(more, 0);
		if (x.repeat && device != ~0UL) {
			device += (cpu->rflags & RFLAGS_DF) ? 0UL - insn.mem_size : insn.mem_size;
		}
		iterations++;
	} while (x.repeat);
	return iterations;
}

static uint64_t random_value(void)
{
	static const uint64_t corners[] = { 0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF,
					    0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
					    0x7FFFFFFFFFFFFFFF, 0x8000000000000000,
					    0xFFFFFFFFFFFFFFFF };
	uint64_t r = unit_random(&seed);

	return r % 3 == 0 ? corners[(r >> 8) % ARRAY_SIZE(corners)] : unit_random(&seed);
}

static void randomize(void)
{
	for (unsigned int i = 0; i < 16; i++)
		context->gpr[i] = random_value();
	for (unsigned int i = 0; i < BUF_SIZE; i += 8) {
		uint64_t v = random_value();

		memcpy(context->buf + i, &v, 8);
	}
	context->flags = RFLAGS_FIXED1 | RFLAGS_IF | (random_value() & OSZAPC);
}

/* Runs both, from the same start, and compares. */
static void compare(const char *name, const uint8_t *code, size_t len, uint64_t undefined,
		    gva_t device)
{
	struct context start = *context, cpu_end;
	uint64_t gpr[16];
	struct insn_cpu cpu = { .gpr = gpr, .rflags = start.flags, .mode = INSN_MODE_64,
				.read = copy_in, .write = copy_out };

	run_on_cpu(code, len);
	cpu_end = *context;
	*context = start;
	memcpy(gpr, start.gpr, sizeof(gpr));
	run_by_us(code, len, &cpu, device);
	if (memcmp(gpr, cpu_end.gpr, sizeof(gpr)) != 0 ||
	    ((cpu.rflags ^ cpu_end.flags) & OSZAPC & ~undefined) != 0 ||
	    memcmp(context->buf, cpu_end.buf, BUF_SIZE) != 0) {
		for (size_t i = 0; i < len; i++)
			print_error("%02x ", code[i]);
		for (unsigned int i = 0; i < 16; i++)
			if (gpr[i] != cpu_end.gpr[i])
				print_error("\nreg %u: %#lx, the CPU has %#lx", i, gpr[i],
					    cpu_end.gpr[i]);
		fail_msg("\n%s: flags %#lx, the CPU has %#lx; memory %s", name, cpu.rflags,
			 cpu_end.flags,
			 memcmp(context->buf, cpu_end.buf, BUF_SIZE) ? "differs" : "is the same");
	}
}

/* ModRM, SIB and displacement for [base + index * scale + disp8] = target; sets the registers. */
static uint8_t *put_memory(uint8_t *p, unsigned int reg, unsigned int base, unsigned int index,
			   gva_t target)
{
	unsigned int scale = (unsigned int)unit_random(&seed) % 4;
	int8_t disp = (int8_t)unit_random(&seed);

	if (index == base || index == REG_RSP) {
		context->gpr[base] = target - (uint64_t)(int64_t)disp;
		index = REG_RSP;
	} else {
		context->gpr[base] = target - (uint64_t)(int64_t)disp -
				     (context->gpr[index] << scale);
	}
	*p++ = (uint8_t)(0x44U | (reg & 7U) << 3);
	*p++ = (uint8_t)(scale << 6 | (index & 7U) << 3 | (base & 7U));
	*p++ = (uint8_t)disp;
	return p;
}

static unsigned int random_register(void)
{
	unsigned int r = (unsigned int)unit_random(&seed) % 15;

	return r >= REG_RSP ? r + 1 : r;
}

static bool is_bit_by_register(const struct kind *k)
{
	return k->reg < 0 && k->opcode[0] == 0x0F && (k->opcode[1] & 0xE7) == 0xA3;
}

static void one_instruction(const struct kind *k)
{
	unsigned int reg = k->reg < 0 ? random_register() : (unsigned int)k->reg;
	unsigned int base = random_register(), index = random_register();
	bool wide = unit_random(&seed) % 2, small = !wide && unit_random(&seed) % 2;
	unsigned int size = k->byte ? 1 : wide ? 8 : small ? 2 : 4;
	uint8_t code[16], *p = code, rex;
	gva_t target = (gva_t)context->buf + 24 + unit_random(&seed) % 9;
	uint64_t bits;

	if (strcmp(k->name, "movnti Ev,Gv") == 0 && size == 2) { /* 66 0F C3 is none */
		small = false;
		size = 4;
	}
	randomize();
	/* The operand is known beforehand only if addressing does not use it. */
	while (k->reg < 0 && (reg == base || reg == index))
		reg = random_register();
	while (k->opcode[1] != 0 && (base == REG_RAX || index == REG_RAX || base == index ||
				     (k->reg < 0 && (reg == base || reg == index)))) {
		base = random_register();
		index = random_register();
	}
	if (is_bit_by_register(k)) {
		/* Bits within 16 bytes to each side; what lies above the operand's size is noise. */
		bits = (uint64_t)((int64_t)(unit_random(&seed) % 256) - 128);
		context->gpr[reg] = (context->gpr[reg] & ~bytes_mask(size)) |
				    (bits & bytes_mask(size));
	}
	if (strncmp(k->name, "cmpxchg", 7) == 0 && unit_random(&seed) % 2)
		memcpy(&context->gpr[REG_RAX], (const void *)target, 8);
	rex = (uint8_t)(0x40U | (wide ? 8U : 0U) | (k->reg < 0 ? (reg >> 3) << 2 : 0U) |
			(index >> 3) << 1 | base >> 3);
	if (index == base)
		rex &= (uint8_t)~2U;
	if (small && !k->byte)
		*p++ = 0x66;
	if (rex != 0x40 || unit_random(&seed) % 2)
		*p++ = rex;
	p = put(p, k->opcode, k->opcode_len);
	p = put_memory(p, reg, base, index, target);
	for (int i = 0; i < (k->imm < 0 ? (small ? 2 : 4) : k->imm); i++)
		*p++ = (uint8_t)random_value();
	compare(k->name, code, (size_t)(p - code), k->undefined, ~0UL);
}

static void test_random_operands(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (int n = 0; n < 3000; n++)
			one_instruction(&kinds[i]);
}

static void test_strings(void **state)
{
	(void)state;
	for (int n = 0; n < 20000; n++) {
		const struct string_kind *k = &strings[unit_random(&seed) % ARRAY_SIZE(strings)];
		uint64_t form = unit_random(&seed);
		uint8_t code[8], *p = code;
		unsigned int size = 4;
		gva_t from, to;

		randomize();
		if (form & 1)
			*p++ = (uint8_t)((form & 2) ? 0xF3 : 0xF2);
		if (form & 4) {
			*p++ = 0x66;
			size = 2;
		}
		if (form & 8) {
			*p++ = 0x48;
			size = 8;
		}
		*p++ = k->opcode;
		size = (k->opcode & 1) ? size : 1;
		from = (gva_t)context->buf + 24 + (form >> 8) % 9;
		to = (gva_t)context->buf + 24 + (form >> 16) % 9;
		context->gpr[REG_RSI] = from;
		context->gpr[REG_RDI] = to;
		context->gpr[REG_RCX] = (form & 1) ? (form >> 24) % 4 : context->gpr[REG_RCX];
		if (form & 16)
			context->flags |= RFLAGS_DF;
		/* To a device, from a device, or nobody says. */
		compare(k->name, code, (size_t)(p - code), 0,
			from == to || (form & 32) ? ~0UL : (form & 64) ? from : to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_operands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strings, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
