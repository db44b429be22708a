/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Writes the Multiboot2 information block that starts the hypervisor, the same that GRUB writes, so
 * the hypervisor knows one way of being started. Pure. What does not fit is remembered and told by
 * mbi_finish, so the calls need no checks of their own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "boot/multiboot_info.h"

struct mbi {
	uint8_t *at;
	uint32_t size;
	uint32_t used;
	bool is_full;
};

/* The firmware's map as GetMemoryMap gives it. */
struct mbi_efi_map {
	const uint8_t *at;
	uint64_t size;
	uint64_t descriptor_size;
	uint32_t descriptor_version;
};

/* `buffer` is 8-aligned, `size` a multiple of 8. */
void mbi_start(struct mbi *mbi, void *buffer, uint32_t size);

/* Command line or loader name. */
void mbi_add_text(struct mbi *mbi, enum mb2_tag_type type, const char *text);

/* A boot module [base, base + size), all below 4 GiB. */
void mbi_add_module(struct mbi *mbi, uint64_t base, uint64_t size, const char *name);

/* `length` bytes of RSDP: 20 make an old one, 36 and more a new one. */
void mbi_add_rsdp(struct mbi *mbi, const void *rsdp, uint32_t length);

void mbi_add_framebuffer(struct mbi *mbi, const struct boot_framebuffer *framebuffer);

void mbi_add_efi_systab(struct mbi *mbi, uint64_t systab);

/* The firmware's map, both as it is and as a map in e820's terms. */
void mbi_add_efi_map(struct mbi *mbi, const struct mbi_efi_map *map);

/* Room that mbi_add_efi_map needs for a map of that size. */
uint64_t mbi_efi_map_room(uint64_t size, uint64_t descriptor_size);

/* Ends the block. False when something did not fit. */
bool mbi_finish(struct mbi *mbi);

/* Bytes of memory that is free for an operating system (nothing held by boot services). */
uint64_t mbi_efi_map_free(const struct mbi_efi_map *map);

/* Bytes of all RAM. */
uint64_t mbi_efi_map_ram(const struct mbi_efi_map *map);
