/* SPDX-License-Identifier: BSD-3-Clause */
/* The restrictions of a ring (io_uring_register(2)). A ring can otherwise open files and sockets past any filter. */
#include "virtio/uring.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's library has functions for this in its header alone. */
static int restrict_ring(const struct io_uring *ring)
{
	struct io_uring_restriction only[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC },
	};

	if (syscall(SYS_io_uring_register, ring->ring_fd, IORING_REGISTER_RESTRICTIONS, only, 3) != 0 ||
	    syscall(SYS_io_uring_register, ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) != 0)
		return -errno;
	return 0;
}

int uring_open(struct io_uring *ring, unsigned int depth)
{
	int err = io_uring_queue_init(depth, ring, IORING_SETUP_R_DISABLED);

	if (err)
		return err;
	err = restrict_ring(ring);
	if (err)
		io_uring_queue_exit(ring);
	return err;
}
