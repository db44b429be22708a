/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The fixed-width integers of the three worlds (hypervisor, kernel module, user space) and the
 * layout check. This is the only place of the shared words that asks who compiles it: the kernel
 * has no stdint.h.
 */
#pragma once

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

/* To be used inside _Static_assert: is field f of struct s at byte offset o? */
#define ACRN_AT(s, f, o) (offsetof(struct s, f) == (o))
