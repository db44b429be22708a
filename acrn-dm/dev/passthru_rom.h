/* SPDX-License-Identifier: BSD-3-Clause */
/* The expansion ROM of a device of this machine, copied before a guest has the device, or a file in its place. */
#pragma once

#include <stddef.h>

struct pci_device;

/*
 * file: its path, NULL: what the device has. *data is malloc()ed, NULL when the device has none, or none that can be
 * read (logged). -errno, logged, when the file is no expansion ROM.
 */
int passthru_rom_read(struct pci_device *real, const char *file, void **data, size_t *len);
