/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arithmetic on scatter lists. Offsets count bytes from the start of the list; every function stops at its end and
 * returns how many bytes it really moved, so a short list is visible to the caller and never overrun.
 */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

/* The total length of `n` segments. */
size_t iov_length(const struct iovec *iov, unsigned int n);

/* Copy out of the list from `offset` into buf; returns the bytes copied. */
size_t iov_to_buf(const struct iovec *iov, unsigned int n, size_t offset, void *buf, size_t len);

/* Copy buf into the list from `offset`; returns the bytes copied. */
size_t iov_from_buf(const struct iovec *iov, unsigned int n, size_t offset, const void *buf, size_t len);

/* The part [offset, offset + len) of the list, as segments of `out` (room for n); returns how many there are. */
unsigned int iov_slice(const struct iovec *iov, unsigned int n, size_t offset, size_t len, struct iovec *out);
