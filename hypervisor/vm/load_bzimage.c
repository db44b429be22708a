/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel file lies in a boot module and so does the initrd; all places are chosen outside of
 * MEMMAP_MODULE, which is why no copy here can overlap its source.
 */
#include "vm/load_bzimage.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"
#include "vm/bzimage_params.h"

#define LOW_4G (1ull << 32)
#define GDT_AT 4096
#define GDT_ENTRIES 4
#define CMDLINE_AT (GDT_AT + GDT_ENTRIES * 8)
#define GDT_CODE 0x00cf9b000000ffffull
#define GDT_DATA 0x00cf93000000ffffull

static const struct bzimage_setup *setup_of(const struct bzimage_source *source)
{
	return (const void *)(source->kernel_data + BZIMAGE_SETUP_AT);
}

/* The part in front of the protected-mode kernel. */
static uint64_t real_mode_size(const struct bzimage_setup *setup)
{
	return ((setup->setup_sects == 0 ? 4u : setup->setup_sects) + 1u) * BZIMAGE_SECTOR;
}

static const char *check_kernel(const struct bzimage_source *source)
{
	const struct bzimage_setup *setup = setup_of(source);

	if (source->kernel_size < 4096 || setup->boot_flag != BZIMAGE_BOOT_FLAG ||
	    setup->header != BZIMAGE_MAGIC)
		return "the kernel is no bzImage of Linux";
	if (setup->version < BZIMAGE_LEAST_VERSION || (setup->loadflags & BZIMAGE_LOADED_HIGH) == 0)
		return "the kernel is older than boot protocol 2.10";
	if (real_mode_size(setup) >= source->kernel_size)
		return "the kernel's file is cut off";
	if (setup->init_size == 0 || setup->kernel_alignment == 0 ||
	    (setup->kernel_alignment & (setup->kernel_alignment - 1)) != 0 ||
	    source->kernel_size - real_mode_size(setup) > setup->init_size)
		return "the kernel's header contradicts itself";
	return NULL;
}

static uint64_t cmdline_room(const struct bzimage_source *source)
{
	return ALIGN_UP(CMDLINE_AT + strlen(source->cmdline) + 1, PAGE_SIZE);
}

static bool take_params(const struct bzimage_source *source, struct memmap *memmap,
			struct bzimage_plan *plan)
{
	uint64_t size = cmdline_room(source);

	if (source->efi_systab != 0)
		/* with some to spare: the block and a moved initrd split ranges themselves */
		size += efi_memory_filter_room(&source->efi_map, memmap) +
			8ull * source->efi_map.entry_size;
	plan->params_size = ALIGN_UP(size, PAGE_SIZE);
	plan->params = memmap_allocate(memmap, plan->params_size, PAGE_SIZE, LOW_4G, MEMMAP_MODULE);
	return plan->params != HPA_INVALID;
}

/* In place if the kernel can read it there, which is nearly always so. */
static bool place_initrd(const struct bzimage_source *source, struct memmap *memmap,
			 struct bzimage_plan *plan)
{
	hpa_t limit = (hpa_t)setup_of(source)->initrd_addr_max + 1;

	plan->initrd_at = source->initrd;
	if (source->initrd_size == 0 || (source->initrd + source->initrd_size <= limit &&
					 IS_ALIGNED(source->initrd, PAGE_SIZE)))
		return true;
	plan->initrd_at = memmap_allocate(memmap, ALIGN_UP(source->initrd_size, PAGE_SIZE),
					  PAGE_SIZE, limit, MEMMAP_MODULE);
	plan->initrd = (struct bzimage_copy){plan->initrd_at, source->initrd, source->initrd_size};
	return plan->initrd_at != HPA_INVALID;
}

