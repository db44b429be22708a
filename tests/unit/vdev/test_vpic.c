/* SPDX-License-Identifier: BSD-3-Clause */
/* The 8259A pair against its data sheet, seen through its ports as a PC's software sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/vpic.h"

#define EOI 0x20
#define READ_IRR 0x0A
#define READ_ISR 0x0B

static struct io_bus bus;
static struct io_near near;
static struct vpic pic;
static unsigned int rises;

static void rise(void *ctx)
{
	assert_ptr_equal(ctx, &pic);
	assert_true(vpic_pending(&pic)); /* takes no lock, or this would hang on one */
	rises++;
}

static void outb(uint16_t port, uint8_t value)
{
	struct io_access io = { IO_PORT, true, 1, port, value };

	assert_int_equal(io_bus_access(&bus, &io, &near), IO_DONE);
}

static uint8_t inb(uint16_t port)
{
	struct io_access io = { IO_PORT, false, 1, port, ~0UL };

	assert_int_equal(io_bus_access(&bus, &io, &near), IO_DONE);
	return (uint8_t)io.value;
}

static uint8_t in_ocw3(uint16_t port, uint8_t ocw3)
{
	outb(port, ocw3);
	return inb(port);
}

/* As firmware and Linux do: vectors 0x30 and 0x38, cascade on 2, 8086 mode. */
static void init_pair(uint8_t icw4)
{
	outb(0x20, 0x11);
	outb(0x21, 0x30);
	outb(0x21, 0x04);
	outb(0x21, icw4);
	outb(0xA0, 0x11);
	outb(0xA1, 0x38);
	outb(0xA1, 0x02);
	outb(0xA1, icw4);
}

static int set_up(void **state)
{
	(void)state;
	io_bus_init(&bus);
	vpic_init(&pic, rise, &pic);
	assert_int_equal(vpic_attach(&pic, &bus), 0);
	init_pair(0x01);
	rises = 0;
	return 0;
}

static void pulse(unsigned int pin)
{
	vpic_set_pin(&pic, pin, true);
	vpic_set_pin(&pic, pin, false);
}

static void is_silent_until_initialised(void **state)
{
	(void)state;
	vpic_reset(&pic);
	assert_int_equal(inb(0x21), 0xFF);
	vpic_set_pin(&pic, 1, true);
	outb(0x20, 0x11);
	outb(0x21, 0x30);
	assert_false(vpic_pending(&pic));
	outb(0x21, 0x04);
	outb(0x21, 0x01);
	assert_int_equal(inb(0x21), 0); /* ICW1 clears the mask */
	assert_false(vpic_pending(&pic)); /* and forgets edges */
	vpic_set_pin(&pic, 1, false);
	vpic_set_pin(&pic, 1, true);
	assert_true(vpic_pending(&pic));
	assert_int_equal(rises, 1);
	assert_int_equal(vpic_acknowledge(&pic), 0x31);
	assert_int_equal(vpic_attach(&pic, &bus), -EEXIST);
}

static void init_words_may_be_fewer(void **state)
{
	(void)state;
	outb(0x20, 0x13); /* single: no ICW3 */
	outb(0x21, 0x47); /* low bits of the base are not kept */
	outb(0x21, 0x03); /* ICW4: automatic EOI */
	outb(0x21, 0xF0);
	assert_int_equal(inb(0x21), 0xF0);
	pulse(0);
	assert_int_equal(vpic_acknowledge(&pic), 0x40);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0);
	outb(0x20, 0x12); /* no ICW4 either: automatic EOI goes off */
	outb(0x21, 0x50);
	outb(0x21, 0x00);
	pulse(0);
	assert_int_equal(vpic_acknowledge(&pic), 0x50);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 1);
}

static void probe_of_the_mask_register(void **state)
{
	(void)state;
	outb(0xA1, 0xFF);
	outb(0x21, 0xFB); /* as Linux asks whether the chip is there */
	assert_int_equal(inb(0x21), 0xFB);
}

static void edges_latch_and_priority_nests(void **state)
{
	(void)state;
	pulse(4);
	assert_int_equal(in_ocw3(0x20, READ_IRR), 0x10);
	assert_int_equal(vpic_acknowledge(&pic), 0x34);
	assert_int_equal(inb(0x20), 0);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0x10);
	pulse(6);
	assert_false(vpic_pending(&pic)); /* worse than what is in service */
	pulse(1);
	assert_true(vpic_pending(&pic));
	assert_int_equal(vpic_acknowledge(&pic), 0x31);
	outb(0x20, EOI); /* ends 1, the best in service */
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0x10);
	assert_false(vpic_pending(&pic));
	outb(0x20, EOI);
	assert_true(vpic_pending(&pic));
	assert_int_equal(vpic_acknowledge(&pic), 0x36);
	outb(0x20, 0x60 | 6); /* specific */
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0);
}

