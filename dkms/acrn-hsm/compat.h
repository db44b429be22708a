/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernel versions: the only place that asks for one. Everything else is written
 * for the newest form, and this header brings it to older kernels.
 */
#pragma once

#include <linux/eventfd.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
#error "acrn-hsm needs Linux 5.15 or newer"
#endif

static inline void hsm_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}
