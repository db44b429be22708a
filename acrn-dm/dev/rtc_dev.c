/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RTC in the machine: ports 0x70 and 0x71, line 8, the host's clock, and the memory sizes that firmware
 * reads.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "bus/io.h"
#include "dev/device.h"
#include "dev/hpet.h"
#include "dev/rtc.h"
#include "hsm.h"
#include "loop.h"
#include "memory.h"
#include "monitor.h"

#define RTC_IRQ	8

static struct {
	pthread_mutex_t lock;
	struct rtc rtc;
	bool level;
	loop_handle timer;
} dev = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct rtc_now now(void)
{
	return (struct rtc_now){ .seconds = time(NULL), .ns = loop_now_ns() };
}

/* With the lock held: line and timer follow the registers. */
static void update(void)
{
	struct rtc_now t = now();
	bool level = rtc_update(&dev.rtc, &t) && !hpet_has_legacy_lines();
	uint64_t wait = rtc_wait_ns(&dev.rtc, &t);

	if (level != dev.level)
		hsm_set_irqline(RTC_IRQ, level ? HSM_LINE_HIGH : HSM_LINE_LOW);
	dev.level = level;
	loop_timer_set(dev.timer, wait ? t.ns + wait : 0, 0);
}

static void on_timer(uint64_t count, void *arg)
{
	(void)count;
	(void)arg;
	pthread_mutex_lock(&dev.lock);
	update();
	pthread_mutex_unlock(&dev.lock);
}

static void rtc_io(void *arg, uint64_t offset, struct io_access *a)
{
	struct rtc_now t = now();

	(void)arg;
	pthread_mutex_lock(&dev.lock);
	if (offset == 0) {
		if (a->is_write)
			rtc_write_index(&dev.rtc, (uint8_t)a->value);
		else
			a->value = 0xff;
	} else if (a->is_write) {
		int64_t before = dev.rtc.offset;

		rtc_write(&dev.rtc, (uint8_t)a->value, &t);
		if (dev.rtc.offset != before)
			monitor_rtc_changed(t.seconds + before, dev.rtc.offset - before);
		update();
	} else {
		a->value = rtc_read(&dev.rtc, &t);
		if (dev.level)
			update();
	}
	pthread_mutex_unlock(&dev.lock);
}

static void put_memory_sizes(struct rtc *r)
{
	uint64_t low = (mem_lowmem() - (16ull << 20)) >> 16, high = mem_highmem() >> 16;

	r->reg[0x34] = (uint8_t)low;
	r->reg[0x35] = (uint8_t)(low >> 8);
	r->reg[0x5b] = (uint8_t)high;
	r->reg[0x5c] = (uint8_t)(high >> 8);
	r->reg[0x5d] = (uint8_t)(high >> 16);
}

static void rtc_dev_reset(struct dm_device *d)
{
	struct rtc_now t = now();

	(void)d;
	pthread_mutex_lock(&dev.lock);
	rtc_reset(&dev.rtc, &t);
	put_memory_sizes(&dev.rtc);
	update();
	pthread_mutex_unlock(&dev.lock);
}

static void rtc_dev_destroy(struct dm_device *d)
{
	(void)d;
	io_unregister(IO_PORT, 0x70);
	loop_del(dev.timer);
	dev.timer = 0;
}

static int rtc_dev_init(struct dm_device *d, const char *opts)
{
	int err;

	(void)opts;
	dev.timer = loop_add_timer(on_timer, NULL);
	if (!dev.timer)
		return -errno;
	rtc_dev_reset(d);
	err = io_register(&(struct io_range){ "rtc", IO_PORT, 0x70, 2, 1, rtc_io, NULL });
	if (err)
		rtc_dev_destroy(d);
	return err;
}

static const struct dm_device_class rtc_class = {
	.name = "rtc",
	.kind = DM_PLATFORM,
	.order = 20,
	.init = rtc_dev_init,
	.destroy = rtc_dev_destroy,
	.reset = rtc_dev_reset,
};
DM_DEVICE(rtc_class);
