/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The load options of a boot entry: by the specification anything at all, in practice 16-bit text,
 * 8-bit text, or some firmware's private bytes. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes the one word that is a path out of `size` bytes of load options. A first word that ends
 * with .efi is the program's own name (the EFI shell puts it there) and is skipped. Returns the
 * number of words behind it: 0 (none, or no text at all: *path is empty), 1, or more, which is the
 * caller's error to report.
 */
unsigned int options_path(const void *options, size_t size, char *path, size_t path_size);
