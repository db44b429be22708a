/* SPDX-License-Identifier: BSD-3-Clause */
/* x86/insn.c against encodings written out by hand, and on every cut-off instruction. */
#include <string.h>

#include "lib/errno.h"
#include "lib/util.h"
#include "x86/insn.h"
#include "x86/regs.h"
#include "unit.h"

#define CODE(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define M16 INSN_MODE_16
#define M32 INSN_MODE_32
#define M64 INSN_MODE_64

/* What an OS kernel may execute at an intercept: the length is that of the whole array. */
static const struct {
	const char *name;
	uint8_t code[16];
	size_t len;
	unsigned int modes; /* set of M16, M32, M64 */
} lengths[] = {
	{ "cpuid", CODE(0x0F, 0xA2), M16 | M32 | M64 },
	{ "rex cpuid", CODE(0x48, 0x0F, 0xA2), M64 },
	{ "es rep cpuid", CODE(0x26, 0xF3, 0x0F, 0xA2), M16 | M32 | M64 },
	{ "rdmsr", CODE(0x0F, 0x32), M16 | M32 | M64 },
	{ "wrmsr", CODE(0x0F, 0x30), M16 | M32 | M64 },
	{ "ds wrmsr", CODE(0x3E, 0x0F, 0x30), M16 | M32 | M64 },
	{ "hlt", CODE(0xF4), M16 | M32 | M64 },
	{ "vmmcall", CODE(0x0F, 0x01, 0xD9), M16 | M32 | M64 },
	{ "vmcall", CODE(0x0F, 0x01, 0xC1), M16 | M32 | M64 },
	{ "vmrun", CODE(0x0F, 0x01, 0xD8), M16 | M32 | M64 },
	{ "stgi", CODE(0x0F, 0x01, 0xDC), M16 | M32 | M64 },
	{ "clgi", CODE(0x0F, 0x01, 0xDD), M16 | M32 | M64 },
	{ "invlpga", CODE(0x0F, 0x01, 0xDF), M16 | M32 | M64 },
	{ "rdtscp", CODE(0x0F, 0x01, 0xF9), M16 | M32 | M64 },
	{ "xsetbv", CODE(0x0F, 0x01, 0xD1), M16 | M32 | M64 },
	{ "xgetbv", CODE(0x0F, 0x01, 0xD0), M16 | M32 | M64 },
	{ "monitor", CODE(0x0F, 0x01, 0xC8), M16 | M32 | M64 },
	{ "mwait", CODE(0x0F, 0x01, 0xC9), M16 | M32 | M64 },
	{ "swapgs", CODE(0x0F, 0x01, 0xF8), M64 },
	{ "invlpg [rax]", CODE(0x0F, 0x01, 0x38), M32 | M64 },
	{ "invlpg [rsp+disp8]", CODE(0x0F, 0x01, 0x7C, 0x24, 0x08), M32 | M64 },
	{ "invlpg [bp+disp16]", CODE(0x0F, 0x01, 0xBE, 0x34, 0x12), M16 },
	{ "lmsw ax", CODE(0x0F, 0x01, 0xF0), M16 | M32 | M64 },
	{ "lmsw [disp16]", CODE(0x0F, 0x01, 0x36, 0x34, 0x12), M16 },
	{ "smsw [rip+disp32]", CODE(0x0F, 0x01, 0x25, 1, 2, 3, 4), M32 | M64 },
	{ "lgdt [bx]", CODE(0x0F, 0x01, 0x17), M16 },
	{ "66 cs lgdt [disp16]", CODE(0x66, 0x2E, 0x0F, 0x01, 0x16, 0x34, 0x12), M16 },
	{ "clts", CODE(0x0F, 0x06), M16 | M32 | M64 },
	{ "invd", CODE(0x0F, 0x08), M16 | M32 | M64 },
	{ "wbinvd", CODE(0x0F, 0x09), M16 | M32 | M64 },
	{ "wbnoinvd", CODE(0xF3, 0x0F, 0x09), M16 | M32 | M64 },
	{ "rdtsc", CODE(0x0F, 0x31), M16 | M32 | M64 },
	{ "rdpmc", CODE(0x0F, 0x33), M16 | M32 | M64 },
	{ "pause", CODE(0xF3, 0x90), M16 | M32 | M64 },
	{ "mov cr0, eax", CODE(0x0F, 0x22, 0xC0), M16 | M32 | M64 },
	{ "mov rax, cr3", CODE(0x0F, 0x20, 0xD8), M16 | M32 | M64 },
	{ "mov cr8, r9", CODE(0x45, 0x0F, 0x22, 0xC1), M64 },
	{ "lock mov eax, cr0", CODE(0xF0, 0x0F, 0x20, 0xC0), M32 | M64 },
	{ "mov cr4, with mod 0", CODE(0x0F, 0x22, 0x24), M16 | M32 | M64 },
	{ "mov dr7, rax", CODE(0x0F, 0x23, 0xF8), M16 | M32 | M64 },
	{ "mov rax, dr6", CODE(0x0F, 0x21, 0xF0), M16 | M32 | M64 },
	{ "in al, imm8", CODE(0xE4, 0x80), M16 | M32 | M64 },
	{ "in eax, dx", CODE(0xED), M16 | M32 | M64 },
	{ "66 in eax, dx", CODE(0x66, 0xED), M16 | M32 | M64 },
	{ "out imm8, al", CODE(0xE6, 0x80), M16 | M32 | M64 },
	{ "out imm8, eax", CODE(0xE7, 0x80), M16 | M32 | M64 },
	{ "rep insw", CODE(0x66, 0xF3, 0x6D), M16 | M32 | M64 },
	{ "rep outsb, gs", CODE(0xF3, 0x65, 0x6E), M16 | M32 | M64 },
	{ "sgdt [rax]", CODE(0x0F, 0x01, 0x00), M32 | M64 },
	{ "lidt [rax+disp32]", CODE(0x0F, 0x01, 0x98, 1, 2, 3, 4), M32 | M64 },
	{ "ltr ax", CODE(0x0F, 0x00, 0xD8), M32 | M64 },
	{ "iret", CODE(0xCF), M16 | M32 | M64 },
	{ "iretq", CODE(0x48, 0xCF), M64 },
	{ "int 80", CODE(0xCD, 0x80), M16 | M32 | M64 },
	{ "pushf", CODE(0x9C), M16 | M32 | M64 },
	{ "rsm", CODE(0x0F, 0xAA), M16 | M32 | M64 },
	{ "call far", CODE(0x9A, 1, 2, 3, 4, 5, 6), M32 },
	{ "jmp far", CODE(0xEA, 1, 2, 3, 4), M16 },
	{ "66 jmp far", CODE(0x66, 0xEA, 1, 2, 3, 4, 5, 6), M16 },
	{ "jmp far [rsp]", CODE(0xFF, 0x2C, 0x24), M32 | M64 },
	{ "xsave [rdi]", CODE(0x48, 0x0F, 0xAE, 0x27), M64 },
	{ "rdrand rax", CODE(0x48, 0x0F, 0xC7, 0xF0), M64 },
	{ "cmpxchg16b [rdi]", CODE(0xF0, 0x48, 0x0F, 0xC7, 0x0F), M64 },
	{ "invpcid", CODE(0x66, 0x0F, 0x38, 0x82, 0x04, 0x24), M32 | M64 },
	{ "enter", CODE(0xC8, 0x10, 0x00, 0x01), M16 | M32 | M64 },
	{ "mov eax, imm32", CODE(0xB8, 1, 2, 3, 4), M32 | M64 },
	{ "mov ax, imm16", CODE(0x66, 0xB8, 1, 2), M32 | M64 },
	{ "mov rax, imm64", CODE(0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8), M64 },
	{ "mov al, [moffs64]", CODE(0xA0, 1, 2, 3, 4, 5, 6, 7, 8), M64 },
	{ "67 mov [moffs32], eax", CODE(0x67, 0xA3, 1, 2, 3, 4), M64 },
	{ "mov [moffs32], eax", CODE(0xA3, 1, 2, 3, 4), M32 },
	{ "longest", CODE(0x2E, 0x67, 0xF0, 0x48, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6, 7, 8),
	  M64 },
	{ "les", CODE(0xC4, 0x00), M16 | M32 },
	{ "bound", CODE(0x62, 0x00), M16 | M32 },
};

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (unsigned int mode = M16; mode <= M64; mode *= 2) {
			uint8_t code[15];

			if ((lengths[i].modes & mode) == 0)
				continue;
			memset(code, 0x90, sizeof(code));
			memcpy(code, lengths[i].code, lengths[i].len);
			if (insn_length(code, 15, mode) != lengths[i].len)
				fail_msg("%s in mode %u has length %u", lengths[i].name, mode,
					 insn_length(code, 15, mode));
			/* Cut off, it asks for more. */
			for (unsigned int n = 0; n < lengths[i].len; n++) {
				struct insn insn;

				assert_int_equal(insn_decode(lengths[i].code, n, mode, &insn),
						 -EFAULT);
			}
		}
}

