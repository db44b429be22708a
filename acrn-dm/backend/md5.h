/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MD5 (RFC 1321). Only to make stable names out of option texts, as the original does for disk serial numbers and
 * MAC addresses; it protects nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The digest of text[0 .. len). */
void md5(const void *text, size_t len, uint8_t digest[16]);
