/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual 16550A at a port. What the guest sends goes to a callback; what it shall receive is
 * pushed from the console. Used for a console UART whose real one belongs to the hypervisor.
 * Source: NS16550A data sheet.
 */
#pragma once

#include "lib/spinlock.h"
#include "vdev/io_bus.h"

struct vuart {
	struct spinlock lock; /* above nothing; callbacks are called without it */
	uint16_t port;
	uint8_t ier, lcr, mcr, scr, fcr, dll, dlm;
	uint8_t lsr_errors;  /* overrun, until LSR is read */
	uint8_t msr_delta;   /* changes of the modem lines, until MSR is read */
	bool thre_pending;   /* the transmitter became empty and nobody was told yet */
	bool line;	     /* what set_irq was told */
	bool is_telling;     /* one CPU tells set_irq at a time, in order */
	uint8_t rx[256];
	unsigned int rx_head, rx_tail;
	void (*send)(void *ctx, uint8_t byte);
	void (*set_irq)(void *ctx, bool asserted); /* only while OUT2 is set, as on a PC board */
	void *ctx;
};

void vuart_init(struct vuart *v, uint16_t port, void (*send)(void *ctx, uint8_t byte),
		void (*set_irq)(void *ctx, bool asserted), void *ctx);
void vuart_reset(struct vuart *v);
int vuart_attach(struct vuart *v, struct io_bus *bus);
enum io_result vuart_port(void *v, struct io_access *io);

/* A byte from outside; false when the buffer is full (nothing lost: try again later). */
bool vuart_receive(struct vuart *v, uint8_t byte);

/* The guest has asked for received-data interrupts: somebody reads there. Any CPU. */
static inline bool vuart_is_listening(const struct vuart *v)
{
	return (atomic_load_relaxed(&v->ier) & 1U) != 0;
}
