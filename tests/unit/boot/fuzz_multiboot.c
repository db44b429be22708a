/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as boot information: read inside the block only, and what comes out is inside it too. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot_memory.h"
#include "boot/multiboot.h"

#define BLOCK_AT 0x10000UL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *block;
static size_t length;

static const void *map_block(hpa_t at, size_t size)
{
	if (at < BLOCK_AT || at - BLOCK_AT > length || size > length - (at - BLOCK_AT))
		return NULL;
	return block + (at - BLOCK_AT);
}

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info info;
	static struct memmap memmap;
	const char *error = NULL;
	uint8_t *copy;

	if (size < 8)
		return 0;
	/* a heap block of its own: aligned, and ASan knows its end */
	copy = malloc(size);
	memcpy(copy, data, size);
	((uint32_t *)(void *)copy)[0] = (uint32_t)size;
	block = copy;
	length = size;
	if (multiboot_parse(BLOCK_AT, map_block, &info, &error) != 0) {
		require(error != NULL);
		free(copy);
		return 0;
	}
	require(info.num_modules <= BOOT_MAX_MODULES);
	require(info.mmap.base == 0 || map_block(info.mmap.base, info.mmap.size) != NULL);
	require(info.efi_mmap.base == 0 || map_block(info.efi_mmap.base, info.efi_mmap.size) != NULL);
	require(info.rsdp == 0 || map_block(info.rsdp, 20) != NULL);
	memset(&memmap, 0, sizeof(memmap));
	(void)boot_memory_map(&info, map_block, &memmap);
	for (uint32_t i = 1; i < memmap.count; i++)
		require(memmap.ranges[i - 1].base + memmap.ranges[i - 1].size <= memmap.ranges[i].base);
	free(copy);
	return 0;
}