#define NONE SEG_NONE

static const struct {
	const char *name;
	uint8_t code[16];
	size_t len;
	enum insn_mode mode;
	struct insn want; /* len, opcode, modrm, has_modrm, prefixes and rex are not compared */
} forms[] = {
	{ "mov [rax], ecx", CODE(0x89, 0x08), M64,
	  { .op = INSN_MOV, .has_mem = true, .mem_is_dest = true, .op_size = 4, .mem_size = 4,
	    .addr_size = 8, .reg = 1, .seg = SEG_DS, .base = 0, .index = -1, .scale = 1 } },
	{ "mov r9, [rbp-8]", CODE(0x4C, 0x8B, 0x4D, 0xF8), M64,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 8, .mem_size = 8, .addr_size = 8, .reg = 9,
	    .seg = SEG_SS, .base = 5, .index = -1, .scale = 1, .disp = -8 } },
	{ "mov ah, [rip+0x10]", CODE(0x8A, 0x25, 0x10, 0, 0, 0), M64,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 1, .mem_size = 1, .addr_size = 8, .reg = 4,
	    .reg_high = true, .seg = SEG_DS, .base = INSN_BASE_RIP, .index = -1, .scale = 1,
	    .disp = 0x10 } },
	{ "mov spl, [abs32]", CODE(0x40, 0x8A, 0x24, 0x25, 0x10, 0, 0, 0x80), M64,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 1, .mem_size = 1, .addr_size = 8, .reg = 4,
	    .seg = SEG_DS, .base = -1, .index = -1, .scale = 1, .disp = (int32_t)0x80000010 } },
	{ "mov fs:[r12+r13*4+1], ax", CODE(0x64, 0x66, 0x43, 0x89, 0x44, 0xAC, 0x01), M64,
	  { .op = INSN_MOV, .has_mem = true, .mem_is_dest = true, .op_size = 2, .mem_size = 2,
	    .addr_size = 8, .reg = 0, .seg = SEG_FS, .base = 12, .index = 13, .scale = 4,
	    .disp = 1 } },
	{ "mov qword [eax], -1", CODE(0x67, 0x48, 0xC7, 0x00, 0xFF, 0xFF, 0xFF, 0xFF), M64,
	  { .op = INSN_MOV, .has_mem = true, .mem_is_dest = true, .has_imm = true, .op_size = 8,
	    .mem_size = 8, .addr_size = 4, .seg = SEG_DS, .base = 0, .index = -1, .scale = 1,
	    .imm = ~0UL } },
	{ "rex before a prefix is lost", CODE(0x48, 0x66, 0x8B, 0x00), M64,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 2, .mem_size = 2, .addr_size = 8,
	    .seg = SEG_DS, .base = 0, .index = -1, .scale = 1 } },
	{ "ds override does nothing in 64-bit", CODE(0x3E, 0x8B, 0x45, 0x00), M64,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 4, .mem_size = 4, .addr_size = 8,
	    .seg = SEG_SS, .base = 5, .index = -1, .scale = 1 } },
	{ "mov es:[bp+si+2], al", CODE(0x26, 0x88, 0x42, 0x02), M16,
	  { .op = INSN_MOV, .has_mem = true, .mem_is_dest = true, .op_size = 1, .mem_size = 1,
	    .addr_size = 2, .seg = SEG_ES, .base = 5, .index = 6, .scale = 1, .disp = 2 } },
	{ "mov [0x1234], ax", CODE(0x89, 0x06, 0x34, 0x12), M16,
	  { .op = INSN_MOV, .has_mem = true, .mem_is_dest = true, .op_size = 2, .mem_size = 2,
	    .addr_size = 2, .seg = SEG_DS, .base = -1, .index = -1, .scale = 1, .disp = 0x1234 } },
	{ "67 66 mov eax, [ebp]", CODE(0x67, 0x66, 0x8B, 0x45, 0x00), M16,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 4, .mem_size = 4, .addr_size = 4,
	    .seg = SEG_SS, .base = 5, .index = -1, .scale = 1 } },
	{ "mov eax, [disp32]", CODE(0x8B, 0x05, 0x00, 0x00, 0xC0, 0xFE), M32,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 4, .mem_size = 4, .addr_size = 4,
	    .seg = SEG_DS, .base = -1, .index = -1, .scale = 1, .disp = (int32_t)0xFEC00000 } },
	{ "mov eax, [moffs]", CODE(0xA1, 0x00, 0x00, 0xC0, 0xFE), M32,
	  { .op = INSN_MOV, .has_mem = true, .op_size = 4, .mem_size = 4, .addr_size = 4,
	    .seg = SEG_DS, .base = -1, .index = -1, .scale = 1, .disp = 0xFEC00000 } },
	{ "movzx edx, byte [rsi]", CODE(0x0F, 0xB6, 0x16), M64,
	  { .op = INSN_MOVZX, .has_mem = true, .op_size = 4, .mem_size = 1, .addr_size = 8,
	    .reg = 2, .seg = SEG_DS, .base = 6, .index = -1, .scale = 1 } },
	{ "movsx rdx, word [rsi]", CODE(0x48, 0x0F, 0xBF, 0x16), M64,
	  { .op = INSN_MOVSX, .has_mem = true, .op_size = 8, .mem_size = 2, .addr_size = 8,
	    .reg = 2, .seg = SEG_DS, .base = 6, .index = -1, .scale = 1 } },
	{ "movsxd rdx, dword [rsi]", CODE(0x48, 0x63, 0x16), M64,
	  { .op = INSN_MOVSX, .has_mem = true, .op_size = 8, .mem_size = 4, .addr_size = 8,
	    .reg = 2, .seg = SEG_DS, .base = 6, .index = -1, .scale = 1 } },
	{ "lock or dword [rdi], -2", CODE(0xF0, 0x83, 0x0F, 0xFE), M64,
	  { .op = INSN_OR, .has_mem = true, .mem_is_dest = true, .has_imm = true, .op_size = 4,
	    .mem_size = 4, .addr_size = 8, .reg = 1, .seg = SEG_DS, .base = 7, .index = -1,
	    .scale = 1, .imm = 0xFFFFFFFE } },
	{ "test byte [rdi], 0x80", CODE(0xF6, 0x07, 0x80), M64,
	  { .op = INSN_TEST, .has_mem = true, .mem_is_dest = true, .has_imm = true, .op_size = 1,
	    .mem_size = 1, .addr_size = 8, .seg = SEG_DS, .base = 7, .index = -1, .scale = 1,
	    .imm = 0x80 } },
	{ "cmp eax, [rdi]", CODE(0x3B, 0x07), M64,
	  { .op = INSN_CMP, .has_mem = true, .op_size = 4, .mem_size = 4, .addr_size = 8,
	    .seg = SEG_DS, .base = 7, .index = -1, .scale = 1 } },
	{ "rep movsd", CODE(0xF3, 0xA5), M64,
	  { .op = INSN_MOVS, .has_mem = true, .op_size = 4, .mem_size = 4, .addr_size = 8,
	    .seg = SEG_DS, .base = 6, .index = -1, .scale = 1 } },
	{ "cs movsb", CODE(0x2E, 0xA4), M32,
	  { .op = INSN_MOVS, .has_mem = true, .op_size = 1, .mem_size = 1, .addr_size = 4,
	    .seg = SEG_CS, .base = 6, .index = -1, .scale = 1 } },
	{ "rep stosq", CODE(0xF3, 0x48, 0xAB), M64,
	  { .op = INSN_STOS, .has_mem = true, .mem_is_dest = true, .op_size = 8, .mem_size = 8,
	    .addr_size = 8, .seg = SEG_ES, .base = 7, .index = -1, .scale = 1 } },
	{ "gs outsb", CODE(0x65, 0x6E), M64,
	  { .op = INSN_OTHER, .has_mem = true, .op_size = 1, .mem_size = 1, .addr_size = 8,
	    .seg = SEG_GS, .base = 6, .index = -1, .scale = 1 } },
	{ "push qword [rax]", CODE(0xFF, 0x30), M64,
	  { .op = INSN_PUSH, .has_mem = true, .mem_is_dest = true, .op_size = 8, .mem_size = 8,
	    .addr_size = 8, .reg = 6, .seg = SEG_DS, .base = 0, .index = -1, .scale = 1 } },
	{ "bts qword [rax], 5", CODE(0x48, 0x0F, 0xBA, 0x28, 0x05), M64,
	  { .op = INSN_BTS, .has_mem = true, .mem_is_dest = true, .has_imm = true, .op_size = 8,
	    .mem_size = 8, .addr_size = 8, .reg = 5, .seg = SEG_DS, .base = 0, .index = -1,
	    .scale = 1, .imm = 5 } },
	{ "mov r12, cr0", CODE(0x41, 0x0F, 0x20, 0xC4), M64,
	  { .op_size = 8, .mem_size = 8, .addr_size = 8, .seg = NONE, .base = -1, .index = -1,
	    .scale = 1 } },
	{ "mov r15d, imm32", CODE(0x41, 0xBF, 0xFF, 0xFF, 0xFF, 0xFF), M64,
	  { .op = INSN_MOV, .has_imm = true, .op_size = 4, .mem_size = 4, .addr_size = 8, .reg = 15,
	    .seg = NONE, .base = -1, .index = -1, .scale = 1, .imm = 0xFFFFFFFF } },
};

