/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's 16550. */
#include "hw/uart.h"
#include "hw/io.h"

#define REG_DATA 0U
#define REG_IER 1U
#define REG_FCR 2U
#define REG_LCR 3U
#define REG_MCR 4U
#define REG_LSR 5U
#define REG_SCRATCH 7U
#define REG_DIVISOR_LOW 0U
#define REG_DIVISOR_HIGH 1U

#define LCR_8N1 0x03U
#define LCR_DIVISOR 0x80U
#define FCR_ENABLE_CLEAR 0x07U
#define MCR_DTR_RTS 0x03U
#define LSR_RECEIVED 0x01U
#define LSR_EMPTY 0x20U
#define LSR_IDLE 0x40U
#define CLOCK 115200U
#define FIFO_SIZE 16U
#define PATIENCE 1000000U /* turns; a character at 9600 baud takes a millisecond */

static uint16_t io_base;
static volatile uint8_t *mmio_base;

static uint8_t reg_read(unsigned int reg)
{
	if (mmio_base != NULL)
		return (uint8_t)mmio_read32(mmio_base + reg * 4U);
	return in8((uint16_t)(io_base + reg));
}

static void reg_write(unsigned int reg, uint8_t value)
{
	if (mmio_base != NULL)
		mmio_write32(mmio_base + reg * 4U, value);
	else
		out8((uint16_t)(io_base + reg), value);
}

static bool set_up(uint32_t baud)
{
	reg_write(REG_SCRATCH, 0x5A);
	if (reg_read(REG_SCRATCH) != 0x5A) {
		uart_disable();
		return false;
	}
	reg_write(REG_IER, 0);
	if (baud != 0 && baud <= CLOCK) {
		reg_write(REG_LCR, LCR_DIVISOR | LCR_8N1);
		reg_write(REG_DIVISOR_LOW, (uint8_t)(CLOCK / baud));
		reg_write(REG_DIVISOR_HIGH, (uint8_t)((CLOCK / baud) >> 8));
	}
	reg_write(REG_LCR, LCR_8N1);
	reg_write(REG_FCR, FCR_ENABLE_CLEAR);
	reg_write(REG_MCR, MCR_DTR_RTS);
	return true;
}

bool uart_init_port(uint16_t port, uint32_t baud)
{
	mmio_base = NULL;
	io_base = port;
	return set_up(baud);
}

bool uart_init_mmio(volatile void *base, uint32_t baud)
{
	io_base = 0;
	mmio_base = base;
	return set_up(baud);
}

void uart_disable(void)
{
	io_base = 0;
	mmio_base = NULL;
}

bool uart_is_enabled(void)
{
	return io_base != 0 || mmio_base != NULL;
}

uint16_t uart_port(void)
{
	return io_base;
}

static bool wait_for(uint8_t state)
{
	for (unsigned int i = 0; i < PATIENCE; i++) {
		if ((reg_read(REG_LSR) & state) != 0)
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

void uart_write(const char *text, size_t len)
{
	unsigned int room = 0;

	for (size_t i = 0; i < len && uart_is_enabled(); i++) {
		/* An empty transmitter takes a FIFO full without asking again. */
		if (room < 2) {
			if (!wait_for(LSR_EMPTY)) {
				uart_disable();
				return;
			}
			room = FIFO_SIZE;
		}
		if (text[i] == '\n') {
			reg_write(REG_DATA, '\r');
			room--;
		}
		reg_write(REG_DATA, (uint8_t)text[i]);
		room--;
	}
}

void uart_drain(void)
{
	if (uart_is_enabled() && !wait_for(LSR_IDLE))
		uart_disable();
}

int uart_read(void)
{
	if (!uart_is_enabled() || (reg_read(REG_LSR) & LSR_RECEIVED) == 0)
		return -1;
	return reg_read(REG_DATA);
}
