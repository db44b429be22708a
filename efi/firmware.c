/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Order matters: every allocation changes the memory map, so all memory is taken before the map is,
 * and between the map and ExitBootServices there is no other call.
 */
#include "firmware.h"

#include "lib/string.h"
#include "pages.h"
#include "report.h"

#define LIMIT_4G (1ull << 32)
#define MIB (1ull << 20)
#define TAGS_SIZE 8192 /* for all tags but the memory maps */
#define SPARE_DESCRIPTORS 32 /* the map grows while memory is being taken */
#define MAX_TRIES 8 /* of a firmware that changes its map meanwhile */
#define POOL_BASE (8 * MIB) /* the hypervisor's pool: this and RAM / 256 */
#define SERVICE_VM_LEAST (96 * MIB) /* no Debian kernel unpacks itself in less */
#define RSDP_OLD_SIZE 20
#define RSDP_NEW_SIZE 36
#define RSDP_REVISION 15
#define RSDP_LENGTH 20

static struct {
	uint8_t *buffer;
	UINTN size;
} map_room;

static EFI_STATUS get_map(struct stub *stub, struct mbi_efi_map *map, UINTN *key)
{
	UINTN size = map_room.size;
	UINTN descriptor_size = 0;
	EFI_STATUS status = stub->st->BootServices->GetMemoryMap(
		&size, (EFI_MEMORY_DESCRIPTOR *)map_room.buffer, key, &descriptor_size,
		&map->descriptor_version);

	map->at = map_room.buffer;
	map->size = size;
	map->descriptor_size = descriptor_size;
	return status;
}

/* Memory for the map, and for the block that will hold it once as it is and once as e820. */
static EFI_STATUS take_room(struct stub *stub)
{
	EFI_BOOT_SERVICES *bs = stub->st->BootServices;
	struct mbi_efi_map map;
	UINTN key;
	UINT64 size;
	void *block;

	map_room.size = 0;
	if (get_map(stub, &map, &key) != EFI_BUFFER_TOO_SMALL || map.descriptor_size < 40)
		return EFI_DEVICE_ERROR;
	map_room.size = map.size + SPARE_DESCRIPTORS * map.descriptor_size;
	map_room.buffer = pages_take(
		bs, (struct pages_request){EfiLoaderData, map_room.size, 4096, LIMIT_4G});
	size = TAGS_SIZE + mbi_efi_map_room(map_room.size, map.descriptor_size);
	size = (size + 7) & ~7ull;
	block = pages_take(bs, (struct pages_request){EfiLoaderData, size, 4096, LIMIT_4G});
	if (map_room.buffer == NULL || block == NULL)
		return EFI_OUT_OF_RESOURCES;
	mbi_start(&stub->mbi, block, (uint32_t)size);
	return EFI_SUCCESS;
}

EFI_STATUS firmware_check_memory(struct stub *stub)
{
	struct mbi_efi_map map;
	EFI_STATUS status = take_room(stub);
	UINTN key;
	UINT64 need;
	UINT64 left;

	if (!EFI_ERROR(status))
		status = get_map(stub, &map, &key);
	if (EFI_ERROR(status))
		return report_failure(status, "the firmware does not give its memory map: %s",
				      report_status(status));
	need = POOL_BASE + mbi_efi_map_ram(&map) / 256 + SERVICE_VM_LEAST;
	left = mbi_efi_map_free(&map);
	if (left < need)
		return report_failure(EFI_OUT_OF_RESOURCES,
				      "too little memory: %lu MiB are free, the hypervisor and the "
				      "Service VM need %lu MiB",
				      (unsigned long)(left / MIB), (unsigned long)(need / MIB));
	return EFI_SUCCESS;
}

static void add_module(struct stub *stub, const struct stub_file *file, const char *name)
{
	if (file->base != NULL)
		mbi_add_module(&stub->mbi, (uint64_t)file->base, file->size, name);
}

static const uint8_t *find_table(struct stub *stub, EFI_GUID guid)
{
	UINTN i;

	for (i = 0; i < stub->st->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *table = &stub->st->ConfigurationTable[i];

		if (memcmp(&table->VendorGuid, &guid, sizeof(guid)) == 0)
			return table->VendorTable;
	}
	return NULL;
}

