/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mechanisms that devices stand on: the bus, the loop, guest memory, the command socket's reader, CPU
 * numbers.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "affinity.h"
#include "bus/io.h"
#include "loop.h"
#include "memory.h"
#include "monitor_json.h"

/* --- the bus --- */

static unsigned int calls;

static void echo(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	calls++;
	if (!a->is_write)
		a->value = 0x10 + offset;
}

static uint64_t bus_read(enum io_space space, uint64_t addr, uint8_t size)
{
	struct io_access a = { .space = space, .addr = addr, .size = size };

	io_dispatch(&a);
	return a.value;
}

static int bus_setup(void **state)
{
	(void)state;
	calls = 0;
	assert_int_equal(io_register(&(struct io_range){ "a", IO_PORT, 0x40, 4, 1, echo, NULL }), 0);
	assert_int_equal(io_register(&(struct io_range){ "b", IO_PORT, 0x50, 1, 0, echo, NULL }), 0);
	assert_int_equal(io_register(&(struct io_range){ "c", IO_MMIO, 0xfffffffffffff000ull, 0x1000, 0, echo, NULL }),
			 0);
	return 0;
}

static int bus_teardown(void **state)
{
	(void)state;
	io_exit();
	return 0;
}

static void nobody_answers_with_ones(void **state)
{
	(void)state;
	assert_int_equal(bus_read(IO_PORT, 0x44, 1), 0xff);
	assert_int_equal(bus_read(IO_PORT, 0x3f, 1), 0xff);
	assert_int_equal(bus_read(IO_MMIO, 0x40, 8), ~0ull);
	assert_int_equal(bus_read(IO_PORT, 0x50, 2), 0xffff);	/* passes its end */
	assert_int_equal(calls, 0);
}

static void wide_accesses_are_split(void **state)
{
	(void)state;
	assert_int_equal(bus_read(IO_PORT, 0x40, 4), 0x13121110);
	assert_int_equal(calls, 4);
	assert_int_equal(bus_read(IO_PORT, 0x42, 2), 0x1312);
	assert_int_equal(bus_read(IO_MMIO, 0xfffffffffffffff8ull, 8), 0x10 + 0xff8);
}

static void overlaps_are_refused(void **state)
{
	(void)state;
	assert_int_equal(io_register(&(struct io_range){ "x", IO_PORT, 0x3e, 3, 0, echo, NULL }), -EEXIST);
	assert_int_equal(io_register(&(struct io_range){ "x", IO_PORT, 0x43, 8, 0, echo, NULL }), -EEXIST);
	assert_int_equal(io_register(&(struct io_range){ "x", IO_PORT, 0, 0x100, 0, echo, NULL }), -EEXIST);
	assert_int_equal(io_register(&(struct io_range){ "x", IO_PORT, 0x60, 0, 0, echo, NULL }), -EINVAL);
	assert_int_equal(io_register(&(struct io_range){ "x", IO_MMIO, 0x1000, ~0ull, 0, echo, NULL }), -EINVAL);
	assert_true(io_unregister(IO_PORT, 0x40));
	assert_false(io_unregister(IO_PORT, 0x40));
	assert_int_equal(io_register(&(struct io_range){ "x", IO_PORT, 0x3e, 3, 0, echo, NULL }), 0);
}

/* CVE-2021-36145: the range went away while somebody looked it up. */
static volatile bool removed;

static void slow(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	(void)offset;
	(void)a;
	usleep(20000);
	assert_false(removed);
}

static void *remover(void *arg)
{
	(void)arg;
	usleep(5000);
	io_unregister(IO_PORT, 0x70);
	removed = true;
	return NULL;
}

static void cve_2021_36145_range_stays_while_it_is_used(void **state)
{
	pthread_t t;

	(void)state;
	removed = false;
	assert_int_equal(io_register(&(struct io_range){ "slow", IO_PORT, 0x70, 1, 0, slow, NULL }), 0);
	pthread_create(&t, NULL, remover, NULL);
	bus_read(IO_PORT, 0x70, 1);
	pthread_join(t, NULL);
	assert_int_equal(bus_read(IO_PORT, 0x70, 1), 0xff);
}

/* Many readers and one writer who comes and goes: each unregister ends, and nobody is in the range after it. */
static volatile bool present, stop;

static void while_present(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg;
	(void)offset;
	assert_true(present);
	a->value = 1;
}

static void *read_on(void *arg)
{
	(void)arg;
	while (!stop)
		bus_read(IO_PORT, 0x80, 1);
	return NULL;
}

static void a_writer_gets_its_turn_and_nobody_is_left_inside(void **state)
{
	pthread_t readers[3];

	(void)state;
	stop = false;
	for (unsigned int i = 0; i < 3; i++)
		pthread_create(&readers[i], NULL, read_on, NULL);
	for (unsigned int i = 0; i < 500; i++) {
		present = true;
		assert_int_equal(io_register(&(struct io_range){ "p", IO_PORT, 0x80, 1, 0, while_present, NULL }), 0);
		assert_true(io_unregister(IO_PORT, 0x80));
		present = false;
	}
	stop = true;
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
}

