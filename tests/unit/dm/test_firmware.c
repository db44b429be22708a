/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What firmware is given, as firmware takes it: items by register and by DMA, the flash chip's commands, SMBIOS
 * structures, the script that relocates the ACPI tables, and ELF kernels.
 */
#include "unit.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/pflash.h"
#include "firmware/acpi.h"
#include "firmware/acpi_loader.h"
#include "firmware/fw_cfg.h"
#include "firmware/smbios.h"
#include "loader/elf.h"
#include "memory.h"
#include "vm.h"

#define MEMORY	(1u << 20)

unsigned int vm_vcpu_count(void)
{
	return 2;
}

uint32_t vm_apic_id(unsigned int vcpu)
{
	return vcpu;
}

void vm_request(enum vm_request what)
{
	(void)what;
}

static uint64_t get_le(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	while (size--)
		v = v << 8 | p[size];
	return v;
}

static uint64_t get_be(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v = v << 8 | p[i];
	return v;
}

static void put_be(uint8_t *p, uint64_t v, unsigned int size)
{
	for (; size--; v >>= 8)
		p[size] = (uint8_t)v;
}

/* --- fw_cfg ------------------------------------------------------------------------------------------ */

static int fw_setup(void **state)
{
	(void)state;
	assert_int_equal(memory_init(MEMORY, false), 0);
	assert_int_equal(fw_cfg_add(FW_CFG_SIGNATURE, "QEMU", 4), 0);
	return 0;
}

static int fw_teardown(void **state)
{
	(void)state;
	fw_cfg_exit();
	memory_exit();
	return 0;
}

/* A command of the guest's at gpa 0x1000; its outcome. */
static uint32_t dma(uint32_t control, uint32_t len, uint64_t address)
{
	uint8_t *c = mem_ptr(0x1000, 16);

	put_be(c, control, 4);
	put_be(c + 4, len, 4);
	put_be(c + 8, address, 8);
	fw_cfg_dma(0x1000);
	return (uint32_t)get_be(c, 4);
}

static void items_are_read_byte_by_byte_then_zeros(void **state)
{
	(void)state;
	fw_cfg_select(FW_CFG_SIGNATURE);
	assert_int_equal(fw_cfg_read_byte(), 'Q');
	fw_cfg_select(FW_CFG_SIGNATURE);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(fw_cfg_read_byte(), "QEMU"[i]);
	assert_int_equal(fw_cfg_read_byte(), 0);
	fw_cfg_select(0x7777);
	assert_int_equal(fw_cfg_read_byte(), 0);
}

static void the_directory_names_files(void **state)
{
	uint8_t *d = mem_ptr(0x2000, 256);
	uint16_t key;

	(void)state;
	assert_int_equal(fw_cfg_add_file("etc/one", "1", 1), 0);
	assert_int_equal(fw_cfg_add_file("etc/twenty", "twenty bytes of text", 20), 0);
	assert_int_equal(fw_cfg_add_file("etc/one", "x", 1), -EEXIST);
	assert_int_equal(fw_cfg_finish(), 0);
	assert_int_equal(dma(FW_CFG_DIRECTORY << 16 | 8 | 2, 4 + 2 * 64, 0x2000), 0);
	assert_int_equal(get_be(d, 4), 2);
	assert_int_equal(get_be(d + 4 + 64, 4), 20);
	assert_string_equal((char *)d + 4 + 64 + 8, "etc/twenty");
	key = (uint16_t)get_be(d + 4 + 64 + 4, 2);
	assert_int_equal(dma((uint32_t)key << 16 | 8 | 2, 20, 0x3000), 0);
	assert_memory_equal(mem_ptr(0x3000, 20), "twenty bytes of text", 20);
}

static void dma_reads_skips_and_fills_with_zeros(void **state)
{
	uint8_t *p = mem_ptr(0x2000, 16);

	(void)state;
	memset(p, 0xee, 16);
	assert_int_equal(dma(FW_CFG_SIGNATURE << 16 | 8, 0, 0), 0);
	assert_int_equal(dma(4, 2, 0), 0);
	assert_int_equal(dma(2, 5, 0x2000), 0);
	assert_memory_equal(p, "MU\0\0\0\xee", 6);
	assert_int_equal(dma(2, 0, ~0ull), 0);
}

