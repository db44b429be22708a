/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * What the stub gathers on its way, step by step, until it can leave the firmware. There is one of
 * it, in static memory; every step takes it and either returns EFI_SUCCESS or has told why not.
 */
#pragma once

#include <efi.h>

#include "config/scenario.h"
#include "mbi.h"
#include "path.h"

/* A file in memory of its own, below 4 GiB. */
struct stub_file {
	uint8_t *base;
	uint64_t size;
};

struct stub {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *st;
	EFI_LOADED_IMAGE *loaded;
	EFI_FILE_HANDLE root; /* of the volume that acrn.efi came from */
	char name[PATH_SIZE]; /* of acrn.efi in its folder */
	char folder[PATH_SIZE]; /* of acrn.conf on that volume */
	char conf_path[PATH_SIZE];
	struct scenario scenario;
	struct stub_file conf;
	struct stub_file kernel;
	struct stub_file initrd;
	uint64_t hypervisor; /* where its image was placed */
	uint64_t entry; /* its 64-bit entry, physical */
	struct mbi mbi;
};
