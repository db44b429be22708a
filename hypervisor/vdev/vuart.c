/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A 16550A without a wire: what is sent is gone at once, so the transmitter is always empty, and
 * there are no baud rates, parity or frames to get wrong. The receive buffer is larger than the
 * chip's 16 bytes; trigger levels are honoured and what is below them counts as timed out.
 */
#include "vdev/vuart.h"

#include "lib/bits.h"
#include "lib/util.h"

enum { RBR = 0, IER = 1, IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

#define IER_RX BIT32(0)
#define IER_THRE BIT32(1)
#define IER_LINE BIT32(2)
#define IER_MODEM BIT32(3)
#define IIR_NONE 0x01U
#define IIR_MODEM 0x00U
#define IIR_THRE 0x02U
#define IIR_RX 0x04U
#define IIR_LINE 0x06U
#define IIR_TIMEOUT 0x0CU
#define IIR_FIFO 0xC0U
#define FCR_ENABLE BIT32(0)
#define FCR_CLEAR_RX BIT32(1)
#define LCR_DLAB BIT32(7)
#define MCR_OUT2 BIT32(3)
#define MCR_LOOP BIT32(4)
#define LSR_DATA BIT32(0)
#define LSR_OVERRUN BIT32(1)
#define LSR_EMPTY 0x60U /* THRE and TEMT */
#define MSR_PRESENT 0xB0U /* CTS, DSR, DCD: somebody listens */
#define MSR_RI BIT32(6)

static unsigned int received(const struct vuart *v)
{
	return (v->rx_head - v->rx_tail) % ARRAY_SIZE(v->rx);
}

static bool push(struct vuart *v, uint8_t byte)
{
	if (received(v) == ARRAY_SIZE(v->rx) - 1U)
		return false;
	v->rx[v->rx_head] = byte;
	v->rx_head = (v->rx_head + 1U) % ARRAY_SIZE(v->rx);
	return true;
}

static unsigned int trigger_level(const struct vuart *v)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return (v->fcr & FCR_ENABLE) != 0 ? levels[v->fcr >> 6] : 1U;
}

/* The interrupt that IIR names: the best of what is pending and enabled (data sheet, table 4). */
static uint8_t pending(const struct vuart *v)
{
	if ((v->ier & IER_LINE) != 0 && v->lsr_errors != 0)
		return IIR_LINE;
	if ((v->ier & IER_RX) != 0 && received(v) != 0)
		return received(v) >= trigger_level(v) ? IIR_RX : IIR_TIMEOUT;
	if ((v->ier & IER_THRE) != 0 && v->thre_pending)
		return IIR_THRE;
	if ((v->ier & IER_MODEM) != 0 && v->msr_delta != 0)
		return IIR_MODEM;
	return IIR_NONE;
}

