/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Linux boot protocol, 32-bit entry (Documentation/x86/boot.rst). From the top of low memory downwards:
 * zero page, command line, GDT, initrd; the kernel at its preferred address.
 */
#include "loader/bzimage.h"

#include <string.h>

#include "loader/e820.h"

/* Offsets in the setup header, which are the same in the zero page. */
#define H_ACPI_RSDP		0x070
#define H_E820_COUNT		0x1e8
#define H_SETUP_SECTS		0x1f1
#define H_BOOT_FLAG		0x1fe
#define H_JUMP			0x201
#define H_MAGIC			0x202
#define H_VERSION		0x206
#define H_TYPE_OF_LOADER	0x210
#define H_LOADFLAGS		0x211
#define H_RAMDISK		0x218
#define H_RAMDISK_SIZE		0x21c
#define H_CMDLINE		0x228
#define H_INITRD_MAX		0x22c
#define H_CMDLINE_SIZE		0x238
#define H_PREF_ADDRESS		0x258
#define H_INIT_SIZE		0x260
#define H_END			0x264
#define H_E820_TABLE		0x2d0

#define MAGIC			0x53726448u	/* "HdrS" */
#define VERSION_MIN		0x020a	/* pref_address and init_size are there */
#define LOADED_HIGH		0x01u
#define KEEP_SEGMENTS		0x40u
#define CAN_USE_HEAP		0x80u
#define PAGE			4096u
#define LOW_LIMIT		0x100000u
#define ACPI_RSDP		0xf2400u

static uint64_t get(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static const char *check_head(const uint8_t *head, uint64_t head_len)
{
	if (head_len < H_END || get(head + H_BOOT_FLAG, 2) != 0xaa55 || get(head + H_MAGIC, 4) != MAGIC)
		return "it is not a Linux kernel (bzImage)";
	if (get(head + H_VERSION, 2) < VERSION_MIN)
		return "its boot protocol is older than 2.10";
	if (!(head[H_LOADFLAGS] & LOADED_HIGH))
		return "it is a zImage, not a bzImage";
	return NULL;
}

const char *bzimage_plan(const uint8_t *head, uint64_t head_len, const struct bzimage_sizes *sizes,
			 struct bzimage_plan *plan)
{
	uint64_t lowmem = sizes->lowmem, initrd_size = sizes->initrd;
	const char *why = check_head(head, head_len);
	uint64_t top, end, initrd_max;

	if (why)
		return why;
	plan->payload_offset = ((head[H_SETUP_SECTS] ? head[H_SETUP_SECTS] : 4u) + 1u) * 512ull;
	if (sizes->kernel <= plan->payload_offset)
		return "the file is cut off";
	plan->payload_size = sizes->kernel - plan->payload_offset;
	plan->entry = get(head + H_PREF_ADDRESS, 8);
	plan->cmdline_max = (uint32_t)get(head + H_CMDLINE_SIZE, 4);
	if (plan->cmdline_max > PAGE - 1)
		plan->cmdline_max = PAGE - 1;
	end = get(head + H_INIT_SIZE, 4);
	if (end < plan->payload_size)
		end = plan->payload_size;
	/* Before the additions: each term is below 2^40 now, so that none of them wraps. */
	if (lowmem < 16 * PAGE || lowmem > 1ull << 32 || plan->entry < LOW_LIMIT || plan->entry > lowmem ||
	    sizes->kernel > 1ull << 40 || initrd_size > 1ull << 40)
		return "it does not fit into the guest's memory";
	end += plan->entry;

	plan->zeropage = lowmem - PAGE;
	plan->cmdline = lowmem - 2 * PAGE;
	plan->gdt = lowmem - 3 * PAGE;
	top = plan->gdt;
	initrd_max = get(head + H_INITRD_MAX, 4) + 1;
	if (end > top)
		return "it does not fit into the guest's memory";
	plan->initrd = 0;
	if (initrd_size) {
		if (top > initrd_max)
			top = initrd_max;
		if (top < end || initrd_size > top - end)
			return "the initial RAM disk does not fit into the guest's memory beside it";
		plan->initrd = (top - initrd_size) & ~(uint64_t)(PAGE - 1);
		if (plan->initrd < end)
			return "the initial RAM disk does not fit into the guest's memory beside it";
	}
	return NULL;
}

void bzimage_fill_zeropage(uint8_t *zeropage, const uint8_t *head, const struct bzimage_plan *plan,
			   const struct bzimage_sizes *sizes)
{
	struct e820_entry map[E820_MAX];
	unsigned int header_end = H_MAGIC + head[H_JUMP], count;

	if (header_end > H_E820_TABLE - 0x40)	/* 0x290: the room that the protocol gives it */
		header_end = H_E820_TABLE - 0x40;
	memset(zeropage, 0, PAGE);
	memcpy(zeropage + H_SETUP_SECTS, head + H_SETUP_SECTS, header_end - H_SETUP_SECTS);
	zeropage[H_TYPE_OF_LOADER] = 0xff;
	zeropage[H_LOADFLAGS] &= (uint8_t)~(KEEP_SEGMENTS | CAN_USE_HEAP);
	put32(zeropage + H_RAMDISK, (uint32_t)plan->initrd);
	put32(zeropage + H_RAMDISK_SIZE, (uint32_t)sizes->initrd);
	put32(zeropage + H_CMDLINE, (uint32_t)plan->cmdline);
	put32(zeropage + H_ACPI_RSDP, ACPI_RSDP);

	count = e820_build(map, sizes->lowmem, sizes->highmem);
	zeropage[H_E820_COUNT] = (uint8_t)count;
	memcpy(zeropage + H_E820_TABLE, map, count * sizeof(map[0]));
}
