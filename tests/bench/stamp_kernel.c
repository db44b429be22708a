/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts the page of stamp_entry.S into a bzImage: stamp_kernel BZIMAGE PAGE OUT. Everything behind the setup sectors
 * moves by one page; the kernel finds its own place, so the header only has to ask for the room.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define SETUP_SECTS 0x1f1
#define SYSSIZE 0x1f4
#define BOOT_FLAG 0x1fe
#define INIT_SIZE 0x260
#define MORE_ROOM 0x400000u /* a page, and what rounding up to the kernel's alignment costs */

static void fail(const char *what)
{
	fprintf(stderr, "stamp_kernel: %s\n", what);
	exit(1);
}

static uint8_t *read_file(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	uint8_t *data;
	long end;

	if (!f || fseek(f, 0, SEEK_END) != 0 || (end = ftell(f)) < 0)
		fail(name);
	rewind(f);
	data = malloc((size_t)end + 1);
	if (!data || fread(data, 1, (size_t)end, f) != (size_t)end)
		fail(name);
	fclose(f);
	*size = (size_t)end;
	return data;
}

static void add32(uint8_t *at, uint32_t more)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	value += more;
	memcpy(at, &value, sizeof(value));
}

int main(int argc, char **argv)
{
	size_t kernel_size, page_size, setup;
	uint8_t *kernel, *page;
	FILE *out;

	if (argc != 4)
		fail("stamp_kernel BZIMAGE PAGE OUT");
	kernel = read_file(argv[1], &kernel_size);
	page = read_file(argv[2], &page_size);
	if (kernel_size < 2 * PAGE || kernel[BOOT_FLAG] != 0x55 || kernel[BOOT_FLAG + 1] != 0xaa)
		fail("no bzImage");
	if (page_size != PAGE)
		fail("the page is none");
	setup = (kernel[SETUP_SECTS] + 1u) * 512u;
	add32(kernel + SYSSIZE, PAGE / 16);
	add32(kernel + INIT_SIZE, MORE_ROOM);
	out = fopen(argv[3], "wb");
	if (!out || fwrite(kernel, 1, setup, out) != setup || fwrite(page, 1, PAGE, out) != PAGE ||
	    fwrite(kernel + setup, 1, kernel_size - setup, out) != kernel_size - setup || fclose(out) != 0)
		fail(argv[3]);
	return 0;
}
