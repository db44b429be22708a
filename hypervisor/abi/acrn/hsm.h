/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The ioctls of /dev/acrn_hsm, between acrn-dm and the kernel module. One open file is one VM. Some
 * calls pass a value instead of a pointer although their number claims a size: it is said at each
 * of them.
 */
#pragma once

#include <acrn/dev.h>
#include <acrn/vm.h>

/* SET_MEMSEG, UNSET_MEMSEG */
#define ACRN_MEMMAP_RAM 0u  /* the caller's own memory at vma_base */
/* the Service VM's memory at service_vm_pa; in UNSET: whatever is at user_vm_pa */
#define ACRN_MEMMAP_MMIO 1u
/* SET only, ours (ACRN_HSM_CAP_FETCH): ACRN_MEM_REGION_FETCH for the range at user_vm_pa */
#define ACRN_MEMMAP_FETCH 2u

struct acrn_memmap {
	uint32_t type;
	uint32_t attr; /* ACRN_MEM_* */
	uint64_t user_vm_pa;
	union {
		uint64_t service_vm_pa;
		uint64_t vma_base;
	};
	uint64_t len; /* bytes, whole pages */
};
_Static_assert(sizeof(struct acrn_memmap) == 32 && ACRN_AT(acrn_memmap, type, 0) &&
	ACRN_AT(acrn_memmap, attr, 4) && ACRN_AT(acrn_memmap, user_vm_pa, 8) &&
	ACRN_AT(acrn_memmap, service_vm_pa, 16) && ACRN_AT(acrn_memmap, vma_base, 16) &&
	ACRN_AT(acrn_memmap, len, 24), "acrn_memmap");

struct acrn_ioreq_notify {
	uint16_t vmid; /* not looked at: the file says which VM */
	uint16_t reserved;
	uint32_t vcpu;
};
_Static_assert(sizeof(struct acrn_ioreq_notify) == 8 && ACRN_AT(acrn_ioreq_notify, vmid, 0) &&
	ACRN_AT(acrn_ioreq_notify, reserved, 2) && ACRN_AT(acrn_ioreq_notify, vcpu, 4),
	"acrn_ioreq_notify");

#define ACRN_IOEVENTFD_PIO 0x1u
#define ACRN_IOEVENTFD_DATAMATCH 0x2u
#define ACRN_IOEVENTFD_DEASSIGN 0x4u
#define ACRN_IOEVENTFD_ASYNCIO 0x8u

struct acrn_ioeventfd {
	int32_t fd;
	uint32_t flags;
	uint64_t addr;
	uint32_t len; /* 1, 2, 4, 8 */
	uint32_t reserved;
	uint64_t data;
};
_Static_assert(sizeof(struct acrn_ioeventfd) == 32 && ACRN_AT(acrn_ioeventfd, fd, 0) &&
	ACRN_AT(acrn_ioeventfd, flags, 4) && ACRN_AT(acrn_ioeventfd, addr, 8) &&
	ACRN_AT(acrn_ioeventfd, len, 16) && ACRN_AT(acrn_ioeventfd, reserved, 20) &&
	ACRN_AT(acrn_ioeventfd, data, 24), "acrn_ioeventfd");

#define ACRN_IRQFD_DEASSIGN 0x1u

struct acrn_irqfd {
	int32_t fd;
	uint32_t flags;
	struct acrn_msi msi;
};
_Static_assert(sizeof(struct acrn_irqfd) == 24 && ACRN_AT(acrn_irqfd, fd, 0) &&
	ACRN_AT(acrn_irqfd, flags, 4) && ACRN_AT(acrn_irqfd, msi, 8), "acrn_irqfd");

/*
 * GET_INFO (ours). ENOTTY there means: not our module, none of the capabilities. Works before
 * CREATE_VM, too.
 */
/* poll(): readable while a request waits, hang-up when the VM is gone */
#define ACRN_HSM_CAP_POLL (1ull << 0)
#define ACRN_HSM_CAP_IOREQ_NEXT (1ull << 1)  /* ACRN_IOCTL_IOREQ_NEXT */
/* RAM need not be hugetlbfs: any writable page-backed memory */
#define ACRN_HSM_CAP_ANY_PAGE (1ull << 2)
/* UNSET_MEMSEG of type RAM takes a whole segment back and unpins it */
#define ACRN_HSM_CAP_UNSET_RAM (1ull << 3)
/* SETUP_ASYNCIO (the hypervisor may still refuse it) */
#define ACRN_HSM_CAP_ASYNCIO (1ull << 4)
#define ACRN_HSM_CAP_VM_EVENT (1ull << 5)    /* SETUP_VM_EVENT_RING and _FD, likewise */
#define ACRN_HSM_CAP_PASSTHROUGH (1ull << 6) /* the PTDEV, PCIDEV and MMIODEV calls */
#define ACRN_HSM_CAP_WAIT (1ull << 7)        /* the hypervisor has ACRN_HC_NOTIFY_AND_WAIT */
#define ACRN_HSM_CAP_RESUME (1ull << 8)      /* START_VM lets a VM go on that was paused while it ran */
#define ACRN_HSM_CAP_FETCH (1ull << 9)	     /* ACRN_MEMMAP_FETCH */

