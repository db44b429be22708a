/* SPDX-License-Identifier: BSD-3-Clause */
/* Firmware images as files: what is taken, what is refused, what is kept, and how a processor begins in them. */
#include "unit.h"

#include <acrn/vm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "loader/e820.h"
#include "loader/firmware.h"
#include "memory.h"

#define PAGE	4096u

static char code[] = "/tmp/fwcode-XXXXXX", vars[] = "/tmp/fwvars-XXXXXX";

static void fill(const char *path, uint32_t size, int byte)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (uint32_t i = 0; i < size; i++)
		fputc(byte, f);
	assert_int_equal(fclose(f), 0);
}

static uint8_t byte_at(const char *path, long offset)
{
	FILE *f = fopen(path, "r");
	int c;

	assert_non_null(f);
	fseek(f, offset, SEEK_SET);
	c = fgetc(f);
	fclose(f);
	return (uint8_t)c;
}

static int setup(void **state)
{
	(void)state;
	strcpy(strchr(code, '-') + 1, "XXXXXX");
	strcpy(strchr(vars, '-') + 1, "XXXXXX");
	close(mkstemp(code));
	close(mkstemp(vars));
	fill(code, 8 * PAGE, 0xcc);
	fill(vars, 2 * PAGE, 0x11);
	config.machine = MACHINE_Q35;
	config.ovmf_code = code;
	config.ovmf_vars = vars;
	config.ovmf_write = false;
	assert_int_equal(memory_init(16u << 20, false), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	firmware_close();
	memory_exit();
	unlink(code);
	unlink(vars);
	return 0;
}

static void variables_lie_below_the_code_and_are_kept(void **state)
{
	uint8_t *buf = malloc(10 * PAGE);
	uint32_t all, nv;

	(void)state;
	assert_int_equal(firmware_open(), 0);
	firmware_sizes(&all, &nv);
	assert_int_equal(all, 10 * PAGE);
	assert_int_equal(nv, 2 * PAGE);
	assert_int_equal(firmware_read(buf), 0);
	assert_int_equal(buf[2 * PAGE - 1], 0x11);
	assert_int_equal(buf[2 * PAGE], 0xcc);
	buf[100] = buf[200] = 0x77;
	firmware_write_vars(buf, 100, 1);
	assert_int_equal(byte_at(vars, 100), 0x77);
	assert_int_equal(byte_at(vars, 200), 0x11);	/* not asked for */
	free(buf);
}

/* An open file description holds the lock, so a second opening in this process is as good as another VM. */
static void variables_in_use_are_refused(void **state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(vars, O_RDWR);

	(void)state;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(firmware_open(), -EBUSY);
	close(fd);
	firmware_close();
	assert_int_equal(firmware_open(), 0);
}

/* The volume at its beginning says how long the variables are; without "w" nothing goes back. */
static void a_single_image_is_split_by_its_first_volume(void **state)
{
	uint8_t head[0x30] = { 0 }, buf[1] = { 0x77 };
	FILE *f = fopen(code, "r+");
	uint32_t all, nv;

	(void)state;
	memcpy(head + 0x28, "_FVH", 4);
	head[0x21] = 3 * PAGE >> 8;
	assert_int_equal(fwrite(head, 1, sizeof(head), f), sizeof(head));
	fclose(f);
	config.ovmf_vars = NULL;
	assert_int_equal(firmware_open(), 0);
	firmware_sizes(&all, &nv);
	assert_int_equal(all, 8 * PAGE);
	assert_int_equal(nv, 3 * PAGE);
	firmware_write_vars(buf, 0, 1);
	assert_int_equal(byte_at(code, 0), 0);
	firmware_close();
	config.ovmf_write = true;
	assert_int_equal(firmware_open(), 0);
	firmware_write_vars(buf, 0, 1);
	assert_int_equal(byte_at(code, 0), 0x77);
}

static void what_is_no_image_is_refused(void **state)
{
	(void)state;
	fill(code, PAGE + 1, 0);
	assert_int_equal(firmware_open(), -EINVAL);
	firmware_close();
	fill(code, 0, 0);
	assert_int_equal(firmware_open(), -EINVAL);
	firmware_close();
	config.ovmf_code = "/nonexistent/code";
	assert_int_equal(firmware_open(), -ENOENT);
	firmware_close();
	config.ovmf_code = "/tmp";
	assert_true(firmware_open() < 0);
	firmware_close();
	config.ovmf_code = code;
	fill(code, 8 * PAGE, 0);
	config.machine = MACHINE_ACRN;
	fill(code, 2u << 20, 0);	/* and the variables are too much */
	assert_int_equal(firmware_open(), -EFBIG);
}

static void a_processor_begins_at_its_reset_vector(void **state)
{
	struct acrn_vcpu_regs r;

	(void)state;
	assert_int_equal(firmware_open(), 0);
	assert_int_equal(firmware_start(&r), 0);
	assert_int_equal(r.regs.cs_base + r.regs.rip, 0xfffffff0u);
	assert_int_equal(r.regs.cs_sel, 0xf000);
	assert_int_equal(r.regs.cr0 & 1, 0);
	assert_int_equal(*(uint8_t *)mem_ptr(0xfffff, 1), 0xcc);	/* the code's copy below 1 MiB */
	assert_int_equal(*(uint8_t *)mem_ptr(0xf8000, 1), 0xcc);
	assert_int_equal(*(uint8_t *)mem_ptr(0xf7fff, 1), 0);
}

/* Machine acrn: "820", a count, entries of 20 bytes at 0xEF000. */
static void the_original_finds_its_memory_map(void **state)
{
	struct acrn_vcpu_regs r;
	const uint8_t *blob;
	uint32_t count;

	(void)state;
	config.machine = MACHINE_ACRN;
	assert_int_equal(firmware_open(), 0);
	assert_int_equal(firmware_start(&r), 0);
	blob = mem_ptr(0xef000, 8 + 2 * sizeof(struct e820_entry));
	assert_memory_equal(blob, "820\0", 4);
	memcpy(&count, blob + 4, 4);
	assert_int_equal(count, 3);
	assert_int_equal(((const struct e820_entry *)(const void *)(blob + 8))[0].size, 0xa0000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(variables_lie_below_the_code_and_are_kept),
		TEST(variables_in_use_are_refused),
		TEST(a_single_image_is_split_by_its_first_volume),
		TEST(what_is_no_image_is_refused),
		TEST(a_processor_begins_at_its_reset_vector),
		TEST(the_original_finds_its_memory_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
