/* SPDX-License-Identifier: BSD-3-Clause */
/* The log's sinks. The log serialises them. */
#include "debug/console.h"
#include "hw/paging.h"
#include "hw/percpu.h"
#include "hw/tsc.h"
#include "hw/uart.h"
#include "lib/log.h"

#define COM1 0x3F8
#define DEFAULT_BAUD 115200U
#define UART_MMIO_SIZE 0x20U

void console_init_early(void)
{
	(void)uart_init_port(COM1, DEFAULT_BAUD);
	(void)log_add_sink(uart_write);
	log_set_clock(tsc_now_us, cpu_id);
}

void console_init_screen(const struct fb_mode *mode)
{
	if (!fb_init(mode))
		return;
	(void)log_add_sink(fb_write);
	log_info("screen: %ux%u", mode->width, mode->height);
}

static void configure_serial(const struct scenario_serial *serial)
{
	bool done;

	if (!serial->enabled) {
		log_info("console: serial off, as acrn.conf says");
		uart_disable();
		return;
	}
	/* The port that already works stays as it is: setting it up again would lose characters. */
	if (!serial->is_mmio && serial->base == uart_port() && serial->baud == DEFAULT_BAUD)
		return;
	if (serial->is_mmio)
		done = uart_init_mmio(paging_map_mmio(serial->base, UART_MMIO_SIZE, PG_UC),
				      serial->baud);
	else
		done = uart_init_port((uint16_t)serial->base, serial->baud);
	if (!done)
		log_warn("console: no serial port answers at 0x%lx", serial->base);
}

/* acrn.conf counts levels as the original does, 3 is an error. */
static enum log_level level_of(uint32_t level)
{
	return level <= SCENARIO_LOG_ERROR  ? LOG_ERROR
	       : level == SCENARIO_LOG_WARN ? LOG_WARN
	       : level == SCENARIO_LOG_INFO ? LOG_INFO
					    : LOG_DEBUG;
}

void console_configure(const struct scenario *scenario)
{
	log_set_level(level_of(scenario->loglevel));
	configure_serial(&scenario->serial);
	if (!scenario->screen)
		fb_disable();
}
