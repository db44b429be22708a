/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Files of the volume that acrn.efi was loaded from.
 */
#pragma once

#include "stub.h"

/* Opens the volume and learns in which folder acrn.efi lies. */
EFI_STATUS file_open_volume(struct stub *stub);

/*
 * Reads the whole file at `path` into memory of its own below `limit`. The error is returned, not
 * reported: the caller knows who asked for the file. EFI_OUT_OF_RESOURCES: no room for its
 * file->size bytes.
 */
EFI_STATUS file_read(struct stub *stub, const char *path, UINT64 limit, struct stub_file *file);

/* The same for what acrn.efi holds in a section of that name (section.h); EFI_NOT_FOUND when there is none. */
EFI_STATUS file_from_section(struct stub *stub, const char *name, UINT64 limit, struct stub_file *file);
