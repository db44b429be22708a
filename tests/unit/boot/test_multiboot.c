/* SPDX-License-Identifier: BSD-3-Clause */
/* boot/multiboot.c: blocks as GRUB writes them, and blocks that nobody should. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot_memory.h"
#include "boot/multiboot.h"
#include "boot/multiboot_info.h"
#include "lib/errno.h"
#include "mm/efi_memory.h"
#include "unit.h"

#define BLOCK_AT 0x9000UL

static uint8_t *block; /* exactly as long as its header says, so that ASan sees one byte more */
static uint32_t length;
static struct boot_info info;
static const char *error;

static const void *map_block(hpa_t at, size_t size)
{
	if (at < BLOCK_AT || at - BLOCK_AT > length || size > length - (at - BLOCK_AT))
		return NULL;
	return block + (at - BLOCK_AT);
}

static int start(void **state)
{
	(void)state;
	length = sizeof(struct mb2_info);
	block = calloc(1, length);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(block);
	return 0;
}

/* Appends a tag of `size` bytes in all, its body filled from `body` of `body_size` bytes. */
static struct mb2_tag *tag(uint32_t type, const void *body, uint32_t body_size)
{
	uint32_t size = (uint32_t)sizeof(struct mb2_tag) + body_size;
	uint32_t at = length;
	struct mb2_tag *t;

	length += (size + 7) & ~7U;
	block = realloc(block, length);
	memset(block + at, 0, length - at);
	t = (void *)(block + at);
	t->type = type;
	t->size = size;
	if (body_size > 0)
		memcpy(t + 1, body, body_size);
	return t;
}

static int parse(void)
{
	((struct mb2_info *)(void *)block)->total_size = length;
	error = NULL;
	return multiboot_parse(BLOCK_AT, map_block, &info, &error);
}

static int finish(void)
{
	tag(MB2_TAG_END, NULL, 0);
	return parse();
}

static void module(uint32_t from, uint32_t to, const char *text)
{
	uint8_t body[64] = {0};

	memcpy(body, &from, 4);
	memcpy(body + 4, &to, 4);
	memcpy(body + 8, text, strlen(text) + 1);
	tag(MB2_TAG_MODULE, body, 8 + (uint32_t)strlen(text) + 1);
}

static void test_what_grub_says_is_understood(void **state)
{
	struct mb2_mmap_entry entries[] = {{0, 0x9fc00, 1, 0}, {0x100000, 0x7ff00000, 1, 0}};
	uint8_t mmap[8 + sizeof(entries)] = {24};
	uint32_t fb[8] = {0xb8000, 0, 160, 80, 25, 16 | 2 << 8};

	(void)state;
	tag(MB2_TAG_CMDLINE, "panic=halt", 11);
	tag(MB2_TAG_LOADER_NAME, "GRUB 2.06", 10);
	tag(21, "xxxx", 4); /* load base address: not ours to know */
	module(0x10000, 0x10100, "acrn.conf");
	module(0x200000, 0xa00000, "kernel and more words");
	memcpy(mmap + 8, entries, sizeof(entries));
	tag(MB2_TAG_MMAP, mmap, sizeof(mmap));
	tag(MB2_TAG_FRAMEBUFFER, fb, 24);
	tag(MB2_TAG_RSDP_OLD, "RSD PTR            ", 20);
	assert_int_equal(finish(), 0);
	assert_string_equal(info.cmdline, "panic=halt");
	assert_string_equal(info.loader, "GRUB 2.06");
	assert_int_equal(info.num_modules, 2);
	assert_int_equal(boot_info_module(&info, "acrn.conf")->size, 0x100);
	assert_int_equal(boot_info_module(&info, "kernel")->base, 0x200000);
	assert_null(boot_info_module(&info, "initrd"));
	assert_int_equal(info.mmap.size, 48);
	assert_int_equal(info.mmap.entry_size, 24);
	assert_memory_equal(map_block(info.mmap.base, 48), entries, 48);
	assert_memory_equal(map_block(info.rsdp, 8), "RSD PTR ", 8);
	assert_true(info.framebuffer.is_text);
	assert_int_equal(info.framebuffer.width, 80);
	assert_int_equal(info.efi_systab, 0);
}

