/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * For more alignment than the firmware's 4 KiB a larger block is taken and its ends are returned.
 */
#include "pages.h"

#include "lib/util.h"

#define MAX_BLOCKS 16

static struct {
	EFI_PHYSICAL_ADDRESS base;
	UINTN pages;
} blocks[MAX_BLOCKS];
static unsigned int num_blocks;

static void give_back(EFI_BOOT_SERVICES *bs, UINT64 base, UINT64 end)
{
	if (end > base)
		bs->FreePages(base, (end - base) / PAGE_SIZE);
}

void *pages_take(EFI_BOOT_SERVICES *bs, struct pages_request request)
{
	UINT64 size = ALIGN_UP(request.size, PAGE_SIZE);
	UINT64 whole = size + request.align - PAGE_SIZE;
	EFI_PHYSICAL_ADDRESS got = request.limit - 1;
	UINT64 base;

	if (num_blocks == MAX_BLOCKS || size == 0 || whole >= request.limit)
		return NULL;
	if (EFI_ERROR(bs->AllocatePages(AllocateMaxAddress, request.type, whole / PAGE_SIZE, &got)))
		return NULL;
	base = ALIGN_UP((UINT64)got, request.align);
	give_back(bs, got, base);
	give_back(bs, base + size, got + whole);
	blocks[num_blocks].base = base;
	blocks[num_blocks++].pages = size / PAGE_SIZE;
	return (void *)base;
}

void pages_give_back_all(EFI_BOOT_SERVICES *bs)
{
	while (num_blocks > 0) {
		num_blocks--;
		bs->FreePages(blocks[num_blocks].base, blocks[num_blocks].pages);
	}
}
