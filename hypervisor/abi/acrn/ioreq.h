/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The I/O request page: one 4-KiB page a VM, one 256-byte slot a vCPU, shared by hypervisor, module
 * and DM.
 *
 *   FREE ─hypervisor─► PENDING ─module─► PROCESSING ─client─► COMPLETE ─hypervisor─► FREE
 *
 * A state is left only by its owner, by a release store that comes after everything else in the
 * slot. The page can be written by user space at any time: copy once, then check, then use.
 */
#pragma once

#include <acrn/types.h>

#define ACRN_IOREQ_SLOTS 16u

/* acrn_ioreq.type */
#define ACRN_IOREQ_PORTIO 0u
#define ACRN_IOREQ_MMIO 1u
#define ACRN_IOREQ_PCICFG 2u /* made by the module out of accesses to 0xCF8 and 0xCFC */
#define ACRN_IOREQ_WP 3u     /* a write to a write-protected page; uses the mmio form */
/*
 * Ours (ACRN_MEM_REGION_FETCH): there is to be memory at the address of the mmio form. The answer carries nothing: the
 * vCPU tries its access again.
 */
#define ACRN_IOREQ_FETCH 16u

/* direction */
#define ACRN_IOREQ_READ 0u
#define ACRN_IOREQ_WRITE 1u

/* acrn_ioreq.state */
#define ACRN_IOREQ_PENDING 0u
#define ACRN_IOREQ_COMPLETE 1u
#define ACRN_IOREQ_PROCESSING 2u
#define ACRN_IOREQ_FREE 3u

/*
 * The three forms. direction, size and the low half of value are at the same place in all of them.
 */
struct acrn_ioreq_pio {
	uint32_t direction;
	uint32_t reserved;
	uint64_t address;
	uint64_t size; /* 1, 2, 4 */
	uint32_t value;
	uint32_t pad;
};
_Static_assert(sizeof(struct acrn_ioreq_pio) == 32 && ACRN_AT(acrn_ioreq_pio, direction, 0) &&
	ACRN_AT(acrn_ioreq_pio, reserved, 4) && ACRN_AT(acrn_ioreq_pio, address, 8) &&
	ACRN_AT(acrn_ioreq_pio, size, 16) && ACRN_AT(acrn_ioreq_pio, value, 24) &&
	ACRN_AT(acrn_ioreq_pio, pad, 28), "acrn_ioreq_pio");

struct acrn_ioreq_mmio {
	uint32_t direction;
	uint32_t reserved;
	uint64_t address;
	uint64_t size; /* 1, 2, 4, 8 */
	uint64_t value;
};
_Static_assert(sizeof(struct acrn_ioreq_mmio) == 32 && ACRN_AT(acrn_ioreq_mmio, direction, 0) &&
	ACRN_AT(acrn_ioreq_mmio, reserved, 4) && ACRN_AT(acrn_ioreq_mmio, address, 8) &&
	ACRN_AT(acrn_ioreq_mmio, size, 16) && ACRN_AT(acrn_ioreq_mmio, value, 24),
	"acrn_ioreq_mmio");

struct acrn_ioreq_pci {
	uint32_t direction;
	uint32_t reserved[3];
	uint64_t size;
	uint32_t value;
	uint32_t bus;
	uint32_t dev;
	uint32_t func;
	uint32_t reg;
	uint32_t pad;
};
_Static_assert(sizeof(struct acrn_ioreq_pci) == 48 && ACRN_AT(acrn_ioreq_pci, direction, 0) &&
	ACRN_AT(acrn_ioreq_pci, reserved, 4) && ACRN_AT(acrn_ioreq_pci, size, 16) &&
	ACRN_AT(acrn_ioreq_pci, value, 24) && ACRN_AT(acrn_ioreq_pci, bus, 28) &&
	ACRN_AT(acrn_ioreq_pci, dev, 32) && ACRN_AT(acrn_ioreq_pci, func, 36) &&
	ACRN_AT(acrn_ioreq_pci, reg, 40) && ACRN_AT(acrn_ioreq_pci, pad, 44), "acrn_ioreq_pci");

struct acrn_ioreq {
	uint32_t type;
	uint32_t completion_polling; /* 1: the vCPU polls for COMPLETE, no NOTIFY_REQUEST_FINISH */
	uint32_t reserved0[14];
	union {
		struct acrn_ioreq_pio pio;
		struct acrn_ioreq_mmio mmio;
		struct acrn_ioreq_pci pci;
		uint64_t words[8];
	} req;
	uint32_t reserved1;
	uint32_t kernel_handled; /* 1: the module has taken it, the DM must not touch it */
	uint32_t state;
	uint32_t pad[29];
};
_Static_assert(sizeof(struct acrn_ioreq) == 256 && ACRN_AT(acrn_ioreq, type, 0) &&
	ACRN_AT(acrn_ioreq, completion_polling, 4) && ACRN_AT(acrn_ioreq, reserved0, 8) &&
	ACRN_AT(acrn_ioreq, req, 64) && ACRN_AT(acrn_ioreq, reserved1, 128) &&
	ACRN_AT(acrn_ioreq, kernel_handled, 132) && ACRN_AT(acrn_ioreq, state, 136) &&
	ACRN_AT(acrn_ioreq, pad, 140), "acrn_ioreq");

struct acrn_ioreq_page {
	struct acrn_ioreq slot[ACRN_IOREQ_SLOTS]; /* index: vCPU id */
};
_Static_assert(sizeof(struct acrn_ioreq_page) == 4096 && ACRN_AT(acrn_ioreq_page, slot, 0),
	"acrn_ioreq_page");
