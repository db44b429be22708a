/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for what another thread does. Long, since the machine may be busy with other things: nothing but a bug lets a
 * wait end without its condition.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE	60	/* seconds */

static inline int64_t patience_end(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + PATIENCE;
}

static inline bool patience_left(int64_t end)
{
	struct timespec now;

	usleep(1000);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec < end;
}

/* True as soon as condition is. */
#define BECOMES(condition)						\
	({								\
		int64_t end_ = patience_end();				\
		bool is_;						\
									\
		while (!(is_ = (condition)) && patience_left(end_))	\
			;						\
		is_;							\
	})
