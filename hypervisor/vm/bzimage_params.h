/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The zero page, struct boot_params of Linux' boot protocol: the setup header that a kernel file
 * carries, and what the boot loader adds around it. Documentation/arch/x86/{boot,zero-page}.rst.
 */
#pragma once

#include "lib/types.h"

#define BZIMAGE_BOOT_FLAG 0xaa55
#define BZIMAGE_MAGIC 0x53726448 /* "HdrS" */
#define BZIMAGE_LEAST_VERSION 0x020a /* since then: pref_address and init_size */
#define BZIMAGE_LOADED_HIGH 0x01
#define BZIMAGE_CAN_USE_HEAP 0x80
#define BZIMAGE_LOADER_UNDEFINED 0xff
#define BZIMAGE_SETUP_AT 0x1f1 /* the setup header in file and zero page */
#define BZIMAGE_SETUP_JUMP 0x201 /* the header ends 0x202 + this byte */
#define BZIMAGE_SECTOR 512
#define BZIMAGE_MAX_E820 128

struct bzimage_setup {
	uint8_t setup_sects;
	uint16_t root_flags;
	uint32_t syssize;
	uint16_t ram_size;
	uint16_t vid_mode;
	uint16_t root_dev;
	uint16_t boot_flag;
	uint16_t jump;
	uint32_t header;
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg;
	uint16_t kernel_version;
	uint8_t type_of_loader;
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver;
	uint8_t ext_loader_type;
	uint32_t cmd_line_ptr;
	uint32_t initrd_addr_max;
	uint32_t kernel_alignment;
	uint8_t relocatable_kernel;
	uint8_t min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;
	uint64_t pref_address;
	uint32_t init_size;
	uint32_t handover_offset;
	uint32_t kernel_info_offset;
} __attribute__((packed));

#define BZIMAGE_VIDEO_VGA 0x01
#define BZIMAGE_VIDEO_VESA 0x23
#define BZIMAGE_VIDEO_EFI 0x70
#define BZIMAGE_VIDEO_64BIT_BASE 0x02

struct bzimage_screen {
	uint8_t orig_x;
	uint8_t orig_y;
	uint16_t ext_mem_k;
	uint16_t orig_video_page;
	uint8_t orig_video_mode;
	uint8_t orig_video_cols;
	uint8_t flags;
	uint8_t unused2;
	uint16_t orig_video_ega_bx;
	uint16_t unused3;
	uint8_t orig_video_lines;
	uint8_t orig_video_is_vga;
	uint16_t orig_video_points;
	uint16_t lfb_width;
	uint16_t lfb_height;
	uint16_t lfb_depth;
	uint32_t lfb_base;
	uint32_t lfb_size;
	uint16_t cl_magic, cl_offset;
	uint16_t lfb_linelength;
	uint8_t red_size;
	uint8_t red_pos;
	uint8_t green_size;
	uint8_t green_pos;
	uint8_t blue_size;
	uint8_t blue_pos;
	uint8_t rsvd_size;
	uint8_t rsvd_pos;
	uint16_t vesapm_seg;
	uint16_t vesapm_off;
	uint16_t pages;
	uint16_t vesa_attributes;
	uint32_t capabilities;
	uint32_t ext_lfb_base;
	uint8_t reserved[2];
} __attribute__((packed));

#define BZIMAGE_EFI64_SIGNATURE 0x34364c45 /* "EL64" */

struct bzimage_efi {
	uint32_t signature;
	uint32_t systab;
	uint32_t memdesc_size;
	uint32_t memdesc_version;
	uint32_t memmap;
	uint32_t memmap_size;
	uint32_t systab_hi;
	uint32_t memmap_hi;
} __attribute__((packed));

struct bzimage_e820 {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

struct bzimage_zero_page {
	struct bzimage_screen screen;
	uint8_t pad1[0x070 - 0x040];
	uint64_t acpi_rsdp_addr;
	uint8_t pad2[0x1c0 - 0x078];
	struct bzimage_efi efi;
	uint8_t pad3[0x1e8 - 0x1e0];
	uint8_t e820_entries;
	uint8_t pad4[0x1f1 - 0x1e9];
	union {
		struct bzimage_setup setup;
		uint8_t setup_bytes[0x290 - 0x1f1];
	} __attribute__((packed));
	uint8_t pad5[0x2d0 - 0x290];
	struct bzimage_e820 e820[BZIMAGE_MAX_E820];
	uint8_t pad6[0x1000 - 0xcd0];
} __attribute__((packed));

_Static_assert(sizeof(struct bzimage_screen) == 0x40, "zero-page.rst");
_Static_assert(offsetof(struct bzimage_screen, lfb_base) == 0x18, "screen_info.h");
_Static_assert(offsetof(struct bzimage_screen, red_size) == 0x26, "screen_info.h");
_Static_assert(offsetof(struct bzimage_screen, capabilities) == 0x36, "screen_info.h");
_Static_assert(offsetof(struct bzimage_setup, header) == 0x202 - 0x1f1, "boot.rst");
_Static_assert(offsetof(struct bzimage_setup, cmd_line_ptr) == 0x228 - 0x1f1, "boot.rst");
_Static_assert(offsetof(struct bzimage_setup, pref_address) == 0x258 - 0x1f1, "boot.rst");
_Static_assert(offsetof(struct bzimage_setup, kernel_info_offset) == 0x268 - 0x1f1, "boot.rst");
_Static_assert(offsetof(struct bzimage_zero_page, efi) == 0x1c0, "zero-page.rst");
_Static_assert(offsetof(struct bzimage_zero_page, e820_entries) == 0x1e8, "zero-page.rst");
_Static_assert(offsetof(struct bzimage_zero_page, setup) == 0x1f1, "zero-page.rst");
_Static_assert(offsetof(struct bzimage_zero_page, e820) == 0x2d0, "zero-page.rst");
_Static_assert(sizeof(struct bzimage_zero_page) == 4096, "zero-page.rst");
