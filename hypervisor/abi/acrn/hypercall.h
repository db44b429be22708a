/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Between the Service VM's kernel and the hypervisor: how to find it, the calls and what only they
 * carry. VMCALL (VMMCALL on AMD; both are honoured): id in R8, parameters in RDI and RSI, result in
 * RAX: 0 or more is success, less is a Linux errno. Pointers are guest-physical addresses of the
 * caller. Ring 0 only.
 */
#pragma once

#include <acrn/types.h>

#define ACRN_CPUID_SIGNATURE 0x40000000u /* EBX, ECX, EDX: each ACRN_SIGNATURE */
#define ACRN_CPUID_FEATURES 0x40000001u  /* EAX: ACRN_FEATURE_*, EBX: ACRN_EXTENSION_* */
#define ACRN_CPUID_VERSION 0x40000002u   /* EAX to EDX: the version, text of 16 bytes, padded with NULs */
#define ACRN_CPUID_TIMING 0x40000010u    /* EAX: TSC frequency in kHz */
#define ACRN_SIGNATURE 0x4E524341u       /* "ACRN" */
#define ACRN_FEATURE_PRIVILEGED (1u << 0)
#define ACRN_EXTENSION_WAIT (1u << 0)    /* ACRN_HC_NOTIFY_AND_WAIT is there */
#define ACRN_EXTENSION_WATCHDOG (1u << 1) /* ACRN_HC_DISARM_WATCHDOG is there */
#define ACRN_EXTENSION_RESUME (1u << 2)	 /* START_VM lets a VM go on that was paused while it ran */
#define ACRN_EXTENSION_FETCH (1u << 3)	 /* SET_MEMORY_REGIONS knows ACRN_MEM_REGION_FETCH */

#define ACRN_CALLBACK_VECTOR 0xF3u /* of the upcall, until SET_CALLBACK_VECTOR */
#define ACRN_CALLBACK_VECTOR_MIN 0x20u
#define ACRN_CALLBACK_VECTOR_MAX 0xFFu

#define ACRN_API_MAJOR 1u
#define ACRN_API_MINOR 0u

#define ACRN_HC(n) (0x80000000u | (n))
#define ACRN_HC_GET_API_VERSION ACRN_HC(0x00u)
#define ACRN_HC_OFFLINE_CPU ACRN_HC(0x01u)
#define ACRN_HC_SET_CALLBACK_VECTOR ACRN_HC(0x02u)
#define ACRN_HC_CREATE_VM ACRN_HC(0x10u)
#define ACRN_HC_DESTROY_VM ACRN_HC(0x11u)
#define ACRN_HC_START_VM ACRN_HC(0x12u)
#define ACRN_HC_PAUSE_VM ACRN_HC(0x13u)
#define ACRN_HC_CREATE_VCPU ACRN_HC(0x14u)
#define ACRN_HC_RESET_VM ACRN_HC(0x15u)
#define ACRN_HC_SET_VCPU_REGS ACRN_HC(0x16u)
#define ACRN_HC_INJECT_MSI ACRN_HC(0x23u)
#define ACRN_HC_VM_INTR_MONITOR ACRN_HC(0x24u)
#define ACRN_HC_SET_IRQLINE ACRN_HC(0x25u)
#define ACRN_HC_SET_IOREQ_BUFFER ACRN_HC(0x30u)
#define ACRN_HC_NOTIFY_REQUEST_FINISH ACRN_HC(0x31u)
#define ACRN_HC_ASYNCIO_ASSIGN ACRN_HC(0x32u)
#define ACRN_HC_ASYNCIO_DEASSIGN ACRN_HC(0x33u)
#define ACRN_HC_GPA_TO_HPA ACRN_HC(0x41u)
#define ACRN_HC_SET_MEMORY_REGIONS ACRN_HC(0x42u)
#define ACRN_HC_WRITE_PROTECT_PAGE ACRN_HC(0x43u)
#define ACRN_HC_SETUP_SBUF ACRN_HC(0x44u)
#define ACRN_HC_SET_PTDEV_INTR ACRN_HC(0x53u)
#define ACRN_HC_RESET_PTDEV_INTR ACRN_HC(0x54u)
#define ACRN_HC_ASSIGN_PCIDEV ACRN_HC(0x55u)
#define ACRN_HC_DEASSIGN_PCIDEV ACRN_HC(0x56u)
#define ACRN_HC_ASSIGN_MMIODEV ACRN_HC(0x57u)
#define ACRN_HC_DEASSIGN_MMIODEV ACRN_HC(0x58u)
#define ACRN_HC_ADD_VDEV ACRN_HC(0x59u)
#define ACRN_HC_REMOVE_VDEV ACRN_HC(0x5Au)
#define ACRN_HC_GET_HW_INFO ACRN_HC(0x63u)
#define ACRN_HC_PM_GET_CPU_STATE ACRN_HC(0x80u)

