/* SPDX-License-Identifier: BSD-3-Clause */
/* UART, RTC and PIT, by their data sheets. */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "dev/pit.h"
#include "dev/rtc.h"
#include "dev/uart.h"

/* --- UART --- */

static struct uart uart;
static uint8_t sent[16];
static unsigned int sent_len;
static bool line;

static void on_send(void *arg, uint8_t byte)
{
	(void)arg;
	sent[sent_len++ % sizeof(sent)] = byte;
}

static void on_irq(void *arg, bool level)
{
	(void)arg;
	assert_int_not_equal(level, line);	/* only changes are told */
	line = level;
}

static int uart_setup(void **state)
{
	(void)state;
	memset(&uart, 0, sizeof(uart));
	uart.send = on_send;
	uart.irq = on_irq;
	line = false;
	sent_len = 0;
	uart_reset(&uart);
	uart_write(&uart, 2, 0x01);	/* FIFO on, trigger 1 */
	uart_write(&uart, 4, 0x08);	/* OUT2 */
	return 0;
}

static void uart_sends(void **state)
{
	(void)state;
	assert_int_equal(uart_read(&uart, 5), 0x60);
	uart_write(&uart, 0, 'A');
	assert_int_equal(sent_len, 1);
	assert_int_equal(sent[0], 'A');
	uart_write(&uart, 3, 0x80);
	uart_write(&uart, 0, 0x0c);	/* the divisor, not data */
	assert_int_equal(uart_read(&uart, 0), 0x0c);
	assert_int_equal(sent_len, 1);
}

static void uart_transmitter_interrupt_is_acknowledged_by_reading(void **state)
{
	(void)state;
	uart_write(&uart, 1, 0x02);
	assert_true(line);
	assert_int_equal(uart_read(&uart, 2), 0xc2);
	assert_false(line);
	assert_int_equal(uart_read(&uart, 2), 0xc1);
	uart_write(&uart, 0, 'B');
	assert_true(line);
}

static void uart_receives(void **state)
{
	(void)state;
	uart_write(&uart, 1, 0x01);
	uart_receive(&uart, (const uint8_t *)"hi", 2);
	assert_true(line);
	assert_int_equal(uart_read(&uart, 2) & 15, 4);
	assert_int_equal(uart_read(&uart, 0), 'h');
	assert_int_equal(uart_read(&uart, 5) & 1, 1);
	assert_int_equal(uart_read(&uart, 0), 'i');
	assert_false(line);
	assert_int_equal(uart_read(&uart, 5) & 1, 0);
	assert_int_equal(uart_read(&uart, 0), 0);
}

static void uart_overrun_is_reported(void **state)
{
	static uint8_t flood[UART_RX_SIZE + 10];

	(void)state;
	uart_receive(&uart, flood, sizeof(flood));
	assert_int_equal(uart_rx_room(&uart), 0);
	assert_int_equal(uart_read(&uart, 5) & 2, 2);
	assert_int_equal(uart_read(&uart, 5) & 2, 0);
}

static void uart_loops_back(void **state)
{
	(void)state;
	uart_write(&uart, 4, 0x1a);	/* LOOP, OUT2, RTS */
	assert_int_equal(uart_read(&uart, 6) & 0xf0, 0x90);
	uart_write(&uart, 0, 'x');
	assert_int_equal(sent_len, 0);
	assert_int_equal(uart_read(&uart, 0), 'x');
}

static void uart_takes_anything(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t r = unit_random(&seed);

		if (r & 1)
			uart_write(&uart, r >> 8 & 7, (uint8_t)(r >> 16));
		else
			uart_read(&uart, r >> 8 & 7);
		if ((r & 0x700) == 0)
			uart_receive(&uart, (const uint8_t *)&seed, sizeof(seed));
	}
}

/* --- RTC --- */

static struct rtc rtc;
static struct rtc_now now;

