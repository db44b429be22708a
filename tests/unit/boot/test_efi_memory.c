/* SPDX-License-Identifier: BSD-3-Clause */
/* mm/efi_memory.c: the firmware's map as a guest sees it, with descriptors of 48 bytes as firmware has. */
#include <stdlib.h>
#include <string.h>

#include "mm/efi_memory.h"
#include "unit.h"

#define ENTRY 48U
#define MAX 32U

static uint8_t *from;
static uint32_t count;
static struct memmap map;

static int start(void **state)
{
	(void)state;
	from = calloc(MAX, ENTRY);
	count = 0;
	memset(&map, 0, sizeof(map));
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(from);
	return 0;
}

static void describe(uint32_t type, hpa_t base, uint64_t size, uint64_t attribute)
{
	struct efi_memory_descriptor d = {
		.type = type, .physical = base, .pages = size / PAGE_SIZE, .attribute = attribute};

	memcpy(from + (size_t)count++ * ENTRY, &d, sizeof(d));
	assert_int_equal(memmap_add(&map, base, size, efi_memory_type(&d)), 0);
}

/* Filters into a block of exactly `room` bytes. */
static uint64_t filter(uint64_t room, struct efi_memory_descriptor *out)
{
	struct efi_memory_map efi = {from, count * ENTRY, ENTRY};
	uint8_t *to = malloc(room);
	uint64_t size = efi_memory_filter(&efi, &map, to, room);

	for (uint64_t i = 0; i < size / ENTRY; i++)
		memcpy(&out[i], to + i * ENTRY, sizeof(out[i]));
	free(to);
	return size / ENTRY;
}

static void assert_piece(const struct efi_memory_descriptor *d, uint32_t type, hpa_t base, uint64_t size)
{
	assert_int_equal(d->type, type);
	assert_int_equal(d->physical, base);
	assert_int_equal(d->pages * PAGE_SIZE, size);
}

static void test_descriptors_are_cut_where_the_hypervisor_took_memory(void **state)
{
	struct efi_memory_descriptor out[MAX];

	(void)state;
	describe(EFI_MEMORY_CONVENTIONAL, 0x100000, 0x1000000, EFI_MEMORY_ATTRIBUTE_WB);
	describe(EFI_MEMORY_LOADER_DATA, 0x1100000, 0x100000, EFI_MEMORY_ATTRIBUTE_WB);
	describe(EFI_MEMORY_RUNTIME_DATA, 0x1200000, 0x10000, EFI_MEMORY_ATTRIBUTE_WB | EFI_MEMORY_ATTRIBUTE_RUNTIME);
	memmap_override(&map, 0x400000, 0x200000, MEMMAP_HYPERVISOR);
	memmap_override(&map, 0x10ff000, 0x2000, MEMMAP_MODULE);
	assert_int_equal(filter(MAX * ENTRY, out), 6);
	assert_piece(&out[0], EFI_MEMORY_CONVENTIONAL, 0x100000, 0x300000);
	assert_piece(&out[1], EFI_MEMORY_RESERVED, 0x400000, 0x200000);
	assert_piece(&out[2], EFI_MEMORY_CONVENTIONAL, 0x600000, 0xaff000);
	assert_piece(&out[3], EFI_MEMORY_LOADER_DATA, 0x10ff000, 0x1000);
	assert_piece(&out[4], EFI_MEMORY_LOADER_DATA, 0x1100000, 0x100000);
	assert_piece(&out[5], EFI_MEMORY_RUNTIME_DATA, 0x1200000, 0x10000);
	assert_true((out[5].attribute & EFI_MEMORY_ATTRIBUTE_RUNTIME) != 0);
}

/* Linux' KASLR chooses its place from this map, not from e820. */
static void test_copies_of_tables_are_no_free_memory(void **state)
{
	struct efi_memory_descriptor out[MAX];

	(void)state;
	describe(EFI_MEMORY_CONVENTIONAL, 0x100000, 0x1000000, EFI_MEMORY_ATTRIBUTE_WB);
	memmap_override(&map, 0x10f8000, 0x8000, MEMMAP_ACPI);
	assert_int_equal(filter(MAX * ENTRY, out), 2);
	assert_piece(&out[1], EFI_MEMORY_ACPI_RECLAIM, 0x10f8000, 0x8000);
}

