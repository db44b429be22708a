/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sched/sched.c: shares, sleepers, starvation. Time is simulated in ticks; the simulated CPU picks
 * again at the deadline, when somebody wakes, or when the running entity blocks.
 */
#include "lib/errno.h"
#include "lib/util.h"
#include "sched/sched.h"
#include "unit.h"

#define SLICE 1000UL
#define MAX_ENTITIES 8U

static struct sched_cpu cpu;
static struct sched_entity entity[MAX_ENTITIES];
static uint64_t used[MAX_ENTITIES]; /* ticks */
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 5;
	sched_cpu_init(&cpu, SLICE);
	for (unsigned int i = 0; i < MAX_ENTITIES; i++) {
		entity[i] = (struct sched_entity){ 0 };
		used[i] = 0;
	}
	return 0;
}

static void add(unsigned int i, uint32_t weight)
{
	sched_add(&cpu, &entity[i], weight);
}

static void wake(unsigned int i)
{
	sched_wake(&cpu, &entity[i]);
}

/* Lets the picked entity run to its deadline, but for at most ticks; returns which it was. */
static int turn(uint64_t ticks)
{
	struct sched_entity *e = sched_pick(&cpu, now);
	uint64_t deadline = sched_deadline(&cpu, now);
	unsigned int i = (unsigned int)(e - entity);

	if (e == NULL) {
		now += ticks;
		return -1;
	}
	assert_true(deadline > now);
	ticks = MIN(ticks, deadline - now);
	used[i] += ticks;
	now += ticks;
	return (int)i;
}

static void run_until(uint64_t end)
{
	while (now < end)
		turn(end - now);
}

static void test_nobody(void **state)
{
	(void)state;
	assert_null(sched_pick(&cpu, now));
	add(0, SCHED_WEIGHT_DEFAULT);
	assert_null(sched_pick(&cpu, now));
	assert_true(sched_wake(&cpu, &entity[0]));
	assert_int_equal(cpu.resched, 1);
	assert_false(sched_wake(&cpu, &entity[0]));
	assert_ptr_equal(sched_pick(&cpu, now), &entity[0]);
	assert_int_equal(cpu.resched, 0);
	assert_true(sched_deadline(&cpu, now) == ~0UL);
	sched_block(&entity[0]);
	assert_null(sched_pick(&cpu, now));
	sched_remove(&cpu, &entity[0]);
	sched_remove(&cpu, &entity[0]);
	wake(0);
	assert_null(sched_pick(&cpu, now));
}

/* Whoever takes an entity off in its own turn, by a call from another CPU, may still have need of it until the next. */
static void test_a_turn_outlives_its_place_on_the_list(void **state)
{
	(void)state;
	add(0, SCHED_WEIGHT_DEFAULT);
	wake(0);
	assert_false(sched_has_turn(&cpu, &entity[0]));
	assert_ptr_equal(sched_pick(&cpu, now), &entity[0]);
	assert_true(sched_has_turn(&cpu, &entity[0]));
	sched_block(&entity[0]);
	sched_remove(&cpu, &entity[0]);
	assert_true(sched_has_turn(&cpu, &entity[0]));
	wake(0);
	assert_null(sched_pick(&cpu, now));
	assert_false(sched_has_turn(&cpu, &entity[0]));
}

static void test_equal_shares(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		add(i, SCHED_WEIGHT_DEFAULT);
		wake(i);
	}
	run_until(now + 400 * SLICE);
	for (unsigned int i = 0; i < 4; i++)
		assert_in_range(used[i], 99 * SLICE, 101 * SLICE);
}

static void test_weighted_shares(void **state)
{
	static const uint32_t weights[] = { 128, 64, 32, 32 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		add(i, weights[i]);
		wake(i);
	}
	run_until(now + 2048 * SLICE);
	for (unsigned int i = 0; i < 4; i++)
		assert_in_range(used[i], (weights[i] * 8 - 8) * SLICE, (weights[i] * 8 + 8) * SLICE);
}

/* Turns of random length, as with exits that make others runnable: shares stay. */
static void test_shares_with_short_turns(void **state)
{
	uint64_t seed = 3, total;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		add(i, SCHED_WEIGHT_DEFAULT);
		wake(i);
	}
	while (now < 3000 * SLICE)
		turn(1 + unit_random(&seed) % SLICE);
	total = used[0] + used[1] + used[2];
	for (unsigned int i = 0; i < 3; i++)
		assert_in_range(used[i], total / 3 - 2 * SLICE, total / 3 + 2 * SLICE);
}

static void test_sleeper_runs_at_once_but_not_for_long(void **state)
{
	(void)state;
	add(0, SCHED_WEIGHT_DEFAULT);
	add(1, SCHED_WEIGHT_DEFAULT);
	wake(0);
	run_until(now + 1000 * SLICE);
	wake(1);
	assert_int_equal(turn(SLICE / 10), 1);
	used[0] = used[1] = 0;
	run_until(now + 20 * SLICE);
	assert_in_range(used[0], 8 * SLICE, 11 * SLICE);
}