static void dma_outside_of_memory_is_an_error(void **state)
{
	static const uint64_t bad[][2] = {
		{ 1, MEMORY },
		{ 2, MEMORY - 1 },
		{ 0xffffffffu, 0 },
		{ 1, ~0ull },
		{ 16, ~0ull - 7 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(dma(FW_CFG_SIGNATURE << 16 | 8 | 2, (uint32_t)bad[i][0], bad[i][1]), 1);
	fw_cfg_dma(MEMORY - 8);		/* the command itself */
	fw_cfg_dma(~0ull);
}

static void nothing_is_written(void **state)
{
	(void)state;
	memcpy(mem_ptr(0x2000, 4), "evil", 4);
	assert_int_equal(dma(FW_CFG_SIGNATURE << 16 | 8 | 0x10, 4, 0x2000), 1);
	fw_cfg_select(FW_CFG_SIGNATURE);
	assert_int_equal(fw_cfg_read_byte(), 'Q');
}

static void a_skip_past_everything_stays_there(void **state)
{
	(void)state;
	assert_int_equal(dma(FW_CFG_SIGNATURE << 16 | 8 | 4, 0xffffffffu, 0), 0);
	assert_int_equal(dma(4, 0xffffffffu, 0), 0);
	assert_int_equal(fw_cfg_read_byte(), 0);
	assert_int_equal(dma(2, 1, 0x2000), 0);
}

static void a_file_that_shrinks_reads_as_zeros(void **state)
{
	char name[] = "/tmp/fwcfg-XXXXXX";
	int fd = mkstemp(name);
	uint8_t *p = mem_ptr(0x2000, 8);

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(write(fd, "01234567", 8), 8);
	assert_int_equal(fw_cfg_add_fd(FW_CFG_KERNEL_DATA, fd, 2, 6), 0);
	assert_int_equal(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 2, 6, 0x2000), 0);
	assert_memory_equal(p, "234567", 6);
	assert_int_equal(ftruncate(fd, 4), 0);
	assert_int_equal(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 2, 6, 0x2000), 0);
	assert_memory_equal(p, "23\0\0\0\0", 6);
	close(fd);
}

static unsigned int refreshed;

static void refresh(void)
{
	uint32_t size;
	uint8_t *data = fw_cfg_file("etc/fresh", &size);

	data[0] = (uint8_t)('0' + ++refreshed);
}

static void a_file_is_made_when_it_is_selected(void **state)
{
	(void)state;
	refreshed = 0;
	assert_int_equal(fw_cfg_add_file("etc/fresh", "0", 1), 0);
	assert_true(fw_cfg_on_select("etc/fresh", refresh));
	assert_false(fw_cfg_on_select("etc/none", refresh));
	for (unsigned int i = 1; i < 4; i++) {
		fw_cfg_select(FW_CFG_FIRST_FILE);
		assert_int_equal(fw_cfg_read_byte(), '0' + i);
	}
}

/* --- pflash ------------------------------------------------------------------------------------------ */

#define CHIP	(16u * PFLASH_BLOCK)
static uint8_t array[CHIP];
static struct pflash chip;

static int chip_setup(void **state)
{
	(void)state;
	memset(array, 0x5a, sizeof(array));
	chip = (struct pflash){ .data = array, .size = CHIP };
	pflash_reset(&chip);
	return 0;
}

/* What OVMF's driver does to find out whether it talks to flash, RAM or ROM. */
static void firmware_finds_flash(void **state)
{
	(void)state;
	pflash_write(&chip, 8, 1, 0x50);
	assert_int_equal(pflash_byte(&chip, 8), 0x5a);	/* RAM would give back 0x50 */
	pflash_write(&chip, 8, 1, 0x70);
	assert_int_equal(pflash_byte(&chip, 8), 0x00);	/* the status, cleared; ROM would not change */
	pflash_write(&chip, 8, 1, 0xff);
	assert_int_equal(pflash_byte(&chip, 8), 0x5a);
}

static void bytes_are_programmed_and_blocks_erased(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		pflash_write(&chip, 5000 + i, 1, 0x10);
		pflash_write(&chip, 5000 + i, 1, 0xa0 + i);
	}
	assert_int_equal(pflash_byte(&chip, 0), 0x80);	/* still shows its status */
	assert_int_equal(chip.dirty_from, 5000);
	assert_int_equal(chip.dirty_to, 5004);
	pflash_write(&chip, 5003, 1, 0xff);
	assert_memory_equal(array + 4999, "\x5a\xa0\xa1\xa2\xa3\x5a", 6);
	pflash_write(&chip, 5000, 1, 0x20);
	pflash_write(&chip, 5000, 1, 0xd0);
	pflash_write(&chip, 0, 1, 0xff);
	assert_int_equal(array[4095], 0x5a);
	assert_int_equal(array[4096], 0xff);
	assert_int_equal(array[8191], 0xff);
	assert_int_equal(array[8192], 0x5a);
	assert_int_equal(chip.dirty_from, 4096);
	assert_int_equal(chip.dirty_to, 8192);
}

