/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring of io_uring that reads, writes and flushes, and can do nothing else, whoever has taken its thread over. */
#pragma once

#include <liburing.h>

/* Returns 0 or -errno. io_uring_queue_exit() ends it. */
int uring_open(struct io_uring *ring, unsigned int depth);
