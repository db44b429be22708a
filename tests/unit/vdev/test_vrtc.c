/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtual MC146818: fields in all formats, setting, freezing, flags, CMOS bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/vrtc.h"

#define SECOND 1000000UL

static struct io_bus bus;
static struct vrtc rtc;
static uint64_t outside;

static uint64_t clock_of(void *ctx)
{
	return *(uint64_t *)ctx;
}

static void write_reg(uint8_t index, uint8_t value)
{
	struct io_access io = { IO_PORT, true, 1, 0x70, index };

	assert_int_equal(io_bus_access(&bus, &io), IO_DONE);
	io = (struct io_access){ IO_PORT, true, 1, 0x71, value };
	assert_int_equal(io_bus_access(&bus, &io), IO_DONE);
}

static uint8_t read_reg(uint8_t index)
{
	struct io_access io = { IO_PORT, true, 1, 0x70, index };

	assert_int_equal(io_bus_access(&bus, &io), IO_DONE);
	io = (struct io_access){ IO_PORT, false, 1, 0x71, 0 };
	assert_int_equal(io_bus_access(&bus, &io), IO_DONE);
	return (uint8_t)io.value;
}

static void shows(uint32_t yyyymmdd, uint32_t hhmmss)
{
	assert_int_equal(read_reg(0x32) << 24 | read_reg(9) << 16 | read_reg(8) << 8 | read_reg(7),
			 yyyymmdd);
	assert_int_equal(read_reg(4) << 16 | read_reg(2) << 8 | read_reg(0), hhmmss);
}

static int set_up(void **state)
{
	(void)state;
	outside = 1767225600 * SECOND; /* 2026-01-01, a Thursday */
	io_bus_init(&bus);
	vrtc_init(&rtc, clock_of, &outside);
	assert_int_equal(vrtc_attach(&rtc, &bus), 0);
	return 0;
}

static void follows_the_outside_clock(void **state)
{
	(void)state;
	shows(0x20260101, 0x000000);
	assert_int_equal(read_reg(6), 5);
	outside = 951827696 * SECOND; /* a leap day of a 400th year */
	shows(0x20000229, 0x123456);
	assert_int_equal(read_reg(6), 3);
	outside = 0;
	shows(0x19700101, 0);
	outside = 4102444799 * SECOND;
	shows(0x20991231, 0x235959);
	outside = 4107542400 * SECOND; /* 2100 has no leap day */
	shows(0x21000301, 0);
}

static void speaks_binary_and_twelve_hours(void **state)
{
	static const uint8_t twelve[] = { 0x12, 0x01, 0x11, 0x92, 0x81, 0x91 };
	static const unsigned int hours[] = { 0, 1, 11, 12, 13, 23 };

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		outside = (1767225600 + hours[i] * 3600UL) * SECOND;
		write_reg(0x0B, 0x00);
		assert_int_equal(read_reg(4), twelve[i]);
		write_reg(4, twelve[i]);
		assert_int_equal(read_reg(4), twelve[i]);
		write_reg(0x0B, 0x06);
		assert_int_equal(read_reg(4), hours[i]);
	}
	assert_int_equal(read_reg(9), 26);
	assert_int_equal(read_reg(0x32), 20);
	write_reg(8, 12);
	assert_int_equal(read_reg(8), 12);
	assert_int_equal(vrtc_now(&rtc), 1796166000 * SECOND); /* 2026-12-01 23:00 */
}

static void setting_becomes_an_offset(void **state)
{
	(void)state;
	write_reg(0x0B, 0x82);
	outside += 5 * SECOND;
	shows(0x20260101, 0); /* held */
	write_reg(7, 0x31);
	write_reg(8, 0x02); /* 31 February on the way to the 28th */
	assert_int_equal(read_reg(7), 0x31);
	write_reg(7, 0x28);
	write_reg(9, 0x31);
	write_reg(0, 0x30);
	write_reg(0x0B, 0x02);
	shows(0x20310228, 0x000030);
	outside += 31 * SECOND;
	shows(0x20310228, 0x000101);
	write_reg(2, 0x59); /* running: at once */
	shows(0x20310228, 0x005901);
	write_reg(0, 0x99); /* no such second */
	shows(0x20310228, 0x005959);
}

