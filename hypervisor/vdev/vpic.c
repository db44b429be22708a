/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 8259A pair. Each chip is a pure machine of requests, services and masks; update() wires the
 * second one's output to input 2 of the first and finds the pair's output. Edge requests stay
 * latched when their line falls (the real chip would answer with its spurious vector), because
 * emulated devices raise and lower a line in one step. ICW1's LTIM is ignored, as in every PC that
 * has an ELCR. Source: 8259A data sheet, "ICW" and "OCW".
 */
#include "vdev/vpic.h"

#include "lib/bits.h"
#include "lib/util.h"

#define CASCADE 2U
#define NONE 8U /* no input, and the priority that is lower than all */

#define ICW1_SELECT BIT32(4)
#define ICW1_IC4 BIT32(0)
#define ICW1_SINGLE BIT32(1)
#define ICW4_AUTO_EOI BIT32(1)
#define ICW4_SPECIAL_NESTED BIT32(4)
#define OCW3_SELECT BIT32(3)
#define OCW3_READ_ISR BIT32(0)
#define OCW3_READ BIT32(1)
#define OCW3_POLL BIT32(2)
#define OCW3_SPECIAL_MASK BIT32(5)
#define OCW3_SET_MASK_MODE BIT32(6)
#define POLL_REQUEST 0x80U

static unsigned int input_at(const struct vpic_chip *chip, unsigned int priority)
{
	return (chip->lowest + 1U + priority) % 8U;
}

/* Priority (0 is best) of the best input in the set, NONE when it is empty. */
static unsigned int best_priority(const struct vpic_chip *chip, uint8_t inputs)
{
	unsigned int priority = 0;

	while (priority < NONE && (inputs & BIT32(input_at(chip, priority))) == 0)
		priority++;
	return priority;
}

/* The input that the chip asks service for, or NONE. */
static unsigned int requested(const struct vpic_chip *chip, bool is_first)
{
	uint8_t unmasked = chip->irr & (uint8_t)~chip->imr;
	uint8_t blocking = chip->isr;
	unsigned int request;

	if (unmasked == 0 || chip->init_step != 0)
		return NONE;
	request = best_priority(chip, unmasked);
	if (chip->special_mask)
		blocking &= (uint8_t)~chip->imr;
	/* Fully nested across the cascade: a better input of the second chip may come through. */
	if (is_first && chip->special_nested)
		blocking &= (uint8_t)~BIT32(CASCADE);
	return request < best_priority(chip, blocking) ? input_at(chip, request) : NONE;
}

/* Brings the cascade and the output up to date. True when the output rose. */
static bool update(struct vpic *v)
{
	struct vpic_chip *first = &v->chip[0];
	bool before = v->output;

	if (requested(&v->chip[1], false) != NONE)
		first->irr |= BIT32(CASCADE);
	else
		first->irr &= (uint8_t)~BIT32(CASCADE);
	atomic_store(&v->output, requested(first, true) != NONE);
	return v->output && !before;
}

static void finish(struct vpic *v, bool has_risen)
{
	spinlock_unlock(&v->lock);
	if (has_risen && v->interrupt != NULL)
		v->interrupt(v->ctx);
}

static void reset_chip(struct vpic_chip *chip)
{
	uint8_t elcr_mask = chip->elcr_mask;

	*chip = (struct vpic_chip){ .elcr_mask = elcr_mask, .imr = 0xFF, .lowest = 7 };
}

void vpic_init(struct vpic *v, void (*interrupt)(void *ctx), void *ctx)
{
	*v = (struct vpic){ .interrupt = interrupt, .ctx = ctx };
	spinlock_init(&v->lock);
	/* Timer, keyboard, cascade; clock and FPU error: always edge (spec of the PC's ELCR). */
	v->chip[0].elcr_mask = 0xF8;
	v->chip[1].elcr_mask = 0xDE;
	reset_chip(&v->chip[0]);
	reset_chip(&v->chip[1]);
}

void vpic_reset(struct vpic *v)
{
	spinlock_lock(&v->lock);
	reset_chip(&v->chip[0]);
	reset_chip(&v->chip[1]);
	atomic_store(&v->output, false);
	spinlock_unlock(&v->lock);
}

/* INTA, or the acknowledging half of a poll. */
static void service(struct vpic_chip *chip, unsigned int input)
{
	uint8_t bit = (uint8_t)BIT32(input);

	if ((chip->elcr & bit) == 0)
		chip->irr &= (uint8_t)~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_auto)
		chip->lowest = (uint8_t)input;
}

uint8_t vpic_acknowledge(struct vpic *v)
{
	struct vpic_chip *chip = &v->chip[0];
	unsigned int input;
	uint8_t vector;

	spinlock_lock(&v->lock);
	input = requested(chip, true);
	if (input != NONE)
		service(chip, input);
	if (input == CASCADE) {
		chip = &v->chip[1];
		input = requested(chip, false);
		if (input != NONE)
			service(chip, input);
	}
	/* A request that is gone becomes input 7, without a bit in ISR. */
	vector = (uint8_t)(chip->base + (input == NONE ? 7U : input));
	atomic_store(&v->output, false); /* INTR falls during INTA and rises for what waits */
	finish(v, update(v));
	return vector;
}

bool vpic_pending(struct vpic *v)
{
	return atomic_load(&v->output);
}

void vpic_set_pin(struct vpic *v, unsigned int pin, bool asserted)
{
	struct vpic_chip *chip = &v->chip[pin / 8U & 1U];
	uint8_t bit = (uint8_t)BIT32(pin % 8U);

	if (pin == CASCADE || pin > 15U)
		return;
	spinlock_lock(&v->lock);
	if (asserted) {
		if ((chip->elcr & bit) != 0 || (chip->lines & bit) == 0)
			chip->irr |= bit;
		chip->lines |= bit;
	} else {
		if ((chip->elcr & bit) != 0)
			chip->irr &= (uint8_t)~bit;
		chip->lines &= (uint8_t)~bit;
	}
	finish(v, update(v));
}

