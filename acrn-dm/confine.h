/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest that took this process over could do with it: less. Every thread confines itself, as soon as it runs and
 * by what it has to do; the main thread when every file, socket and device is open, before the guest's first
 * instruction. What a role may do is in confine.c. A kernel that lacks a means is warned about, not refused.
 */
#pragma once

enum confine_role {
	CONFINE_DEVICE,		/* serves queues: data and waiting, no new file, socket, process or executable page */
	CONFINE_VCPU,		/* the same for the registers of devices, which also arm timers and register eventfds */
	CONFINE_NETWORK,	/* libslirp: sockets too, and the name servers of /etc/resolv.conf */
	CONFINE_MAIN,		/* control: clients, another disk, the log; no program is started */
};

/* No capabilities, no new privileges, the role's system calls (others fail with EPERM), the role's files. */
void confine_thread(enum confine_role role);