static void registers_a_to_d(void **state)
{
	(void)state;
	assert_int_equal(read_reg(0x0A), 0x26);
	outside += SECOND - 1;
	assert_int_equal(read_reg(0x0A), 0xA6);
	write_reg(0x0B, 0x82);
	assert_int_equal(read_reg(0x0A), 0x26); /* a held clock does not update */
	write_reg(0x0B, 0x02);
	write_reg(0x0A, 0xAF);
	assert_int_equal(read_reg(0x0A) & 0x7F, 0x2F);
	assert_int_equal(read_reg(0x0D), 0x80);
	write_reg(0x0D, 0);
	assert_int_equal(read_reg(0x0D), 0x80);
}

static void flags_tell_what_passed(void **state)
{
	(void)state;
	assert_int_equal(read_reg(0x0C), 0);
	outside += SECOND / 2;
	assert_int_equal(read_reg(0x0C), 0x40);
	write_reg(0x01, 0x02);
	write_reg(0x03, 0xC0);
	write_reg(0x05, 0xFF);
	outside += SECOND;
	assert_int_equal(read_reg(0x0C), 0x50);
	outside += SECOND;
	assert_int_equal(read_reg(0x0C), 0x70); /* the alarm's second */
	assert_int_equal(read_reg(0x0C), 0);
}

static void cmos_bytes_are_kept(void **state)
{
	struct io_access io = { IO_PORT, false, 1, 0x70, 0 };

	(void)state;
	write_reg(0x80 | 0x40, 0x5A); /* the top bit of the index masks NMI */
	assert_int_equal(read_reg(0x40), 0x5A);
	vrtc_set_cmos(&rtc, 0x7F, 0x77);
	vrtc_set_cmos(&rtc, 0x0B, 0xFF);
	vrtc_set_cmos(&rtc, 0x80, 0xFF);
	assert_int_equal(read_reg(0x7F), 0x77);
	assert_int_equal(read_reg(0x0B), 0x02);
	assert_int_equal(io_bus_access(&bus, &io), IO_DONE);
	assert_int_equal(io.value, 0xFF);
	assert_int_equal(vrtc_attach(&rtc, &bus), -EEXIST);
}

static void every_day_of_a_century_round_trips(void **state)
{
	(void)state;
	write_reg(0x0B, 0x06);
	for (uint64_t day = 0; day < 47482; day++) { /* to the end of 2099 */
		uint8_t month, mday, year, century;

		outside = day * 86400UL * SECOND;
		month = read_reg(8);
		mday = read_reg(7);
		year = read_reg(9);
		century = read_reg(0x32);
		write_reg(0x0B, 0x86);
		write_reg(8, 1);
		write_reg(7, 1);
		write_reg(0x32, century);
		write_reg(9, year);
		write_reg(8, month);
		write_reg(7, mday);
		write_reg(0x0B, 0x06);
		assert_int_equal(vrtc_now(&rtc), outside);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(follows_the_outside_clock, set_up),
		cmocka_unit_test_setup(speaks_binary_and_twelve_hours, set_up),
		cmocka_unit_test_setup(setting_becomes_an_offset, set_up),
		cmocka_unit_test_setup(registers_a_to_d, set_up),
		cmocka_unit_test_setup(flags_tell_what_passed, set_up),
		cmocka_unit_test_setup(cmos_bytes_are_kept, set_up),
		cmocka_unit_test_setup(every_day_of_a_century_round_trips, set_up),
	};

	return cmocka_run_group_tests_name("vrtc", tests, NULL, NULL);
}
