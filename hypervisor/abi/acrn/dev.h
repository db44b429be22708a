/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Devices given to a VM (physical, MMIO, made by the hypervisor), their interrupts, and processor
 * power states. BDFs are 16 bits: bus 15:8, device 7:3, function 2:0.
 */
#pragma once

#include <acrn/types.h>

#define ACRN_PTDEV_INTX 0u
#define ACRN_PTDEV_MSI 1u
#define ACRN_PTDEV_MSIX 2u

/* The ioctl carries these 20 bytes; the hypervisor may read up to 24 of the hypercall's buffer. */
struct acrn_ptdev_irq {
	uint32_t type;
	uint16_t virt_bdf;
	uint16_t phys_bdf;
	uint32_t virt_pin;
	uint32_t phys_pin;
	uint32_t is_pic_pin;
};
_Static_assert(sizeof(struct acrn_ptdev_irq) == 20, "acrn_ptdev_irq");
_Static_assert(ACRN_AT(acrn_ptdev_irq, type, 0) && ACRN_AT(acrn_ptdev_irq, virt_bdf, 4) &&
	ACRN_AT(acrn_ptdev_irq, phys_bdf, 6) && ACRN_AT(acrn_ptdev_irq, virt_pin, 8) &&
	ACRN_AT(acrn_ptdev_irq, phys_pin, 12) && ACRN_AT(acrn_ptdev_irq, is_pic_pin, 16),
	"acrn_ptdev_irq");

#define ACRN_PCIDEV_QUIRK_ASSIGN 0x1u
/* Ours, for the module alone: the device is not reset, neither before the VM has it nor after. */
#define ACRN_PCIDEV_NO_RESET 0x80000000u
/* Ours: accesses to the expansion ROM's register (0x30) go to the device model, which has a ROM for the guest. */
#define ACRN_PCIDEV_ROM 0x40000000u
/* Ours: the VM's host bridge is a Q35, whose PCIEXBAR (0x60) says where configuration space is mapped. */
#define ACRN_PCIDEV_Q35 0x20000000u

struct acrn_pcidev {
	uint32_t type;
	uint16_t virt_bdf;
	uint16_t phys_bdf;
	uint8_t intr_line;
	uint8_t intr_pin;
	uint16_t pad;
	uint32_t bar[6]; /* as the guest sees them */
};
_Static_assert(sizeof(struct acrn_pcidev) == 36, "acrn_pcidev");
_Static_assert(ACRN_AT(acrn_pcidev, type, 0) && ACRN_AT(acrn_pcidev, virt_bdf, 4) &&
	ACRN_AT(acrn_pcidev, phys_bdf, 6) && ACRN_AT(acrn_pcidev, intr_line, 8) &&
	ACRN_AT(acrn_pcidev, intr_pin, 9) && ACRN_AT(acrn_pcidev, pad, 10) &&
	ACRN_AT(acrn_pcidev, bar, 12), "acrn_pcidev");

struct acrn_mmiores {
	uint64_t user_vm_pa;
	uint64_t service_vm_pa;
	uint64_t size;
	uint64_t mem_type; /* EPT memory type in bits 5:3: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB */
};
_Static_assert(sizeof(struct acrn_mmiores) == 32 && ACRN_AT(acrn_mmiores, user_vm_pa, 0) &&
	ACRN_AT(acrn_mmiores, service_vm_pa, 8) && ACRN_AT(acrn_mmiores, size, 16) &&
	ACRN_AT(acrn_mmiores, mem_type, 24), "acrn_mmiores");

struct acrn_mmiodev {
	uint8_t name[8];
	struct acrn_mmiores res[3];
};
_Static_assert(sizeof(struct acrn_mmiodev) == 104 && ACRN_AT(acrn_mmiodev, name, 0) &&
	ACRN_AT(acrn_mmiodev, res, 8), "acrn_mmiodev");

