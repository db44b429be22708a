/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The boot information block of the Multiboot2 specification, section 3.6, as far as we write (EFI
 * stub) or read (hypervisor) it. Tags are padded to 8 bytes; their size does not count the padding.
 */
#pragma once

#include <stdint.h>

#define MB2_LOADER_MAGIC 0x36d76289u
#define MB2_TAG_ALIGN 8u

enum mb2_tag_type {
	MB2_TAG_END = 0,
	MB2_TAG_CMDLINE = 1,
	MB2_TAG_LOADER_NAME = 2,
	MB2_TAG_MODULE = 3,
	MB2_TAG_MMAP = 6,
	MB2_TAG_FRAMEBUFFER = 8,
	MB2_TAG_EFI64_SYSTAB = 12,
	MB2_TAG_RSDP_OLD = 14,
	MB2_TAG_RSDP_NEW = 15,
	MB2_TAG_EFI_MMAP = 17,
};

struct mb2_info {
	uint32_t total_size; /* with this header and the end tag */
	uint32_t reserved;
};

struct mb2_tag {
	uint32_t type;
	uint32_t size; /* with this header */
};

/* MB2_TAG_CMDLINE, MB2_TAG_LOADER_NAME */
struct mb2_tag_string {
	struct mb2_tag tag;
	char text[]; /* with its NUL */
};

struct mb2_tag_module {
	struct mb2_tag tag;
	uint32_t start;
	uint32_t end;
	char text[]; /* first word: acrn.conf, kernel or initrd */
};

struct mb2_mmap_entry {
	uint64_t base;
	uint64_t size;
	uint32_t type; /* e820 numbers */
	uint32_t reserved;
};

struct mb2_tag_mmap {
	struct mb2_tag tag;
	uint32_t entry_size;
	uint32_t entry_version;
	/* entries follow, entry_size apart */
};

#define MB2_FRAMEBUFFER_RGB 1
#define MB2_FRAMEBUFFER_TEXT 2

/* `reserved` is one byte in the specification's table and two in GRUB and its header: two. */
struct mb2_tag_framebuffer {
	struct mb2_tag tag;
	uint64_t base;
	uint32_t pitch;
	uint32_t width;
	uint32_t height;
	uint8_t bpp;
	uint8_t type;
	uint16_t reserved;
	uint8_t red_position; /* from here on only for MB2_FRAMEBUFFER_RGB */
	uint8_t red_size;
	uint8_t green_position;
	uint8_t green_size;
	uint8_t blue_position;
	uint8_t blue_size;
};

struct mb2_tag_efi64_systab {
	struct mb2_tag tag;
	uint64_t pointer;
};

struct mb2_tag_efi_mmap {
	struct mb2_tag tag;
	uint32_t descriptor_size;
	uint32_t descriptor_version;
	/* descriptors follow, descriptor_size apart */
};

_Static_assert(sizeof(struct mb2_mmap_entry) == 24, "Multiboot2 3.6.8");
_Static_assert(sizeof(struct mb2_tag_mmap) == 16, "Multiboot2 3.6.8");
_Static_assert(sizeof(struct mb2_tag_module) == 16, "Multiboot2 3.6.6");
_Static_assert(__builtin_offsetof(struct mb2_tag_framebuffer, red_position) == 32, "GRUB");
_Static_assert(sizeof(struct mb2_tag_efi_mmap) == 16, "Multiboot2 3.6.17");
