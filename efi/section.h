/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Files inside acrn.efi: sections that were added to it (.conf, .linux, .initrd), so that one signature covers them.
 * They are looked up in the image as the firmware has loaded it. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finds the section `name` (at most 8 characters) in the loaded PE image of `size` bytes; false when there is none, or
 * when it does not lie within the image.
 */
bool section_find(const uint8_t *image, size_t size, const char *name, const uint8_t **at, size_t *length);
