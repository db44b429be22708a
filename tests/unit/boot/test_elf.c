/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/elf.c: an image like the hypervisor's, and broken ones. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "../../../efi/elf.h"
#include "unit.h"

#define VIRT 0xffffffff80000000UL
#define SIZE 0x3000U

static uint8_t *file;
static Elf64_Ehdr *header;
static Elf64_Phdr *segment;

/* Two segments as far apart as text and data, the second half zeroes. */
static int start(void **state)
{
	(void)state;
	file = calloc(1, SIZE);
	header = (void *)file;
	memcpy(header->e_ident, "\177ELF\2\1\1", 7);
	header->e_type = ET_EXEC;
	header->e_machine = EM_X86_64;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*segment);
	header->e_phnum = 2;
	header->e_entry = VIRT + 0x200010;
	segment = (void *)(header + 1);
	segment[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				  .p_offset = 0x1000,
				  .p_vaddr = VIRT + 0x200000,
				  .p_paddr = 0x200000,
				  .p_filesz = 0x1000,
				  .p_memsz = 0x1000};
	segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
				  .p_offset = 0x2000,
				  .p_vaddr = VIRT + 0x401000,
				  .p_paddr = 0x401000,
				  .p_filesz = 0x1000,
				  .p_memsz = 0x2000};
	memset(file + 0x1000, 0x11, 0x1000);
	memset(file + 0x2000, 0x22, 0x1000);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(file);
	return 0;
}

static void test_segments_keep_their_distance(void **state)
{
	struct elf_layout layout;
	uint8_t *to;

	(void)state;
	assert_null(elf_read(file, SIZE, &layout));
	assert_int_equal(layout.base, 0x200000);
	assert_int_equal(layout.size, 0x203000);
	assert_int_equal(layout.align, 0x200000);
	assert_int_equal(layout.entry, 0x10);
	to = malloc(layout.size);
	memset(to, 0xee, layout.size);
	elf_place(file, &layout, to);
	assert_int_equal(to[0], 0x11);
	assert_int_equal(to[0xfff], 0x11);
	assert_int_equal(to[0x1000], 0);
	assert_int_equal(to[0x200fff], 0);
	assert_int_equal(to[0x201000], 0x22);
	assert_int_equal(to[0x202000], 0);
	assert_int_equal(to[0x202fff], 0);
	free(to);
}

static void test_the_entry_may_be_a_physical_address(void **state)
{
	struct elf_layout layout;

	(void)state;
	header->e_entry = 0x401234;
	assert_null(elf_read(file, SIZE, &layout));
	assert_int_equal(layout.entry, 0x201234);
}

static void expect(const char *sentence)
{
	struct elf_layout layout;

	assert_string_equal(elf_read(file, SIZE, &layout), sentence);
	end(NULL);
	start(NULL);
}

static void test_broken_images_are_named(void **state)
{
	struct elf_layout layout;

	(void)state;
	assert_non_null(elf_read(file, 63, &layout));
	file[4] = 1;
	expect("it is not a 64-bit ELF file");
	header->e_machine = EM_386;
	expect("it is not a program for this kind of CPU");
	header->e_phnum = 0xffff;
	expect("its program headers are broken");
	header->e_phoff = ~0UL;
	expect("its program headers are broken");
	segment[1].p_offset = 0x2001;
	expect("a segment lies outside the file");
	segment[1].p_offset = ~0xfffUL;
	expect("a segment lies outside the file");
	segment[1].p_memsz = 0xfff;
	expect("a segment lies outside the file");
	segment[1].p_memsz = 1UL << 40;
	expect("a segment is larger than any hypervisor");
	segment[1].p_paddr = ~0UL - 0x1000;
	expect("a segment is larger than any hypervisor");
	segment[1].p_paddr = 1UL << 40;
	expect("its segments lie too far from each other");
	header->e_entry = VIRT + 0x201000;
	expect("its entry lies outside its segments");
	segment[0].p_type = segment[1].p_type = PT_NOTE;
	expect("its segments lie too far from each other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_segments_keep_their_distance, start, end),
		cmocka_unit_test_setup_teardown(test_the_entry_may_be_a_physical_address, start, end),
		cmocka_unit_test_setup_teardown(test_broken_images_are_named, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
