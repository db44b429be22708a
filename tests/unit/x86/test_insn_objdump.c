/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lengths of real code as objdump sees it: the C library in 64-bit mode, and the decoder itself
 * compiled for 32-bit and 16-bit mode. An instruction we refuse must be one of those we say we do
 * not know; a length we give must be objdump's. With an argument, also that file, 64-bit code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "x86/insn.h"
#include "unit.h"

struct tally {
	unsigned long same, refused;
};

/* Bytes of a line "  addr:<tab>01 02 03 <tab>mnemonic operands"; NULL when it is no such line. */
static char *parse_line(char *line, uint8_t *code, unsigned int *len)
{
	char *p = strchr(line, ':'), *end;

	if (p == NULL || p[1] != '\t')
		return NULL;
	*len = 0;
	for (p += 2; *len < INSN_MAX_LEN + 1; p = end) {
		unsigned long byte = strtoul(p, &end, 16);

		if (end != p + 2)
			break;
		code[(*len)++] = (uint8_t)byte;
		if (*end == ' ')
			end++;
	}
	p = strchr(p, '\t');
	return p == NULL ? NULL : p + 1;
}

/* What objdump prints as one line though it is not one instruction, or none. */
static bool is_peculiar(const char *text, const uint8_t *code, unsigned int len)
{
	static const char *const words[] = { "(bad)", "rex", "data16", "addr32", "lock\n",
					     "repz\n", "repnz\n", "cs\n", "ds\n", "es\n",
					     "ss\n", "fs\n", "gs\n", ".byte" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i]) != NULL && len < 4)
			return true;
	return strstr(text, "(bad)") != NULL || (code[0] == 0x9B && len > 1);
}

/* True for encodings with VEX, EVEX and XOP, which the decoder refuses. */
static bool is_vector(const uint8_t *code, unsigned int len)
{
	unsigned int i = 0;

	while (i < len && (code[i] == 0x66 || code[i] == 0x67 || code[i] == 0x2E ||
			   code[i] == 0x3E || code[i] == 0x64 || code[i] == 0x65))
		i++;
	return i < len && (code[i] == 0xC4 || code[i] == 0xC5 || code[i] == 0x62 || code[i] == 0x8F);
}

static struct tally compare(const char *command, enum insn_mode mode)
{
	struct tally t = { 0, 0 };
	char line[512];
	FILE *f = popen(command, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		uint8_t code[INSN_MAX_LEN + 1];
		unsigned int len, ours;
		const char *text = parse_line(line, code, &len);

		if (text == NULL || len == 0 || len > INSN_MAX_LEN || is_peculiar(text, code, len))
			continue;
		ours = insn_length(code, len, mode);
		if (ours == 0 && is_vector(code, len))
			t.refused++;
		else if (ours == len)
			t.same++;
		else
			fail_msg("length %u, objdump says %u: %s", ours, len, line);
	}
	assert_int_equal(pclose(f), 0);
	print_message("%lu lengths agree, %lu vector instructions refused\n", t.same, t.refused);
	return t;
}

static void test_libc(void **state)
{
	struct tally t = compare("set -e; "
				 "objdump -d -w $(ldconfig -p | sed -n 's/.*libc.so.6.*x86-64.*=> "
				 "//p' | head -n 1)",
				 INSN_MODE_64);

	(void)state;
	assert_true(t.same > 80000 && t.refused > 1000);
}

/* Compiles the decoder for another mode, in a directory of its own, and compares. */
static void compare_compiled(const char *cc_flag, const char *objdump_flag, enum insn_mode mode)
{
	char dir[] = "/tmp/insn-XXXXXX", command[1024];
	struct tally t;

	assert_non_null(mkdtemp(dir));
	snprintf(command, sizeof(command),
		 "cc %s -ffreestanding -fno-pic -O2 -Ihypervisor -I../../hypervisor -c -o %s/x.o "
		 "\"$(ls hypervisor/x86/insn.c ../../hypervisor/x86/insn.c 2>/dev/null | head -n 1)\" "
		 "&& objdump -d -w -M %s %s/x.o; r=$?; rm -r %s; exit $r",
		 cc_flag, dir, objdump_flag, dir, dir);
	t = compare(command, mode);
	assert_true(t.same > 300);
	assert_int_equal(t.refused, 0);
}

static void test_32_bit(void **state)
{
	(void)state;
	compare_compiled("-m32", "i386", INSN_MODE_32);
}

static void test_16_bit(void **state)
{
	(void)state;
	compare_compiled("-m16", "i8086", INSN_MODE_16);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libc),
		cmocka_unit_test(test_32_bit),
		cmocka_unit_test(test_16_bit),
	};

	if (argc > 1) {
		char command[1024];

		snprintf(command, sizeof(command), "objdump -d -w %s", argv[1]);
		compare(command, INSN_MODE_64);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
