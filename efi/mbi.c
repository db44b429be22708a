/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Tags are appended one behind the other; the size in the header is set at the end.
 */
#include "mbi.h"

#include "lib/string.h"
#include "lib/util.h"
#include "mm/efi_memory.h"

#define RSDP_NEW_SIZE 36

void mbi_start(struct mbi *mbi, void *buffer, uint32_t size)
{
	*mbi = (struct mbi){.at = buffer, .size = size, .used = sizeof(struct mb2_info)};
	memset(buffer, 0, size);
}

/* The next tag, zeroed, with its header; NULL when it does not fit (with an end tag behind it). */
static void *add_tag(struct mbi *mbi, enum mb2_tag_type type, uint64_t size)
{
	struct mb2_tag *tag = (void *)(mbi->at + mbi->used);

	if (mbi->is_full || size > mbi->size - mbi->used - sizeof(struct mb2_tag) - MB2_TAG_ALIGN) {
		mbi->is_full = true;
		return NULL;
	}
	tag->type = type;
	tag->size = (uint32_t)size;
	mbi->used += ALIGN_UP((uint32_t)size, MB2_TAG_ALIGN);
	return tag;
}

void mbi_add_text(struct mbi *mbi, enum mb2_tag_type type, const char *text)
{
	struct mb2_tag_string *tag = add_tag(mbi, type, sizeof(*tag) + strlen(text) + 1);

	if (tag != NULL)
		memcpy(tag->text, text, strlen(text) + 1);
}

void mbi_add_module(struct mbi *mbi, uint64_t base, uint64_t size, const char *name)
{
	struct mb2_tag_module *tag = add_tag(mbi, MB2_TAG_MODULE, sizeof(*tag) + strlen(name) + 1);

	if (tag == NULL)
		return;
	tag->start = (uint32_t)base;
	tag->end = (uint32_t)(base + size);
	memcpy(tag->text, name, strlen(name) + 1);
}

void mbi_add_rsdp(struct mbi *mbi, const void *rsdp, uint32_t length)
{
	enum mb2_tag_type type = length >= RSDP_NEW_SIZE ? MB2_TAG_RSDP_NEW : MB2_TAG_RSDP_OLD;
	struct mb2_tag *tag = add_tag(mbi, type, sizeof(*tag) + length);

	if (tag != NULL)
		memcpy(tag + 1, rsdp, length);
}

void mbi_add_framebuffer(struct mbi *mbi, const struct boot_framebuffer *fb)
{
	struct mb2_tag_framebuffer *tag = add_tag(mbi, MB2_TAG_FRAMEBUFFER, sizeof(*tag));

	if (tag == NULL)
		return;
	tag->base = fb->base;
	tag->pitch = fb->pitch;
	tag->width = fb->width;
	tag->height = fb->height;
	tag->bpp = fb->bpp;
	tag->type = MB2_FRAMEBUFFER_RGB;
	tag->red_position = fb->red_position;
	tag->red_size = fb->red_size;
	tag->green_position = fb->green_position;
	tag->green_size = fb->green_size;
	tag->blue_position = fb->blue_position;
	tag->blue_size = fb->blue_size;
}

void mbi_add_efi_systab(struct mbi *mbi, uint64_t systab)
{
	struct mb2_tag_efi64_systab *tag = add_tag(mbi, MB2_TAG_EFI64_SYSTAB, sizeof(*tag));

	if (tag != NULL)
		tag->pointer = systab;
}

static uint32_t e820_type(const struct efi_memory_descriptor *d)
{
	switch (d->type) {
	case EFI_MEMORY_LOADER_CODE:
	case EFI_MEMORY_LOADER_DATA:
	case EFI_MEMORY_BOOT_CODE:
	case EFI_MEMORY_BOOT_DATA:
	case EFI_MEMORY_CONVENTIONAL:
		return (d->attribute & EFI_MEMORY_ATTRIBUTE_WB) != 0 ? 1 : 2;
	case EFI_MEMORY_ACPI_RECLAIM:
		return 3;
	case EFI_MEMORY_ACPI_NVS:
		return 4;
	case EFI_MEMORY_UNUSABLE:
		return 5;
	default:
		return 2;
	}
}

