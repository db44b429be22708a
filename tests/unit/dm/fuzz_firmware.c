/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input is the guest at the registers of fw_cfg and of the flash chip, or a kernel for -E. Nothing may be touched
 * outside of guest memory, of the items and of the chip; the sanitizers see to that.
 */
#include <stdlib.h>
#include <string.h>

#include "dev/pflash.h"
#include "firmware/fw_cfg.h"
#include "loader/elf.h"
#include "memory.h"

#define MEMORY	(64u << 10)
#define CHIP	(4u * PFLASH_BLOCK)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t take(const uint8_t **data, size_t *size, size_t len)
{
	uint64_t v = 0;

	if (len > *size)
		len = *size;
	memcpy(&v, *data, len);
	*data += len;
	*size -= len;
	return v;
}

static void fw_cfg(const uint8_t *data, size_t size)
{
	if (memory_init(MEMORY, false) != 0 || fw_cfg_add(FW_CFG_SIGNATURE, "QEMU", 4) != 0 ||
	    fw_cfg_add_file("etc/file", "some bytes", 10) != 0 || fw_cfg_finish() != 0)
		abort();
	while (size) {
		uint8_t op = (uint8_t)take(&data, &size, 1);
		uint64_t at = take(&data, &size, 2);

		if (op & 1)
			fw_cfg_select((uint16_t)(at & 0x3f));
		if (op & 2)
			fw_cfg_read_byte();
		if (op & 4) {
			uint64_t command[2] = { take(&data, &size, 8), take(&data, &size, 8) };

			mem_write(at, command, sizeof(command));
			fw_cfg_dma(op & 8 ? ~at : at);
		}
	}
	fw_cfg_exit();
	memory_exit();
}

static void flash(const uint8_t *data, size_t size)
{
	struct pflash p = { .data = malloc(CHIP), .size = CHIP };

	if (!p.data)
		abort();
	memset(p.data, 0xff, CHIP);
	pflash_reset(&p);
	while (size) {
		uint32_t off = (uint32_t)take(&data, &size, 2) % CHIP;
		unsigned int len = 1u << (take(&data, &size, 1) & 3);

		pflash_byte(&p, off);
		pflash_write(&p, off, len, take(&data, &size, len));
		if (p.dirty_to > CHIP || p.left > 256)
			abort();
	}
	free(p.data);
}

static void elf(const uint8_t *data, size_t size)
{
	struct elf_plan plan;

	if (elf_plan(data, size, size, 1u << 27, &plan) != NULL)
		return;
	for (unsigned int i = 0; i < plan.count; i++) {
		const struct elf_segment *s = &plan.segment[i];

		if (s->offset + s->file_size > size || s->file_size > s->size || s->gpa + s->size > 1u << 27)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (*data % 3) {
	case 0:
		fw_cfg(data + 1, size - 1);
		break;
	case 1:
		flash(data + 1, size - 1);
		break;
	default:
		elf(data + 1, size - 1);
		break;
	}
	return 0;
}