static void edge_needs_a_fall_first(void **state)
{
	(void)state;
	vpic_set_pin(&pic, 3, true);
	assert_int_equal(vpic_acknowledge(&pic), 0x33);
	outb(0x20, EOI);
	vpic_set_pin(&pic, 3, true);
	assert_false(vpic_pending(&pic));
}

static void cascade_carries_the_second_chip(void **state)
{
	(void)state;
	pulse(12);
	assert_int_equal(in_ocw3(0x20, READ_IRR), 0x04);
	assert_int_equal(in_ocw3(0xA0, READ_IRR), 0x10);
	assert_int_equal(vpic_acknowledge(&pic), 0x3C);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0x04);
	assert_int_equal(in_ocw3(0xA0, READ_ISR), 0x10);
	pulse(8); /* better, but input 2 is in service */
	assert_false(vpic_pending(&pic));
	pulse(0); /* better than input 2 */
	assert_int_equal(vpic_acknowledge(&pic), 0x30);
	outb(0x20, EOI);
	outb(0xA0, EOI);
	assert_false(vpic_pending(&pic));
	outb(0x20, EOI);
	assert_int_equal(vpic_acknowledge(&pic), 0x38);
	vpic_set_pin(&pic, 2, true); /* not a pin */
	vpic_set_pin(&pic, 16, true);
	assert_int_equal(in_ocw3(0x20, READ_IRR), 0);
}

static void special_nesting_lets_the_second_chip_nest(void **state)
{
	(void)state;
	init_pair(0x11);
	pulse(12);
	assert_int_equal(vpic_acknowledge(&pic), 0x3C);
	pulse(14);
	assert_false(vpic_pending(&pic));
	pulse(8);
	assert_true(vpic_pending(&pic));
	assert_int_equal(vpic_acknowledge(&pic), 0x38);
}

static void masks_hold_back(void **state)
{
	(void)state;
	outb(0x21, 0x10);
	pulse(4);
	assert_false(vpic_pending(&pic));
	outb(0x21, 0);
	assert_true(vpic_pending(&pic));
	assert_int_equal(rises, 1);
	outb(0x21, 0x10); /* gone before INTA: spurious, nothing in service */
	assert_false(vpic_pending(&pic));
	assert_int_equal(vpic_acknowledge(&pic), 0x37);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0);
	outb(0x21, 0);
	assert_int_equal(vpic_acknowledge(&pic), 0x34);
	outb(0x20, EOI);
	pulse(9);
	outb(0xA1, 0x02);
	assert_int_equal(vpic_acknowledge(&pic), 0x37);
}

static void levels_follow_the_line(void **state)
{
	(void)state;
	outb(0x4D0, 0xFF);
	outb(0x4D1, 0xFF);
	assert_int_equal(inb(0x4D0), 0xF8);
	assert_int_equal(inb(0x4D1), 0xDE);
	vpic_set_pin(&pic, 5, true);
	assert_int_equal(vpic_acknowledge(&pic), 0x35);
	assert_int_equal(in_ocw3(0x20, READ_IRR), 0x20);
	outb(0x20, EOI);
	assert_int_equal(vpic_acknowledge(&pic), 0x35); /* still asserted */
	vpic_set_pin(&pic, 5, false);
	outb(0x20, EOI);
	assert_false(vpic_pending(&pic));
	vpic_set_pin(&pic, 11, true);
	assert_int_equal(vpic_acknowledge(&pic), 0x3B);
	outb(0xA0, EOI);
	outb(0x20, EOI);
	assert_true(vpic_pending(&pic));
	vpic_set_pin(&pic, 11, false);
	assert_false(vpic_pending(&pic));
}

static void elcr_of_both_chips_in_one_word(void **state)
{
	struct io_access io = { IO_PORT, true, 2, 0x4D0, 0x0C20 };

	(void)state;
	assert_int_equal(io_bus_access(&bus, &io, &near), IO_DONE);
	io = (struct io_access){ IO_PORT, false, 2, 0x4D0, 0 };
	assert_int_equal(io_bus_access(&bus, &io, &near), IO_DONE);
	assert_int_equal(io.value, 0x0C20);
}

