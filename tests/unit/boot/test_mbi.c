/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/mbi.c against the hypervisor's reader: what the stub writes is what the hypervisor reads. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot_memory.h"
#include "boot/multiboot.h"
#include "mbi.h"
#include "mm/efi_memory.h"
#include "unit.h"

#define BLOCK_AT 0x8000UL

static uint8_t *block;
static uint32_t room;
static struct mbi mbi;
static struct boot_info info;

static const void *map_block(hpa_t at, size_t size)
{
	if (at < BLOCK_AT || at - BLOCK_AT > room || size > room - (at - BLOCK_AT))
		return NULL;
	return block + (at - BLOCK_AT);
}

static void begin(uint32_t size)
{
	free(block);
	room = size;
	block = malloc(size);
	mbi_start(&mbi, block, size);
}

static int end(void **state)
{
	(void)state;
	free(block);
	block = NULL;
	return 0;
}

static int parse(void)
{
	const char *error = NULL;

	return multiboot_parse(BLOCK_AT, map_block, &info, &error);
}

static void test_the_hypervisor_reads_what_the_stub_writes(void **state)
{
	struct boot_framebuffer fb = {.base = 0x4000000000,
				      .pitch = 5120,
				      .width = 1280,
				      .height = 800,
				      .bpp = 32,
				      .red_position = 16,
				      .red_size = 8,
				      .green_position = 8,
				      .green_size = 8,
				      .blue_size = 8};
	uint8_t rsdp[36] = "RSD PTR new";

	(void)state;
	begin(4096);
	mbi_add_text(&mbi, MB2_TAG_CMDLINE, "");
	mbi_add_text(&mbi, MB2_TAG_LOADER_NAME, "a stub");
	mbi_add_module(&mbi, 0x1000, 78, "acrn.conf");
	mbi_add_module(&mbi, 0xf0000000, 0x800000, "kernel");
	mbi_add_efi_systab(&mbi, 0x7f5eb018);
	mbi_add_rsdp(&mbi, rsdp, 36);
	mbi_add_framebuffer(&mbi, &fb);
	assert_true(mbi_finish(&mbi));
	assert_int_equal(parse(), 0);
	assert_string_equal(info.loader, "a stub");
	assert_int_equal(info.num_modules, 2);
	assert_int_equal(boot_info_module(&info, "acrn.conf")->size, 78);
	assert_int_equal(boot_info_module(&info, "kernel")->base, 0xf0000000);
	assert_int_equal(boot_info_module(&info, "kernel")->size, 0x800000);
	assert_int_equal(info.efi_systab, 0x7f5eb018);
	assert_memory_equal(map_block(info.rsdp, 36), rsdp, 36);
	assert_memory_equal(&info.framebuffer, &fb, sizeof(fb));
}

/* Descriptors as far apart as firmware has them; the last one ends with the block of memory. */
static void test_the_memory_map_comes_twice_and_says_the_same(void **state)
{
	static const struct efi_memory_descriptor d[] = {
		{.type = EFI_MEMORY_BOOT_CODE, .physical = 0, .pages = 1, .attribute = 8},
		{.type = EFI_MEMORY_CONVENTIONAL, .physical = 0x1000, .pages = 0x9f, .attribute = 8},
		{.type = EFI_MEMORY_CONVENTIONAL, .physical = 0x100000, .pages = 64, .attribute = 8},
		{.type = EFI_MEMORY_LOADER_DATA, .physical = 0x140000, .pages = 64, .attribute = 8},
		{.type = EFI_MEMORY_ACPI_RECLAIM, .physical = 0x180000, .pages = 1, .attribute = 8},
		{.type = EFI_MEMORY_RUNTIME_DATA, .physical = 0x181000, .pages = 1, .attribute = 8},
	};
	uint8_t *copy = calloc(6, 48);
	struct mbi_efi_map map = {copy, 6 * 48, 48, 1};
	static struct memmap from_efi, from_e820;
	uint32_t size = 64 + (uint32_t)mbi_efi_map_room(map.size, map.descriptor_size);

	(void)state;
	for (int i = 0; i < 6; i++)
		memcpy(copy + i * 48, &d[i], sizeof(d[i]));
	begin(size);
	mbi_add_efi_map(&mbi, &map);
	assert_true(mbi_finish(&mbi));
	assert_int_equal(parse(), 0);
	assert_int_equal(info.efi_mmap.size, 6 * 48);
	assert_int_equal(info.efi_mmap.entry_size, 48);
	assert_int_equal(info.mmap.size, 4 * 24);
	assert_int_equal(boot_memory_map(&info, map_block, &from_efi), 0);
	info.efi_mmap.base = 0;
	assert_int_equal(boot_memory_map(&info, map_block, &from_e820), 0);
	for (hpa_t at = 0; at < 0x190000; at += PAGE_SIZE) {
		const struct memmap_range *a = memmap_find(&from_efi, at);
		const struct memmap_range *b = memmap_find(&from_e820, at);

		assert_int_equal(a == NULL ? 0 : memmap_e820_type(a->type), b == NULL ? 0 : memmap_e820_type(b->type));
	}
	assert_int_equal(mbi_efi_map_free(&map), (0x9f + 64) * PAGE_SIZE);
	assert_int_equal(mbi_efi_map_ram(&map), (1 + 0x9f + 128) * PAGE_SIZE);
	free(copy);
}

static void test_what_does_not_fit_is_told_and_stays_inside(void **state)
{
	(void)state;
	for (uint32_t size = 24; size < 120; size += 8) {
		begin(size);
		mbi_add_module(&mbi, 0x1000, 0x1000, "kernel");
		mbi_add_text(&mbi, MB2_TAG_LOADER_NAME, "a loader with a name");
		mbi_add_efi_systab(&mbi, 1);
		assert_int_equal(mbi_finish(&mbi), size >= 8 + 24 + 32 + 16 + 16);
		assert_int_equal(parse(), 0);
	}
}

static void test_an_old_rsdp_is_told_as_such(void **state)
{
	uint8_t rsdp[20] = "RSD PTR old";

	(void)state;
	begin(256);
	mbi_add_rsdp(&mbi, rsdp, 20);
	assert_true(mbi_finish(&mbi));
	assert_int_equal(((struct mb2_tag *)(void *)(block + 8))->type, MB2_TAG_RSDP_OLD);
	assert_int_equal(parse(), 0);
	assert_memory_equal(map_block(info.rsdp, 20), rsdp, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_the_hypervisor_reads_what_the_stub_writes, end),
		cmocka_unit_test_teardown(test_the_memory_map_comes_twice_and_says_the_same, end),
		cmocka_unit_test_teardown(test_what_does_not_fit_is_told_and_stays_inside, end),
		cmocka_unit_test_teardown(test_an_old_rsdp_is_told_as_such, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
