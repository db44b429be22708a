/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x86/insn_exec.c where the host's CPU cannot be asked: what is refused, faults, the stack, other
 * modes, and that an abandoned instruction has changed nothing. The arithmetic is in x86_insn_host.
 */
#include <string.h>

#include "lib/errno.h"
#include "lib/util.h"
#include "x86/insn_exec.h"
#include "x86/regs.h"
#include "unit.h"

static uint64_t gpr[16];
static uint8_t memory[64]; /* at linear address 0x1000 */
static struct insn_cpu cpu;
static struct insn_exec x;

static int read_memory(void *ctx, gva_t addr, void *buf, unsigned int size)
{
	(void)ctx;
	if (!range_within(addr, size, 0x1000, sizeof(memory)))
		return -EFAULT;
	memcpy(buf, memory + (addr - 0x1000), size);
	return 0;
}

static int write_memory(void *ctx, gva_t addr, const void *buf, unsigned int size)
{
	(void)ctx;
	if (!range_within(addr, size, 0x1000, sizeof(memory)))
		return -EFAULT;
	memcpy(memory + (addr - 0x1000), buf, size);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		gpr[i] = 0x1111111111111111UL * i;
	for (unsigned int i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)i;
	cpu = (struct insn_cpu){ .gpr = gpr, .rip = 0x5000, .rflags = RFLAGS_FIXED1,
				 .mode = INSN_MODE_64, .read = read_memory,
				 .write = write_memory };
	return 0;
}

static int start(const void *code, gva_t fault_addr)
{
	static struct insn insn; /* x goes on using it */

	assert_int_equal(insn_decode(code, 15, cpu.mode, &insn), 0);
	return insn_exec_start(&x, &insn, &cpu, fault_addr);
}

static gva_t address(void)
{
	return insn_linear_address(x.insn, &cpu);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(start("\x0F\xA2             ", ~0UL), -EINVAL); /* cpuid */
	assert_int_equal(start("\x89\xC8             ", ~0UL), -EINVAL); /* mov eax, ecx */
	assert_int_equal(start("\xC1\x20\x04            ", ~0UL), -EINVAL); /* shl [rax], 4 */
	assert_int_equal(start("\xA6              ", ~0UL), -EINVAL); /* cmpsb */
	assert_int_equal(start("\xFF\x10             ", ~0UL), -EINVAL); /* call [rax] */
}

static void test_address(void **state)
{
	(void)state;
	/* mov eax, [rip+0x10]: from the end of the instruction */
	assert_int_equal(start("\x8B\x05\x10\0\0\0         ", ~0UL), 1);
	assert_true(address() == 0x5016);
	/* mov eax, fs:[ecx]: the segment after the cut to 32 bits */
	cpu.seg_base[SEG_FS] = 0x7000000000UL;
	assert_int_equal(start("\x64\x67\x8B\x01           ", ~0UL), 1);
	assert_true(address() == 0x7011111111UL);
	/* 16-bit mode: mov [bp+di-1], al */
	cpu.mode = INSN_MODE_16;
	cpu.seg_base[SEG_SS] = 0x90000;
	gpr[REG_RBP] = 0xFFFF;
	gpr[REG_RDI] = 3;
	assert_int_equal(start("\x88\x43\xFF            ", ~0UL), 1);
	assert_true(address() == 0x90001);
	/* 32-bit mode: linear addresses wrap at 4 GiB */
	cpu.mode = INSN_MODE_32;
	cpu.seg_base[SEG_DS] = 0xFFFFF000;
	gpr[REG_RAX] = 0x2000;
	assert_int_equal(start("\x8B\x00             ", ~0UL), 1);
	assert_true(address() == 0x1000);
}

