/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The firmware's memory, in whole pages below 4 GiB. Everything taken is remembered, so that a stub
 * that fails gives all of it back to the firmware with one call.
 */
#pragma once

#include <efi.h>

/* Types: EfiLoaderData for data, EfiLoaderCode for what will run. */
struct pages_request {
	EFI_MEMORY_TYPE type;
	UINT64 size;
	UINT64 align; /* a power of two, 4096 at least */
	UINT64 limit; /* the last byte lies below it */
};

/* As high as possible. NULL when there is no such block. */
void *pages_take(EFI_BOOT_SERVICES *bs, struct pages_request request);

void pages_give_back_all(EFI_BOOT_SERVICES *bs);