#define SAME(field) assert_int_equal(got.field, want->field)

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct insn *want = &forms[i].want;
		struct insn got;

		print_message("%s\n", forms[i].name);
		assert_int_equal(insn_decode(forms[i].code, 15, forms[i].mode, &got), 0);
		assert_int_equal(got.len, forms[i].len);
		SAME(op);
		SAME(has_mem);
		SAME(mem_is_dest);
		SAME(has_imm);
		SAME(op_size);
		SAME(mem_size);
		SAME(addr_size);
		SAME(reg);
		SAME(reg_high);
		SAME(seg);
		SAME(base);
		SAME(index);
		SAME(scale);
		SAME(disp);
		SAME(imm);
	}
}

static void test_prefixes(void **state)
{
	const uint8_t code[] = { 0xF0, 0xF3, 0x4F, 0x0F, 0xB1, 0x07 };
	const uint8_t repne[] = { 0xF3, 0xF2, 0xAA };
	struct insn insn;

	(void)state;
	assert_int_equal(insn_decode(code, sizeof(code), M64, &insn), 0);
	assert_true(insn.lock && insn.rep && !insn.repne);
	assert_int_equal(insn.rex, 0x4F);
	assert_int_equal(insn.opcode, 0x0FB1);
	assert_true(insn.has_modrm);
	assert_int_equal(insn.modrm, 0x07);
	assert_int_equal(insn_decode(repne, sizeof(repne), M64, &insn), 0);
	assert_true(insn.repne && !insn.rep && !insn.has_modrm);
}