static const struct efi_memory_descriptor *descriptor(const struct mbi_efi_map *map, uint64_t at)
{
	return (const void *)(map->at + at);
}

/* One entry a descriptor, neighbours of one type joined as far as they follow each other. */
static void add_e820_map(struct mbi *mbi, const struct mbi_efi_map *map)
{
	uint64_t most = map->size / map->descriptor_size;
	struct mb2_tag_mmap *tag =
		add_tag(mbi, MB2_TAG_MMAP, sizeof(*tag) + most * sizeof(struct mb2_mmap_entry));
	struct mb2_mmap_entry *entry;
	uint32_t count = 0;
	uint64_t at;

	if (tag == NULL)
		return;
	entry = (void *)(tag + 1);
	for (at = 0; at + map->descriptor_size <= map->size; at += map->descriptor_size) {
		const struct efi_memory_descriptor *d = descriptor(map, at);
		uint64_t size = d->pages * PAGE_SIZE;

		if (count > 0 && entry[count - 1].type == e820_type(d) &&
		    entry[count - 1].base + entry[count - 1].size == d->physical) {
			entry[count - 1].size += size;
			continue;
		}
		entry[count++] = (struct mb2_mmap_entry){d->physical, size, e820_type(d), 0};
	}
	tag->entry_size = sizeof(*entry);
	/* give back what the joining saved */
	mbi->used -= (uint32_t)(most - count) * (uint32_t)sizeof(*entry);
	tag->tag.size -= (uint32_t)(most - count) * (uint32_t)sizeof(*entry);
}

void mbi_add_efi_map(struct mbi *mbi, const struct mbi_efi_map *map)
{
	struct mb2_tag_efi_mmap *tag;

	add_e820_map(mbi, map);
	tag = add_tag(mbi, MB2_TAG_EFI_MMAP, sizeof(*tag) + map->size);
	if (tag == NULL)
		return;
	tag->descriptor_size = (uint32_t)map->descriptor_size;
	tag->descriptor_version = map->descriptor_version;
	memcpy(tag + 1, map->at, map->size);
}

uint64_t mbi_efi_map_room(uint64_t size, uint64_t descriptor_size)
{
	return sizeof(struct mb2_tag_mmap) +
	       size / descriptor_size * sizeof(struct mb2_mmap_entry) +
	       sizeof(struct mb2_tag_efi_mmap) + ALIGN_UP(size, (uint64_t)MB2_TAG_ALIGN);
}

bool mbi_finish(struct mbi *mbi)
{
	struct mb2_info *info = (void *)mbi->at;
	struct mb2_tag *end = (void *)(mbi->at + mbi->used);

	/* add_tag keeps room for it */
	end->type = MB2_TAG_END;
	end->size = sizeof(*end);
	info->total_size = mbi->used + (uint32_t)sizeof(*end);
	return !mbi->is_full;
}

static uint64_t sum(const struct mbi_efi_map *map, bool with_boot_services)
{
	uint64_t bytes = 0;
	uint64_t at;

	for (at = 0; at + map->descriptor_size <= map->size; at += map->descriptor_size) {
		const struct efi_memory_descriptor *d = descriptor(map, at);
		bool is_held = d->type == EFI_MEMORY_BOOT_CODE || d->type == EFI_MEMORY_BOOT_DATA ||
			       d->type == EFI_MEMORY_LOADER_CODE ||
			       d->type == EFI_MEMORY_LOADER_DATA;

		if (e820_type(d) == 1 && (with_boot_services || !is_held))
			bytes += d->pages * PAGE_SIZE;
	}
	return bytes;
}

uint64_t mbi_efi_map_free(const struct mbi_efi_map *map)
{
	return sum(map, false);
}

uint64_t mbi_efi_map_ram(const struct mbi_efi_map *map)
{
	return sum(map, true);
}
