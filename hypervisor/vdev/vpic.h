/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pair of 8259A interrupt controllers at ports 0x20, 0xA0 and the ELCR at 0x4D0. The output
 * goes to a callback (LINT0 of the boot CPU); the CPU acknowledges with vpic_acknowledge. Any CPU
 * may call. Source: Intel 8259A data sheet.
 */
#pragma once

#include "lib/spinlock.h"
#include "vdev/io_bus.h"

struct vpic_chip {
	uint8_t irr, isr, imr, lines, elcr, elcr_mask;
	uint8_t icw[5];
	uint8_t init_step; /* 0: ready, else the ICW awaited */
	uint8_t base;	   /* vector of input 0 */
	uint8_t lowest;	   /* input of lowest priority (rotation) */
	bool read_isr, poll, special_mask, auto_eoi, rotate_auto, special_nested;
};

struct vpic {
	struct spinlock lock; /* above nothing */
	struct vpic_chip chip[2];
	bool output;
	/* The INTR output rose; called without the lock. */
	void (*interrupt)(void *ctx);
	void *ctx;
};

void vpic_init(struct vpic *v, void (*interrupt)(void *ctx), void *ctx);
void vpic_reset(struct vpic *v);

/* Adds ports 0x20-21, 0xA0-A1, 0x4D0-4D1 to the bus. */
int vpic_attach(struct vpic *v, struct io_bus *bus);
enum io_result vpic_port(void *v, struct io_access *io);

/* Level of input 0..15 (input 2 is the cascade and ignored). */
void vpic_set_pin(struct vpic *v, unsigned int pin, bool asserted);

/* True while INTR is asserted. */
bool vpic_pending(struct vpic *v);

/* INTA: the vector the CPU gets (spurious 7 or 15 when the request is gone). */
uint8_t vpic_acknowledge(struct vpic *v);
