/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Paths on a boot volume. Inside the stub they are UTF-8 with backslashes; the firmware wants
 * 16-bit characters. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_SIZE 512

/*
 * Writes into `to` the path of `name` as seen from `folder` (which ends with a backslash): a name
 * that starts with / or \ is one from the volume's root. Slashes become backslashes, doubled ones
 * one. False when it does not fit into `size`.
 */
bool path_join(const char *folder, const char *name, char *to, size_t size);

/* Puts a backslash and `part` behind the path; false when that does not fit into `size`. */
bool path_append(char *path, size_t size, const char *part);

/* The last name. */
const char *path_name(const char *path);

/* Cuts the last name off, so that the path ends with a backslash. */
void path_cut_name(char *path);

/* UTF-16 of a firmware to UTF-8, `count` characters or up to a NUL. False when it does not fit. */
bool path_from_utf16(const uint16_t *from, size_t count, char *to, size_t size);

/* UTF-8 to UTF-16 with a NUL, `count` characters at most. False when wrong or too long. */
bool path_to_utf16(const char *from, uint16_t *to, size_t count);
