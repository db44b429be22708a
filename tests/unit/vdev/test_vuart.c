/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtual 16550A: detection as drivers do it, FIFO, interrupts, their priority, loop-back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/vuart.h"

#define PORT 0x3F8

static struct io_bus bus;
static struct io_near near;
static struct vuart uart;
static unsigned int changes, sent_count;
static bool line;
static char sent[64];

static void send(void *ctx, uint8_t byte)
{
	assert_ptr_equal(ctx, &uart);
	sent[sent_count++ % sizeof(sent)] = (char)byte;
}

static void set_irq(void *ctx, bool asserted)
{
	assert_ptr_equal(ctx, &uart);
	assert_true(asserted != line);
	line = asserted;
	changes++;
}

static void out(unsigned int reg, uint8_t value)
{
	struct io_access io = { IO_PORT, true, 1, PORT + reg, value };

	assert_int_equal(io_bus_access(&bus, &io, &near), IO_DONE);
}

static uint8_t in(unsigned int reg)
{
	struct io_access io = { IO_PORT, false, 1, PORT + reg, 0 };

	assert_int_equal(io_bus_access(&bus, &io, &near), IO_DONE);
	return (uint8_t)io.value;
}

static int set_up(void **state)
{
	(void)state;
	changes = sent_count = 0;
	line = false;
	io_bus_init(&bus);
	vuart_init(&uart, PORT, send, set_irq, &uart);
	assert_int_equal(vuart_attach(&uart, &bus), 0);
	return 0;
}

static void is_found_as_a_16550a(void **state)
{
	(void)state;
	assert_int_equal(vuart_attach(&uart, &bus), -EEXIST);
	out(1, 0);
	assert_int_equal(in(1), 0);
	out(1, 0xFF);
	assert_int_equal(in(1), 0x0F);
	out(1, 0);
	out(4, 0x1A); /* loop-back: OUT2 and RTS come back as DCD and CTS */
	assert_int_equal(in(6) & 0xF0, 0x90);
	out(4, 0xFF);
	assert_int_equal(in(4), 0x1F);
	out(4, 0);
	assert_int_equal(in(6) & 0xF0, 0xB0);
	out(2, 0x01);
	assert_int_equal(in(2), 0xC1);
	out(2, 0x21); /* not a 16750 */
	assert_int_equal(in(2), 0xC1);
	out(2, 0x00);
	assert_int_equal(in(2), 0x01);
	out(7, 0xA5);
	assert_int_equal(in(7), 0xA5);
	out(5, 0);
	assert_int_equal(in(5), 0x60);
}

static void divisor_hides_behind_dlab(void **state)
{
	struct io_access io = { IO_PORT, true, 2, PORT, 0x000C };

	(void)state;
	out(3, 0x83);
	assert_int_equal(io_bus_access(&bus, &io, &near), IO_DONE);
	assert_int_equal(in(0), 0x0C);
	assert_int_equal(in(1), 0x00);
	out(3, 0x03);
	assert_int_equal(in(1), 0);
	assert_int_equal(sent_count, 0);
	out(3, 0x83);
	assert_int_equal(in(0), 0x0C);
}

static void sends_at_once(void **state)
{
	(void)state;
	out(0, 'o');
	out(0, 'k');
	assert_int_equal(sent_count, 2);
	assert_memory_equal(sent, "ok", 2);
	assert_int_equal(in(5), 0x60);
	assert_int_equal(changes, 0);
}

static void empty_transmitter_interrupts_once(void **state)
{
	(void)state;
	out(4, 0x08);
	out(1, 0x02);
	assert_true(line); /* enabling tells that it is empty */
	assert_int_equal(in(2), 0x02);
	assert_false(line); /* told */
	assert_int_equal(in(2), 0x01);
	out(0, 'x');
	assert_true(line);
	out(1, 0x00);
	assert_false(line);
	out(1, 0x02); /* again, which Linux checks for */
	assert_true(line);
	assert_int_equal(in(2), 0x02);
	out(1, 0x02); /* no rise of the enable bit */
	assert_int_equal(in(2), 0x01);
}