static void test_a_new_rsdp_wins_over_an_old_one(void **state)
{
	char rsdp[36] = "RSD PTR ";

	(void)state;
	tag(MB2_TAG_RSDP_NEW, rsdp, 36);
	tag(MB2_TAG_RSDP_OLD, rsdp, 20);
	assert_int_equal(finish(), 0);
	assert_int_equal(info.rsdp, BLOCK_AT + 16);
}

static void test_a_framebuffer_nobody_can_write_is_ignored(void **state)
{
	struct mb2_tag_framebuffer fb = {
		.base = 0x80000000, .pitch = 100, .width = 1024, .height = 768, .bpp = 32, .type = MB2_FRAMEBUFFER_RGB};

	(void)state;
	tag(MB2_TAG_FRAMEBUFFER, (uint8_t *)&fb + 8, sizeof(fb) - 8); /* a line overlaps the next */
	fb.pitch = 4096;
	fb.type = 0; /* palette */
	tag(MB2_TAG_FRAMEBUFFER, (uint8_t *)&fb + 8, sizeof(fb) - 8);
	assert_int_equal(finish(), 0);
	assert_int_equal(info.framebuffer.width, 0);
}

static void expect(int code, const char *sentence)
{
	assert_int_equal(parse(), code);
	assert_string_equal(error, sentence);
}

static void test_a_block_without_an_end_is_refused(void **state)
{
	(void)state;
	tag(MB2_TAG_CMDLINE, "", 1);
	expect(-EINVAL, "the boot information has no end tag");
}

static void test_a_tag_that_leaves_the_block_is_refused(void **state)
{
	(void)state;
	tag(MB2_TAG_CMDLINE, "", 1)->size = 1000;
	expect(-EINVAL, "a tag of the boot information is too long");
	((struct mb2_tag *)(void *)(block + 8))->size = 7;
	expect(-EINVAL, "a tag of the boot information is too long");
}

static void test_a_text_without_nul_is_refused(void **state)
{
	(void)state;
	tag(MB2_TAG_CMDLINE, "abcdefgh", 8);
	expect(-EINVAL, "a text of the boot loader does not end");
}

static void test_a_short_tag_is_refused(void **state)
{
	(void)state;
	tag(MB2_TAG_EFI64_SYSTAB, "1234", 4);
	expect(-EINVAL, "a tag of the boot information is too short");
}

static void test_a_module_that_ends_before_it_starts_is_refused(void **state)
{
	(void)state;
	module(0x2000, 0x1000, "kernel");
	expect(-EINVAL, "a boot module ends before it starts");
}

static void test_nine_modules_are_too_many(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++)
		module(0x1000, 0x2000, "a-name-longer-than-its-room");
	expect(-E2BIG, "there are more than 8 boot modules");
	assert_string_equal(info.modules[7].name, "a-name-longer-t");
}

static void test_map_entries_of_an_odd_size_are_refused(void **state)
{
	uint32_t body[2] = {20, 0};

	(void)state;
	tag(MB2_TAG_MMAP, body, 8);
	expect(-EINVAL, "the memory map has entries of an impossible size");
}

static void test_a_block_that_is_nowhere_is_refused(void **state)
{
	(void)state;
	assert_int_equal(multiboot_parse(0, map_block, &info, &error), -EINVAL);
	assert_int_equal(multiboot_parse(BLOCK_AT + 4, map_block, &info, &error), -EINVAL);
	((struct mb2_info *)(void *)block)->total_size = 0x1000;
	assert_int_equal(multiboot_parse(BLOCK_AT, map_block, &info, &error), -EINVAL);
	assert_string_equal(error, "the boot information cannot be read");
}

