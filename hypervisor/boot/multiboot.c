/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * One small reader for each kind of tag, found in a table with the least size of its tag. Unknown
 * tags are skipped; of a tag that may stand only once the last one counts.
 */
#include "boot/multiboot.h"

#include "boot/multiboot_info.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"
#include "mm/efi_memory.h"

#define MAX_INFO_SIZE (1u << 20)
#define RSDP_OLD_SIZE 20
#define RSDP_NEW_SIZE 36

struct reader {
	struct boot_info *info;
	const struct mb2_tag *tag;
	hpa_t at; /* of the tag */
	const char **error;
};

static int fail(struct reader *r, int error, const char *sentence)
{
	*r->error = sentence;
	return error;
}

/* The text of a tag that starts `offset` bytes into it, if it ends with a NUL inside the tag. */
static const char *text_of(const struct reader *r, uint32_t offset)
{
	const char *text = (const char *)r->tag + offset;

	return strnlen(text, r->tag->size - offset) < r->tag->size - offset ? text : NULL;
}

static int read_text(struct reader *r, char *to, size_t size, const char *too_long)
{
	const char *text = text_of(r, sizeof(struct mb2_tag_string));

	if (text == NULL)
		return fail(r, -EINVAL, "a text of the boot loader does not end");
	if (strlen(text) >= size)
		return fail(r, -E2BIG, too_long);
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int read_cmdline(struct reader *r)
{
	return read_text(r, r->info->cmdline, sizeof(r->info->cmdline),
			 "the hypervisor's command line is longer than 511 bytes");
}

static int read_loader(struct reader *r)
{
	return read_text(r, r->info->loader, sizeof(r->info->loader),
			 "the boot loader's name is longer than 63 bytes");
}

/* The first word, cut to what fits: the names that we know are short. */
static void copy_name(char *to, const char *text)
{
	size_t i;

	for (i = 0; i + 1 < BOOT_NAME_SIZE && text[i] != '\0' && text[i] != ' '; i++)
		to[i] = text[i];
	to[i] = '\0';
}

static int read_module(struct reader *r)
{
	const struct mb2_tag_module *tag = (const void *)r->tag;
	const char *text = text_of(r, sizeof(*tag));
	struct boot_module *module = &r->info->modules[r->info->num_modules];

	if (text == NULL)
		return fail(r, -EINVAL, "the name of a boot module does not end");
	if (tag->end < tag->start)
		return fail(r, -EINVAL, "a boot module ends before it starts");
	if (r->info->num_modules == BOOT_MAX_MODULES)
		return fail(r, -E2BIG, "there are more than 8 boot modules");
	module->base = tag->start;
	module->size = tag->end - tag->start;
	copy_name(module->name, text);
	r->info->num_modules++;
	return 0;
}

static int read_table(struct reader *r, struct boot_table *table, uint32_t header,
		      uint32_t entry_size, uint32_t least)
{
	if (entry_size < least || entry_size % 8 != 0)
		return fail(r, -EINVAL, "the memory map has entries of an impossible size");
	table->base = r->at + header;
	table->entry_size = entry_size;
	table->size = (r->tag->size - header) / entry_size * entry_size;
	return 0;
}

static int read_mmap(struct reader *r)
{
	const struct mb2_tag_mmap *tag = (const void *)r->tag;

	return read_table(r, &r->info->mmap, sizeof(*tag), tag->entry_size,
			  sizeof(struct mb2_mmap_entry));
}

static int read_efi_mmap(struct reader *r)
{
	const struct mb2_tag_efi_mmap *tag = (const void *)r->tag;

	r->info->efi_mmap_version = tag->descriptor_version;
	return read_table(r, &r->info->efi_mmap, sizeof(*tag), tag->descriptor_size,
			  sizeof(struct efi_memory_descriptor));
}

static int read_efi_systab(struct reader *r)
{
	const struct mb2_tag_efi64_systab *tag = (const void *)r->tag;

	r->info->efi_systab = tag->pointer;
	return 0;
}

static int read_rsdp(struct reader *r)
{
	r->info->rsdp = r->at + sizeof(struct mb2_tag);
	return 0;
}

/* The old structure counts only where there is no new one, whatever their order. */
static int read_rsdp_old(struct reader *r)
{
	if (r->info->rsdp == 0)
		r->info->rsdp = r->at + sizeof(struct mb2_tag);
	return 0;
}

static bool is_usable(const struct mb2_tag_framebuffer *tag)
{
	if (tag->type == MB2_FRAMEBUFFER_TEXT)
		return true;
	/* Without the padding at the struct's end: GRUB's tag has 38 bytes. */
	return tag->type == MB2_FRAMEBUFFER_RGB &&
	       tag->tag.size > offsetof(struct mb2_tag_framebuffer, blue_size) &&
	       tag->pitch >= (uint64_t)tag->width * tag->bpp / 8;
}

static int read_framebuffer(struct reader *r)
{
	const struct mb2_tag_framebuffer *tag = (const void *)r->tag;
	struct boot_framebuffer *fb = &r->info->framebuffer;

	if (!is_usable(tag))
		return 0;
	*fb = (struct boot_framebuffer){
		.base = tag->base,
		.pitch = tag->pitch,
		.width = tag->width,
		.height = tag->height,
		.bpp = tag->bpp,
		.is_text = tag->type == MB2_FRAMEBUFFER_TEXT,
	};
	if (fb->is_text)
		return 0;
	fb->red_position = tag->red_position;
	fb->red_size = tag->red_size;
	fb->green_position = tag->green_position;
	fb->green_size = tag->green_size;
	fb->blue_position = tag->blue_position;
	fb->blue_size = tag->blue_size;
	return 0;
}

static const struct {
	uint32_t least_size;
	int (*read)(struct reader *r);
} readers[] = {
	[MB2_TAG_CMDLINE] = {sizeof(struct mb2_tag_string), read_cmdline},
	[MB2_TAG_LOADER_NAME] = {sizeof(struct mb2_tag_string), read_loader},
	[MB2_TAG_MODULE] = {sizeof(struct mb2_tag_module), read_module},
	[MB2_TAG_MMAP] = {sizeof(struct mb2_tag_mmap), read_mmap},
	[MB2_TAG_FRAMEBUFFER] = {offsetof(struct mb2_tag_framebuffer, red_position),
				 read_framebuffer},
	[MB2_TAG_EFI64_SYSTAB] = {sizeof(struct mb2_tag_efi64_systab), read_efi_systab},
	[MB2_TAG_RSDP_OLD] = {sizeof(struct mb2_tag) + RSDP_OLD_SIZE, read_rsdp_old},
	[MB2_TAG_RSDP_NEW] = {sizeof(struct mb2_tag) + RSDP_NEW_SIZE, read_rsdp},
	[MB2_TAG_EFI_MMAP] = {sizeof(struct mb2_tag_efi_mmap), read_efi_mmap},
};

static int read_tag(struct reader *r)
{
	uint32_t type = r->tag->type;

	if (type >= ARRAY_SIZE(readers) || readers[type].read == NULL)
		return 0;
	if (r->tag->size < readers[type].least_size)
		return fail(r, -EINVAL, "a tag of the boot information is too short");
	return readers[type].read(r);
}

/* The block lies at `block` (size checked); its first tag follows the header. */
static int read_tags(struct reader *r, const uint8_t *block, uint32_t size)
{
	uint32_t at = sizeof(struct mb2_info);
	int error = 0;

	while (error == 0) {
		if (size - at < sizeof(struct mb2_tag))
			return fail(r, -EINVAL, "the boot information has no end tag");
		r->tag = (const void *)(block + at);
		r->at = r->info->base + at;
		if (r->tag->type == MB2_TAG_END)
			return 0;
		if (r->tag->size < sizeof(struct mb2_tag) || r->tag->size > size - at)
			return fail(r, -EINVAL, "a tag of the boot information is too long");
		error = read_tag(r);
		/* the size is at most 1 MiB: no overflow, but the padding may leave the block */
		at = MIN(size, at + ALIGN_UP(r->tag->size, MB2_TAG_ALIGN));
	}
	return error;
}

int multiboot_parse(hpa_t at, const void *(*map)(hpa_t at, size_t size), struct boot_info *info,
		    const char **error)
{
	struct reader r = {.info = info, .error = error};
	const struct mb2_info *header = NULL;
	const void *block;
	uint32_t size;

	memset(info, 0, sizeof(*info));
	if (at != 0 && at % MB2_TAG_ALIGN == 0)
		header = map(at, sizeof(*header));
	if (header == NULL)
		return fail(&r, -EINVAL, "the boot information cannot be read");
	size = header->total_size;
	if (size < sizeof(*header) || size > MAX_INFO_SIZE)
		return fail(&r, -EINVAL, "the boot information has an impossible size");
	block = map(at, size);
	if (block == NULL)
		return fail(&r, -EINVAL, "the boot information cannot be read");
	info->base = at;
	info->size = size;
	return read_tags(&r, block, size);
}

const struct boot_module *boot_info_module(const struct boot_info *info, const char *name)
{
	uint32_t i;

	for (i = 0; i < info->num_modules; i++) {
		if (strcmp(info->modules[i].name, name) == 0)
			return &info->modules[i];
	}
	return NULL;
}
