/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Reads the Multiboot2 block that GRUB or our EFI stub hands over. The block is somebody else's
 * work: every tag is held against the size of the block before it is read.
 */
#pragma once

#include "boot/boot_info.h"

/*
 * Fills *info from the block at physical address `at`. `map` returns where a physical range can be
 * read, or NULL; it is called for the block only. On error (-EINVAL a malformed block, -E2BIG more
 * or longer things than we hold) *error is a sentence.
 */
int multiboot_parse(hpa_t at, const void *(*map)(hpa_t at, size_t size), struct boot_info *info,
		    const char **error);