static void an_erase_without_confirmation_is_an_error(void **state)
{
	(void)state;
	pflash_write(&chip, 0, 1, 0x20);
	pflash_write(&chip, 0, 1, 0xff);
	assert_int_equal(pflash_byte(&chip, 0), 0xb0);
	pflash_write(&chip, 0, 1, 0x50);
	assert_int_equal(array[0], 0x5a);
	pflash_write(&chip, 0, 1, 0x70);
	assert_int_equal(pflash_byte(&chip, 0), 0);
}

static void a_buffered_write_takes_its_count(void **state)
{
	(void)state;
	pflash_write(&chip, 0, 1, 0xe8);
	pflash_write(&chip, 0, 1, 5 - 1);
	pflash_write(&chip, 16, 4, 0x44332211);
	pflash_write(&chip, 20, 4, 0x88776655);		/* three of these are too many */
	pflash_write(&chip, 0, 1, 0xd0);
	pflash_write(&chip, 0, 1, 0xff);
	assert_memory_equal(array + 15, "\x5a\x11\x22\x33\x44\x55\x5a", 7);
}

static void the_query_tells_the_geometry(void **state)
{
	(void)state;
	pflash_write(&chip, 0x55, 1, 0x98);
	assert_int_equal(pflash_byte(&chip, 0x10), 'Q');
	assert_int_equal(pflash_byte(&chip, 0x11), 'R');
	assert_int_equal(pflash_byte(&chip, 0x12), 'Y');
	assert_int_equal(1u << pflash_byte(&chip, 0x27), CHIP);
	assert_int_equal(pflash_byte(&chip, 0x2d) + 1, CHIP / PFLASH_BLOCK);
	assert_int_equal(pflash_byte(&chip, 0x2f) << 8 | pflash_byte(&chip, 0x30) << 16, PFLASH_BLOCK);
}

static void the_end_of_the_chip_is_the_end(void **state)
{
	(void)state;
	pflash_write(&chip, CHIP - 1, 1, 0x40);
	pflash_write(&chip, CHIP - 1, 8, ~0ull);
	assert_int_equal(chip.dirty_to, CHIP);
	pflash_write(&chip, 0, 1, 0xff);
	assert_int_equal(pflash_byte(&chip, CHIP - 1), 0xff);
	assert_int_equal(pflash_byte(&chip, CHIP), 0xff);
}

/* --- SMBIOS ------------------------------------------------------------------------------------------ */

static const uint8_t *next_structure(const uint8_t *s)
{
	s += s[1];
	while (s[0] || s[1])
		s++;
	return s + 2;
}

static void structures_form_a_chain_to_the_end(void **state)
{
	static const uint8_t uuid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 8, 9, 10, 11, 12, 13, 14 };
	struct smbios_machine m = { "a-vm", uuid, 4, 1u << 30, 3ull << 30 };
	uint8_t buf[2048], anchor[SMBIOS_ANCHOR_SIZE];
	unsigned int count[256] = { 0 };
	size_t len = smbios_build(&m, buf, sizeof(buf));
	const uint8_t *s = buf;

	(void)state;
	assert_true(len > 0);
	for (;; s = next_structure(s)) {
		assert_true(s < buf + len && s[1] >= 4);
		count[s[0]]++;
		if (s[0] == 1)
			assert_memory_equal(s + 8, "\x33\x22\x11\x00\x55\x44\x77\x66\x08\x09\x0a", 11);
		if (s[0] == 16)
			assert_int_equal(get_le(s + 15, 8), 4ull << 30);
		if (s[0] == 127)
			break;
	}
	assert_ptr_equal(next_structure(s), buf + len);
	assert_int_equal(count[4], 4);
	assert_int_equal(count[19], 2);
	assert_true(count[0] == 1 && count[1] == 1 && count[3] == 1 && count[17] == 1);
	smbios_anchor(anchor, 0x12345678, len);
	assert_memory_equal(anchor, "_SM3_", 5);
	assert_int_equal(acpi_checksum(anchor, sizeof(anchor)), 0);
	assert_int_equal(get_le(anchor + 12, 4), len);
	assert_int_equal(get_le(anchor + 16, 8), 0x12345678);
	for (size_t room = 0; room < len; room++)
		assert_int_equal(smbios_build(&m, buf, room), 0);
}