static uint8_t rtc_get(uint8_t reg)
{
	rtc_write_index(&rtc, reg);
	return rtc_read(&rtc, &now);
}

static void rtc_put(uint8_t reg, uint8_t value)
{
	rtc_write_index(&rtc, reg);
	rtc_write(&rtc, value, &now);
}

static int rtc_setup(void **state)
{
	(void)state;
	memset(&rtc, 0, sizeof(rtc));
	now = (struct rtc_now){ .seconds = 1795343421, .ns = 1000 };	/* 2026-11-22 10:30:21, a Sunday */
	rtc_reset(&rtc, &now);
	return 0;
}

static void rtc_tells_the_time_in_bcd(void **state)
{
	static const uint8_t regs[] = { 0, 2, 4, 6, 7, 8, 9, 0x32 };
	static const uint8_t want[] = { 0x21, 0x30, 0x10, 1, 0x22, 0x11, 0x26, 0x20 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(want); i++)
		assert_int_equal(rtc_get(regs[i]), want[i]);
	rtc_put(11, 0x06);
	assert_int_equal(rtc_get(0), 21);
	rtc_put(11, 0x00);
	now.seconds += 3 * 3600;
	assert_int_equal(rtc_get(4), 0x81);	/* 1 in the afternoon */
}

static void rtc_is_set_in_any_order(void **state)
{
	(void)state;
	rtc_put(11, 0x82);
	rtc_put(8, 0x02);
	rtc_put(7, 0x29);
	rtc_put(9, 0x28);
	rtc_put(4, 0x23);
	now.seconds += 100;		/* SET holds the clock */
	rtc_put(11, 0x02);
	now.seconds += 3600;
	assert_int_equal(rtc_get(7), 0x01);
	assert_int_equal(rtc_get(8), 0x03);
	assert_int_equal(rtc_get(9), 0x28);
}

static void rtc_rings_its_alarm_once(void **state)
{
	(void)state;
	rtc_put(1, 0x25);
	rtc_put(3, 0xff);
	rtc_put(5, 0xff);
	rtc_put(11, 0x22);
	now.seconds += 3;
	assert_false(rtc_update(&rtc, &now));
	now.seconds += 2;
	assert_true(rtc_update(&rtc, &now));
	assert_int_equal(rtc_get(12) & 0xa0, 0xa0);
	assert_false(rtc_update(&rtc, &now));
	assert_true(rtc_wait_ns(&rtc, &now) > 0);
}

static void rtc_ticks_periodically(void **state)
{
	(void)state;
	rtc_put(10, 0x26);		/* 1024 Hz */
	rtc_put(11, 0x42);
	assert_in_range(rtc_wait_ns(&rtc, &now), 900000, 1000000);
	now.ns += 1000000;
	assert_true(rtc_update(&rtc, &now));
	assert_int_equal(rtc_get(12), 0xc0);
	assert_int_equal(rtc_get(12), 0);
}

static void rtc_takes_anything(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		uint64_t r = unit_random(&seed);

		rtc_put((uint8_t)r, (uint8_t)(r >> 8));
		rtc_get((uint8_t)(r >> 16));
		rtc_update(&rtc, &now);
		rtc_wait_ns(&rtc, &now);
		now.seconds += (int64_t)(r >> 24 & 0xffff);
		now.ns += r >> 40;
	}
}

/* --- PIT --- */

static struct pit pit;
#define MS 1000000ull

static int pit_setup(void **state)
{
	(void)state;
	pit_reset(&pit);
	return 0;
}

static void load(unsigned int ch, uint8_t mode, uint16_t count, uint64_t at)
{
	pit_write(&pit, 3, (uint8_t)(ch << 6 | 0x30 | mode << 1), at);
	pit_write(&pit, ch, (uint8_t)count, at);
	pit_write(&pit, ch, (uint8_t)(count >> 8), at);
}