/* --- the loop --- */

static loop_handle first, second;
static unsigned int fired;

static int loop_setup(void **state)
{
	(void)state;
	fired = 0;
	return loop_init();
}

static int loop_teardown(void **state)
{
	(void)state;
	loop_exit();
	return 0;
}

/* Both are ready; whichever comes first removes the other, which must then never fire. */
static void remove_other(int fd, unsigned int events, void *arg)
{
	(void)fd;
	(void)events;
	fired++;
	loop_del(*(loop_handle *)arg);
	loop_stop();
}

static void cve_2021_36144_removed_entry_never_fires(void **state)
{
	int p[2], q[2];

	(void)state;
	assert_int_equal(pipe(p) | pipe(q), 0);
	assert_int_equal(write(p[1], "x", 1) + write(q[1], "x", 1), 2);
	first = loop_add(p[0], LOOP_READ, remove_other, &second);
	second = loop_add(q[0], LOOP_READ, remove_other, &first);
	assert_int_equal(loop_run(), 0);
	assert_int_equal(fired, 1);
	close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void stale_handle_is_harmless(void **state)
{
	int p[2];
	loop_handle old, new;

	(void)state;
	assert_int_equal(pipe(p), 0);
	old = loop_add(p[0], LOOP_READ, remove_other, NULL);
	loop_del(old);
	new = loop_add(p[0], LOOP_READ, remove_other, NULL);
	assert_true(new != old && new != 0);
	loop_del(old);			/* does not hit the new one */
	assert_int_equal(loop_mod(old, 0), -ENOENT);
	assert_int_equal(loop_mod(new, 0), 0);
	loop_del(new);
	loop_del(0);
	close(p[0]), close(p[1]);
}

static void on_tick(uint64_t count, void *arg)
{
	(void)arg;
	fired += (unsigned int)count;
	if (fired >= 3)
		loop_stop();
}

static void timer_ticks(void **state)
{
	loop_handle t = loop_add_timer(on_tick, NULL);
	uint64_t start = loop_now_ns();

	(void)state;
	assert_int_equal(loop_timer_set(t, start + 1000000, 1000000), 0);
	loop_run();
	assert_true(loop_now_ns() - start >= 3000000);
	loop_del(t);
	assert_int_equal(loop_timer_set(t, 1, 0), -ENOENT);
}

static volatile bool in_callback, finished;

static void take_time(int fd, unsigned int events, void *arg)
{
	char c;

	(void)events;
	(void)arg;
	in_callback = true;
	usleep(50000);
	assert_int_equal(read(fd, &c, 1), 1);
	finished = true;
}

static void *run_loop(void *arg)
{
	(void)arg;
	loop_run();
	return NULL;
}

static void removal_waits_for_the_callback(void **state)
{
	loop_handle h;
	pthread_t t;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	h = loop_add(p[0], LOOP_READ, take_time, NULL);
	pthread_create(&t, NULL, run_loop, NULL);
	assert_int_equal(write(p[1], "x", 1), 1);
	while (!in_callback)
		usleep(1000);
	loop_del(h);
	assert_true(finished);
	loop_stop();
	pthread_join(t, NULL);
	close(p[0]), close(p[1]);
}

/* --- memory --- */

static void cve_2020_28346_memory_is_checked_at_every_edge(void **state)
{
	uint64_t low = MEM_LOW_LIMIT, high = 2ull << 20;
	struct iovec iov[2];
	unsigned int n = 0;

	(void)state;
	assert_null(mem_ptr(0, 1));	/* before there is any */
	assert_int_equal(memory_init(low + high, false), 0);
	assert_non_null(mem_ptr(0, low));
	assert_null(mem_ptr(0, low + 1));
	assert_null(mem_ptr(low, 1));
	assert_null(mem_ptr(low - 1, 2));
	assert_null(mem_ptr(MEM_HIGH_BASE - 1, 1));
	assert_non_null(mem_ptr(MEM_HIGH_BASE, high));
	assert_null(mem_ptr(MEM_HIGH_BASE + high - 1, 2));
	assert_null(mem_ptr(~0ull, 1));
	assert_null(mem_ptr(1, SIZE_MAX));
	assert_null(mem_ptr(MEM_HIGH_BASE + 1, SIZE_MAX));
	assert_true(mem_iov(0, 0, iov, &n, 0));
	assert_true(mem_iov(4096, 1, iov, &n, 2));
	assert_false(mem_iov(low, 1, iov, &n, 2));
	assert_true(mem_iov(0, 1, iov, &n, 2));
	assert_false(mem_iov(0, 1, iov, &n, 2));
	assert_int_equal(n, 2);
	assert_true(mem_write(low - 3, "abc", 3));
	assert_false(mem_read(low - 2, iov, 3));
	memory_exit();
	assert_null(mem_ptr(0, 1));
}

/* --- the command socket --- */

static bool parse(const char *text, struct monitor_command *c)
{
	return monitor_json_parse(text, strlen(text), c);
}

static void commands_are_read(void **state)
{
	struct monitor_command c;

	(void)state;
	assert_true(parse("{\"command\":\"destroy\"}", &c));
	assert_string_equal(c.command, "destroy");
	assert_string_equal(c.arguments, "");
	assert_true(parse(" { \"x\": 12.5e3, "
			  "\"arguments\" : \"3,\\/a\\u0041\\n\", \"y\":null,\"command\":\"b\" } ", &c));
	assert_string_equal(c.arguments, "3,/aA\n");
}

static void bad_json_is_refused(void **state)
{
	static const char *const bad[] = { "", "{", "{}", "[]", "{\"command\":\"a\"", "{\"command\":\"a\"} x",
					   "{\"command\":\"a\",}", "{\"command\":{\"a\":1}}", "{\"command\" \"a\"}",
					   "{\"command\":\"a\\\"}", "{\"command\":\"\\u00e4\"}", "{\"command\":\"\"}",
					   "{command:\"a\"}", "{\"command\":\"\\u12\"}" };
	char longer[2000];
	struct monitor_command c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parse(bad[i], &c));
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "{\"command\":\"", 12);
	memcpy(longer + sizeof(longer) - 3, "\"}", 3);
	assert_false(parse(longer, &c));
}

