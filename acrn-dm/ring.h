/* SPDX-License-Identifier: BSD-3-Clause */
/* A page that the hypervisor writes elements into (abi/acrn/sbuf.h), with an empty ring in it. */
#pragma once

#include <acrn/sbuf.h>

#define RING_PAGE	4096u
#define RING_ELEMENTS(ele_size)	((RING_PAGE - (uint32_t)sizeof(struct acrn_sbuf)) / (ele_size))

/* NULL: errno says why. */
struct acrn_sbuf *ring_create(uint32_t ele_size);
/* Not before the VM is gone, or pages are pinned that nobody sees. NULL is fine. */
void ring_destroy(struct acrn_sbuf *ring);