/* A PCI device that the hypervisor itself emulates. */
struct acrn_vdev {
	uint16_t vendor;
	uint16_t device;
	uint32_t legacy_id;
	uint64_t slot; /* virtual BDF in bits 15:0 */
	uint32_t io_addr[6];
	uint32_t io_size[6];
	uint8_t args[128];
};
_Static_assert(sizeof(struct acrn_vdev) == 192, "acrn_vdev");
_Static_assert(ACRN_AT(acrn_vdev, vendor, 0) && ACRN_AT(acrn_vdev, device, 2) &&
	ACRN_AT(acrn_vdev, legacy_id, 4) && ACRN_AT(acrn_vdev, slot, 8) &&
	ACRN_AT(acrn_vdev, io_addr, 16) && ACRN_AT(acrn_vdev, io_size, 40) &&
	ACRN_AT(acrn_vdev, args, 64), "acrn_vdev");

#define ACRN_INTR_MONITOR_GET_DATA 0u
#define ACRN_INTR_MONITOR_DELAY_INT 1u
#define ACRN_INTR_MONITOR_MAX 48u

/* A page shared with the hypervisor, of which these first bytes are used. */
struct acrn_intr_monitor {
	uint32_t cmd;
	uint32_t buf_cnt; /* in u64 */
	/* GET_DATA: pairs (irq, count); DELAY_INT: [0] is the delay in ms */
	uint64_t buffer[ACRN_INTR_MONITOR_MAX];
};
_Static_assert(sizeof(struct acrn_intr_monitor) == 392 && ACRN_AT(acrn_intr_monitor, cmd, 0) &&
	ACRN_AT(acrn_intr_monitor, buf_cnt, 4) && ACRN_AT(acrn_intr_monitor, buffer, 8),
	"acrn_intr_monitor");

/* PM_GET_CPU_STATE: the command word, and what comes back. */
#define ACRN_PM_PX_COUNT 0u
#define ACRN_PM_PX_DATA 1u
#define ACRN_PM_CX_COUNT 2u
#define ACRN_PM_CX_DATA 3u
#define ACRN_PM_TYPE(cmd) ((cmd) & 0xFFu)
#define ACRN_PM_STATE(cmd) (((cmd) >> 8) & 0xFFu)
#define ACRN_PM_VCPU(cmd) (((cmd) >> 16) & 0xFFu)
#define ACRN_PM_VMID(cmd) (((cmd) >> 24) & 0xFFu)
#define ACRN_PM_CMD(vmid, vcpu, state, type) \
	(((uint64_t)(vmid) << 24) | ((uint64_t)(vcpu) << 16) | ((uint64_t)(state) << 8) | \
	 (uint64_t)(type))

struct acrn_generic_address {
	uint8_t space_id;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} __attribute__((packed));
_Static_assert(sizeof(struct acrn_generic_address) == 12 &&
	ACRN_AT(acrn_generic_address, space_id, 0) && ACRN_AT(acrn_generic_address, bit_width, 1) &&
	ACRN_AT(acrn_generic_address, bit_offset, 2) &&
	ACRN_AT(acrn_generic_address, access_size, 3) && ACRN_AT(acrn_generic_address, address, 4),
	"acrn_generic_address");

struct acrn_cx_data {
	struct acrn_generic_address reg;
	uint8_t type;
	uint8_t pad0[3];
	uint32_t latency; /* microseconds */
	uint32_t pad1;
	uint64_t power; /* mW */
};
_Static_assert(sizeof(struct acrn_cx_data) == 32 && ACRN_AT(acrn_cx_data, reg, 0) &&
	ACRN_AT(acrn_cx_data, type, 12) && ACRN_AT(acrn_cx_data, pad0, 13) &&
	ACRN_AT(acrn_cx_data, latency, 16) && ACRN_AT(acrn_cx_data, pad1, 20) &&
	ACRN_AT(acrn_cx_data, power, 24), "acrn_cx_data");

struct acrn_px_data {
	uint64_t core_freq; /* MHz */
	uint64_t power; /* mW */
	uint64_t transition_latency; /* microseconds */
	uint64_t bus_master_latency; /* microseconds */
	uint64_t control;
	uint64_t status;
};
_Static_assert(sizeof(struct acrn_px_data) == 48 && ACRN_AT(acrn_px_data, core_freq, 0) &&
	ACRN_AT(acrn_px_data, power, 8) && ACRN_AT(acrn_px_data, transition_latency, 16) &&
	ACRN_AT(acrn_px_data, bus_master_latency, 24) && ACRN_AT(acrn_px_data, control, 32) &&
	ACRN_AT(acrn_px_data, status, 40), "acrn_px_data");
