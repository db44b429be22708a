/* SPDX-License-Identifier: BSD-3-Clause */
/* The local APIC timer: its three modes, the divider, and what changes while it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vdev/rig.h"
#include "vdev/vlapic_timer.h"
#include "x86/apic.h"
#include "x86/msr.h"

#define DIVIDE_BY_1 0xBU
#define DIVIDE_BY_2 0x0U
#define DIVIDE_BY_16 0x3U
#define DIVIDE_BY_128 0xAU

static struct rig rig;
static struct rig_cpu *const cpu = &rig.cpu[0];
static struct vlapic *const apic = &rig.cpu[0].apic;

static int set_up(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	return 0;
}

/* Takes and acknowledges everything pending; how many. */
static unsigned int drain(void)
{
	unsigned int count = 0;

	while (rig_take(cpu) >= 0) {
		rig_write(cpu, APIC_EOI, 0);
		count++;
	}
	return count;
}

static void one_shot_counts_down_and_fires_once(void **state)
{
	(void)state;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	rig_write(cpu, APIC_LVT_TIMER, 0xEC);
	rig_write(cpu, APIC_TIMER_INIT, 100);
	assert_int_equal(cpu->deadline, 1000 + 1600);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 100);
	rig_tsc += 160 + 15;
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 90);
	rig_run_until(cpu, 2599);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 1);
	assert_int_equal(vlapic_pending(apic), -1);
	rig_run_until(cpu, 9999);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 0);
	assert_int_equal(rig_read(cpu, APIC_TIMER_INIT), 100);
	assert_int_equal(rig_take(cpu), 0xEC);
	assert_int_equal(drain(), 0);
	assert_int_equal(cpu->deadline, 0);
}

static void every_divisor_divides(void **state)
{
	static const uint8_t code[] = { 0xB, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xA };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(code); i++) {
		rig_write(cpu, APIC_TIMER_DIVIDE, code[i]);
		rig_write(cpu, APIC_TIMER_INIT, 0xFFFFFFFF);
		assert_int_equal(cpu->deadline, rig_tsc + (0xFFFFFFFFUL << i));
	}
}

static void masked_one_shot_counts_silently(void **state)
{
	(void)state;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	rig_write(cpu, APIC_LVT_TIMER, APIC_LVT_MASKED | 0xEC);
	rig_write(cpu, APIC_TIMER_INIT, 0xFFFFFFFF); /* as Linux calibrates */
	rig_run_until(cpu, 1000 + 123456);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 0xFFFFFFFF - 123456);
	rig_write(cpu, APIC_TIMER_INIT, 10);
	rig_run_until(cpu, rig_tsc + 100);
	assert_int_equal(drain(), 0);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 0);
}

static void writing_zero_stops(void **state)
{
	(void)state;
	rig_write(cpu, APIC_LVT_TIMER, 0xEC);
	rig_write(cpu, APIC_TIMER_INIT, 100);
	rig_write(cpu, APIC_TIMER_INIT, 0);
	assert_int_equal(cpu->deadline, 0);
	vlapic_timer_expired(apic); /* one that was already under way */
	assert_int_equal(drain(), 0);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 0);
}

static void periodic_keeps_its_grid(void **state)
{
	const uint32_t period = 100000;

	(void)state;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_2);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | 0x30);
	rig_write(cpu, APIC_TIMER_INIT, period / 2);
	for (unsigned int i = 1; i <= 5; i++) {
		rig_run_until(cpu, 1000 + i * period + 10);
		assert_int_equal(drain(), 1);
		assert_int_equal(cpu->deadline, 1000 + (i + 1) * period);
		assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), period / 2 - 5);
	}
	/* A vCPU that was away for long gets one tick and the old grid. */
	rig_tsc = 1000 + 12 * period + 77;
	cpu->deadline = 0;
	vlapic_timer_expired(apic);
	assert_int_equal(drain(), 1);
	assert_int_equal(cpu->deadline, 1000 + 13 * period);
}

static void tiny_periods_do_not_storm(void **state)
{
	unsigned int sets;

	(void)state;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | 0x30);
	rig_write(cpu, APIC_TIMER_INIT, 1);
	sets = cpu->timer_sets;
	rig_run_until(cpu, 1000 + 10 * VLAPIC_TIMER_MIN_PERIOD);
	assert_in_range(cpu->timer_sets - sets, 9, 11);
	assert_int_equal(drain(), 1);
}

static void masked_periodic_sets_no_timer(void **state)
{
	(void)state;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | APIC_LVT_MASKED | 0x30);
	rig_write(cpu, APIC_TIMER_INIT, 100000);
	assert_int_equal(cpu->deadline, 0);
	rig_tsc += 250000;
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 50000);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | 0x30);
	assert_int_equal(cpu->deadline, 1000 + 300000);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | APIC_LVT_MASKED | 0x30);
	assert_int_equal(cpu->deadline, 0);
}

static void changes_while_running_keep_the_count(void **state)
{
	(void)state;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_128);
	rig_write(cpu, APIC_LVT_TIMER, 0x30);
	rig_write(cpu, APIC_TIMER_INIT, 1000);
	rig_tsc += 128 * 400;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_2);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 600);
	assert_int_equal(cpu->deadline, rig_tsc + 1200);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | 0x31);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 600);
	rig_run_until(cpu, rig_tsc + 1200);
	assert_int_equal(rig_take(cpu), 0x31);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 1000);
	rig_tsc += 2 * 300;
	rig_write(cpu, APIC_LVT_TIMER, 0x32); /* back to one-shot: the last round */
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 700);
	assert_int_equal(cpu->deadline, rig_tsc + 1400);
	rig_run_until(cpu, rig_tsc + 5000);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 0);
	assert_int_equal(cpu->deadline, 0);
}