static void test_the_memory_map_keeps_modules_and_block(void **state)
{
	struct mb2_mmap_entry entries[] = {
		{0, 0xa0000, 1, 0},
		{0x100000, 0x7ff00000, 1, 0},
		{0x7fe00000, 0x1000, 4, 0}, /* contradicts the one before: NVS stays */
		{0xfff00000, 0x100000, 9, 0} /* a type nobody knows */
	};
	uint8_t mmap[8 + sizeof(entries)] = {24};
	static struct memmap memmap;

	(void)state;
	module(0x10100, 0x10200, "acrn.conf");
	memcpy(mmap + 8, entries, sizeof(entries));
	tag(MB2_TAG_MMAP, mmap, sizeof(mmap));
	assert_int_equal(finish(), 0);
	assert_int_equal(boot_memory_map(&info, map_block, &memmap), 0);
	assert_int_equal(memmap_find(&memmap, 0x10000)->type, MEMMAP_MODULE);
	assert_int_equal(memmap_find(&memmap, 0x11000)->type, MEMMAP_RAM);
	assert_int_equal(memmap_find(&memmap, BLOCK_AT)->type, MEMMAP_MODULE);
	assert_int_equal(memmap_find(&memmap, 0x7fe00000)->type, MEMMAP_NVS);
	assert_int_equal(memmap_find(&memmap, 0xfff00000)->type, MEMMAP_RESERVED);
}

static void test_the_firmwares_map_is_preferred(void **state)
{
	struct mb2_mmap_entry entry = {0, 0x1000, 1, 0};
	struct efi_memory_descriptor d[] = {
		{.type = EFI_MEMORY_CONVENTIONAL, .physical = 0x100000, .pages = 16, .attribute = 8},
		{.type = EFI_MEMORY_BOOT_DATA, .physical = 0x110000, .pages = 16, .attribute = 8},
		{.type = EFI_MEMORY_MMIO, .physical = ~0xfffUL, .pages = 2},
		{.type = EFI_MEMORY_MMIO, .physical = 0, .pages = ~0UL},
	};
	uint8_t mmap[8 + sizeof(entry)] = {24};
	uint8_t efi[8 + sizeof(d)] = {40, 0, 0, 0, 1};
	static struct memmap memmap;

	(void)state;
	memcpy(mmap + 8, &entry, sizeof(entry));
	memcpy(efi + 8, d, sizeof(d));
	tag(MB2_TAG_MMAP, mmap, sizeof(mmap));
	tag(MB2_TAG_EFI_MMAP, efi, sizeof(efi));
	assert_int_equal(finish(), 0);
	assert_int_equal(info.efi_mmap_version, 1);
	assert_int_equal(boot_memory_map(&info, map_block, &memmap), 0);
	assert_null(memmap_find(&memmap, 0));
	assert_int_equal(memmap_find(&memmap, 0x100000)->type, MEMMAP_RAM);
	assert_int_equal(memmap_find(&memmap, 0x110000)->type, MEMMAP_BOOT_SERVICES);
	memset(&info.efi_mmap, 0, sizeof(info.efi_mmap));
	memset(&info.mmap, 0, sizeof(info.mmap));
	assert_int_equal(boot_memory_map(&info, map_block, &memmap), -EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_grub_says_is_understood),
		T(test_a_new_rsdp_wins_over_an_old_one),
		T(test_a_framebuffer_nobody_can_write_is_ignored),
		T(test_a_block_without_an_end_is_refused),
		T(test_a_tag_that_leaves_the_block_is_refused),
		T(test_a_text_without_nul_is_refused),
		T(test_a_short_tag_is_refused),
		T(test_a_module_that_ends_before_it_starts_is_refused),
		T(test_nine_modules_are_too_many),
		T(test_map_entries_of_an_odd_size_are_refused),
		T(test_a_block_that_is_nowhere_is_refused),
		T(test_the_memory_map_keeps_modules_and_block),
		T(test_the_firmwares_map_is_preferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