/* --- the script of the ACPI tables ------------------------------------------------------------------- */

#define AT	0x7f000000u	/* where the firmware of this test puts the tables */
#define ROOM	0x8000u
static uint8_t tables[ROOM], rsdp[ACPI_RSDP_SIZE], script[ACPI_LOADER_MAX];

static uint8_t *file_of(const uint8_t *name)
{
	return strcmp((const char *)name, ACPI_LOADER_RSDP) == 0 ? rsdp : tables;
}

static void add_le32(uint8_t *p, uint32_t v)
{
	v += (uint32_t)get_le(p, 4);
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* One command, carried out as OVMF does it. */
static void carry_out(const uint8_t *c)
{
	uint8_t *file = file_of(c + 4);
	uint32_t offset;

	switch (get_le(c, 4)) {
	case 1:
		assert_int_equal(c[4 + 60], file == rsdp ? 2 : 1);
		break;
	case 2:
		assert_string_equal((const char *)c + 60, ACPI_LOADER_TABLES);
		offset = (uint32_t)get_le(c + 116, 4);
		assert_true(get_le(file + offset, c[120]) < ROOM);
		add_le32(file + offset, AT);
		break;
	case 3:
		offset = (uint32_t)get_le(c + 60, 4);
		file[offset] = acpi_checksum(file + get_le(c + 64, 4), get_le(c + 68, 4));
		break;
	default:
		fail_msg("command %llu", (unsigned long long)get_le(c, 4));
	}
}

static const uint8_t *table(uint64_t address, const char *name)
{
	const uint8_t *t = tables + (address - AT);

	assert_in_range(address, AT, AT + ROOM - 36);
	assert_memory_equal(t, name, 4);
	if (strcmp(name, "FACS") != 0)
		assert_int_equal(acpi_checksum(t, get_le(t + 4, 4)), 0);
	return t;
}

static void the_script_relocates_every_table(void **state)
{
	static const char *const names[] = { "FACP", "APIC", "HPET", "MCFG" };
	struct acpi_machine m = { .cpu_count = 2, .pm_event = 0x600, .pm_control = 0x604, .pm_timer = 0x608,
				  .ecam_base = 0xb0000000, .ecam_size = 0x10000000 };
	const uint8_t *rsdt, *xsdt, *fadt;
	size_t len;

	(void)state;
	assert_true(acpi_build(&m, 0, tables, ROOM) > 0);
	len = acpi_loader_script(tables, ROOM, rsdp, script);
	assert_true(len > 0 && len % ACPI_LOADER_COMMAND == 0);
	for (size_t at = 0; at < len; at += ACPI_LOADER_COMMAND)
		carry_out(script + at);
	assert_int_equal(acpi_checksum(rsdp, 20), 0);
	assert_int_equal(acpi_checksum(rsdp, 36), 0);
	rsdt = table(get_le(rsdp + 16, 4), "RSDT");
	xsdt = table(get_le(rsdp + 24, 8), "XSDT");
	for (unsigned int i = 0; i < 4; i++) {
		table(get_le(xsdt + 36 + 8 * i, 8), names[i]);
		assert_int_equal(get_le(rsdt + 36 + 4 * i, 4), get_le(xsdt + 36 + 8 * i, 8));
	}
	fadt = table(get_le(xsdt + 36, 8), "FACP");
	table(get_le(fadt + 140, 8), "DSDT");
	table(get_le(fadt + 132, 8), "FACS");
	assert_int_equal(get_le(fadt + 76, 4), 0x608);
}

static void tables_that_are_none_make_no_script(void **state)
{
	(void)state;
	memset(tables, 0, ROOM);
	assert_int_equal(acpi_loader_script(tables, ROOM, rsdp, script), 0);
	memcpy(tables, "RSD PTR ", 8);
	assert_int_equal(acpi_loader_script(tables, ROOM, rsdp, script), 0);
	tables[16] = tables[24] = 64;
	memset(tables + 68, 0xff, 4);	/* a length beyond everything */
	assert_int_equal(acpi_loader_script(tables, ROOM, rsdp, script), 0);
	assert_int_equal(acpi_loader_script(tables, 20, rsdp, script), 0);
}

/* --- ELF --------------------------------------------------------------------------------------------- */

static struct {
	Elf32_Ehdr e;
	Elf32_Phdr p[2];
	uint32_t multiboot[3];
	uint8_t rest[3800];
} kernel;

#define LOWMEM	(128ull << 20)

static int elf_setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memcpy(kernel.e.e_ident, ELFMAG, SELFMAG);
	kernel.e.e_ident[EI_CLASS] = ELFCLASS32;
	kernel.e.e_machine = EM_386;
	kernel.e.e_type = ET_EXEC;
	kernel.e.e_phoff = sizeof(kernel.e);
	kernel.e.e_phnum = 2;
	kernel.e.e_phentsize = sizeof(kernel.p[0]);
	kernel.e.e_entry = 0x100010;
	kernel.p[0] = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = 0, .p_paddr = 0x100000, .p_filesz = 4096 - 256,
				    .p_memsz = 0x4000 };
	kernel.p[1] = (Elf32_Phdr){ .p_type = PT_NOTE };
	kernel.multiboot[0] = 0x1badb002;
	kernel.multiboot[1] = 3;
	kernel.multiboot[2] = 0u - 0x1badb002 - 3;
	return 0;
}