struct acrn_hsm_info {
	uint32_t api_major; /* of the hypervisor */
	uint32_t api_minor;
	uint64_t caps;
	uint32_t max_vcpus;
	uint32_t tsc_khz; /* 0: unknown */
	uint64_t reserved[5];
};
_Static_assert(sizeof(struct acrn_hsm_info) == 64 && ACRN_AT(acrn_hsm_info, api_major, 0) &&
	ACRN_AT(acrn_hsm_info, api_minor, 4) && ACRN_AT(acrn_hsm_info, caps, 8) &&
	ACRN_AT(acrn_hsm_info, max_vcpus, 16) && ACRN_AT(acrn_hsm_info, tsc_khz, 20) &&
	ACRN_AT(acrn_hsm_info, reserved, 24), "acrn_hsm_info");

/*
 * An ioctl number, as _IOC() of asm-generic/ioctl.h composes it: this header must not depend on any
 * other world's.
 */
#define ACRN_IOC_NONE 0u
#define ACRN_IOC_WRITE 1u
#define ACRN_IOC_READ 2u
#define ACRN_IOC(dir, nr, size) \
	(((uint32_t)(dir) << 30) | ((uint32_t)(size) << 16) | (0xA2u << 8) | (nr))
#define ACRN_IO(nr) ACRN_IOC(ACRN_IOC_NONE, nr, 0)
#define ACRN_IOW(nr, type) ACRN_IOC(ACRN_IOC_WRITE, nr, sizeof(type))
#define ACRN_IOR(nr, type) ACRN_IOC(ACRN_IOC_READ, nr, sizeof(type))
#define ACRN_IOWR(nr, type) ACRN_IOC(ACRN_IOC_READ | ACRN_IOC_WRITE, nr, sizeof(type))

#define ACRN_IOCTL_CREATE_VM ACRN_IOWR(0x10u, struct acrn_vm_creation)
#define ACRN_IOCTL_DESTROY_VM ACRN_IO(0x11u)
#define ACRN_IOCTL_START_VM ACRN_IO(0x12u)
#define ACRN_IOCTL_PAUSE_VM ACRN_IO(0x13u)
#define ACRN_IOCTL_RESET_VM ACRN_IO(0x15u)
#define ACRN_IOCTL_SET_VCPU_REGS ACRN_IOW(0x16u, struct acrn_vcpu_regs)
#define ACRN_IOCTL_INJECT_MSI ACRN_IOW(0x23u, struct acrn_msi)
#define ACRN_IOCTL_VM_INTR_MONITOR ACRN_IOW(0x24u, uint64_t) /* value: address of a page */
#define ACRN_IOCTL_SET_IRQLINE ACRN_IOW(0x25u, uint64_t)     /* value: ACRN_IRQLINE(gsi, op) */
#define ACRN_IOCTL_NOTIFY_REQUEST_FINISH ACRN_IOW(0x31u, struct acrn_ioreq_notify)
#define ACRN_IOCTL_CREATE_IOREQ_CLIENT ACRN_IO(0x32u)
#define ACRN_IOCTL_ATTACH_IOREQ_CLIENT ACRN_IO(0x33u)
#define ACRN_IOCTL_DESTROY_IOREQ_CLIENT ACRN_IO(0x34u)
#define ACRN_IOCTL_CLEAR_VM_IOREQ ACRN_IO(0x35u)
#define ACRN_IOCTL_SET_MEMSEG ACRN_IOW(0x41u, struct acrn_memmap)
#define ACRN_IOCTL_UNSET_MEMSEG ACRN_IOW(0x42u, struct acrn_memmap)
#define ACRN_IOCTL_SET_PTDEV_INTR ACRN_IOW(0x53u, struct acrn_ptdev_irq)
#define ACRN_IOCTL_RESET_PTDEV_INTR ACRN_IOW(0x54u, struct acrn_ptdev_irq)
#define ACRN_IOCTL_ASSIGN_PCIDEV ACRN_IOW(0x55u, struct acrn_pcidev)
#define ACRN_IOCTL_DEASSIGN_PCIDEV ACRN_IOW(0x56u, struct acrn_pcidev)
#define ACRN_IOCTL_ASSIGN_MMIODEV ACRN_IOW(0x57u, struct acrn_mmiodev)
#define ACRN_IOCTL_DEASSIGN_MMIODEV ACRN_IOW(0x58u, struct acrn_mmiodev)
#define ACRN_IOCTL_CREATE_VDEV ACRN_IOW(0x59u, struct acrn_vdev)
#define ACRN_IOCTL_DESTROY_VDEV ACRN_IOW(0x5Au, struct acrn_vdev)
/* writes back 8, 32 or 48 bytes: give it 48 */
#define ACRN_IOCTL_PM_GET_CPU_STATE ACRN_IOWR(0x60u, uint64_t)
#define ACRN_IOCTL_IOEVENTFD ACRN_IOW(0x70u, struct acrn_ioeventfd)
#define ACRN_IOCTL_IRQFD ACRN_IOW(0x71u, struct acrn_irqfd)
/* value: address of a page that holds an sbuf */
#define ACRN_IOCTL_SETUP_ASYNCIO ACRN_IOW(0x90u, uint64_t)
#define ACRN_IOCTL_SETUP_VM_EVENT_RING ACRN_IOW(0xA0u, uint64_t) /* value: likewise */
#define ACRN_IOCTL_SETUP_VM_EVENT_FD ACRN_IOW(0xA1u, uint32_t)   /* value: an eventfd */

