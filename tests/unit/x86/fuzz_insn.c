/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes in any mode: decoding gives an instruction within the bytes or an error, says the same
 * when it sees more bytes than it needs, and execution asks only for what the decoder announced.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "lib/util.h"
#include "x86/insn_exec.h"
#include "x86/regs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

static bool memory_fails;

static int fake_read(void *ctx, gva_t addr, void *buf, unsigned int size)
{
	(void)ctx;
	memset(buf, (int)addr, size);
	return memory_fails ? -EFAULT : 0;
}

static int fake_write(void *ctx, gva_t addr, const void *buf, unsigned int size)
{
	uint8_t copy[8];

	(void)ctx;
	(void)addr;
	memcpy(copy, buf, size);
	return memory_fails ? -EFAULT : 0;
}

static bool is_size(unsigned int size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void check_insn(const struct insn *insn, unsigned int avail)
{
	CHECK(insn->len >= 1 && insn->len <= avail);
	CHECK(is_size(insn->op_size) && is_size(insn->mem_size));
	CHECK(is_size(insn->addr_size) && insn->addr_size > 1);
	CHECK(is_size(insn->scale));
	CHECK(insn->reg < 16 && insn->base <= INSN_BASE_RIP && insn->index < 16);
	CHECK(insn->base >= -1 && insn->index >= -1 && insn->index != REG_RSP);
	CHECK(!insn->has_mem || insn->seg <= SEG_GS);
	CHECK(!insn->reg_high || (insn->reg >= 4 && insn->reg < 8));
}

static void execute(const struct insn *insn, enum insn_mode mode, const uint8_t *data, size_t size)
{
	uint64_t gpr[16];
	struct insn_cpu cpu = { .gpr = gpr, .rip = 0x1000, .mode = mode, .read = fake_read,
				.write = fake_write };
	struct insn_exec x;
	int more, accesses = 0;

	for (unsigned int i = 0; i < 16; i++)
		gpr[i] = size == 0 ? i : data[i % size] * 0x0123456789ABCDEFUL;
	cpu.rflags = gpr[0];
	more = insn_exec_start(&x, insn, &cpu, gpr[1] & 1 ? ~0UL : gpr[REG_RDI]);
	while (more == 1) {
		CHECK(++accesses <= 2);
		CHECK(is_size(x.access.size) && x.access.size == insn->mem_size);
		CHECK(x.access.size == 8 || x.access.value >> (8 * x.access.size) == 0);
		more = insn_exec_next(&x, &cpu, gpr[2]);
	}
	CHECK(more == 0 || more == -EINVAL || more == -EFAULT);
	CHECK(more != 0 || insn->has_mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum insn_mode modes[] = { INSN_MODE_64, INSN_MODE_32, INSN_MODE_16,
						INSN_MODE_64 };
	enum insn_mode mode;
	unsigned int avail;
	struct insn insn, again;
	uint8_t *code;

	if (size < 2)
		return 0;
	mode = modes[data[0] % 4];
	memory_fails = (data[0] & 4) != 0;
	avail = (unsigned int)MIN(size - 1, INSN_MAX_LEN);
	code = malloc(avail); /* exactly, so that a read beyond is caught */
	memcpy(code, data + 1, avail);
	if (insn_decode(code, avail, mode, &insn) == 0) {
		check_insn(&insn, avail);
		CHECK(insn_length(code, insn.len, mode) == insn.len);
		CHECK(insn_decode(code, insn.len - 1U, mode, &again) == -EFAULT);
		execute(&insn, mode, data, size);
	}
	free(code);
	return 0;
}