/* One that ran long and slept for a moment is not behind one that slept long or is new. */
static void long_runner_against(unsigned int other)
{
	sched_block(&entity[0]);
	assert_int_equal(turn(10), -1);
	wake(other);
	wake(0);
	used[0] = used[other] = 0;
	run_until(now + 20 * SLICE);
	assert_in_range(used[0], 8 * SLICE, 12 * SLICE);
}

static void test_long_runner_is_not_starved_by_a_sleeper(void **state)
{
	(void)state;
	add(0, SCHED_WEIGHT_DEFAULT);
	add(1, SCHED_WEIGHT_DEFAULT);
	wake(0);
	run_until(now + 1000 * SLICE); /* one turn: there is no rival */
	long_runner_against(1);
}

static void test_long_runner_is_not_starved_by_a_newcomer(void **state)
{
	(void)state;
	add(0, SCHED_WEIGHT_DEFAULT);
	wake(0);
	run_until(now + 1000 * SLICE);
	sched_block(&entity[0]);
	assert_int_equal(turn(10), -1);
	/* The newcomer runs alone first. */
	add(1, SCHED_WEIGHT_DEFAULT);
	wake(1);
	assert_int_equal(turn(10), 1);
	wake(0);
	used[0] = used[1] = 0;
	run_until(now + 20 * SLICE);
	assert_in_range(used[0], 8 * SLICE, 12 * SLICE);
}

/* One that blocks after a fraction of each slice gets its fraction, and soon after it wakes. */
static void test_interactive(void **state)
{
	uint64_t waited, worst = 0;

	(void)state;
	add(0, SCHED_WEIGHT_DEFAULT);
	add(1, SCHED_WEIGHT_DEFAULT);
	wake(0);
	for (unsigned int i = 0; i < 500; i++) {
		run_until(now + SLICE);
		wake(1);
		waited = now;
		while (turn(SLICE / 10) != 1)
			;
		worst = MAX(worst, now - waited);
		sched_block(&entity[1]);
	}
	assert_true(worst <= SLICE / 5);
	assert_in_range(used[1], 500 * SLICE / 10, 500 * SLICE / 10);
}

static void test_a_cpu_is_shared_by_those_who_share(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(sched_claim(&cpu, false), 0);
	assert_int_equal(sched_claim(&cpu, true), -EBUSY);
	sched_release(&cpu);
	sched_release(&cpu);
	assert_int_equal(sched_claim(&cpu, true), -EBUSY);
	sched_release(&cpu);
	assert_int_equal(sched_claim(&cpu, true), 0);
}

static void test_a_cpu_of_ones_own_takes_nobody_else(void **state)
{
	(void)state;
	assert_int_equal(sched_claim(&cpu, true), 0);
	assert_int_equal(sched_claim(&cpu, false), -EBUSY);
	assert_int_equal(sched_claim(&cpu, true), -EBUSY);
	sched_release(&cpu);
	assert_int_equal(sched_claim(&cpu, false), 0);
	assert_int_equal(sched_claim(&cpu, false), 0);
}

/* A refused claim is none: what is released afterwards is what was there. */
static void test_a_refused_claim_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(sched_claim(&cpu, false), 0);
	assert_int_equal(sched_claim(&cpu, true), -EBUSY);
	assert_int_equal(sched_claim(&cpu, false), 0);
	sched_release(&cpu);
	sched_release(&cpu);
	assert_int_equal(sched_claim(&cpu, true), 0);
}

/* Taken off the list, it is not run, whoever wakes it. */
static void test_one_that_is_gone_is_not_woken(void **state)
{
	(void)state;
	add(0, SCHED_WEIGHT_DEFAULT);
	add(1, SCHED_WEIGHT_DEFAULT);
	wake(0);
	wake(1);
	sched_block(&entity[0]);
	sched_remove(&cpu, &entity[0]);
	wake(0);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(turn(SLICE), 1);
	assert_true(sched_deadline(&cpu, now) == ~0UL);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nobody),
		TEST(test_a_turn_outlives_its_place_on_the_list),
		TEST(test_equal_shares),
		TEST(test_weighted_shares),
		TEST(test_shares_with_short_turns),
		TEST(test_sleeper_runs_at_once_but_not_for_long),
		TEST(test_long_runner_is_not_starved_by_a_sleeper),
		TEST(test_long_runner_is_not_starved_by_a_newcomer),
		TEST(test_interactive),
		TEST(test_a_cpu_is_shared_by_those_who_share),
		TEST(test_a_cpu_of_ones_own_takes_nobody_else),
		TEST(test_a_refused_claim_leaves_nothing),
		TEST(test_one_that_is_gone_is_not_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
