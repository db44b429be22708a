/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands that UEFI firmware uses: program a byte, erase a block, status; and identity, CFI query and the
 * buffered write for others. As in the emulators that OVMF is written for, the status is 0 until something was
 * programmed or erased, and programming stores the byte as it is, erased or not.
 */
#include "dev/pflash.h"

#include <string.h>

#define READ_ARRAY	0xff
#define RESET		0xf0
#define READ_STATUS	0x70
#define CLEAR_STATUS	0x50
#define READ_ID		0x90
#define QUERY		0x98
#define PROGRAM		0x10
#define PROGRAM_ALT	0x40
#define ERASE		0x20
#define LOCK		0x60
#define BUFFER		0xe8
#define BUFFER_DATA	0x01	/* ours: the count is known, the bytes follow */
#define BUFFER_END	0x02	/* ours: the bytes are there, the confirmation follows */
#define CONFIRM		0xd0

#define STATUS_READY	0x80u
#define STATUS_ERROR	0x30u	/* erase and program: a command sequence that does not exist */
#define BUFFER_MAX	256u

void pflash_reset(struct pflash *p)
{
	p->view = PFLASH_ARRAY;
	p->status = 0;
	p->command = 0;
	p->left = 0;
}

static void touched(struct pflash *p, uint32_t from, uint32_t to)
{
	if (p->dirty_from >= p->dirty_to) {
		p->dirty_from = from;
		p->dirty_to = to;
		return;
	}
	if (from < p->dirty_from)
		p->dirty_from = from;
	if (to > p->dirty_to)
		p->dirty_to = to;
}

/* CFI 1.1: "QRY", command set 1, no alternative, one region of blocks. */
static uint8_t query_byte(const struct pflash *p, uint32_t off)
{
	uint32_t blocks = p->size / PFLASH_BLOCK - 1, log2 = 0;

	while (log2 < 31 && 1u << log2 < p->size)
		log2++;
	switch (off) {
	case 0x10:
		return 'Q';
	case 0x11:
		return 'R';
	case 0x12:
		return 'Y';
	case 0x13:
		return 0x01;
	case 0x27:
		return (uint8_t)log2;
	case 0x2a:
		return 8;	/* 2^8 bytes of write buffer */
	case 0x2c:
		return 1;
	case 0x2d:
		return (uint8_t)blocks;
	case 0x2e:
		return (uint8_t)(blocks >> 8);
	case 0x2f:
		return (uint8_t)(PFLASH_BLOCK >> 8);
	case 0x30:
		return (uint8_t)(PFLASH_BLOCK >> 16);
	default:
		return 0;
	}
}

uint8_t pflash_byte(const struct pflash *p, uint32_t off)
{
	switch (p->view) {
	case PFLASH_STATUS:
		return p->status;
	case PFLASH_IDENTITY:
		return (off & 0xff) == 0 ? 0x89 : (off & 0xff) == 1 ? 0x18 : 0;
	case PFLASH_QUERY:
		return query_byte(p, off & 0xff);
	case PFLASH_ARRAY:
		break;
	}
	return off < p->size ? p->data[off] : 0xff;
}

static void program(struct pflash *p, uint32_t off, unsigned int size, uint64_t value)
{
	uint32_t end = p->size - off < size ? p->size : off + size;

	for (uint32_t i = off; i < end; i++, value >>= 8)
		p->data[i] = (uint8_t)value;
	touched(p, off, end);
	p->status |= STATUS_READY;
}

static void erase(struct pflash *p, uint32_t off)
{
	off &= ~(PFLASH_BLOCK - 1);
	memset(p->data + off, 0xff, PFLASH_BLOCK);
	touched(p, off, off + PFLASH_BLOCK);
	p->status |= STATUS_READY;
}

static void wrong(struct pflash *p)
{
	p->status |= STATUS_READY | STATUS_ERROR;
	p->command = 0;
}

static void first_cycle(struct pflash *p, uint8_t command)
{
	switch (command) {
	case PROGRAM:
	case PROGRAM_ALT:
	case ERASE:
	case LOCK:
		p->command = command;
		p->view = PFLASH_STATUS;
		break;
	case BUFFER:
		p->command = command;
		p->status |= STATUS_READY;
		p->view = PFLASH_STATUS;
		break;
	case READ_STATUS:
		p->view = PFLASH_STATUS;
		break;
	case READ_ID:
		p->view = PFLASH_IDENTITY;
		break;
	case QUERY:
		p->view = PFLASH_QUERY;
		break;
	case CLEAR_STATUS:
		p->status = 0;
		p->view = PFLASH_ARRAY;
		break;
	default:	/* READ_ARRAY, RESET, and what is no command */
		p->view = PFLASH_ARRAY;
		break;
	}
}

static void buffered(struct pflash *p, uint32_t off, unsigned int size, uint64_t value)
{
	switch (p->command) {
	case BUFFER:
		p->left = (uint32_t)(value & (BUFFER_MAX - 1)) + 1;
		p->command = BUFFER_DATA;
		break;
	case BUFFER_DATA:
		if (size > p->left)
			size = p->left;
		program(p, off, size, value);
		p->left -= size;
		if (p->left == 0)
			p->command = BUFFER_END;
		break;
	default:
		p->command = 0;
		if ((uint8_t)value != CONFIRM)
			wrong(p);
		break;
	}
}

void pflash_write(struct pflash *p, uint32_t off, unsigned int size, uint64_t value)
{
	switch (p->command) {
	case 0:
		first_cycle(p, (uint8_t)value);
		break;
	case PROGRAM:
	case PROGRAM_ALT:
		program(p, off, size, value);
		p->command = 0;
		break;
	case ERASE:
		if ((uint8_t)value == CONFIRM)
			erase(p, off);
		else
			wrong(p);
		p->command = 0;
		break;
	case LOCK:	/* locks are not kept: each sequence succeeds */
		p->status |= STATUS_READY;
		p->command = 0;
		break;
	default:
		buffered(p, off, size, value);
		break;
	}
}
