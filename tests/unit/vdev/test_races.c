/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several CPUs at one device, as real threads under the thread sanitizer: no vector, kick, level or
 * line change may be lost. A loss shows as a thread that waits while nobody gets any further. On a
 * busy machine a hand-over may cost a slice of time each: a test does the rounds that it has time for.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "vdev/vioapic.h"
#include "vdev/vlapic.h"
#include "vdev/vpic.h"
#include "vdev/vuart.h"
#include "x86/apic.h"

#define SENDERS 3U
#define ROUNDS 4000U
#define PATIENCE 60 /* seconds in which nobody ends a round */
#define ENOUGH 5 /* seconds, after which no new round is begun */

struct cpu {
	struct vlapic apic;
	uint32_t is_kicked;
};

static struct apic_bus bus;
static struct cpu cpu[2];
static uint32_t senders_left;
static uint32_t lost;
static uint32_t rounds_done;
static time_t enough;

static void kick(void *ctx)
{
	atomic_store(&((struct cpu *)ctx)->is_kicked, 1U);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void no_sipi(void *ctx, uint8_t vector)
{
	(void)ctx;
	(void)vector;
}

static void no_timer(void *ctx, uint64_t deadline)
{
	(void)ctx;
	(void)deadline;
}

static uint64_t no_tsc(void *ctx)
{
	(void)ctx;
	return 0;
}

static const struct vlapic_ops ops = {
	.kick = kick,
	.nmi = nothing,
	.init = nothing,
	.sipi = no_sipi,
	.timer_set = no_timer,
	.tsc = no_tsc,
};

/* Whether to go for another round, after the given number of them. */
static bool has_time(unsigned int rounds)
{
	(void)atomic_fetch_add(&rounds_done, 1U);
	return rounds < ROUNDS && time(NULL) < enough;
}

/* False when the wait is over because of a loss, here or elsewhere. */
static bool pause_and_hope(void)
{
	static _Thread_local uint32_t seen;
	static _Thread_local time_t seen_at;
	uint32_t now = atomic_load(&rounds_done);

	if (now != seen || seen_at == 0) {
		seen = now;
		seen_at = time(NULL);
	} else if (time(NULL) - seen_at > PATIENCE) {
		atomic_store(&lost, 1U);
	}
	sched_yield();
	return atomic_load(&lost) == 0;
}

static void set_up_cpus(unsigned int count, void (*eoi)(void *ctx, uint8_t vector), void *ctx)
{
	apic_bus_init(&bus, eoi, ctx);
	for (unsigned int i = 0; i < count; i++) {
		struct io_access svr = { IO_MMIO, true, 4, VLAPIC_DEFAULT_BASE + APIC_SVR, 0x1FF };

		cpu[i].is_kicked = 0;
		assert_int_equal(vlapic_init(&cpu[i].apic, &bus, i, &ops, &cpu[i]), 0);
		assert_int_equal(vlapic_mmio(&cpu[i].apic, &svr), IO_DONE);
	}
	lost = 0;
	enough = time(NULL) + ENOUGH;
}

static void run(unsigned int count, void *(*body[])(void *arg), void *arg[])
{
	pthread_t thread[8];

	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, body[i], arg[i]), 0);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(lost, 0);
}

/* How often each vector was sent, and up to which sending it was taken. */
static uint32_t sent[256], taken[256];

/* Each has vectors of its own and shares some with the others. */
static void *send_vectors(void *arg)
{
	unsigned int self = (unsigned int)(uintptr_t)arg;
	uint32_t random = self + 1U;

	for (unsigned int round = 0; has_time(round); round++) {
		uint8_t vector;
		uint32_t mine;

		random = random * 1664525U + 1013904223U;
		vector = (uint8_t)(0x20U + (random >> 16) % 0xA0U);
		if (round % 3U != 0)
			vector = (uint8_t)(0xC0U + self * 16U + (random >> 24) % 16U);
		mine = atomic_fetch_add(&sent[vector], 1U) + 1U;
		vlapic_accept(&cpu[0].apic, vector, (random & 4U) != 0);
		if (round % 2U != 0)
			continue; /* leave some under way */
		while ((int32_t)(atomic_load(&taken[vector]) - mine) < 0 && pause_and_hope())
			;
	}
	(void)atomic_fetch_add(&senders_left, ~0U);
	return NULL;
}

static void take_one(struct cpu *c, uint8_t vector)
{
	vlapic_taken(&c->apic, vector);
	/* Read after the bit left IRR: whoever sends later sets it again. */
	atomic_store(&taken[vector], atomic_load(&sent[vector]));
	vlapic_eoi(&c->apic);
}

