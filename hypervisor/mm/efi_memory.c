/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Two maps of the same memory, walked side by side: each descriptor is cut at the borders of the
 * ranges it crosses.
 */
#include "mm/efi_memory.h"

#include "lib/string.h"
#include "lib/util.h"

struct writer {
	uint8_t *to;
	uint64_t room;
	uint64_t used;
	uint32_t entry_size;
	bool is_full;
};

enum memmap_type efi_memory_type(const struct efi_memory_descriptor *descriptor)
{
	switch (descriptor->type) {
	case EFI_MEMORY_LOADER_CODE:
	case EFI_MEMORY_LOADER_DATA:
	case EFI_MEMORY_CONVENTIONAL:
		/* without write-back it is a device's or a slow window: nothing to live in */
		return (descriptor->attribute & EFI_MEMORY_ATTRIBUTE_WB) != 0 ? MEMMAP_RAM : MEMMAP_RESERVED;
	case EFI_MEMORY_BOOT_CODE:
	case EFI_MEMORY_BOOT_DATA:
		return MEMMAP_BOOT_SERVICES;
	case EFI_MEMORY_ACPI_RECLAIM:
		return MEMMAP_ACPI;
	case EFI_MEMORY_ACPI_NVS:
		return MEMMAP_NVS;
	case EFI_MEMORY_UNUSABLE:
		return MEMMAP_BAD;
	default:
		return MEMMAP_RESERVED;
	}
}

uint64_t efi_memory_filter_room(const struct efi_memory_map *from, const struct memmap *memmap)
{
	/* each range has two borders, and each border cuts at most one descriptor in two */
	return from->size + 2ull * memmap->count * from->entry_size;
}

/* Copies the descriptor, narrowed to [base, end) and with that type. */
static void write(struct writer *w, const struct efi_memory_descriptor *d, hpa_t base, hpa_t end, uint32_t type)
{
	struct efi_memory_descriptor *to = (void *)(w->to + w->used);

	if (w->room - w->used < w->entry_size) {
		w->is_full = true;
		return;
	}
	memcpy(to, d, w->entry_size);
	to->type = type;
	to->physical = base;
	to->pages = (end - base) >> PAGE_SHIFT;
	if (type == EFI_MEMORY_RESERVED)
		to->attribute &= ~EFI_MEMORY_ATTRIBUTE_RUNTIME;
	w->used += w->entry_size;
}

/* Of a descriptor of RAM: what the memory in that range has become. */
static uint32_t type_for_guest(uint32_t type, const struct memmap_range *range)
{
	if (range == NULL)
		return type;
	switch (range->type) {
	case MEMMAP_RAM:
	case MEMMAP_BOOT_SERVICES:
		return type;
	case MEMMAP_MODULE:
		return EFI_MEMORY_LOADER_DATA;
	case MEMMAP_ACPI:
		return EFI_MEMORY_ACPI_RECLAIM;
	case MEMMAP_NVS:
		return EFI_MEMORY_ACPI_NVS;
	case MEMMAP_BAD:
		return EFI_MEMORY_UNUSABLE;
	default:
		return EFI_MEMORY_RESERVED;
	}
}

static bool is_ram(uint32_t type)
{
	return (type >= EFI_MEMORY_LOADER_CODE && type <= EFI_MEMORY_BOOT_DATA) || type == EFI_MEMORY_CONVENTIONAL;
}

/* Neighbouring pieces of one type stay one: most descriptors come out as they went in. */
static void filter_one(struct writer *w, const struct efi_memory_descriptor *d, const struct memmap *memmap)
{
	hpa_t start = d->physical;
	hpa_t end = start + (d->pages << PAGE_SHIFT);
	uint32_t type = d->type;
	hpa_t at = start;

	while (is_ram(d->type) && at < end) {
		const struct memmap_range *range = memmap_find(memmap, at);
		uint32_t now = type_for_guest(d->type, range);

		if (now != type && at > start) {
			write(w, d, start, at, type);
			start = at;
		}
		type = now;
		at = range != NULL ? MIN(end, range->base + range->size) : end;
	}
	write(w, d, start, end, type);
}

uint64_t efi_memory_filter(const struct efi_memory_map *from, const struct memmap *memmap, void *to, uint64_t room)
{
	struct writer w = {.to = to, .room = room, .entry_size = from->entry_size};
	uint64_t at;

	for (at = 0; at + from->entry_size <= from->size; at += from->entry_size)
		filter_one(&w, (const void *)((const uint8_t *)from->at + at), memmap);
	return w.is_full ? 0 : w.used;
}
