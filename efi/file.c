/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading goes in pieces, because some firmwares fail on one large read.
 */
#include "file.h"

#include "lib/string.h"
#include "pages.h"
#include "report.h"
#include "section.h"

#define PIECE (4u << 20)
#define INFO_SIZE 1024

/* The path in the image's device path: file nodes one behind the other. */
static bool image_path(const EFI_DEVICE_PATH *node, char *path)
{
	path[0] = '\0';
	while (node != NULL && node->Type != END_DEVICE_PATH_TYPE) {
		unsigned int length = node->Length[0] | node->Length[1] << 8;
		const FILEPATH_DEVICE_PATH *file = (const void *)node;
		char part[PATH_SIZE];

		if (length < sizeof(*node))
			return false;
		if (node->Type == MEDIA_DEVICE_PATH && node->SubType == MEDIA_FILEPATH_DP &&
		    (!path_from_utf16(file->PathName, (length - sizeof(*node)) / 2, part,
				      sizeof(part)) ||
		     !path_append(path, PATH_SIZE, part)))
			return false;
		node = (const void *)((const uint8_t *)node + length);
	}
	return true;
}

EFI_STATUS file_open_volume(struct stub *stub)
{
	EFI_BOOT_SERVICES *bs = stub->st->BootServices;
	EFI_GUID loaded_image = LOADED_IMAGE_PROTOCOL;
	EFI_GUID file_system = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_FILE_IO_INTERFACE *volume;
	EFI_STATUS status;

	status = bs->HandleProtocol(stub->image, &loaded_image, (VOID **)&stub->loaded);
	if (EFI_ERROR(status))
		return report_failure(status, "the firmware does not say where acrn.efi came from");
	status = bs->HandleProtocol(stub->loaded->DeviceHandle, &file_system, (VOID **)&volume);
	if (!EFI_ERROR(status))
		status = volume->OpenVolume(volume, &stub->root);
	if (EFI_ERROR(status))
		return report_failure(status,
				      "the volume that acrn.efi came from cannot be read: %s",
				      report_status(status));
	if (!image_path(stub->loaded->FilePath, stub->folder))
		return report_failure(EFI_UNSUPPORTED, "the path of acrn.efi cannot be read");
	str_copy(stub->name, path_name(stub->folder), sizeof(stub->name));
	path_cut_name(stub->folder);
	if (stub->folder[0] == '\0')
		path_append(stub->folder, sizeof(stub->folder), "");
	return EFI_SUCCESS;
}

static EFI_STATUS file_size(EFI_FILE_HANDLE handle, UINT64 *size)
{
	static uint64_t buffer[INFO_SIZE / 8];
	EFI_GUID info_id = EFI_FILE_INFO_ID;
	EFI_FILE_INFO *info = (void *)buffer;
	UINTN length = sizeof(buffer);
	EFI_STATUS status = handle->GetInfo(handle, &info_id, &length, info);

	if (EFI_ERROR(status))
		return status;
	if ((info->Attribute & EFI_FILE_DIRECTORY) != 0)
		return EFI_NOT_FOUND;
	*size = info->FileSize;
	return EFI_SUCCESS;
}

static EFI_STATUS read_pieces(EFI_FILE_HANDLE handle, struct stub_file *file)
{
	UINT64 done = 0;

	while (done < file->size) {
		UINTN piece = file->size - done < PIECE ? file->size - done : PIECE;
		EFI_STATUS status = handle->Read(handle, &piece, file->base + done);

		if (EFI_ERROR(status))
			return status;
		if (piece == 0)
			return EFI_END_OF_FILE;
		done += piece;
	}
	return EFI_SUCCESS;
}

/* An empty file takes a page as well, so that base says whether it was read. */
static bool take_pages(struct stub *stub, UINT64 limit, struct stub_file *file)
{
	file->base = pages_take(stub->st->BootServices,
				(struct pages_request){EfiLoaderData, file->size + 1, 4096, limit});
	return file->base != NULL;
}

static EFI_STATUS read_open_file(struct stub *stub, EFI_FILE_HANDLE handle, UINT64 limit,
				 struct stub_file *file)
{
	EFI_STATUS status = file_size(handle, &file->size);

	if (EFI_ERROR(status))
		return status;
	if (!take_pages(stub, limit, file))
		return EFI_OUT_OF_RESOURCES;
	return read_pieces(handle, file);
}

EFI_STATUS file_from_section(struct stub *stub, const char *name, UINT64 limit, struct stub_file *file)
{
	const uint8_t *at;
	size_t length;

	if (!section_find(stub->loaded->ImageBase, stub->loaded->ImageSize, name, &at, &length))
		return EFI_NOT_FOUND;
	file->size = length;
	if (!take_pages(stub, limit, file))
		return EFI_OUT_OF_RESOURCES;
	memcpy(file->base, at, length);
	return EFI_SUCCESS;
}

EFI_STATUS file_read(struct stub *stub, const char *path, UINT64 limit, struct stub_file *file)
{
	CHAR16 wide[PATH_SIZE];
	EFI_FILE_HANDLE handle;
	EFI_STATUS status;

	if (!path_to_utf16(path, wide, PATH_SIZE))
		return EFI_NOT_FOUND;
	status = stub->root->Open(stub->root, &handle, wide, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status))
		return status;
	status = read_open_file(stub, handle, limit, file);
	handle->Close(handle);
	return status;
}