static void automatic_eoi_with_rotation(void **state)
{
	(void)state;
	init_pair(0x03);
	outb(0x20, 0x80); /* rotate in automatic EOI mode */
	pulse(3);
	pulse(5);
	assert_int_equal(vpic_acknowledge(&pic), 0x33);
	assert_int_equal(rises, 2); /* it fell during INTA and rose again for 5 */
	pulse(3);
	assert_int_equal(vpic_acknowledge(&pic), 0x35); /* 3 is the lowest now */
	assert_int_equal(vpic_acknowledge(&pic), 0x33);
	outb(0x20, 0x00); /* no more rotation */
	pulse(7);
	assert_int_equal(vpic_acknowledge(&pic), 0x37);
	pulse(4);
	pulse(3);
	assert_int_equal(vpic_acknowledge(&pic), 0x34);
}

static void rotation_on_eoi_and_by_command(void **state)
{
	(void)state;
	pulse(4);
	assert_int_equal(vpic_acknowledge(&pic), 0x34);
	outb(0x20, 0xA0); /* rotate on non-specific EOI: 4 becomes the lowest */
	pulse(4);
	pulse(5);
	assert_int_equal(vpic_acknowledge(&pic), 0x35);
	outb(0x20, 0xE0 | 5); /* rotate on specific EOI */
	pulse(5);
	assert_int_equal(vpic_acknowledge(&pic), 0x34);
	outb(0x20, 0x60 | 4);
	outb(0x20, 0xC0 | 0); /* 0 is the lowest, 1 the best */
	pulse(0);
	assert_int_equal(vpic_acknowledge(&pic), 0x35);
	outb(0x20, 0x40); /* no operation */
	outb(0x20, EOI);
	assert_int_equal(vpic_acknowledge(&pic), 0x30);
}

static void special_mask_mode(void **state)
{
	(void)state;
	pulse(2 + 1);
	assert_int_equal(vpic_acknowledge(&pic), 0x33);
	outb(0x21, 0x08);
	outb(0x20, 0x68); /* special mask: what is masked does not block */
	pulse(6);
	assert_int_equal(vpic_acknowledge(&pic), 0x36);
	outb(0x20, EOI); /* ends 6, does not see 3 */
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0x08);
	outb(0x20, EOI);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0x08);
	outb(0x20, 0x48); /* off */
	outb(0x20, EOI);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0);
}

static void poll_acknowledges(void **state)
{
	(void)state;
	assert_int_equal(in_ocw3(0x20, 0x0C), 0);
	pulse(6);
	assert_int_equal(in_ocw3(0x20, 0x0C), 0x86);
	assert_int_equal(in_ocw3(0x20, READ_ISR), 0x40);
	assert_false(vpic_pending(&pic));
	outb(0x20, EOI);
	pulse(15);
	assert_int_equal(in_ocw3(0xA0, 0x0C), 0x87);
	assert_false(vpic_pending(&pic)); /* the cascade fell with it */
	assert_int_equal(in_ocw3(0xA0, READ_ISR), 0x80);
	assert_int_equal(inb(0xA0), 0x80); /* a poll lasts for one read */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_silent_until_initialised, set_up),
		cmocka_unit_test_setup(init_words_may_be_fewer, set_up),
		cmocka_unit_test_setup(probe_of_the_mask_register, set_up),
		cmocka_unit_test_setup(edges_latch_and_priority_nests, set_up),
		cmocka_unit_test_setup(edge_needs_a_fall_first, set_up),
		cmocka_unit_test_setup(cascade_carries_the_second_chip, set_up),
		cmocka_unit_test_setup(special_nesting_lets_the_second_chip_nest, set_up),
		cmocka_unit_test_setup(masks_hold_back, set_up),
		cmocka_unit_test_setup(levels_follow_the_line, set_up),
		cmocka_unit_test_setup(elcr_of_both_chips_in_one_word, set_up),
		cmocka_unit_test_setup(automatic_eoi_with_rotation, set_up),
		cmocka_unit_test_setup(rotation_on_eoi_and_by_command, set_up),
		cmocka_unit_test_setup(special_mask_mode, set_up),
		cmocka_unit_test_setup(poll_acknowledges, set_up),
	};

	return cmocka_run_group_tests_name("vpic", tests, NULL, NULL);
}