static void write_icw1(struct vpic_chip *chip, uint8_t value)
{
	chip->icw[1] = value;
	chip->irr = chip->lines & chip->elcr; /* edges must come anew */
	chip->isr = 0;
	chip->imr = 0;
	chip->lowest = 7;
	chip->special_mask = false;
	chip->read_isr = false;
	chip->poll = false;
	chip->rotate_auto = false;
	if ((value & ICW1_IC4) == 0) {
		chip->auto_eoi = false;
		chip->special_nested = false;
	}
	chip->init_step = 2;
}

static void write_icw(struct vpic_chip *chip, uint8_t value)
{
	unsigned int step = chip->init_step;
	bool has_icw4 = (chip->icw[1] & ICW1_IC4) != 0;

	chip->icw[step] = value;
	if (step == 2U) {
		chip->base = value & 0xF8U;
		if ((chip->icw[1] & ICW1_SINGLE) == 0) {
			chip->init_step = 3;
			return;
		}
	} else if (step == 4U) {
		chip->auto_eoi = (value & ICW4_AUTO_EOI) != 0;
		chip->special_nested = (value & ICW4_SPECIAL_NESTED) != 0;
	}
	chip->init_step = has_icw4 && step < 4U ? 4 : 0;
}

/* EOI of one input; rotating makes it the lowest. */
static void end(struct vpic_chip *chip, unsigned int input, bool rotates)
{
	chip->isr &= (uint8_t)~BIT32(input);
	if (rotates)
		chip->lowest = (uint8_t)input;
}

static void write_ocw2(struct vpic_chip *chip, uint8_t value)
{
	unsigned int priority;

	switch (value >> 5) {
	case 0: /* rotation in automatic EOI mode: clear, set */
	case 4:
		chip->rotate_auto = (value & 0x80U) != 0;
		break;
	case 1: /* non-specific EOI; it does not see masked inputs in special mask mode */
	case 5:
		priority = best_priority(chip, chip->special_mask
						       ? chip->isr & (uint8_t)~chip->imr
						       : chip->isr);
		if (priority != NONE)
			end(chip, input_at(chip, priority), (value & 0x80U) != 0);
		break;
	case 3: /* specific EOI */
	case 7:
		end(chip, value & 7U, (value & 0x80U) != 0);
		break;
	case 6:
		chip->lowest = value & 7U;
		break;
	default: /* 2: no operation */
		break;
	}
}

static void write_ocw3(struct vpic_chip *chip, uint8_t value)
{
	if ((value & OCW3_SET_MASK_MODE) != 0)
		chip->special_mask = (value & OCW3_SPECIAL_MASK) != 0;
	if ((value & OCW3_POLL) != 0)
		chip->poll = true;
	else if ((value & OCW3_READ) != 0)
		chip->read_isr = (value & OCW3_READ_ISR) != 0;
}

static void write_chip(struct vpic_chip *chip, bool is_data_port, uint8_t value)
{
	if (!is_data_port && (value & ICW1_SELECT) != 0)
		write_icw1(chip, value);
	else if (!is_data_port && (value & OCW3_SELECT) != 0)
		write_ocw3(chip, value);
	else if (!is_data_port)
		write_ocw2(chip, value);
	else if (chip->init_step != 0)
		write_icw(chip, value);
	else
		chip->imr = value;
}

/* The read after a poll command is an acknowledge whose answer is the input's number. */
static uint8_t poll(struct vpic *v, struct vpic_chip *chip)
{
	unsigned int input = requested(chip, chip == &v->chip[0]);

	chip->poll = false;
	if (input == NONE)
		return 0;
	service(chip, input);
	return (uint8_t)(POLL_REQUEST | input);
}

static uint8_t read_chip(struct vpic *v, struct vpic_chip *chip, bool is_data_port)
{
	if (chip->poll)
		return poll(v, chip);
	if (is_data_port)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

static bool is_elcr(uint64_t port)
{
	return (port & ~1UL) == 0x4D0U;
}

static void write_elcr(struct vpic_chip *chip, uint8_t value)
{
	chip->elcr = value & chip->elcr_mask;
	/* What is level now follows its line at once. */
	chip->irr = (chip->irr & (uint8_t)~chip->elcr) | (chip->lines & chip->elcr);
}

static void write_byte(void *dev, uint64_t port, uint8_t value)
{
	struct vpic *v = dev;

	spinlock_lock(&v->lock);
	if (is_elcr(port))
		write_elcr(&v->chip[port & 1U], value);
	else
		write_chip(&v->chip[port >> 7 & 1U], (port & 1U) != 0, value);
	finish(v, update(v));
}

static uint8_t read_byte(void *dev, uint64_t port)
{
	struct vpic *v = dev;
	uint8_t value;

	spinlock_lock(&v->lock);
	if (is_elcr(port))
		value = v->chip[port & 1U].elcr;
	else
		value = read_chip(v, &v->chip[port >> 7 & 1U], (port & 1U) != 0);
	finish(v, update(v));
	return value;
}

enum io_result vpic_port(void *v, struct io_access *io)
{
	static const struct io_bytes ops = { read_byte, write_byte };

	return io_bus_bytes(&ops, v, io);
}

int vpic_attach(struct vpic *v, struct io_bus *bus)
{
	static const uint16_t ports[] = { 0x20, 0xA0, 0x4D0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
		int err = io_bus_add_ports(bus, ports[i], 2, vpic_port, v);

		if (err != 0)
			return err;
	}
	return 0;
}
