/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The one-producer one-consumer ring (sbuf) by which the hypervisor sends what needs no answer:
 * doorbells (asyncio), VM events, traces, log. The elements follow the header; head and tail are
 * byte offsets below size, head == tail is empty, and one element always stays unused. The producer
 * must keep its own copy of the geometry: the page is shared.
 */
#pragma once

#include <acrn/types.h>

#define ACRN_SBUF_MAGIC 0x5AA57AA71AA13AA3ull
#define ACRN_SBUF_TRACE 0u
#define ACRN_SBUF_HVLOG 1u
#define ACRN_SBUF_SEP 2u
#define ACRN_SBUF_SOCWATCH 3u
#define ACRN_SBUF_ASYNCIO 64u
#define ACRN_SBUF_VM_EVENT 65u
#define ACRN_SBUF_NO_CPU 0xFFFFu
#define ACRN_SBUF_COUNT_OVERRUN (1u << 0)
#define ACRN_SBUF_OVERWRITE (1u << 1)

struct acrn_sbuf {
	uint64_t magic;
	uint32_t ele_num;
	uint32_t ele_size;
	uint32_t head; /* consumer's */
	uint32_t tail; /* producer's */
	uint64_t flags;
	uint32_t overrun_cnt;
	uint32_t size; /* ele_num * ele_size */
	uint32_t pad[6];
};
_Static_assert(sizeof(struct acrn_sbuf) == 64 && ACRN_AT(acrn_sbuf, magic, 0) &&
	ACRN_AT(acrn_sbuf, ele_num, 8) && ACRN_AT(acrn_sbuf, ele_size, 12) &&
	ACRN_AT(acrn_sbuf, head, 16) && ACRN_AT(acrn_sbuf, tail, 20) &&
	ACRN_AT(acrn_sbuf, flags, 24) && ACRN_AT(acrn_sbuf, overrun_cnt, 32) &&
	ACRN_AT(acrn_sbuf, size, 36) && ACRN_AT(acrn_sbuf, pad, 40), "acrn_sbuf");

/* SETUP_SBUF */
struct acrn_sbuf_param {
	uint16_t cpu_id; /* ACRN_SBUF_NO_CPU for the rings of a VM */
	uint16_t reserved;
	uint32_t sbuf_id;
	uint64_t gpa;
};
_Static_assert(sizeof(struct acrn_sbuf_param) == 16 && ACRN_AT(acrn_sbuf_param, cpu_id, 0) &&
	ACRN_AT(acrn_sbuf_param, reserved, 2) && ACRN_AT(acrn_sbuf_param, sbuf_id, 4) &&
	ACRN_AT(acrn_sbuf_param, gpa, 8), "acrn_sbuf_param");

#define ACRN_ASYNCIO_PIO 1u
#define ACRN_ASYNCIO_MMIO 2u
#define ACRN_ASYNCIO_MAX 64u /* a VM */

/* ASYNCIO_ASSIGN: a guest's write to addr puts cookie into the ring; the guest goes on at once. */
struct acrn_asyncio_info {
	uint32_t type;
	uint32_t match_data; /* not 0: only if the value written is data */
	uint64_t addr;
	uint64_t cookie;
	uint64_t data;
};
_Static_assert(sizeof(struct acrn_asyncio_info) == 32 && ACRN_AT(acrn_asyncio_info, type, 0) &&
	ACRN_AT(acrn_asyncio_info, match_data, 4) && ACRN_AT(acrn_asyncio_info, addr, 8) &&
	ACRN_AT(acrn_asyncio_info, cookie, 16) && ACRN_AT(acrn_asyncio_info, data, 24),
	"acrn_asyncio_info");

#define ACRN_VM_EVENT_RTC_CHANGE 0u
#define ACRN_VM_EVENT_POWEROFF 1u
#define ACRN_VM_EVENT_TRIPLE_FAULT 2u

struct acrn_vm_event {
	uint32_t type;
	/* RTC_CHANGE: s64 last time at 0, s64 delta at 8, in seconds, unaligned */
	uint8_t data[28];
};
_Static_assert(sizeof(struct acrn_vm_event) == 32 && ACRN_AT(acrn_vm_event, type, 0) &&
	ACRN_AT(acrn_vm_event, data, 4), "acrn_vm_event");
