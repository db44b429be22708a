/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The firmware's map is preferred because it tells apart what the loader's map calls all the same:
 * memory that boot services held is free for a guest, but tables that a kernel still reads may lie
 * in it, so the hypervisor takes nothing from there.
 */
#include "boot/boot_memory.h"

#include "boot/multiboot_info.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "mm/efi_memory.h"

/* Some firmwares end their map with a descriptor that wraps; as Linux does, it is left out. */
static int add(struct memmap *memmap, hpa_t base, uint64_t size, enum memmap_type type)
{
	return base + size < base ? 0 : memmap_add(memmap, base, size, type);
}

static int add_efi(struct memmap *memmap, const void *entry)
{
	const struct efi_memory_descriptor *d = entry;

	if (d->pages > UINT64_MAX >> PAGE_SHIFT)
		return 0;
	return add(memmap, d->physical, d->pages << PAGE_SHIFT, efi_memory_type(d));
}

static int add_mmap(struct memmap *memmap, const void *entry)
{
	const struct mb2_mmap_entry *e = entry;
	bool is_known = e->type >= MEMMAP_RAM && e->type <= MEMMAP_BAD;

	return add(memmap, e->base, e->size,
		   is_known ? (enum memmap_type)e->type : MEMMAP_RESERVED);
}

static int add_table(struct memmap *memmap, const struct boot_table *table,
		     const void *(*map)(hpa_t at, size_t size),
		     int (*add_entry)(struct memmap *memmap, const void *entry))
{
	const uint8_t *entries = map(table->base, table->size);
	uint32_t at;
	int error = entries == NULL ? -EINVAL : 0;

	for (at = 0; error == 0 && at < table->size; at += table->entry_size)
		error = add_entry(memmap, entries + at);
	return error;
}

/* Whole pages, since nobody else can have the rest of one. */
static int keep(struct memmap *memmap, hpa_t base, uint64_t size)
{
	hpa_t first = ALIGN_DOWN(base, PAGE_SIZE);

	return memmap_override(memmap, first, ALIGN_UP(base + size, PAGE_SIZE) - first,
			       MEMMAP_MODULE);
}

int boot_memory_map(const struct boot_info *info, const void *(*map)(hpa_t at, size_t size),
		    struct memmap *memmap)
{
	uint32_t i;
	int error;

	if (info->efi_mmap.base != 0)
		error = add_table(memmap, &info->efi_mmap, map, add_efi);
	else if (info->mmap.base != 0)
		error = add_table(memmap, &info->mmap, map, add_mmap);
	else
		error = -EINVAL;
	for (i = 0; error == 0 && i < info->num_modules; i++)
		error = keep(memmap, info->modules[i].base, info->modules[i].size);
	return error == 0 ? keep(memmap, info->base, info->size) : error;
}
