/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MD5 (RFC 1321), one block at a time from a buffer in memory. The round constants are floor(2^32 * |sin(i + 1)|).
 */
#include "backend/md5.h"

#include <string.h>

static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const uint8_t shifts[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };

static uint32_t rotate(uint32_t v, unsigned int by)
{
	return (v << by) | (v >> (32 - by));
}

/* The round function and the message word of step i (RFC 1321, 3.4). */
static uint32_t mix(unsigned int i, const uint32_t v[4], unsigned int *word)
{
	uint32_t b = v[1], c = v[2], d = v[3];

	switch (i / 16) {
	case 0:
		*word = i;
		return (b & c) | (~b & d);
	case 1:
		*word = (5 * i + 1) % 16;
		return (d & b) | (~d & c);
	case 2:
		*word = (3 * i + 5) % 16;
		return b ^ c ^ d;
	default:
		*word = (7 * i) % 16;
		return c ^ (b | ~d);
	}
}

static void block(uint32_t state[4], const uint8_t *data)
{
	uint32_t m[16], v[4];

	memcpy(m, data, sizeof(m));
	memcpy(v, state, sizeof(v));
	for (unsigned int i = 0; i < 64; i++) {
		unsigned int word;
		uint32_t f = mix(i, v, &word) + v[0] + sines[i] + m[word];

		v[0] = v[3];
		v[3] = v[2];
		v[2] = v[1];
		v[1] += rotate(f, shifts[i / 16][i % 4]);
	}
	for (unsigned int i = 0; i < 4; i++)
		state[i] += v[i];
}

void md5(const void *text, size_t len, uint8_t digest[16])
{
	uint32_t state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	uint8_t tail[128] = { 0 };
	size_t whole = len / 64 * 64;
	size_t rest = len - whole;
	size_t padded = rest < 56 ? 64 : 128;
	uint64_t bits = (uint64_t)len * 8;

	for (size_t at = 0; at < whole; at += 64)
		block(state, (const uint8_t *)text + at);
	memcpy(tail, (const uint8_t *)text + whole, rest);
	tail[rest] = 0x80;
	memcpy(tail + padded - 8, &bits, 8);
	for (size_t at = 0; at < padded; at += 64)
		block(state, tail + at);
	memcpy(digest, state, 16);
}