static void deadline_fires_and_clears(void **state)
{
	(void)state;
	rig_wrmsr(cpu, MSR_IA32_TSC_DEADLINE, 5000); /* not in this mode: ignored */
	assert_int_equal(rig_rdmsr(cpu, MSR_IA32_TSC_DEADLINE), 0);
	assert_int_equal(cpu->deadline, 0);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_DEADLINE | 0xEC);
	rig_write(cpu, APIC_TIMER_INIT, 50); /* ignored here */
	assert_int_equal(rig_read(cpu, APIC_TIMER_INIT), 0);
	rig_wrmsr(cpu, MSR_IA32_TSC_DEADLINE, 5000);
	assert_int_equal(rig_rdmsr(cpu, MSR_IA32_TSC_DEADLINE), 5000);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 0);
	assert_int_equal(cpu->deadline, 5000);
	vlapic_timer_expired(apic); /* too early: armed again */
	assert_int_equal(drain(), 0);
	rig_run_until(cpu, 6000);
	assert_int_equal(drain(), 1);
	assert_int_equal(rig_rdmsr(cpu, MSR_IA32_TSC_DEADLINE), 0);
	rig_wrmsr(cpu, MSR_IA32_TSC_DEADLINE, 5999); /* past: at once */
	assert_int_equal(drain(), 1);
	rig_wrmsr(cpu, MSR_IA32_TSC_DEADLINE, ~0UL); /* never */
	assert_int_equal(drain(), 0);
	rig_wrmsr(cpu, MSR_IA32_TSC_DEADLINE, 0);
	assert_int_equal(cpu->deadline, 0);
}

static void changing_to_or_from_deadline_disarms(void **state)
{
	(void)state;
	rig_write(cpu, APIC_LVT_TIMER, 0x30);
	rig_write(cpu, APIC_TIMER_INIT, 100);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_DEADLINE | 0x30);
	assert_int_equal(cpu->deadline, 0);
	rig_wrmsr(cpu, MSR_IA32_TSC_DEADLINE, 5000);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_DEADLINE | APIC_LVT_MASKED | 0x30);
	assert_int_equal(rig_rdmsr(cpu, MSR_IA32_TSC_DEADLINE), 5000);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | 0x30);
	assert_int_equal(cpu->deadline, 0);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_DEADLINE | 0x30);
	assert_int_equal(rig_rdmsr(cpu, MSR_IA32_TSC_DEADLINE), 0);
}

static void a_moved_tsc_moves_only_deadlines(void **state)
{
	(void)state;
	rig_write(cpu, APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	rig_write(cpu, APIC_LVT_TIMER, 0x30);
	rig_write(cpu, APIC_TIMER_INIT, 1000);
	rig_tsc = 1000000 + 1100;
	vlapic_tsc_moved(apic, 1000000);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 900);
	assert_int_equal(cpu->deadline, 1000000 + 2000);
	rig_tsc = 100;
	vlapic_tsc_moved(apic, -1001000); /* now before the count began */
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 900);
	rig_write(cpu, APIC_LVT_TIMER, APIC_TIMER_DEADLINE | 0x30);
	rig_wrmsr(cpu, MSR_IA32_TSC_DEADLINE, 5000);
	rig_tsc = 6000;
	vlapic_tsc_moved(apic, 5900);
	assert_int_equal(drain(), 1);
}

static void reset_and_disable_cancel(void **state)
{
	(void)state;
	rig_write(cpu, APIC_LVT_TIMER, 0x30);
	rig_write(cpu, APIC_TIMER_INIT, 1000);
	vlapic_reset(apic, false);
	assert_int_equal(cpu->deadline, 0);
	rig_write(cpu, APIC_SVR, 0x1FF);
	rig_write(cpu, APIC_LVT_TIMER, 0x30);
	rig_write(cpu, APIC_TIMER_INIT, 1000);
	rig_write(cpu, APIC_SVR, 0xFF); /* software disable masks, the count goes on */
	rig_tsc += 500;
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 750);
	rig_run_until(cpu, rig_tsc + 10000);
	assert_int_equal(drain(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_shot_counts_down_and_fires_once, set_up),
		cmocka_unit_test_setup(every_divisor_divides, set_up),
		cmocka_unit_test_setup(masked_one_shot_counts_silently, set_up),
		cmocka_unit_test_setup(writing_zero_stops, set_up),
		cmocka_unit_test_setup(periodic_keeps_its_grid, set_up),
		cmocka_unit_test_setup(tiny_periods_do_not_storm, set_up),
		cmocka_unit_test_setup(masked_periodic_sets_no_timer, set_up),
		cmocka_unit_test_setup(changes_while_running_keep_the_count, set_up),
		cmocka_unit_test_setup(deadline_fires_and_clears, set_up),
		cmocka_unit_test_setup(changing_to_or_from_deadline_disarms, set_up),
		cmocka_unit_test_setup(a_moved_tsc_moves_only_deadlines, set_up),
		cmocka_unit_test_setup(reset_and_disable_cancel, set_up),
	};

	return cmocka_run_group_tests_name("vlapic_timer", tests, NULL, NULL);
}
