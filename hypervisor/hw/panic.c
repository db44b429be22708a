/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last words. Nothing here may wait for another CPU or take a lock that a stopped CPU may
 * hold; the log gives up on its own lock by itself.
 */
#include "hw/panic.h"
#include "hw/cpu.h"
#include "hw/fb.h"
#include "hw/lapic.h"
#include "hw/last_log.h"
#include "hw/percpu.h"
#include "hw/power.h"
#include "hw/tsc.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "x86/exception.h"

#define REBOOT_DELAY_US 10000000U
#define STOP_TIME_US 10000U
#define TEXT_SIZE 200

static enum panic_policy policy = PANIC_REBOOT;
static void (*dump_hook)(const struct isr_frame *frame);
static uint32_t active; /* the panicking CPU's number + 1 */

void panic_set_policy(enum panic_policy p)
{
	policy = p;
}

void panic_set_hook(void (*hook)(const struct isr_frame *frame))
{
	dump_hook = hook;
}

bool panic_is_active(void)
{
	return atomic_load(&active) != 0;
}

/* One CPU panics; a second one stops, and a panic within the panic ends at once. */
static void enter(void)
{
	uint32_t me = cpu_id() + 1U;

	asm volatile("cli");
	if (atomic_load(&active) == me) {
		log_error("another fault while reporting the first one");
		cpu_halt_forever();
	}
	if (!atomic_cas(&active, 0U, me))
		cpu_halt_forever();
	fb_take_back();
	last_log_want();
	if (cpu_count() > 1) {
		lapic_send_nmi_others();
		tsc_delay_us(STOP_TIME_US);
	}
}

static _Noreturn void leave(void)
{
	if (policy == PANIC_HALT) {
		log_error("halted; reset the machine by hand");
		cpu_halt_forever();
	}
	log_error("restarting in %u seconds", REBOOT_DELAY_US / 1000000U);
	tsc_delay_us(REBOOT_DELAY_US);
	power_reset();
}

noreturn void panic(const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	enter();
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("PANIC on CPU %u: %s", cpu_id(), text);
	if (dump_hook != NULL)
		dump_hook(NULL);
	leave();
}

_Noreturn void panic_refuse(const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	enter();
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s", text);
	leave();
}

_Noreturn void panic_exception(const struct isr_frame *frame, const char *what)
{
	enter();
	log_error("PANIC on CPU %u: %s at 0x%lx, error code 0x%lx", cpu_id(), what,
		  frame->rip, frame->error);
	if (frame->vector == EXC_PF)
		log_error("the page at 0x%lx is %s; it was %s", cr2_read(),
			  (frame->error & PFERR_P) != 0 ? "protected" : "not mapped",
			  (frame->error & PFERR_I) != 0	  ? "executed"
			  : (frame->error & PFERR_W) != 0 ? "written"
							  : "read");
	if (dump_hook != NULL)
		dump_hook(frame);
	leave();
}
