/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest that took this process over could do with it: less. Called once, when every file, socket and
 * device is open and before the guest's first instruction.
 */
#pragma once

/*
 * No capabilities, no new privileges, and only the system calls that serving a guest needs; others fail with
 * EPERM.
 */
void confine(void);
/*
 * Drops the capabilities of the calling thread: they are a thread's own. For threads that exist before
 * confine().
 */
void confine_thread(void);