static const uint8_t none64[][4] = {
	{ 0x06 },
	{ 0x27 },
	{ 0x60 },
	{ 0x62, 0xF1 },
	{ 0x82, 0xC0 },
	{ 0x9A },
	{ 0xC4, 0xE2 },
	{ 0xC5, 0xF8 },
	{ 0xCE },
	{ 0xD4 },
	{ 0xD6 },
	{ 0xEA },
	{ 0x0F, 0x04 },
	{ 0x0F, 0x24 },
	{ 0xFE, 0xD0 },
	{ 0xFF, 0xF8 },
	{ 0x8F, 0xC8 },
	{ 0xC7, 0xC8 },
	{ 0x0F, 0xBA, 0xC0 },
	{ 0x0F, 0xA6 },
};

static void test_none(void **state)
{
	const uint8_t prefixes[16] = { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
				       0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 };
	struct insn insn;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none64); i++) {
		assert_int_equal(insn_decode(none64[i], 4, M64, &insn), -EINVAL);
		assert_int_equal(insn_length(none64[i], 4, M64), 0);
	}
	assert_int_equal(insn_decode(prefixes + 1, 15, M64, &insn), 0);
	assert_int_equal(insn.len, 15);
	assert_int_equal(insn_decode(prefixes, 16, M64, &insn), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
