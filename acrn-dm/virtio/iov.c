/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arithmetic on scatter lists: one slice function, and the copies built on the same walk. The segments often point
 * into memory that the guest changes meanwhile; that is harmless here because no content is interpreted.
 */
#include "virtio/iov.h"

#include <stdint.h>
#include <string.h>

/* The piece of segment *i that lies in [*offset, +len): its address and length; advances. NULL at the end. */
static void *next_piece(const struct iovec *iov, unsigned int n, unsigned int *i, size_t *offset, size_t *len)
{
	while (*i < n && *offset >= iov[*i].iov_len) {
		*offset -= iov[*i].iov_len;
		(*i)++;
	}
	if (*i == n || *len == 0)
		return NULL;
	if (*len > iov[*i].iov_len - *offset)
		*len = iov[*i].iov_len - *offset;
	return (uint8_t *)iov[*i].iov_base + *offset;
}

size_t iov_length(const struct iovec *iov, unsigned int n)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

size_t iov_to_buf(const struct iovec *iov, unsigned int n, size_t offset, void *buf, size_t len)
{
	unsigned int i = 0;
	size_t done = 0;

	for (;;) {
		size_t piece = len - done;
		const void *at = next_piece(iov, n, &i, &offset, &piece);

		if (!at)
			return done;
		memcpy((uint8_t *)buf + done, at, piece);
		done += piece;
		offset += piece;
	}
}

size_t iov_from_buf(const struct iovec *iov, unsigned int n, size_t offset, const void *buf, size_t len)
{
	unsigned int i = 0;
	size_t done = 0;

	for (;;) {
		size_t piece = len - done;
		void *at = next_piece(iov, n, &i, &offset, &piece);

		if (!at)
			return done;
		memcpy(at, (const uint8_t *)buf + done, piece);
		done += piece;
		offset += piece;
	}
}

unsigned int iov_slice(const struct iovec *iov, unsigned int n, size_t offset, size_t len, struct iovec *out)
{
	unsigned int i = 0, count = 0;

	while (count < n) {
		size_t piece = len;
		void *at = next_piece(iov, n, &i, &offset, &piece);

		if (!at)
			break;
		out[count++] = (struct iovec){ .iov_base = at, .iov_len = piece };
		len -= piece;
		offset += piece;
	}
	return count;
}