/* Some firmwares publish only the old structure, Bochs' none at all: the hypervisor copes. */
static void add_rsdp(struct stub *stub)
{
	const uint8_t *rsdp = find_table(stub, (EFI_GUID)ACPI_20_TABLE_GUID);

	if (rsdp != NULL && rsdp[RSDP_REVISION] >= 2) {
		mbi_add_rsdp(&stub->mbi, rsdp, RSDP_NEW_SIZE);
		return;
	}
	if (rsdp == NULL)
		rsdp = find_table(stub, (EFI_GUID)ACPI_TABLE_GUID);
	if (rsdp != NULL)
		mbi_add_rsdp(&stub->mbi, rsdp, RSDP_OLD_SIZE);
	else
		report("the firmware has no ACPI tables");
}

/* Position and number of the bits of a colour. */
static void read_mask(UINT32 mask, uint8_t *position, uint8_t *size)
{
	*position = mask == 0 ? 0 : (uint8_t)__builtin_ctz(mask);
	for (*size = 0; mask != 0; mask &= mask - 1)
		(*size)++;
}

static bool read_pixel_format(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode,
			      struct boot_framebuffer *fb)
{
	bool is_rgb = mode->PixelFormat == PixelRedGreenBlueReserved8BitPerColor;

	if (mode->PixelFormat == PixelBitMask) {
		read_mask(mode->PixelInformation.RedMask, &fb->red_position, &fb->red_size);
		read_mask(mode->PixelInformation.GreenMask, &fb->green_position, &fb->green_size);
		read_mask(mode->PixelInformation.BlueMask, &fb->blue_position, &fb->blue_size);
	} else if (is_rgb || mode->PixelFormat == PixelBlueGreenRedReserved8BitPerColor) {
		fb->red_position = is_rgb ? 0 : 16;
		fb->green_position = 8;
		fb->blue_position = is_rgb ? 16 : 0;
		fb->red_size = fb->green_size = fb->blue_size = 8;
	} else {
		return false;
	}
	fb->bpp = 32;
	return true;
}

static void add_screen(struct stub *stub)
{
	EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	struct boot_framebuffer fb = {0};

	if (EFI_ERROR(stub->st->BootServices->LocateProtocol(&gop_guid, NULL, (VOID **)&gop)) ||
	    gop->Mode == NULL || gop->Mode->Info == NULL)
		return;
	if (!read_pixel_format(gop->Mode->Info, &fb))
		return;
	fb.base = gop->Mode->FrameBufferBase;
	fb.width = gop->Mode->Info->HorizontalResolution;
	fb.height = gop->Mode->Info->VerticalResolution;
	fb.pitch = gop->Mode->Info->PixelsPerScanLine * 4;
	mbi_add_framebuffer(&stub->mbi, &fb);
}

EFI_STATUS firmware_describe(struct stub *stub)
{
	mbi_add_text(&stub->mbi, MB2_TAG_CMDLINE, "");
	mbi_add_text(&stub->mbi, MB2_TAG_LOADER_NAME, "ACRN EFI stub " ACRN_VERSION);
	add_module(stub, &stub->conf, "acrn.conf");
	add_module(stub, &stub->kernel, "kernel");
	add_module(stub, &stub->initrd, "initrd");
	mbi_add_efi_systab(&stub->mbi, (uint64_t)stub->st);
	add_rsdp(stub);
	add_screen(stub);
	return EFI_SUCCESS;
}

EFI_STATUS firmware_leave(struct stub *stub)
{
	EFI_BOOT_SERVICES *bs = stub->st->BootServices;
	EFI_STATUS status = EFI_INVALID_PARAMETER;
	struct mbi_efi_map map;
	unsigned int tries;
	UINTN key;

	report("leaving the firmware");
	/* a stale key is answered with EFI_INVALID_PARAMETER: take the map again */
	for (tries = 0; tries < MAX_TRIES && status == EFI_INVALID_PARAMETER; tries++) {
		status = get_map(stub, &map, &key);
		if (!EFI_ERROR(status))
			status = bs->ExitBootServices(stub->image, key);
	}
	if (EFI_ERROR(status))
		return report_failure(status, "the firmware does not let go: %s",
				      report_status(status));
	mbi_add_efi_map(&stub->mbi, &map);
	/* cannot be full: take_room counted the largest map that get_map can return */
	(void)mbi_finish(&stub->mbi);
	return EFI_SUCCESS;
}