static bool wants_line(const struct vuart *v)
{
	return pending(v) != IIR_NONE && (v->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
}

/*
 * Unlocks after telling set_irq, without the lock, what the line became. Two CPUs at it could tell
 * in the wrong order; so the second leaves it to the first, which looks again after each time.
 */
static void finish(struct vuart *v)
{
	if (!v->is_telling) {
		v->is_telling = true;
		while (wants_line(v) != v->line) {
			bool line = !v->line;

			v->line = line;
			spinlock_unlock(&v->lock);
			v->set_irq(v->ctx, line);
			spinlock_lock(&v->lock);
		}
		v->is_telling = false;
	}
	spinlock_unlock(&v->lock);
}

/* The modem inputs: a listener, or in loop-back the chip's own outputs. */
static uint8_t modem_lines(const struct vuart *v)
{
	if ((v->mcr & MCR_LOOP) == 0)
		return MSR_PRESENT;
	return (uint8_t)((v->mcr & 2U) << 3 | (v->mcr & 1U) << 5 | (v->mcr & 4U) << 4 |
			 (v->mcr & 8U) << 4);
}

static void write_mcr(struct vuart *v, uint8_t value)
{
	uint8_t before = modem_lines(v), changed;

	v->mcr = value & 0x1FU;
	changed = before ^ modem_lines(v);
	/* RI tells its end only. */
	if ((before & MSR_RI) == 0)
		changed &= (uint8_t)~MSR_RI;
	v->msr_delta |= changed >> 4;
}

static void write_fcr(struct vuart *v, uint8_t value)
{
	if (((v->fcr ^ value) & FCR_ENABLE) != 0 || (value & FCR_CLEAR_RX) != 0)
		v->rx_tail = v->rx_head;
	v->fcr = (value & FCR_ENABLE) != 0 ? value & 0xC1U : 0;
}

static void write_ier(struct vuart *v, uint8_t value)
{
	/* Enabling it while the transmitter is empty tells so at once. */
	if ((value & ~v->ier & IER_THRE) != 0)
		v->thre_pending = true;
	v->ier = value & 0x0FU;
}

/* A byte to the transmitter: true when it goes outside. */
static bool write_thr(struct vuart *v, uint8_t value)
{
	v->thre_pending = true;
	if ((v->mcr & MCR_LOOP) == 0)
		return true;
	if (!push(v, value))
		v->lsr_errors |= LSR_OVERRUN;
	return false;
}

static void write_register(struct vuart *v, unsigned int reg, uint8_t value)
{
	switch (reg) {
	case IER:
		write_ier(v, value);
		break;
	case IIR:
		write_fcr(v, value);
		break;
	case LCR:
		v->lcr = value;
		break;
	case MCR:
		write_mcr(v, value);
		break;
	case SCR:
		v->scr = value;
		break;
	default: /* LSR and MSR are read-only */
		break;
	}
}

static void write_byte(void *dev, uint64_t port, uint8_t value)
{
	struct vuart *v = dev;
	unsigned int reg = (unsigned int)(port - v->port);
	bool is_sent = false;

	spinlock_lock(&v->lock);
	if ((v->lcr & LCR_DLAB) != 0 && reg <= IER)
		*(reg == RBR ? &v->dll : &v->dlm) = value;
	else if (reg == RBR)
		is_sent = write_thr(v, value);
	else
		write_register(v, reg, value);
	if (is_sent) {
		/* Out before the interrupt that asks for more, so bytes keep their order. */
		spinlock_unlock(&v->lock);
		v->send(v->ctx, value);
		spinlock_lock(&v->lock);
	}
	finish(v);
}

static uint8_t read_rbr(struct vuart *v)
{
	uint8_t byte = 0;

	if (received(v) != 0) {
		byte = v->rx[v->rx_tail];
		v->rx_tail = (v->rx_tail + 1U) % ARRAY_SIZE(v->rx);
	}
	return byte;
}

static uint8_t read_iir(struct vuart *v)
{
	uint8_t value = pending(v);

	if (value == IIR_THRE)
		v->thre_pending = false; /* told */
	return value | ((v->fcr & FCR_ENABLE) != 0 ? IIR_FIFO : 0U);
}

static uint8_t read_lsr(struct vuart *v)
{
	uint8_t value = v->lsr_errors | LSR_EMPTY | (received(v) != 0 ? LSR_DATA : 0U);

	v->lsr_errors = 0;
	return value;
}

static uint8_t read_msr(struct vuart *v)
{
	uint8_t value = modem_lines(v) | v->msr_delta;

	v->msr_delta = 0;
	return value;
}

static uint8_t read_register(struct vuart *v, unsigned int reg)
{
	switch (reg) {
	case RBR:
		return read_rbr(v);
	case IER:
		return v->ier;
	case IIR:
		return read_iir(v);
	case LCR:
		return v->lcr;
	case MCR:
		return v->mcr;
	case LSR:
		return read_lsr(v);
	case MSR:
		return read_msr(v);
	default:
		return v->scr;
	}
}

static uint8_t read_byte(void *dev, uint64_t port)
{
	struct vuart *v = dev;
	unsigned int reg = (unsigned int)(port - v->port);
	uint8_t value;

	spinlock_lock(&v->lock);
	if ((v->lcr & LCR_DLAB) != 0 && reg <= IER)
		value = reg == RBR ? v->dll : v->dlm;
	else
		value = read_register(v, reg);
	finish(v);
	return value;
}

enum io_result vuart_port(void *v, struct io_access *io)
{
	static const struct io_bytes ops = { read_byte, write_byte };

	return io_bus_bytes(&ops, v, io);
}

bool vuart_receive(struct vuart *v, uint8_t byte)
{
	bool is_taken = false;

	spinlock_lock(&v->lock);
	if ((v->mcr & MCR_LOOP) == 0)
		is_taken = push(v, byte);
	finish(v);
	return is_taken;
}

static void reset_registers(struct vuart *v)
{
	v->ier = 0;
	v->lcr = 0;
	v->mcr = 0;
	v->scr = 0;
	v->fcr = 0;
	v->dll = 1; /* 115200 baud, as firmware leaves it */
	v->dlm = 0;
	v->lsr_errors = 0;
	v->msr_delta = 0;
	v->thre_pending = false;
	v->rx_head = 0;
	v->rx_tail = 0;
}

void vuart_init(struct vuart *v, uint16_t port, void (*send)(void *ctx, uint8_t byte),
		void (*set_irq)(void *ctx, bool asserted), void *ctx)
{
	*v = (struct vuart){ .port = port, .send = send, .set_irq = set_irq, .ctx = ctx };
	spinlock_init(&v->lock);
	reset_registers(v);
}

void vuart_reset(struct vuart *v)
{
	spinlock_lock(&v->lock);
	reset_registers(v);
	finish(v);
}

int vuart_attach(struct vuart *v, struct io_bus *bus)
{
	return io_bus_add_ports(bus, v->port, 8, vuart_port, v);
}