static void test_an_untouched_map_comes_out_as_it_went_in(void **state)
{
	struct efi_memory_descriptor out[MAX];

	(void)state;
	describe(EFI_MEMORY_BOOT_DATA, 0, 0x1000, EFI_MEMORY_ATTRIBUTE_WB);
	describe(EFI_MEMORY_CONVENTIONAL, 0x1000, 0x9f000, EFI_MEMORY_ATTRIBUTE_WB);
	describe(EFI_MEMORY_MMIO, 0xffc00000, 0x400000, EFI_MEMORY_ATTRIBUTE_RUNTIME);
	assert_int_equal(filter(3 * ENTRY, out), 3);
	assert_piece(&out[0], EFI_MEMORY_BOOT_DATA, 0, 0x1000);
	assert_piece(&out[1], EFI_MEMORY_CONVENTIONAL, 0x1000, 0x9f000);
	assert_piece(&out[2], EFI_MEMORY_MMIO, 0xffc00000, 0x400000);
}

static void test_too_little_room_is_told(void **state)
{
	struct efi_memory_descriptor out[MAX];

	(void)state;
	describe(EFI_MEMORY_CONVENTIONAL, 0x100000, 0x1000000, EFI_MEMORY_ATTRIBUTE_WB);
	memmap_override(&map, 0x400000, 0x200000, MEMMAP_HYPERVISOR);
	assert_int_equal(filter(2 * ENTRY, out), 0);
	assert_int_equal(filter(3 * ENTRY, out), 3);
}

/* The promised room is enough, and not one page of the hypervisor's is left to the guest. */
static void test_random_takings_fit_and_are_all_reserved(void **state)
{
	struct efi_memory_descriptor out[4096 / 8];
	uint64_t seed = 2;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct efi_memory_map efi = {from, 0, ENTRY};
		uint64_t pieces;
		uint64_t pages = 0;

		count = 0;
		memset(&map, 0, sizeof(map));
		for (hpa_t at = 0; at < 16; at++)
			describe(at % 3 == 0 ? EFI_MEMORY_LOADER_CODE : EFI_MEMORY_CONVENTIONAL, at << 16, 1 << 16,
				 EFI_MEMORY_ATTRIBUTE_WB);
		for (int i = 0; i < 12; i++)
			memmap_override(&map, unit_random(&seed) % 240 * PAGE_SIZE, unit_random(&seed) % 16 * PAGE_SIZE,
					unit_random(&seed) % 2 ? MEMMAP_HYPERVISOR : MEMMAP_MODULE);
		efi.size = count * ENTRY;
		pieces = filter(efi_memory_filter_room(&efi, &map), out);
		assert_true(pieces >= count);
		for (uint64_t i = 0; i < pieces; i++) {
			pages += out[i].pages;
			for (hpa_t p = 0; p < out[i].pages; p++) {
				const struct memmap_range *r = memmap_find(&map, out[i].physical + p * PAGE_SIZE);

				assert_int_equal(r->type == MEMMAP_HYPERVISOR, out[i].type == EFI_MEMORY_RESERVED);
			}
		}
		assert_int_equal(pages, 256);
	}
}

static void test_types(void **state)
{
	struct efi_memory_descriptor d = {.type = EFI_MEMORY_CONVENTIONAL};

	(void)state;
	assert_int_equal(efi_memory_type(&d), MEMMAP_RESERVED); /* not write-back */
	d.attribute = EFI_MEMORY_ATTRIBUTE_WB;
	assert_int_equal(efi_memory_type(&d), MEMMAP_RAM);
	d.type = EFI_MEMORY_BOOT_CODE;
	assert_int_equal(efi_memory_type(&d), MEMMAP_BOOT_SERVICES);
	d.type = EFI_MEMORY_RUNTIME_CODE;
	assert_int_equal(efi_memory_type(&d), MEMMAP_RESERVED);
	d.type = EFI_MEMORY_UNUSABLE;
	assert_int_equal(efi_memory_type(&d), MEMMAP_BAD);
	d.type = 0x80000001;
	assert_int_equal(efi_memory_type(&d), MEMMAP_RESERVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_descriptors_are_cut_where_the_hypervisor_took_memory, start, end),
		cmocka_unit_test_setup_teardown(test_copies_of_tables_are_no_free_memory, start, end),
		cmocka_unit_test_setup_teardown(test_an_untouched_map_comes_out_as_it_went_in, start, end),
		cmocka_unit_test_setup_teardown(test_too_little_room_is_told, start, end),
		cmocka_unit_test_setup_teardown(test_random_takings_fit_and_are_all_reserved, start, end),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
