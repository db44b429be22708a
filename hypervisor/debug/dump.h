/* SPDX-License-Identifier: BSD-3-Clause */
/* What a panic prints besides its cause. */
#pragma once

#include "hw/exception.h"

/*
 * Registers (when there is a frame), control registers, and the code addresses found on the stack.
 */
void dump_cpu(const struct isr_frame *frame);

/* Makes panic() call it. */
void dump_init(void);
