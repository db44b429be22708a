/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * How the log of a run that failed gets to the system that boots behind it. The hypervisor keeps the end of its log in
 * memory that a reset leaves alone (hypervisor/hw/last_log.h), but no Linux that is not ours finds it there. So:
 *
 *   acrn.efi  -- leaves BootNext: itself, with the word "last-log" --> hypervisor --> it fails, the machine resets
 *   acrn.efi last-log  finds the log in memory, puts it into a volatile variable, takes its entry away, and returns:
 *                      the firmware goes on with its usual entry
 *   Linux     reads the variable (acrn log --last)
 *
 * A volatile variable costs no flash and is gone with the next reset.
 */
#pragma once

#include "stub.h"

/* Whether this start is only to save the last run's log. */
bool last_log_is_asked(const struct stub *stub);

/* Does that. Returns an error always: with success the firmware would stop at its menu. */
EFI_STATUS last_log_save(struct stub *stub);

/* Leaves BootNext for that; what cannot be done is told, and no reason not to start. A step: EFI_SUCCESS. */
EFI_STATUS last_log_prepare(struct stub *stub);

/* Leaves the reasons why the stub itself gives up, for the system that boots instead. */
void last_log_leave(struct stub *stub, const char *text);