/* At its preferred address, else above, else anywhere; where it unpacks itself must be free too. */
static bool place_kernel(const struct bzimage_source *source, const struct memmap *memmap,
			 struct bzimage_plan *plan)
{
	const struct bzimage_setup *setup = setup_of(source);
	uint64_t skip = real_mode_size(setup);
	uint64_t align = MAX((uint64_t)setup->kernel_alignment, PAGE_SIZE);
	hpa_t preferred = setup->pref_address;
	hpa_t limit = LOW_4G;
	hpa_t at;

	if (setup->relocatable_kernel == 0) {
		align = PAGE_SIZE;
		limit = preferred + setup->init_size;
	}
	at = memmap_find_free(memmap, setup->init_size, align, preferred, limit);
	if (at == HPA_INVALID && setup->relocatable_kernel != 0)
		at = memmap_find_free(memmap, setup->init_size, align, 0x100000, LOW_4G);
	plan->kernel = (struct bzimage_copy){at, source->kernel + skip, source->kernel_size - skip};
	plan->eip = (uint32_t)at;
	return at != HPA_INVALID;
}

int bzimage_plan(const struct bzimage_source *source, struct memmap *memmap,
		 struct bzimage_plan *plan, const char **error)
{
	*plan = (struct bzimage_plan){0};
	*error = check_kernel(source);
	if (*error != NULL)
		return -EINVAL;
	*error = "the kernel's command line is longer than the kernel takes";
	if (strlen(source->cmdline) > setup_of(source)->cmdline_size)
		return -E2BIG;
	*error = "too little memory below 4 GiB for the kernel's parameters";
	if (!take_params(source, memmap, plan))
		return -ENOMEM;
	*error = "too little memory where the kernel can use an initrd";
	if (!place_initrd(source, memmap, plan))
		return -ENOMEM;
	*error = "too little memory in one piece below 4 GiB for the kernel to unpack itself";
	if (!place_kernel(source, memmap, plan))
		return -ENOMEM;
	plan->esi = (uint32_t)plan->params;
	plan->gdt = plan->params + GDT_AT;
	plan->gdt_limit = GDT_ENTRIES * 8 - 1;
	return 0;
}

static void fill_setup(const struct bzimage_source *source, const struct bzimage_plan *plan,
		       struct bzimage_zero_page *zero)
{
	uint64_t length = 0x202u + source->kernel_data[BZIMAGE_SETUP_JUMP] - BZIMAGE_SETUP_AT;
	struct bzimage_setup *setup = &zero->setup;

	memcpy(zero->setup_bytes, setup_of(source), MIN(length, sizeof(zero->setup_bytes)));
	setup->type_of_loader = BZIMAGE_LOADER_UNDEFINED;
	setup->loadflags &= (uint8_t)~BZIMAGE_CAN_USE_HEAP;
	setup->code32_start = plan->eip;
	setup->cmd_line_ptr = (uint32_t)plan->params + CMDLINE_AT;
	setup->ramdisk_image = source->initrd_size == 0 ? 0 : (uint32_t)plan->initrd_at;
	setup->ramdisk_size = (uint32_t)source->initrd_size;
	setup->setup_data = 0;
}

/* Text mode: what a kernel assumes of a PC that was never asked. */
static void fill_text_screen(struct bzimage_screen *screen)
{
	screen->orig_video_is_vga = BZIMAGE_VIDEO_VGA;
	screen->orig_video_mode = 3;
	screen->orig_video_cols = 80;
	screen->orig_video_lines = 25;
	screen->orig_video_points = 16;
}

