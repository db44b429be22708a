/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tiny guests share: ports, a serial port to speak through, the command line. Inline, because there is no
 * library and no relocation in such a guest: no table of pointers may stand in its data.
 */
#pragma once

#include <stdint.h>

#define COM1 0x3f8
#define COM2 0x2f8
#define DEBUG_EXIT 0xf4

static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void put(uint16_t com, const char *text)
{
	for (; *text; text++) {
		while (!(inb((uint16_t)(com + 5)) & 0x20))
			;
		outb(com, (uint8_t)*text);
	}
}

static inline void put_number(uint16_t com, uint32_t value, uint32_t base)
{
	char text[12];
	int i = sizeof(text) - 1;

	text[i] = 0;
	do {
		text[--i] = (char)(value % base < 10 ? '0' + value % base : 'a' + value % base - 10);
		value /= base;
	} while (value);
	put(com, text + i);
}

/* The command line, from the boot parameters. */
static inline const char *command_line(const uint8_t *params)
{
	return (const char *)(uintptr_t)*(const uint32_t *)(params + 0x228);
}

static inline const char *last_word(const char *text)
{
	const char *word = text;

	for (; *text; text++)
		if (text[0] == ' ' && text[1])
			word = text + 1;
	return word;
}
