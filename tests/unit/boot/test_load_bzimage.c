/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vm/load_bzimage.c with the setup header of Debian's kernel 6.1 (vmlinuz-6.1.0-56-amd64) and the
 * memory maps of real firmwares.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "unit.h"
#include "vm/bzimage_params.h"
#include "vm/load_bzimage.h"

#define MIB (1UL << 20)
#define KERNEL_SIZE 8247232UL
#define KERNEL_AT 0x1d7ec000UL
#define INITRD_AT 0x1d50f000UL
#define INITRD_SIZE 0x2dc6c0UL
#define INIT_SIZE 0x3f98000UL

static uint8_t *kernel;
static struct bzimage_setup *setup;
static struct bzimage_source source;
static struct bzimage_plan plan;
static struct memmap map;
static uint8_t *params;
static const char *error;

static void bios_memory(void)
{
	memset(&map, 0, sizeof(map));
	memmap_add(&map, 0, 0x9fc00, MEMMAP_RAM);
	memmap_add(&map, 0x9fc00, 0x400, MEMMAP_RESERVED);
	memmap_add(&map, 0xf0000, 0x10000, MEMMAP_RESERVED);
	memmap_add(&map, MIB, 0x1fee0000, MEMMAP_RAM);
	memmap_add(&map, 0x1ffe0000, 0x20000, MEMMAP_RESERVED);
	memmap_add(&map, 0x100000000, 512 * MIB, MEMMAP_RAM);
	memmap_override(&map, KERNEL_AT, KERNEL_SIZE + 0x800, MEMMAP_MODULE);
	memmap_override(&map, INITRD_AT, 0x2dd000, MEMMAP_MODULE);
	memmap_override(&map, 0x1fa00000, 4 * MIB, MEMMAP_HYPERVISOR);
}

/* What OVMF leaves: boot services right where the kernel would like to be. */
static void ovmf_memory(void)
{
	bios_memory();
	memmap_override(&map, 0x900000, 0xc00000, MEMMAP_BOOT_SERVICES);
}

static int start(void **state)
{
	(void)state;
	kernel = calloc(1, KERNEL_SIZE);
	kernel[BZIMAGE_SETUP_JUMP] = 0x6a;
	setup = (void *)(kernel + BZIMAGE_SETUP_AT);
	setup->setup_sects = 0x27;
	setup->boot_flag = BZIMAGE_BOOT_FLAG;
	setup->header = BZIMAGE_MAGIC;
	setup->version = 0x20f;
	setup->loadflags = 1;
	setup->initrd_addr_max = 0x7fffffff;
	setup->kernel_alignment = 0x200000;
	setup->relocatable_kernel = 1;
	setup->min_alignment = 21;
	setup->xloadflags = 0x7f;
	setup->cmdline_size = 2047;
	setup->pref_address = 0x1000000;
	setup->init_size = INIT_SIZE;
	source = (struct bzimage_source){
		.kernel = KERNEL_AT,
		.kernel_data = kernel,
		.kernel_size = KERNEL_SIZE,
		.initrd = INITRD_AT,
		.initrd_size = INITRD_SIZE,
		.cmdline = "console=ttyS1 quiet",
		.rsdp = 0x1ff00000,
	};
	bios_memory();
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(kernel);
	free(params);
	params = NULL;
	return 0;
}

static struct bzimage_zero_page *prepare(void)
{
	assert_int_equal(bzimage_plan(&source, &map, &plan, &error), 0);
	params = malloc(plan.params_size);
	memset(params, 0xee, plan.params_size);
	assert_int_equal(bzimage_fill(&source, &map, &plan, params, &error), 0);
	return (void *)params;
}

