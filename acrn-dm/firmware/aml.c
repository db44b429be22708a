/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AML opcodes and resource descriptors. Lengths of blocks always take three bytes, so that they can be filled
 * in later.
 */
#include "firmware/aml.h"

#include <string.h>

#define OP_NAME		0x08
#define OP_BYTE		0x0a
#define OP_WORD		0x0b
#define OP_DWORD	0x0c
#define OP_STRING	0x0d
#define OP_QWORD	0x0e
#define OP_SCOPE	0x10
#define OP_BUFFER	0x11
#define OP_PACKAGE	0x12
#define OP_EXT		0x5b
#define OP_EXT_DEVICE	0x82
#define PKG_LEN_SIZE	3
#define PKG_LEN_MAX	0xfffffu

void aml_init(struct aml *a, void *buf, size_t room)
{
	*a = (struct aml){ .buf = buf, .room = room };
}

bool aml_ok(const struct aml *a)
{
	return !a->overflow;
}

void aml_bytes(struct aml *a, const void *data, size_t len)
{
	if (a->overflow || len > a->room - a->len) {
		a->overflow = true;
		return;
	}
	memcpy(a->buf + a->len, data, len);
	a->len += len;
}

static void byte(struct aml *a, uint8_t v)
{
	aml_bytes(a, &v, 1);
}

static void number(struct aml *a, uint64_t v, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		byte(a, (uint8_t)(v >> 8 * i));
}

/* A NameString: an optional root, then one segment of up to four letters, padded with '_'. */
static void name_string(struct aml *a, const char *name)
{
	char segment[4] = { '_', '_', '_', '_' };

	if (*name == '\\') {
		byte(a, '\\');
		name++;
	}
	for (unsigned int i = 0; i < 4 && name[i]; i++)
		segment[i] = name[i];
	aml_bytes(a, segment, 4);
}

static size_t open_block(struct aml *a)
{
	size_t mark = a->len;

	number(a, 0, PKG_LEN_SIZE);
	return mark;
}

size_t aml_open_scope(struct aml *a, const char *name)
{
	size_t mark;

	byte(a, OP_SCOPE);
	mark = open_block(a);
	name_string(a, name);
	return mark;
}

size_t aml_open_device(struct aml *a, const char *name)
{
	size_t mark;

	byte(a, OP_EXT);
	byte(a, OP_EXT_DEVICE);
	mark = open_block(a);
	name_string(a, name);
	return mark;
}

size_t aml_open_package(struct aml *a, uint8_t elements)
{
	size_t mark;

	byte(a, OP_PACKAGE);
	mark = open_block(a);
	byte(a, elements);
	return mark;
}

void aml_close(struct aml *a, size_t mark)
{
	size_t len = a->len - mark;	/* the field itself counts */

	if (a->overflow || len > PKG_LEN_MAX) {
		a->overflow = true;
		return;
	}
	a->buf[mark] = (uint8_t)(0x80 | (len & 15));
	a->buf[mark + 1] = (uint8_t)(len >> 4);
	a->buf[mark + 2] = (uint8_t)(len >> 12);
}

void aml_name(struct aml *a, const char *name)
{
	byte(a, OP_NAME);
	name_string(a, name);
}

void aml_integer(struct aml *a, uint64_t value)
{
	if (value < 2) {
		byte(a, (uint8_t)value);	/* ZeroOp, OneOp */
	} else if (value <= 0xff) {
		byte(a, OP_BYTE);
		number(a, value, 1);
	} else if (value <= 0xffff) {
		byte(a, OP_WORD);
		number(a, value, 2);
	} else if (value <= 0xffffffff) {
		byte(a, OP_DWORD);
		number(a, value, 4);
	} else {
		byte(a, OP_QWORD);
		number(a, value, 8);
	}
}

static uint32_t hex(char c)
{
	return (uint32_t)(c >= 'A' ? c - 'A' + 10 : c - '0');
}

void aml_eisa_id(struct aml *a, const char *id)
{
	uint32_t v = ((uint32_t)(id[0] - '@') & 31) << 26 | ((uint32_t)(id[1] - '@') & 31) << 21 |
		     ((uint32_t)(id[2] - '@') & 31) << 16 | hex(id[3]) << 12 | hex(id[4]) << 8 | hex(id[5]) << 4 |
		     hex(id[6]);

	byte(a, OP_DWORD);
	number(a, __builtin_bswap32(v), 4);
}

void aml_string(struct aml *a, const char *text)
{
	byte(a, OP_STRING);
	aml_bytes(a, text, strlen(text) + 1);
}

struct aml_crs aml_open_crs(struct aml *a)
{
	struct aml_crs crs;

	aml_name(a, "_CRS");
	byte(a, OP_BUFFER);
	crs.package = open_block(a);
	byte(a, OP_WORD);
	crs.size_at = a->len;
	number(a, 0, 2);
	crs.start = a->len;
	return crs;
}

void aml_close_crs(struct aml *a, const struct aml_crs *crs)
{
	size_t size;

	byte(a, 0x79);	/* end tag, and no checksum */
	byte(a, 0);
	size = a->len - crs->start;
	if (!a->overflow) {
		a->buf[crs->size_at] = (uint8_t)size;
		a->buf[crs->size_at + 1] = (uint8_t)(size >> 8);
	}
	aml_close(a, crs->package);
}

void aml_crs_io(struct aml *a, uint16_t port, uint8_t len)
{
	byte(a, 0x47);
	byte(a, 1);		/* 16-bit decode */
	number(a, port, 2);
	number(a, port, 2);
	byte(a, 1);		/* alignment */
	byte(a, len);
}

void aml_crs_irq(struct aml *a, uint8_t irq)
{
	byte(a, 0x22);
	number(a, 1u << irq, 2);
}

void aml_crs_memory32(struct aml *a, uint32_t base, uint32_t len)
{
	byte(a, 0x86);
	number(a, 9, 2);
	byte(a, 1);
	number(a, base, 4);
	number(a, len, 4);
}

/* An address space descriptor (6.4.3.5); size is of each of its five numbers. */
static void window(struct aml *a, uint8_t type, uint8_t specific, unsigned int size, const uint64_t range[2])
{
	byte(a, size == 2 ? 0x88 : size == 4 ? 0x87 : 0x8a);
	number(a, 3 + 5 * size, 2);
	byte(a, type);
	byte(a, 0x0c);		/* producer; both ends fixed */
	byte(a, specific);
	number(a, 0, size);	/* granularity */
	number(a, range[0], size);
	number(a, range[1], size);
	number(a, 0, size);	/* translation */
	number(a, range[1] - range[0] + 1, size);
}

void aml_crs_bus_window(struct aml *a, uint16_t first, uint16_t last)
{
	window(a, 2, 0, 2, (uint64_t[]){ first, last });
}

void aml_crs_io_window(struct aml *a, uint16_t first, uint16_t last)
{
	window(a, 1, 3, 2, (uint64_t[]){ first, last });
}

void aml_crs_memory32_window(struct aml *a, uint32_t first, uint32_t last)
{
	window(a, 0, 1, 4, (uint64_t[]){ first, last });
}

void aml_crs_memory64_window(struct aml *a, uint64_t first, uint64_t last)
{
	window(a, 0, 1, 8, (uint64_t[]){ first, last });
}