static uint16_t latched(unsigned int ch, uint64_t at)
{
	uint16_t low;

	pit_write(&pit, 3, (uint8_t)(ch << 6), at);
	low = pit_read(&pit, ch, at + 12345);
	return (uint16_t)(low | pit_read(&pit, ch, at + 99999) << 8);
}

static void pit_counts_down(void **state)
{
	(void)state;
	load(0, 2, 11932, 0);
	assert_int_equal(latched(0, 0), 11932);
	assert_in_range(latched(0, 5 * MS), 5960, 5970);
	assert_in_range(latched(0, 12 * MS), 9500, 9600);
}

static void pit_periodic_edges_come_in_time(void **state)
{
	uint64_t period, first;

	(void)state;
	load(0, 2, 11932, 1000);
	first = pit_next_rise(&pit, 0, 1000, &period);
	assert_in_range(first, 10 * MS, 10 * MS + 2000);
	assert_in_range(period, 9999000, 10001000);
	assert_true(pit_next_rise(&pit, 0, first, &period) > first);
	load(0, 3, 0, 0);
	pit_next_rise(&pit, 0, 0, &period);
	assert_in_range(period, 54925000, 54926000);
}

static void pit_one_shot_fires_once(void **state)
{
	uint64_t period, at;

	(void)state;
	load(0, 0, 1193, 0);
	at = pit_next_rise(&pit, 0, 0, &period);
	assert_in_range(at, 999000, 1001000);
	assert_int_equal(period, 0);
	assert_false(pit_output(&pit, 0, at - 2000));
	assert_true(pit_output(&pit, 0, at));
	assert_int_equal(pit_next_rise(&pit, 0, at, &period), 0);
}

static void pit_gate_holds_channel_2(void **state)
{
	(void)state;
	load(2, 0, 1193, 0);
	pit_set_gate(&pit, 2, true, 5 * MS);
	assert_false(pit_output(&pit, 2, 5 * MS + 900000));
	assert_true(pit_output(&pit, 2, 6 * MS + 10000));
}

static void pit_status_is_read_back(void **state)
{
	(void)state;
	pit_write(&pit, 3, 0x34, 0);
	pit_write(&pit, 3, 0xe2, 0);
	assert_int_equal(pit_read(&pit, 0, 0) & 0x7f, 0x74);
	load(0, 2, 100, 0);
	pit_write(&pit, 3, 0xe2, 0);
	assert_int_equal(pit_read(&pit, 0, 0) & 0x7f, 0x34);
}

static void pit_takes_anything(void **state)
{
	uint64_t seed = 9, at = 0, period, next;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t r = unit_random(&seed);

		pit_write(&pit, r & 3, (uint8_t)(r >> 8), at);
		pit_read(&pit, r >> 16 & 3, at);
		pit_set_gate(&pit, 2, r >> 20 & 1, at);
		next = pit_next_rise(&pit, r >> 24 & 1, at, &period);
		assert_true(next == 0 || next > at);
		at += r >> 34;
	}
}

#define UART(name) cmocka_unit_test_setup(name, uart_setup)
#define RTC(name) cmocka_unit_test_setup(name, rtc_setup)
#define PIT(name) cmocka_unit_test_setup(name, pit_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UART(uart_sends),
		UART(uart_transmitter_interrupt_is_acknowledged_by_reading),
		UART(uart_receives),
		UART(uart_overrun_is_reported),
		UART(uart_loops_back),
		UART(uart_takes_anything),
		RTC(rtc_tells_the_time_in_bcd),
		RTC(rtc_is_set_in_any_order),
		RTC(rtc_rings_its_alarm_once),
		RTC(rtc_ticks_periodically),
		RTC(rtc_takes_anything),
		PIT(pit_counts_down),
		PIT(pit_periodic_edges_come_in_time),
		PIT(pit_one_shot_fires_once),
		PIT(pit_gate_holds_channel_2),
		PIT(pit_status_is_read_back),
		PIT(pit_takes_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
