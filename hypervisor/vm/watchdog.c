/* SPDX-License-Identifier: BSD-3-Clause */
/* One timer of the boot CPU; the hypercall may come on any CPU, so it only leaves a word for it. */
#include "vm/watchdog.h"

#include "hw/panic.h"
#include "hw/tsc.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "sched/timer.h"
#include "vm/hypercall.h"

static struct timer timer;
static uint32_t armed; /* seconds; 0: not, or disarmed */

static void expired(void *ctx)
{
	uint32_t seconds = atomic_load(&armed);

	(void)ctx;
	if (seconds != 0)
		panic_refuse("watchdog: the Service VM is not up after %u seconds", seconds);
}

void watchdog_arm(uint32_t seconds)
{
	if (seconds == 0)
		return;
	atomic_store(&armed, seconds);
	timer_init(&timer, expired, NULL);
	timer_set(&timer, rdtsc() + tsc_from_us(seconds * 1000000UL));
	log_info("watchdog: the Service VM has %u seconds to come up", seconds);
}

int64_t hc_disarm_watchdog(struct hypercall *call)
{
	(void)call;
	if (atomic_load(&armed) != 0) {
		atomic_store(&armed, 0U);
		log_info("watchdog: the Service VM is up");
	}
	return 0;
}
