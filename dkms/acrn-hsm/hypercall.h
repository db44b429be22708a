/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way down to the hypervisor. Buffers are handed over by physical address, so they must come from
 * kmalloc or the page allocator: never from vmalloc, nor from the stack (which is vmalloc memory).
 */
#pragma once

#include <linux/io.h>
#include <linux/types.h>

#include <acrn/hypercall.h>

struct hsm_hypervisor {
	u32 extensions; /* ACRN_EXTENSION_* */
	u32 tsc_khz;	/* 0: unknown */
	struct acrn_api_version api;
	char version[17]; /* "": it does not tell */
};

/*
 * Looks for the hypervisor. 0; -ENODEV: not on ACRN; -EPERM: not its Service VM. On success `hv` is
 * filled in; the API version stays 0.0 where the hypervisor does not tell.
 */
int hsm_hypervisor_probe(struct hsm_hypervisor *hv);

/* Undoes a successful probe. */
void hsm_hypervisor_exit(void);

/* One call, from any context. 0 or more, or a negative errno of the hypervisor's. */
long hsm_hypercall(u32 id, u64 arg1, u64 arg2);

static inline long hsm_hypercall_buf(u32 id, u64 arg1, const volatile void *buf)
{
	return hsm_hypercall(id, arg1, virt_to_phys((volatile void *)buf));
}
