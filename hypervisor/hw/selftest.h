/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the hypervisor checks about itself at start when the log level is debug: each check is a
 * line that begins with "selftest: PASS" or "selftest: FAIL", which the boot tests read.
 */
#pragma once

/* Needs all CPUs up, in cpu_idle(). Returns the number of failures. */
unsigned int selftest_run(void);

/* Writes to our own text, to show what a bug of ours looks like (option crash=fault). */
void selftest_crash(void);
