/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * From the loader's information to the map of physical memory.
 */
#pragma once

#include "boot/boot_info.h"
#include "mm/memmap.h"

/*
 * Fills the empty *memmap: from the firmware's own map if there is one, else from the loader's;
 * then the modules and the loader's block over it as MEMMAP_MODULE. -EINVAL when there is no map,
 * -ENOSPC when it has too many ranges. `map` as for multiboot_parse.
 */
int boot_memory_map(const struct boot_info *info, const void *(*map)(hpa_t at, size_t size),
		    struct memmap *memmap);
