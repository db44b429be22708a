/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Registers are reached through a port or through memory, 4 bytes apart there. A write never waits
 * for ever: a UART that does not drain loses text, the machine still boots.
 */
#include "uart.h"

#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCRATCH 7

#define LCR_8N1 0x03
#define LCR_DIVISOR 0x80
#define FCR_ENABLE_CLEAR 0x07
#define MCR_DTR_RTS 0x03
#define LSR_EMPTY 0x20
#define UART_CLOCK 115200
#define MAX_POLLS 100000

static struct scenario_serial uart;

static uint8_t get(unsigned int reg)
{
	uint8_t value;

	if (uart.is_mmio)
		return (uint8_t)((volatile uint32_t *)uart.base)[reg];
	__asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"((uint16_t)(uart.base + reg)));
	return value;
}

static void put(unsigned int reg, uint8_t value)
{
	if (uart.is_mmio)
		((volatile uint32_t *)uart.base)[reg] = value;
	else
		__asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"((uint16_t)(uart.base + reg)));
}

/* Nothing else keeps what is written to the scratch register. */
static bool is_there(void)
{
	put(UART_SCRATCH, 0x5a);
	if (get(UART_SCRATCH) != 0x5a)
		return false;
	put(UART_SCRATCH, 0xa5);
	return get(UART_SCRATCH) == 0xa5;
}

void uart_start(const struct scenario_serial *serial)
{
	uint16_t divisor = (uint16_t)(UART_CLOCK / serial->baud);

	uart = *serial;
	if (!uart.enabled)
		return;
	uart.enabled = is_there();
	if (!uart.enabled)
		return;
	if (divisor == 0)
		divisor = 1;
	put(UART_IER, 0);
	put(UART_LCR, LCR_8N1 | LCR_DIVISOR);
	put(UART_DATA, (uint8_t)divisor);
	put(UART_IER, (uint8_t)(divisor >> 8));
	put(UART_LCR, LCR_8N1);
	put(UART_FCR, FCR_ENABLE_CLEAR);
	put(UART_MCR, MCR_DTR_RTS);
}

void uart_write(const char *text)
{
	for (; uart.enabled && *text != '\0'; text++) {
		unsigned int polls = 0;

		while ((get(UART_LSR) & LSR_EMPTY) == 0 && ++polls < MAX_POLLS)
			__asm__ volatile("pause");
		put(UART_DATA, (uint8_t)*text);
	}
}