static void out2_gates_the_line(void **state)
{
	(void)state;
	out(1, 0x02);
	assert_false(line);
	out(4, 0x08);
	assert_true(line);
	out(4, 0x00);
	assert_false(line);
	assert_int_equal(in(2), 0x02);
}

static void receives_in_order_and_without_loss(void **state)
{
	unsigned int taken = 0;

	(void)state;
	out(2, 0x01);
	while (vuart_receive(&uart, (uint8_t)taken))
		taken++;
	assert_in_range(taken, 16, 256);
	for (unsigned int i = 0; i < taken; i++) {
		assert_int_equal(in(5), 0x61);
		assert_int_equal(in(0), i & 0xFF);
	}
	assert_int_equal(in(5), 0x60);
	assert_int_equal(in(0), 0);
	assert_true(vuart_receive(&uart, 'a'));
	out(2, 0x03); /* clears the FIFO */
	assert_int_equal(in(5), 0x60);
}

static void data_interrupts_with_trigger_level(void **state)
{
	(void)state;
	out(4, 0x08);
	out(1, 0x01);
	vuart_receive(&uart, 'a');
	assert_true(line);
	assert_int_equal(in(2), 0x04);
	assert_true(line);
	assert_int_equal(in(0), 'a');
	assert_false(line);
	out(2, 0x41); /* trigger at four */
	vuart_receive(&uart, 'b');
	assert_int_equal(in(2), 0xCC); /* timed out below it */
	vuart_receive(&uart, 'c');
	vuart_receive(&uart, 'd');
	vuart_receive(&uart, 'e');
	assert_int_equal(in(2), 0xC4);
	assert_int_equal(in(0), 'b');
	assert_int_equal(in(2), 0xCC);
	out(1, 0);
	assert_false(line);
}

static void receive_comes_before_transmit(void **state)
{
	(void)state;
	out(4, 0x08);
	out(1, 0x03);
	vuart_receive(&uart, 'a');
	assert_int_equal(in(2), 0x04);
	assert_int_equal(in(0), 'a');
	assert_true(line);
	assert_int_equal(in(2), 0x02);
	assert_false(line);
}

static void loop_back_keeps_to_itself(void **state)
{
	(void)state;
	out(4, 0x10);
	in(6);
	out(0, 'q');
	assert_int_equal(sent_count, 0);
	assert_false(vuart_receive(&uart, 'z'));
	assert_int_equal(in(5), 0x61);
	assert_int_equal(in(0), 'q');
	out(1, 0x0C);
	out(4, 0x11); /* DTR comes back as DSR: a change */
	assert_int_equal(in(2), 0x00);
	assert_int_equal(in(6), 0x22);
	assert_int_equal(in(2), 0x01);
	for (unsigned int i = 0; i < 256; i++)
		out(0, 'y');
	assert_int_equal(in(2), 0x06);
	assert_int_equal(in(5), 0x63);
	assert_int_equal(in(5), 0x61);
	assert_false(line);
}

static void reset_drops_the_line(void **state)
{
	(void)state;
	out(4, 0x08);
	out(1, 0x01);
	vuart_receive(&uart, 'a');
	assert_true(line);
	vuart_reset(&uart);
	assert_false(line);
	assert_int_equal(in(5), 0x60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_found_as_a_16550a, set_up),
		cmocka_unit_test_setup(divisor_hides_behind_dlab, set_up),
		cmocka_unit_test_setup(sends_at_once, set_up),
		cmocka_unit_test_setup(empty_transmitter_interrupts_once, set_up),
		cmocka_unit_test_setup(out2_gates_the_line, set_up),
		cmocka_unit_test_setup(receives_in_order_and_without_loss, set_up),
		cmocka_unit_test_setup(data_interrupts_with_trigger_level, set_up),
		cmocka_unit_test_setup(receive_comes_before_transmit, set_up),
		cmocka_unit_test_setup(loop_back_keeps_to_itself, set_up),
		cmocka_unit_test_setup(reset_drops_the_line, set_up),
	};

	return cmocka_run_group_tests_name("vuart", tests, NULL, NULL);
}