static const char *plan_kernel(struct elf_plan *plan)
{
	return elf_plan((uint8_t *)&kernel, sizeof(kernel), sizeof(kernel), LOWMEM, plan);
}

static void an_elf_kernel_is_placed(void **state)
{
	struct elf_plan plan;

	(void)state;
	assert_null(plan_kernel(&plan));
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.segment[0].gpa, 0x100000);
	assert_int_equal(plan.segment[0].size, 0x4000);
	assert_int_equal(plan.entry, 0x100010);
	assert_true(plan.multiboot);
	kernel.multiboot[2]++;		/* the sum is wrong: no header */
	assert_null(plan_kernel(&plan));
	assert_false(plan.multiboot);
}

static void bad_elf_kernels_are_refused(void **state)
{
	struct elf_plan plan;

	(void)state;
	kernel.p[0].p_paddr = (uint32_t)LOWMEM - 0x4000;	/* in the way of the GDT */
	assert_non_null(plan_kernel(&plan));
	kernel.p[0].p_paddr = 0xfffff000;
	assert_non_null(plan_kernel(&plan));
	kernel.p[0].p_paddr = 0x1f000;				/* over the multiboot information */
	assert_non_null(plan_kernel(&plan));
	elf_setup(NULL);
	kernel.p[0].p_offset = 0xffffffff;
	assert_non_null(plan_kernel(&plan));
	elf_setup(NULL);
	kernel.p[0].p_filesz = 0x5000;				/* more than its memory */
	assert_non_null(plan_kernel(&plan));
	elf_setup(NULL);
	kernel.e.e_phoff = 0xfffffff0;
	assert_non_null(plan_kernel(&plan));
	elf_setup(NULL);
	kernel.e.e_phnum = 0xffff;
	assert_non_null(plan_kernel(&plan));
	elf_setup(NULL);
	kernel.e.e_ident[EI_CLASS] = ELFCLASS64;
	assert_non_null(plan_kernel(&plan));
	elf_setup(NULL);
	kernel.multiboot[1] = 4;				/* wants a video mode */
	kernel.multiboot[2] = 0u - 0x1badb002 - 4;
	assert_non_null(plan_kernel(&plan));
	assert_non_null(elf_plan((uint8_t *)&kernel, 10, 10, LOWMEM, &plan));
}

#define FW(name)	cmocka_unit_test_setup_teardown(name, fw_setup, fw_teardown)
#define FLASH(name)	cmocka_unit_test_setup(name, chip_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FW(items_are_read_byte_by_byte_then_zeros),
		FW(the_directory_names_files),
		FW(dma_reads_skips_and_fills_with_zeros),
		FW(dma_outside_of_memory_is_an_error),
		FW(nothing_is_written),
		FW(a_skip_past_everything_stays_there),
		FW(a_file_that_shrinks_reads_as_zeros),
		FW(a_file_is_made_when_it_is_selected),
		FLASH(firmware_finds_flash),
		FLASH(bytes_are_programmed_and_blocks_erased),
		FLASH(an_erase_without_confirmation_is_an_error),
		FLASH(a_buffered_write_takes_its_count),
		FLASH(the_query_tells_the_geometry),
		FLASH(the_end_of_the_chip_is_the_end),
		cmocka_unit_test(structures_form_a_chain_to_the_end),
		cmocka_unit_test(the_script_relocates_every_table),
		cmocka_unit_test(tables_that_are_none_make_no_script),
		cmocka_unit_test_setup(an_elf_kernel_is_placed, elf_setup),
		cmocka_unit_test_setup(bad_elf_kernels_are_refused, elf_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