/* The owner looks only when it was kicked, as a halted vCPU does. */
static void *take_vectors(void *arg)
{
	struct cpu *c = arg;

	while (atomic_load(&lost) == 0) {
		bool is_last = atomic_load(&senders_left) == 0;

		if (atomic_swap(&c->is_kicked, 0U) != 0) {
			int vector;

			while ((vector = vlapic_pending(&c->apic)) >= 0)
				take_one(c, (uint8_t)vector);
		} else if (is_last) {
			break;
		} else {
			(void)pause_and_hope();
		}
	}
	return NULL;
}

static void no_vector_and_no_kick_is_lost(void **state)
{
	void *(*body[])(void *) = { take_vectors, send_vectors, send_vectors, send_vectors };
	void *arg[] = { &cpu[0], (void *)0, (void *)1, (void *)2 };

	(void)state;
	set_up_cpus(1, NULL, NULL);
	memset(sent, 0, sizeof(sent));
	memset(taken, 0, sizeof(taken));
	senders_left = SENDERS;
	run(1U + SENDERS, body, arg);
	assert_memory_equal(sent, taken, sizeof(sent));
	assert_int_equal(vlapic_waiting(&cpu[0].apic), -1);
}

#define PINS 4U
#define PIN_VECTOR(pin) ((uint8_t)(0x50U + 16U * (pin)))

static struct vioapic ioapic;
static uint32_t wants_service[PINS];

static void ioapic_eoi(void *ctx, uint8_t vector)
{
	vioapic_eoi(ctx, vector);
}

static void ioapic_write(unsigned int pin, uint64_t rte)
{
	struct io_access select = { IO_MMIO, true, 1, ioapic.base, 0x10U + 2U * pin };
	struct io_access window = { IO_MMIO, true, 4, ioapic.base + 0x10U, (uint32_t)rte };

	(void)vioapic_mmio(&ioapic, &select);
	(void)vioapic_mmio(&ioapic, &window);
}

/* A device with a level line: raises it, and waits until its handler has been. */
static void *raise_level(void *arg)
{
	unsigned int pin = (unsigned int)(uintptr_t)arg;

	for (unsigned int round = 0; has_time(round); round++) {
		atomic_store(&wants_service[pin], 1U);
		(void)vioapic_set_pin(&ioapic, pin, true);
		while (atomic_load(&wants_service[pin]) != 0 && pause_and_hope())
			;
	}
	(void)atomic_fetch_add(&senders_left, ~0U);
	return NULL;
}

/* The guest's driver: lowers the line at its device, then acknowledges. */
static void *serve_levels(void *arg)
{
	struct cpu *c = arg;

	while (atomic_load(&senders_left) != 0 && pause_and_hope()) {
		int vector = vlapic_pending(&c->apic);
		unsigned int pin = ((unsigned int)vector - PIN_VECTOR(0)) / 16U;

		if (vector < 0)
			continue;
		vlapic_taken(&c->apic, (uint8_t)vector);
		if (atomic_load(&wants_service[pin]) != 0) {
			(void)vioapic_set_pin(&ioapic, pin, false);
			atomic_store(&wants_service[pin], 0U);
		}
		vlapic_eoi(&c->apic);
	}
	return NULL;
}

/* Another CPU masks, unmasks and moves the pins all the while. */
static void *reprogram(void *arg)
{
	uint32_t random = 7;

	(void)arg;
	while (atomic_load(&senders_left) != 0 && pause_and_hope()) {
		unsigned int pin;

		random = random * 1664525U + 1013904223U;
		pin = random >> 16 & (PINS - 1U);
		ioapic_write(pin, RTE_LEVEL | RTE_MASKED | PIN_VECTOR(pin));
		ioapic_write(pin, RTE_LEVEL | PIN_VECTOR(pin));
	}
	return NULL;
}

static void no_level_is_lost_while_pins_are_reprogrammed(void **state)
{
	void *(*body[])(void *) = { serve_levels, serve_levels, reprogram,
				    raise_level,  raise_level,	raise_level };
	void *arg[] = { &cpu[0], &cpu[1], NULL, (void *)0, (void *)1, (void *)2 };

	(void)state;
	set_up_cpus(2, ioapic_eoi, &ioapic);
	vioapic_init(&ioapic, 0xFEC00000, 0, PINS, &bus);
	for (unsigned int pin = 0; pin < PINS; pin++) {
		ioapic.rte[pin] = (uint64_t)(pin & 1U) << RTE_DEST_SHIFT;
		ioapic_write(pin, RTE_LEVEL | PIN_VECTOR(pin));
	}
	senders_left = 3;
	run(6, body, arg);
	assert_int_equal(vlapic_waiting(&cpu[0].apic), -1);
}

static struct vpic pic;
static struct vuart uart;
static uint32_t pic_rose;
static uint32_t typed, got;

