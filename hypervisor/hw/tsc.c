/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rate of the TSC. Each clock is turned into one function that reads a free-running counter;
 * the rate is the middle of three short measurements, each between two readings that were taken
 * quickly.
 */
#include "hw/tsc.h"
#include "hw/io.h"
#include "hw/paging.h"
#include "hw/panic.h"
#include "hw/platform.h"
#include "lib/log.h"
#include "lib/util.h"

#define PM_TIMER_HZ 3579545UL
#define PIT_HZ 1193182UL
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE_PORT 0x61
#define HPET_CAPABILITIES 0x00U
#define HPET_CONFIG 0x10U
#define HPET_COUNTER 0xF0U
#define FEMTO 1000000000000000UL
#define SAMPLE_PART 200UL /* a sample takes a second / 200 */
#define TIMEOUT_TICKS 4000000000UL

uint64_t tsc_khz;

struct reference {
	const char *name;
	uint64_t hz;
	uint64_t mask; /* of the counter's bits */
	uint64_t (*read)(void);
};

static volatile uint8_t *hpet;
static volatile uint8_t *pm_timer_page;

static uint64_t pm_timer_read(void)
{
	if (pm_timer_page != NULL)
		return mmio_read32(pm_timer_page);
	return in32((uint16_t)platform_acpi.pm_timer.address);
}

static uint64_t hpet_read(void)
{
	return mmio_read32(hpet + HPET_COUNTER);
}

/* Channel 2 counts down; latched, so that both bytes belong together. */
static uint64_t pit_read(void)
{
	uint64_t count;

	out8(PIT_COMMAND, 0x80);
	count = in8(PIT_CHANNEL2);
	count |= (uint64_t)in8(PIT_CHANNEL2) << 8;
	return ~count;
}

/* A reading of the counter and the TSC in the middle of it: the quickest of some. */
static uint64_t read_both(const struct reference *ref, uint64_t *count)
{
	uint64_t best = ~0UL, tsc = 0;

	for (unsigned int i = 0; i < 4; i++) {
		uint64_t before = rdtsc();
		uint64_t c = ref->read();
		uint64_t took = rdtsc() - before;

		if (took < best) {
			best = took;
			tsc = before + took / 2;
			*count = c;
		}
	}
	return tsc;
}

/* TSC ticks a millisecond by one sample; 0 when the clock stands still. */
static uint64_t measure(const struct reference *ref)
{
	uint64_t first = 0, last = 0;
	uint64_t start = read_both(ref, &first), end;

	do {
		end = read_both(ref, &last);
		if (end - start > TIMEOUT_TICKS)
			return 0;
	} while (((last - first) & ref->mask) < ref->hz / SAMPLE_PART);
	return muldiv64(end - start, ref->hz, ((last - first) & ref->mask) * 1000U);
}

static bool use(const struct reference *ref)
{
	uint64_t a = measure(ref), b, c;

	if (a == 0)
		return false;
	b = measure(ref);
	c = measure(ref);
	tsc_khz = MAX(MIN(a, b), MIN(MAX(a, b), c));
	if (tsc_khz == 0)
		return false;
	log_info("tsc: %lu.%03lu MHz by the %s", tsc_khz / 1000U, tsc_khz % 1000U, ref->name);
	return true;
}

static bool use_pm_timer(void)
{
	/* 24 bits are certain (ACPI 4.8.3.3). */
	const struct reference ref = {"PM timer", PM_TIMER_HZ, 0xFFFFFFUL, pm_timer_read};

	if (platform_acpi.pm_timer.address == 0)
		return false;
	if (platform_acpi.pm_timer.space == 0)
		pm_timer_page = paging_map_mmio(platform_acpi.pm_timer.address, 4, PG_UC);
	return use(&ref);
}

static bool use_hpet(void)
{
	struct reference ref = {"HPET", 0, 0xFFFFFFFFUL, hpet_read};
	uint64_t period, config;
	bool done;

	if (platform_acpi.hpet_base == 0)
		return false;
	hpet = paging_map_mmio(platform_acpi.hpet_base, 0x400, PG_UC);
	period = mmio_read64(hpet + HPET_CAPABILITIES) >> 32;
	if (period == 0 || period > 100000000UL)
		return false;
	ref.hz = FEMTO / period;
	config = mmio_read64(hpet + HPET_CONFIG);
	mmio_write64(hpet + HPET_CONFIG, config | 1U);
	done = use(&ref);
	mmio_write64(hpet + HPET_CONFIG, config);
	return done;
}

static bool use_pit(void)
{
	const struct reference ref = {"PIT", PIT_HZ, 0xFFFFUL, pit_read};
	uint8_t gate = in8(PIT_GATE_PORT);
	bool done;

	/* Gate of channel 2 on, speaker off; mode 2, which reloads 0x10000. */
	out8(PIT_GATE_PORT, (uint8_t)((gate & 0xFCU) | 1U));
	out8(PIT_COMMAND, 0xB4);
	out8(PIT_CHANNEL2, 0);
	out8(PIT_CHANNEL2, 0);
	done = use(&ref);
	out8(PIT_GATE_PORT, gate);
	return done;
}

void tsc_calibrate(void)
{
	if (!use_pm_timer() && !use_hpet() && !use_pit())
		panic_refuse("the TSC's rate is unknown: neither PM timer nor HPET nor PIT runs");
}

void tsc_delay_us(uint64_t us)
{
	uint64_t khz = tsc_khz != 0 ? tsc_khz : 4000000UL;
	uint64_t start = rdtsc();

	while (rdtsc() - start < us * khz / 1000U)
		__builtin_ia32_pause();
}

uint64_t tsc_to_us(uint64_t ticks)
{
	if (tsc_khz == 0)
		return 0;
	return muldiv64(ticks, 1000U, tsc_khz);
}

uint64_t tsc_now_us(void)
{
	return tsc_to_us(rdtsc());
}
