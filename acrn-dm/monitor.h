/* SPDX-License-Identifier: BSD-3-Clause */
/* The command socket of --cmd_monitor: one JSON object a line, one client at a time. */
#pragma once

#include <stdint.h>

/* Nothing to do without --cmd_monitor. Returns 0 or -errno (logged). */
int monitor_init(void);
void monitor_exit(void);
/* Puts a file into an empty slot: "slot,path[,options]". 0 or -errno. On the loop thread. */
int monitor_rescan(const char *arguments);
/* Tells a registered client of a VM event; at most one of a kind in a second. On the loop thread. */
void monitor_event(uint32_t type);
/*
 * The guest set its clock: it showed last_time (seconds since 1970) and moved by delta. Changes within a second become
 * one event. Any thread.
 */
void monitor_rtc_changed(int64_t last_time, int64_t delta);
