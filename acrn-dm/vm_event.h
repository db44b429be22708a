/* SPDX-License-Identifier: BSD-3-Clause */
/* Events of the VM: those that the hypervisor sends through a ring, and the signals of this process. */
#pragma once

/* Signals become events of the loop from here on. Call it before any thread exists. Returns 0 or -errno. */
int vm_event_block_signals(void);
/* The loop must be there, and the VM. A hypervisor without the ring is fine. Returns 0 or -errno. */
int vm_event_init(void);
void vm_event_exit(void);
/* Asks the guest to power off; by force after 15 seconds, or at once if it was asked before. */
void vm_event_ask_poweroff(void);
