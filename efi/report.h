/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * What people see: lines on the firmware's console (the screen, through GOP) and on the serial
 * port. Where the firmware itself has a terminal on that port a line goes there once, not twice.
 */
#pragma once

#include <efi.h>

#include "config/scenario.h"

/* Speaks from here on: screen, and 0x3f8 at 115200 until acrn.conf is known. */
void report_start(EFI_SYSTEM_TABLE *st);

/* The serial port that acrn.conf names; if it names none, the serial port falls silent. */
void report_set_serial(const struct scenario_serial *serial);

/* One line, without its newline. */
void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Tells why the stub cannot go on, and returns `status`, or EFI_LOAD_ERROR if that is no error: the
 * line of a step that fails is `return report_failure(status, "…")`.
 */
EFI_STATUS report_failure(EFI_STATUS status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* All lines so far; of many the last ones. */
const char *report_text(void);

/* A firmware's error in a few words. */
const char *report_status(EFI_STATUS status);

/* Gives people time to read: until a key is pressed or that many seconds have passed. */
void report_wait(unsigned int seconds);