static void test_a_pc_with_bios(void **state)
{
	struct bzimage_zero_page *zero = prepare();
	const uint64_t *gdt = (const void *)(params + (plan.gdt - plan.params));

	(void)state;
	assert_int_equal(plan.kernel.to, 0x1000000);
	assert_int_equal(plan.kernel.from, KERNEL_AT + 0x28 * 512);
	assert_int_equal(plan.kernel.size, KERNEL_SIZE - 0x28 * 512);
	assert_int_equal(plan.initrd.size, 0);
	assert_int_equal(plan.eip, 0x1000000);
	assert_int_equal(plan.esi, plan.params);
	assert_int_equal(memmap_find(&map, plan.params)->type, MEMMAP_MODULE);
	assert_int_equal(zero->setup.header, BZIMAGE_MAGIC);
	assert_int_equal(zero->setup.type_of_loader, 0xff);
	assert_int_equal(zero->setup.code32_start, 0x1000000);
	assert_int_equal(zero->setup.ramdisk_image, INITRD_AT);
	assert_int_equal(zero->setup.ramdisk_size, INITRD_SIZE);
	assert_string_equal((char *)params + (zero->setup.cmd_line_ptr - plan.params), "console=ttyS1 quiet");
	assert_int_equal(zero->acpi_rsdp_addr, 0x1ff00000);
	assert_int_equal(zero->efi.signature, 0);
	assert_int_equal(zero->screen.orig_video_is_vga, BZIMAGE_VIDEO_VGA);
	assert_int_equal(zero->screen.orig_video_lines, 25);
	assert_int_equal(gdt[2], 0x00cf9b000000ffff);
	assert_int_equal(gdt[3], 0x00cf93000000ffff);
	assert_int_equal(plan.gdt_limit, 31);
}

static void test_e820_has_the_hypervisors_memory_reserved_and_all_else_free(void **state)
{
	struct bzimage_zero_page *zero = prepare();
	static const struct bzimage_e820 expected[] = {
		{0, 0x9fc00, 1},	  {0x9fc00, 0x400, 2},
		{0xf0000, 0x10000, 2},	  {MIB, 0x1fa00000 - MIB, 1},
		{0x1fa00000, 4 * MIB, 2}, {0x1fe00000, 0x1e0000, 1},
		{0x1ffe0000, 0x20000, 2}, {0x100000000, 512 * MIB, 1},
	};

	(void)state;
	assert_int_equal(zero->e820_entries, 8);
	assert_memory_equal(zero->e820, expected, sizeof(expected));
}

static void test_the_kernel_keeps_off_what_boot_services_held(void **state)
{
	(void)state;
	ovmf_memory();
	prepare();
	assert_int_equal(plan.kernel.to, 0x1600000);
}

static void test_a_small_machine_takes_the_lowest_place_that_fits(void **state)
{
	(void)state;
	memmap_override(&map, 0x1000000, 0x1ef00000, MEMMAP_RESERVED);
	memmap_override(&map, 0x200000, 0x4000000, MEMMAP_RAM);
	prepare();
	assert_int_equal(plan.kernel.to, 0x200000);
}

static void test_a_kernel_that_cannot_move_stays_or_is_refused(void **state)
{
	(void)state;
	setup->relocatable_kernel = 0;
	assert_int_equal(bzimage_plan(&source, &map, &plan, &error), 0);
	assert_int_equal(plan.kernel.to, 0x1000000);
	ovmf_memory();
	assert_int_equal(bzimage_plan(&source, &map, &plan, &error), -ENOMEM);
}

static void test_an_initrd_too_high_is_moved(void **state)
{
	struct bzimage_zero_page *zero;

	(void)state;
	setup->initrd_addr_max = 0xfffffff;
	zero = prepare();
	assert_int_equal(plan.initrd.from, INITRD_AT);
	assert_int_equal(plan.initrd.size, INITRD_SIZE);
	assert_true(plan.initrd.to + INITRD_SIZE <= 0x10000000);
	assert_int_equal(plan.initrd.to % PAGE_SIZE, 0);
	assert_int_equal(zero->setup.ramdisk_image, plan.initrd.to);
	assert_int_equal(memmap_find(&map, plan.initrd.to)->type, MEMMAP_MODULE);
	assert_false(plan.initrd.to < plan.kernel.to + INIT_SIZE && plan.kernel.to < plan.initrd.to + INITRD_SIZE);
}

static void test_no_initrd_is_none(void **state)
{
	struct bzimage_zero_page *zero;

	(void)state;
	source.initrd_size = 0;
	zero = prepare();
	assert_int_equal(zero->setup.ramdisk_image, 0);
	assert_int_equal(zero->setup.ramdisk_size, 0);
}