/*
 * Ours (ACRN_EXTENSION_WAIT). RDI: vmid; RSI: a vCPU whose slot the caller has set COMPLETE, or
 * ACRN_WAIT_NO_VCPU. Does NOTIFY_REQUEST_FINISH for that vCPU, then halts the calling vCPU until a
 * slot of that VM is PENDING (returns 0 and raises no upcall for it) or an interrupt or NMI is
 * pending for the caller, whatever its RFLAGS.IF (returns 1). Spares a synchronous I/O request the
 * Service VM's idle loop and an interrupt. An error returns at once: as of NOTIFY_REQUEST_FINISH,
 * or EBUSY when another vCPU waits for this VM already (the notification has been made then).
 */
#define ACRN_HC_NOTIFY_AND_WAIT ACRN_HC(0xC0u)
#define ACRN_WAIT_NO_VCPU 0xFFFFu

/*
 * Ours (ACRN_EXTENSION_WATCHDOG). The Service VM is up: the boot watchdog of acrn.conf no longer
 * restarts the machine. Returns 0, also when none is armed.
 */
#define ACRN_HC_DISARM_WATCHDOG ACRN_HC(0xC1u)

struct acrn_api_version {
	uint32_t major;
	uint32_t minor;
};
_Static_assert(sizeof(struct acrn_api_version) == 8 && ACRN_AT(acrn_api_version, major, 0) &&
	ACRN_AT(acrn_api_version, minor, 4), "acrn_api_version");

struct acrn_gpa_to_hpa {
	uint64_t gpa;
	uint64_t hpa; /* out */
};
_Static_assert(sizeof(struct acrn_gpa_to_hpa) == 16 && ACRN_AT(acrn_gpa_to_hpa, gpa, 0) &&
	ACRN_AT(acrn_gpa_to_hpa, hpa, 8), "acrn_gpa_to_hpa");

/* SET_MEMORY_REGIONS: an array of struct acrn_mem_region that lies within one page. */
struct acrn_set_regions {
	uint16_t vmid;
	uint16_t reserved0;
	uint32_t reserved1;
	uint32_t mr_num;
	uint32_t pad;
	uint64_t regions_gpa;
};
_Static_assert(sizeof(struct acrn_set_regions) == 24 && ACRN_AT(acrn_set_regions, vmid, 0) &&
	ACRN_AT(acrn_set_regions, reserved0, 2) && ACRN_AT(acrn_set_regions, reserved1, 4) &&
	ACRN_AT(acrn_set_regions, mr_num, 8) && ACRN_AT(acrn_set_regions, pad, 12) &&
	ACRN_AT(acrn_set_regions, regions_gpa, 16), "acrn_set_regions");

struct acrn_hw_info {
	uint16_t cpu_num;
	uint16_t reserved[3];
};
_Static_assert(sizeof(struct acrn_hw_info) == 8 && ACRN_AT(acrn_hw_info, cpu_num, 0) &&
	ACRN_AT(acrn_hw_info, reserved, 2), "acrn_hw_info");