/* --- CPU numbers --- */

static void cpus_are_counted_as_the_hypervisor_does(void **state)
{
	uint8_t madt[44 + 8 * 3 + 16 + 12] = "APIC";
	uint8_t *p = madt + 44;
	struct affinity_cpus cpus;
	uint64_t bitmap, missing, ids[] = { 300, 4 };

	(void)state;
	madt[4] = sizeof(madt);
	memcpy(p, "\0\x08\0\0\x01\0\0\0" "\x01\x0c\0\0\0\0\xc0\xfe\0\0\0\0" "\0\x08\x01\x02\0\0\0\0"
		  "\0\x08\x02\x04\x01\0\0\0" "\x09\x10\0\0\x2c\x01\0\0\x01\0\0\0\x03\0\0\0", 52);
	assert_int_equal(affinity_parse_madt(madt, sizeof(madt), &cpus), 0);
	assert_int_equal(cpus.count, 3);	/* 0, 4, 300; 2 is disabled */
	assert_int_equal(affinity_bitmap(&cpus, ids, 2, &bitmap, &missing), 0);
	assert_int_equal(bitmap, 6);
	ids[0] = 2;
	assert_int_equal(affinity_bitmap(&cpus, ids, 2, &bitmap, &missing), -ENODEV);
	assert_int_equal(missing, 2);
}

static void cpus_that_are_online_are_read(void **state)
{
	char text[] = "processor\t: 0\napicid\t\t: 0\ninitial apicid\t: 0\n\nprocessor\t: 2\napicid\t\t: 300\n"
		      "initial apicid\t: 7\nflags\t\t: fpu apicid : 9\n\nprocessor\t: 3\napicid\t\t: 6\n";
	FILE *f = fmemopen(text, sizeof(text) - 1, "r");
	uint64_t ids[4];

	(void)state;
	assert_int_equal(affinity_parse_cpuinfo(f, ids, 4), 3);
	assert_int_equal(ids[0], 0);
	assert_int_equal(ids[1], 300);
	assert_int_equal(ids[2], 6);
	rewind(f);
	assert_int_equal(affinity_parse_cpuinfo(f, ids, 2), 2);
	fclose(f);
}

static void broken_madts_are_refused(void **state)
{
	uint8_t madt[60] = "APIC";
	struct affinity_cpus cpus;

	(void)state;
	assert_int_not_equal(affinity_parse_madt(madt, 10, &cpus), 0);
	madt[4] = 61;
	assert_int_not_equal(affinity_parse_madt(madt, sizeof(madt), &cpus), 0);
	madt[4] = 60;
	assert_int_not_equal(affinity_parse_madt(madt, sizeof(madt), &cpus), 0);	/* an entry of length 0 */
	madt[45] = 200;
	assert_int_not_equal(affinity_parse_madt(madt, sizeof(madt), &cpus), 0);
}

#define BUS(name) cmocka_unit_test_setup_teardown(name, bus_setup, bus_teardown)
#define LOOP(name) cmocka_unit_test_setup_teardown(name, loop_setup, loop_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUS(nobody_answers_with_ones),
		BUS(wide_accesses_are_split),
		BUS(overlaps_are_refused),
		BUS(cve_2021_36145_range_stays_while_it_is_used),
		BUS(a_writer_gets_its_turn_and_nobody_is_left_inside),
		LOOP(cve_2021_36144_removed_entry_never_fires),
		LOOP(stale_handle_is_harmless),
		LOOP(timer_ticks),
		LOOP(removal_waits_for_the_callback),
		cmocka_unit_test(cve_2020_28346_memory_is_checked_at_every_edge),
		cmocka_unit_test(commands_are_read),
		cmocka_unit_test(bad_json_is_refused),
		cmocka_unit_test(cpus_are_counted_as_the_hypervisor_does),
		cmocka_unit_test(cpus_that_are_online_are_read),
		cmocka_unit_test(broken_madts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