static void test_abandoned(void **state)
{
	uint64_t before[16];

	(void)state;
	memcpy(before, gpr, sizeof(gpr));
	assert_int_equal(start("\xF0\x48\x0F\xC1\x08          ", ~0UL), 1); /* lock xadd [rax], rcx */
	assert_false(x.access.is_write);
	assert_int_equal(insn_exec_next(&x, &cpu, 5), 1);
	assert_true(x.access.is_write);
	assert_true(x.access.value == gpr[REG_RCX] + 5);
	assert_memory_equal(before, gpr, sizeof(gpr));
	assert_true(cpu.rflags == RFLAGS_FIXED1);
	assert_int_equal(insn_exec_next(&x, &cpu, 0), 0);
	assert_true(gpr[REG_RCX] == 5);
}

static void test_stack(void **state)
{
	uint64_t value = 0;

	(void)state;
	gpr[REG_RSP] = 0x1020;
	assert_int_equal(start("\xFF\x30             ", ~0UL), 1); /* push [rax] */
	assert_int_equal(insn_exec_next(&x, &cpu, 0x1122334455667788UL), 0);
	assert_true(gpr[REG_RSP] == 0x1018);
	memcpy(&value, memory + 0x18, 8);
	assert_true(value == 0x1122334455667788UL);
	/* pop [rsp+8]: the address is that after the pop */
	assert_int_equal(start("\x8F\x44\x24\x08           ", ~0UL), 1);
	assert_true(x.access.is_write && x.access.value == value);
	assert_true(address() == 0x1028);
	assert_true(gpr[REG_RSP] == 0x1018);
	assert_int_equal(insn_exec_next(&x, &cpu, 0), 0);
	assert_true(gpr[REG_RSP] == 0x1020);
	/* A stack that cannot be reached. */
	gpr[REG_RSP] = 0x9000;
	assert_int_equal(start("\x8F\x00             ", ~0UL), -EFAULT);
	assert_int_equal(start("\xFF\x30             ", ~0UL), 1);
	assert_int_equal(insn_exec_next(&x, &cpu, 1), -EFAULT);
	assert_true(gpr[REG_RSP] == 0x9000);
}

static void test_movs_finds_the_device(void **state)
{
	(void)state;
	/* From memory to a device. */
	gpr[REG_RSI] = 0x1010;
	gpr[REG_RDI] = 0xFEC00000;
	assert_int_equal(start("\xA5              ", ~0UL), 1);
	assert_true(x.access.is_write && x.access.value == 0x13121110);
	assert_true(x.access.addr == 0xFEC00000 && x.access.size == 4);
	assert_int_equal(insn_exec_next(&x, &cpu, 0), 0);
	assert_true(gpr[REG_RSI] == 0x1014 && gpr[REG_RDI] == 0xFEC00004);
	/* From a device to memory. */
	gpr[REG_RSI] = 0xFEC00000;
	gpr[REG_RDI] = 0x1020;
	gpr[REG_RCX] = 2;
	assert_int_equal(start("\xF3\xA5             ", ~0UL), 1);
	assert_true(!x.access.is_write && x.access.addr == 0xFEC00000);
	assert_int_equal(insn_exec_next(&x, &cpu, 0xAABBCCDD), 0);
	assert_true(x.repeat && gpr[REG_RCX] == 1 && memory[0x20] == 0xDD);
	/* Between devices, before either is touched, and with a source that must be readable. */
	gpr[REG_RDI] = 0xFED00000;
	assert_int_equal(start("\xA5              ", ~0UL), -EFAULT);
	assert_int_equal(start("\xA5              ", 0xFED00000), -EFAULT);
	assert_true(gpr[REG_RDI] == 0xFED00000 && gpr[REG_RCX] == 1);
}

static void test_rep_without_count(void **state)
{
	(void)state;
	gpr[REG_RCX] = 0x700000000UL;
	assert_int_equal(start("\x67\xF3\xAA            ", ~0UL), 0); /* ecx counts */
	assert_false(x.repeat);
	assert_int_equal(start("\xF3\xAA             ", ~0UL), 1);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused), TEST(test_address),
		TEST(test_abandoned), TEST(test_stack),
		TEST(test_movs_finds_the_device), TEST(test_rep_without_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