static void fill_screen(const struct bzimage_source *source, struct bzimage_screen *screen)
{
	const struct boot_framebuffer *fb = &source->framebuffer;
	uint32_t size = fb->pitch * fb->height;
	bool is_efi = source->efi_systab != 0;

	if (fb->width == 0 || fb->is_text) {
		if (!is_efi)
			fill_text_screen(screen);
		return;
	}
	screen->orig_video_is_vga = is_efi ? BZIMAGE_VIDEO_EFI : BZIMAGE_VIDEO_VESA;
	screen->lfb_width = (uint16_t)fb->width;
	screen->lfb_height = (uint16_t)fb->height;
	screen->lfb_depth = fb->bpp;
	screen->lfb_base = (uint32_t)fb->base;
	screen->ext_lfb_base = (uint32_t)(fb->base >> 32);
	screen->capabilities = fb->base >> 32 != 0 ? BZIMAGE_VIDEO_64BIT_BASE : 0;
	/* bytes for EFI, units of 64 KiB for VESA */
	screen->lfb_size = is_efi ? size : ALIGN_UP(size, 0x10000u) >> 16;
	screen->lfb_linelength = (uint16_t)fb->pitch;
	screen->red_pos = fb->red_position;
	screen->red_size = fb->red_size;
	screen->green_pos = fb->green_position;
	screen->green_size = fb->green_size;
	screen->blue_pos = fb->blue_position;
	screen->blue_size = fb->blue_size;
	screen->rsvd_size = (uint8_t)(fb->bpp - fb->red_size - fb->green_size - fb->blue_size);
	screen->rsvd_pos = screen->rsvd_size != 0 ? 24 : 0;
}

/* The map in e820's types, neighbours that now are the same joined. */
static bool fill_e820(const struct memmap *memmap, struct bzimage_zero_page *zero)
{
	struct bzimage_e820 *last = NULL;
	uint32_t i;

	for (i = 0; i < memmap->count; i++) {
		const struct memmap_range *range = &memmap->ranges[i];
		uint32_t type = memmap_e820_type(range->type);

		if (last != NULL && last->type == type && last->addr + last->size == range->base) {
			last->size += range->size;
			continue;
		}
		if (zero->e820_entries == BZIMAGE_MAX_E820)
			return false;
		last = &zero->e820[zero->e820_entries++];
		*last = (struct bzimage_e820){range->base, range->size, type};
	}
	return true;
}

static bool fill_efi(const struct bzimage_source *source, const struct memmap *memmap,
		     const struct bzimage_plan *plan, struct bzimage_zero_page *zero)
{
	uint64_t offset = cmdline_room(source);
	hpa_t at = plan->params + offset;
	uint64_t size = efi_memory_filter(&source->efi_map, memmap, (uint8_t *)zero + offset,
					  plan->params_size - offset);

	zero->efi = (struct bzimage_efi){
		.signature = BZIMAGE_EFI64_SIGNATURE,
		.systab = (uint32_t)source->efi_systab,
		.systab_hi = (uint32_t)(source->efi_systab >> 32),
		.memdesc_size = source->efi_map.entry_size,
		.memdesc_version = source->efi_map_version,
		.memmap = (uint32_t)at,
		.memmap_hi = (uint32_t)(at >> 32),
		.memmap_size = (uint32_t)size,
	};
	return size != 0;
}

int bzimage_fill(const struct bzimage_source *source, const struct memmap *memmap,
		 const struct bzimage_plan *plan, void *params, const char **error)
{
	static const uint64_t gdt[GDT_ENTRIES] = {0, 0, GDT_CODE, GDT_DATA};
	struct bzimage_zero_page *zero = params;

	memset(params, 0, plan->params_size);
	memcpy((uint8_t *)params + GDT_AT, gdt, sizeof(gdt));
	memcpy((uint8_t *)params + CMDLINE_AT, source->cmdline, strlen(source->cmdline) + 1);
	fill_setup(source, plan, zero);
	fill_screen(source, &zero->screen);
	zero->acpi_rsdp_addr = source->rsdp;
	*error = "the memory map has more ranges than a zero page holds";
	if (!fill_e820(memmap, zero))
		return -E2BIG;
	*error = "the firmware's memory map has grown since its place was taken";
	if (source->efi_systab != 0 && !fill_efi(source, memmap, plan, zero))
		return -E2BIG;
	return 0;
}