static void test_efi_is_handed_on_with_its_map_cut(void **state)
{
	static const struct efi_memory_descriptor d[] = {
		{.type = EFI_MEMORY_CONVENTIONAL, .physical = MIB, .pages = 0x1fee0, .attribute = 8},
		{.type = EFI_MEMORY_RUNTIME_CODE,
		 .physical = 0x1ffe0000,
		 .pages = 32,
		 .attribute = EFI_MEMORY_ATTRIBUTE_RUNTIME | 8},
	};
	struct bzimage_zero_page *zero;
	const struct efi_memory_descriptor *out;
	uint64_t reserved = 0;

	(void)state;
	source.efi_systab = 0x21f5eb018;
	source.efi_map = (struct efi_memory_map){d, sizeof(d), sizeof(d[0])};
	source.efi_map_version = 1;
	source.framebuffer = (struct boot_framebuffer){.base = 0x40c0000000,
						       .pitch = 5120,
						       .width = 1280,
						       .height = 800,
						       .bpp = 32,
						       .red_position = 16,
						       .red_size = 8,
						       .green_position = 8,
						       .green_size = 8,
						       .blue_size = 8};
	zero = prepare();
	assert_int_equal(zero->efi.signature, BZIMAGE_EFI64_SIGNATURE);
	assert_int_equal(zero->efi.systab, 0x1f5eb018);
	assert_int_equal(zero->efi.systab_hi, 2);
	assert_int_equal(zero->efi.memdesc_size, 40);
	assert_int_equal(zero->efi.memdesc_version, 1);
	out = (const void *)(params + (zero->efi.memmap - plan.params));
	assert_true(zero->efi.memmap + zero->efi.memmap_size <= plan.params + plan.params_size);
	for (uint32_t i = 0; i < zero->efi.memmap_size / 40; i++) {
		if (out[i].type == EFI_MEMORY_RESERVED)
			reserved += out[i].pages * PAGE_SIZE;
	}
	assert_int_equal(reserved, 4 * MIB);
	assert_int_equal(zero->screen.orig_video_is_vga, BZIMAGE_VIDEO_EFI);
	assert_int_equal(zero->screen.lfb_base, 0xc0000000);
	assert_int_equal(zero->screen.ext_lfb_base, 0x40);
	assert_int_equal(zero->screen.capabilities, BZIMAGE_VIDEO_64BIT_BASE);
	assert_int_equal(zero->screen.lfb_size, 5120 * 800);
	assert_int_equal(zero->screen.red_pos, 16);
	assert_int_equal(zero->screen.rsvd_size, 8);
	assert_int_equal(zero->screen.rsvd_pos, 24);
}

static void expect(int code, const char *sentence)
{
	assert_int_equal(bzimage_plan(&source, &map, &plan, &error), code);
	assert_string_equal(error, sentence);
	end(NULL);
	start(NULL);
}

static void test_what_is_no_kernel_is_refused_with_a_sentence(void **state)
{
	(void)state;
	setup->header = 0;
	expect(-EINVAL, "the kernel is no bzImage of Linux");
	source.kernel_size = 100;
	expect(-EINVAL, "the kernel is no bzImage of Linux");
	setup->version = 0x209;
	expect(-EINVAL, "the kernel is older than boot protocol 2.10");
	source.kernel_size = 0x28 * 512;
	expect(-EINVAL, "the kernel's file is cut off");
	setup->init_size = 4096;
	expect(-EINVAL, "the kernel's header contradicts itself");
	setup->kernel_alignment = 3;
	expect(-EINVAL, "the kernel's header contradicts itself");
	setup->cmdline_size = 5;
	expect(-E2BIG, "the kernel's command line is longer than the kernel takes");
	setup->init_size = 0x7fff0000;
	expect(-ENOMEM, "too little memory in one piece below 4 GiB for the kernel to unpack itself");
	memset(&map, 0, sizeof(map));
	expect(-ENOMEM, "too little memory below 4 GiB for the kernel's parameters");
}

static void test_a_map_that_no_zero_page_holds_is_refused(void **state)
{
	(void)state;
	for (hpa_t i = 0; i < 130; i++)
		memmap_add(&map, 0x200000000 + i * 0x2000, 0x1000, MEMMAP_NVS);
	assert_int_equal(bzimage_plan(&source, &map, &plan, &error), 0);
	params = malloc(plan.params_size);
	assert_int_equal(bzimage_fill(&source, &map, &plan, params, &error), -E2BIG);
	assert_string_equal(error, "the memory map has more ranges than a zero page holds");
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_pc_with_bios),
		T(test_e820_has_the_hypervisors_memory_reserved_and_all_else_free),
		T(test_the_kernel_keeps_off_what_boot_services_held),
		T(test_a_small_machine_takes_the_lowest_place_that_fits),
		T(test_a_kernel_that_cannot_move_stays_or_is_refused),
		T(test_an_initrd_too_high_is_moved),
		T(test_no_initrd_is_none),
		T(test_efi_is_handed_on_with_its_map_cut),
		T(test_what_is_no_kernel_is_refused_with_a_sentence),
		T(test_a_map_that_no_zero_page_holds_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
