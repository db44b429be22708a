/* SPDX-License-Identifier: BSD-3-Clause */
/* A 16550A (TI data sheet PC16550D). A byte written is sent at once, so the transmitter is always empty. */
#include "dev/uart.h"

#include <string.h>

enum { RBR = 0, IER = 1, IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

#define IER_RX		0x01
#define IER_THRE	0x02
#define IER_LINE	0x04
#define IER_MODEM	0x08
#define IIR_NONE	0x01
#define IIR_MODEM	0x00
#define IIR_THRE	0x02
#define IIR_RX		0x04
#define IIR_LINE	0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFO	0xc0
#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02
#define LCR_DLAB	0x80
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define LSR_DR		0x01
#define LSR_OVERRUN	0x02
#define LSR_ERRORS	0x1e
#define LSR_EMPTY	0x60	/* THRE and TEMT */
#define MSR_DELTA	0x0f
#define MSR_PEER	0xb0	/* CTS, DSR, DCD: somebody is always there */

static bool fifo_on(const struct uart *u)
{
	return u->iir_fifo != 0;
}

/* The interrupt of the highest priority, as IIR shows it. */
static uint8_t pending(const struct uart *u)
{
	if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS))
		return IIR_LINE;
	if ((u->ier & IER_RX) && u->rx_len)
		return !fifo_on(u) || u->rx_len >= u->rx_trigger ? IIR_RX : IIR_TIMEOUT;
	if ((u->ier & IER_THRE) && u->thre_pending)
		return IIR_THRE;
	if ((u->ier & IER_MODEM) && (u->msr & MSR_DELTA))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update_irq(struct uart *u)
{
	/* On a PC, OUT2 connects the chip to the line. */
	bool level = pending(u) != IIR_NONE && (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	if (level != u->irq_level) {
		u->irq_level = level;
		u->irq(u->arg, level);
	}
}

static void update_modem(struct uart *u)
{
	uint8_t now = MSR_PEER, changed;

	if (u->mcr & MCR_LOOP)	/* DTR→DSR, RTS→CTS, OUT1→RI, OUT2→DCD */
		now = (uint8_t)((u->mcr & 1 ? 0x20 : 0) | (u->mcr & 2 ? 0x10 : 0) | (u->mcr & 4 ? 0x40 : 0) |
				(u->mcr & 8 ? 0x80 : 0));
	changed = (uint8_t)((now ^ u->msr) & 0xf0);
	/* Deltas stand in the same order 4 bits lower; RI counts only when it goes away. */
	if (!(changed & 0x40) || (now & 0x40))
		changed &= (uint8_t)~0x40;
	u->msr = (uint8_t)(now | (u->msr & MSR_DELTA) | changed >> 4);
}

void uart_reset(struct uart *u)
{
	u->ier = u->iir_fifo = u->lcr = u->mcr = u->scr = u->dlm = 0;
	u->dll = 1;
	u->lsr = LSR_EMPTY;
	u->msr = MSR_PEER;
	u->rx_trigger = 1;
	u->rx_head = u->rx_len = 0;
	u->thre_pending = false;
	update_irq(u);
}

size_t uart_rx_room(const struct uart *u)
{
	return UART_RX_SIZE - u->rx_len;
}

static void push(struct uart *u, uint8_t byte)
{
	if (u->rx_len == UART_RX_SIZE) {
		u->lsr |= LSR_OVERRUN;
		return;
	}
	u->rx[(u->rx_head + u->rx_len++) % UART_RX_SIZE] = byte;
	u->lsr |= LSR_DR;
}

static uint8_t pop(struct uart *u)
{
	uint8_t byte = 0;

	if (u->rx_len) {
		byte = u->rx[u->rx_head];
		u->rx_head = (u->rx_head + 1) % UART_RX_SIZE;
		u->rx_len--;
	}
	if (!u->rx_len)
		u->lsr &= (uint8_t)~LSR_DR;
	return byte;
}

void uart_receive(struct uart *u, const uint8_t *buf, size_t len)
{
	if (u->mcr & MCR_LOOP)
		return;		/* the line is cut */
	for (size_t i = 0; i < len; i++)
		push(u, buf[i]);
	update_irq(u);
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t cause = pending(u);

	if (cause == IIR_THRE)
		u->thre_pending = false;
	return cause | u->iir_fifo;
}

uint8_t uart_read(struct uart *u, unsigned int reg)
{
	bool dlab = u->lcr & LCR_DLAB;
	uint8_t value = 0xff;

	switch (reg) {
	case RBR:
		value = dlab ? u->dll : pop(u);
		break;
	case IER:
		value = dlab ? u->dlm : u->ier;
		break;
	case IIR:
		value = read_iir(u);
		break;
	case LCR:
		value = u->lcr;
		break;
	case MCR:
		value = u->mcr;
		break;
	case LSR:
		value = u->lsr;
		u->lsr &= (uint8_t)~LSR_ERRORS;
		break;
	case MSR:
		value = u->msr;
		u->msr &= (uint8_t)~MSR_DELTA;
		break;
	case SCR:
		value = u->scr;
		break;
	default:
		break;
	}
	update_irq(u);
	return value;
}

static void write_fcr(struct uart *u, uint8_t value)
{
	static const uint8_t triggers[] = { 1, 4, 8, 14 };
	bool on = value & FCR_ENABLE;

	if ((value & FCR_CLEAR_RX) || on != fifo_on(u)) {
		u->rx_len = 0;
		u->lsr &= (uint8_t)~LSR_DR;
	}
	u->iir_fifo = on ? IIR_FIFO : 0;
	u->rx_trigger = triggers[value >> 6];
}

static void write_thr(struct uart *u, uint8_t value)
{
	if (u->mcr & MCR_LOOP)
		push(u, value);
	else
		u->send(u->arg, value);
	u->thre_pending = true;
}

void uart_write(struct uart *u, unsigned int reg, uint8_t value)
{
	bool dlab = u->lcr & LCR_DLAB;

	switch (reg) {
	case RBR:
		if (dlab)
			u->dll = value;
		else
			write_thr(u, value);
		break;
	case IER:
		if (dlab) {
			u->dlm = value;
			break;
		}
		/* Enabling it while the transmitter is empty raises it (data sheet 8.4). */
		if ((value & IER_THRE) && !(u->ier & IER_THRE))
			u->thre_pending = true;
		u->ier = value & 0x0f;
		break;
	case IIR:
		write_fcr(u, value);
		break;
	case LCR:
		u->lcr = value;
		break;
	case MCR:
		u->mcr = value & 0x1f;
		update_modem(u);
		break;
	case SCR:
		u->scr = value;
		break;
	default:
		break;	/* LSR and MSR are read-only */
	}
	update_irq(u);
}
