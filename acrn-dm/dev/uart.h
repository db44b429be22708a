/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registers of a 16550A, without any idea of where they are or who is at the other end. Not locked: the
 * owner calls it under one lock, and the callbacks run in that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_RX_SIZE	4096u	/* deeper than the chip's 16: the host sends in bursts */

struct uart {
	/* Set by the owner. */
	void (*send)(void *arg, uint8_t byte);
	void (*irq)(void *arg, bool level);	/* only on changes */
	void *arg;

	uint8_t ier, iir_fifo, lcr, mcr, lsr, msr, scr, dll, dlm;
	uint8_t rx_trigger;
	bool thre_pending;
	bool irq_level;
	uint8_t rx[UART_RX_SIZE];
	unsigned int rx_head, rx_len;
};

/* Power-on state; keeps send, irq and arg. Lowers the line. */
void uart_reset(struct uart *u);
uint8_t uart_read(struct uart *u, unsigned int reg);	/* reg 0..7 */
void uart_write(struct uart *u, unsigned int reg, uint8_t value);
/* Bytes from outside; what does not fit is lost and reported as an overrun. */
void uart_receive(struct uart *u, const uint8_t *buf, size_t len);
size_t uart_rx_room(const struct uart *u);
