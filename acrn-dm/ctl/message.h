/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manager protocol: messages of 280 bytes over UNIX stream sockets in MNGR_DIR, one named
 * NAME.monitor.PID.socket for each acrn-dm. The answer has the number of the question. Numbers and layout are those of
 * the original's tools, which work with ours.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MNGR_DIR		"/run/acrn/mngr"
#define MNGR_SUFFIX		".socket"
#define MNGR_MIDDLE		".monitor."
#define MNGR_CONSOLE		".console."	/* NAME.console.PID.socket: the terminal of a VM */
#define MNGR_DAEMON		"acrnd."	/* acrnd.PID.socket */
#define MNGR_LIFE_CYCLE		"service-vm-lcs."	/* and PID.socket: knows why the machine woke up */
#define MNGR_MAGIC		0x67736D206D6D76ull

enum mngr_id {
	MNGR_STOP = 3,
	MNGR_SUSPEND = 4,
	MNGR_RESUME = 5,
	MNGR_QUERY = 6,
	MNGR_BLKRESCAN = 7,
	/* to acrnd */
	MNGR_TIMER = 9,
	MNGR_REASON = 10,
	MNGR_NOTIFY = 11,
	MNGR_ALL_STOP = 12,
	MNGR_ALL_RESUME = 13,
	MNGR_ALL_SUSPEND = 14,
	/* from acrnd */
	MNGR_WAKEUP_REASON = 16,
};

enum mngr_state {
	MNGR_RUNNING = 0,
	MNGR_SUSPENDED = 4,
};

struct mngr_message {
	uint64_t magic;
	uint32_t id;
	uint32_t pad;
	uint64_t timestamp;	/* seconds since 1970 */
	union {
		char devargs[256];	/* MNGR_BLKRESCAN: "slot,path[,options]" */
		struct {
			int32_t force;		/* not 0: off at once, else the power button */
			uint32_t timeout;	/* seconds; 0: the device model's own */
		} stop;
		struct {
			char name[16];
			int64_t at;		/* seconds since 1970 */
		} timer;
		uint64_t reason;	/* answer to MNGR_REASON and MNGR_WAKEUP_REASON */
		int32_t err;		/* answers: 0 or negative */
		int32_t state;		/* answer to MNGR_QUERY: enum mngr_state, or -1 */
	} data;
};
_Static_assert(sizeof(struct mngr_message) == 280 && offsetof(struct mngr_message, id) == 8 &&
	offsetof(struct mngr_message, timestamp) == 16 && offsetof(struct mngr_message, data) == 24 &&
	offsetof(struct mngr_message, data.timer.at) == 40, "mngr_message");
