/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens when panic() (lib/panic.h) is called, or the hypervisor faults: the other CPUs are
 * stopped by NMI, the cause, the registers and the stack are printed, then the machine waits or
 * restarts.
 */
#pragma once

#include <stdarg.h>

#include "hw/exception.h"

enum panic_policy { PANIC_REBOOT, PANIC_HALT };

/* PANIC_REBOOT waits ten seconds first, so that a person can read. It is the default. */
void panic_set_policy(enum panic_policy policy);

/* A fault of ours: as panic(), with the frame's registers. */
_Noreturn void panic_exception(const struct isr_frame *frame, const char *what);

/*
 * The start cannot go on, and it is not our fault (acrn.conf, the boot entry, the machine): the
 * sentence without a dump, then as after a panic.
 */
_Noreturn void panic_refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints the state of the world above (VMs, vCPUs) after the dump; set by debug/. */
void panic_set_hook(void (*hook)(const struct isr_frame *frame));

/* True once a CPU has begun to panic: then an NMI means stop. */
bool panic_is_active(void);