static void pic_interrupt(void *ctx)
{
	(void)ctx;
	atomic_store(&pic_rose, 1U);
}

static void pic_write(uint16_t port, uint8_t value)
{
	struct io_access io = { IO_PORT, true, 1, port, value };

	(void)vpic_port(&pic, &io);
}

static void *raise_edges(void *arg)
{
	unsigned int pin = (unsigned int)(uintptr_t)arg;

	for (unsigned int round = 0; has_time(round); round++) {
		atomic_store(&wants_service[pin % PINS], 1U);
		vpic_set_pin(&pic, pin, true);
		vpic_set_pin(&pic, pin, false);
		while (atomic_load(&wants_service[pin % PINS]) != 0 && pause_and_hope())
			;
	}
	(void)atomic_fetch_add(&senders_left, ~0U);
	return NULL;
}

static void *serve_edges(void *arg)
{
	(void)arg;
	while (atomic_load(&senders_left) != 0 && pause_and_hope()) {
		unsigned int input;

		if (atomic_swap(&pic_rose, 0U) == 0)
			continue;
		while (vpic_pending(&pic)) {
			input = vpic_acknowledge(&pic) & 15U;
			atomic_store(&wants_service[input % PINS], 0U);
			if (input >= 8U)
				pic_write(0xA0, 0x20);
			pic_write(0x20, 0x20);
		}
	}
	return NULL;
}

static void no_edge_of_the_8259s_is_lost(void **state)
{
	static const uint8_t words[] = { 0x11, 0x20, 0x04, 0x01 };
	void *(*body[])(void *) = { serve_edges, raise_edges, raise_edges, raise_edges };
	void *arg[] = { NULL, (void *)1, (void *)4, (void *)14 };

	(void)state;
	set_up_cpus(0, NULL, NULL);
	vpic_init(&pic, pic_interrupt, NULL);
	for (unsigned int i = 0; i < 4U; i++) {
		pic_write(i == 0 ? 0x20 : 0x21, words[i]);
		pic_write(i == 0 ? 0xA0 : 0xA1, i == 1U ? 0x28 : words[i]);
	}
	senders_left = 3;
	run(4, body, arg);
}

static uint32_t uart_line, uart_disorder;

static void no_send(void *ctx, uint8_t byte)
{
	(void)ctx;
	(void)byte;
}

/* Told in order means: each time the opposite of the last. */
static void uart_set_irq(void *ctx, bool asserted)
{
	(void)ctx;
	sched_yield(); /* room for the other one to come first */
	if (atomic_swap(&uart_line, asserted ? 1U : 0U) == (asserted ? 1U : 0U))
		atomic_store(&uart_disorder, 1U);
}

static uint8_t uart_io(bool is_write, unsigned int reg, uint8_t value)
{
	struct io_access io = { IO_PORT, is_write, 1, 0x3F8U + reg, value };

	(void)vuart_port(&uart, &io);
	return (uint8_t)io.value;
}

static void *type_bytes(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; has_time(i); i++) {
		while (!vuart_receive(&uart, (uint8_t)i) && pause_and_hope())
			;
		sched_yield();
		(void)atomic_fetch_add(&typed, 1U);
	}
	(void)atomic_fetch_add(&senders_left, ~0U);
	return NULL;
}

static void *read_bytes(void *arg)
{
	(void)arg;
	while ((atomic_load(&senders_left) != 0 || got != atomic_load(&typed)) && pause_and_hope()) {
		while ((uart_io(false, 5, 0) & 1U) != 0) {
			if (uart_io(false, 0, 0) != (uint8_t)got)
				atomic_store(&lost, 1U);
			got++;
		}
	}
	return NULL;
}

static void a_serial_line_is_told_in_order(void **state)
{
	void *(*body[])(void *) = { type_bytes, read_bytes };
	void *arg[] = { NULL, NULL };

	(void)state;
	set_up_cpus(0, NULL, NULL);
	vuart_init(&uart, 0x3F8, no_send, uart_set_irq, NULL);
	uart_io(true, 2, 0x01);
	uart_io(true, 1, 0x01);
	uart_io(true, 4, 0x08);
	senders_left = 1;
	typed = 0;
	got = 0;
	run(2, body, arg);
	assert_int_equal(got, typed);
	assert_int_equal(uart_disorder, 0);
	assert_int_equal(uart_line, uart.line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_vector_and_no_kick_is_lost),
		cmocka_unit_test(no_level_is_lost_while_pins_are_reprogrammed),
		cmocka_unit_test(no_edge_of_the_8259s_is_lost),
		cmocka_unit_test(a_serial_line_is_told_in_order),
	};

	return cmocka_run_group_tests_name("vdev_races", tests, NULL, NULL);
}