/* Ours, from 0xC0 on; probe by GET_INFO. */
#define ACRN_IOCTL_GET_INFO ACRN_IOR(0xC0u, struct acrn_hsm_info)
/*
 * One call an I/O request. Value: the vCPUs (a bitmap in bits 15:0) whose requests the caller has
 * answered: each gets what NOTIFY_REQUEST_FINISH does. Then waits for the next requests of the
 * default client and returns a bitmap, never 0, of the vCPUs that have a new one (state
 * PROCESSING); each is reported once. EINTR: a signal came; EAGAIN: none is there and
 * ACRN_IOREQ_NEXT_NONBLOCK was given; ENODEV: no client, or it or the VM is being destroyed;
 * EINVAL: a bit of a vCPU that does not exist, with nothing done. After EINTR and EAGAIN the
 * answers have been delivered: pass 0 then.
 */
#define ACRN_IOCTL_IOREQ_NEXT ACRN_IO(0xC1u)
#define ACRN_IOREQ_NEXT_NONBLOCK (1u << 16)

_Static_assert(ACRN_IOCTL_CREATE_VM == 0xC030A210u && ACRN_IOCTL_DESTROY_VM == 0xA211u &&
	ACRN_IOCTL_START_VM == 0xA212u && ACRN_IOCTL_PAUSE_VM == 0xA213u &&
	ACRN_IOCTL_RESET_VM == 0xA215u && ACRN_IOCTL_SET_VCPU_REGS == 0x4128A216u, "VM ioctls");
_Static_assert(ACRN_IOCTL_INJECT_MSI == 0x4010A223u && ACRN_IOCTL_VM_INTR_MONITOR == 0x4008A224u &&
	ACRN_IOCTL_SET_IRQLINE == 0x4008A225u, "interrupt ioctls");
_Static_assert(ACRN_IOCTL_NOTIFY_REQUEST_FINISH == 0x4008A231u &&
	ACRN_IOCTL_CREATE_IOREQ_CLIENT == 0xA232u && ACRN_IOCTL_ATTACH_IOREQ_CLIENT == 0xA233u &&
	ACRN_IOCTL_DESTROY_IOREQ_CLIENT == 0xA234u && ACRN_IOCTL_CLEAR_VM_IOREQ == 0xA235u,
	"request ioctls");
_Static_assert(ACRN_IOCTL_SET_MEMSEG == 0x4020A241u && ACRN_IOCTL_UNSET_MEMSEG == 0x4020A242u,
	"memory ioctls");
_Static_assert(ACRN_IOCTL_SET_PTDEV_INTR == 0x4014A253u &&
	ACRN_IOCTL_RESET_PTDEV_INTR == 0x4014A254u && ACRN_IOCTL_ASSIGN_PCIDEV == 0x4024A255u &&
	ACRN_IOCTL_DEASSIGN_PCIDEV == 0x4024A256u && ACRN_IOCTL_ASSIGN_MMIODEV == 0x4068A257u &&
	ACRN_IOCTL_DEASSIGN_MMIODEV == 0x4068A258u && ACRN_IOCTL_CREATE_VDEV == 0x40C0A259u &&
	ACRN_IOCTL_DESTROY_VDEV == 0x40C0A25Au && ACRN_IOCTL_PM_GET_CPU_STATE == 0xC008A260u,
	"device ioctls");
_Static_assert(ACRN_IOCTL_IOEVENTFD == 0x4020A270u && ACRN_IOCTL_IRQFD == 0x4018A271u &&
	ACRN_IOCTL_SETUP_ASYNCIO == 0x4008A290u && ACRN_IOCTL_SETUP_VM_EVENT_RING == 0x4008A2A0u &&
	ACRN_IOCTL_SETUP_VM_EVENT_FD == 0x4004A2A1u, "eventfd ioctls");
