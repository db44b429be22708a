/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What describes a VM to the one who makes it: creation, first registers, memory, interrupts. The
 * same bytes travel from acrn-dm by ioctl and on to the hypervisor by hypercall. Every VM id in
 * here is relative to the Service VM, which is 0.
 */
#pragma once

#include <acrn/types.h>

#define ACRN_VMID_INVALID 0xFFFFu
#define ACRN_VM_NAME_LEN 16u /* with the final NUL */

/* States of a VM and of a vCPU, as the hypervisor numbers them. */
#define ACRN_VM_POWERED_OFF 0u
#define ACRN_VM_CREATED 1u
#define ACRN_VM_RUNNING 2u
#define ACRN_VM_READY_TO_POWEROFF 3u
#define ACRN_VM_PAUSED 4u
#define ACRN_VCPU_OFFLINE 0u
#define ACRN_VCPU_INIT 1u
#define ACRN_VCPU_RUNNING 2u
#define ACRN_VCPU_ZOMBIE 3u

/*
 * acrn_vm_creation.flags; only the DM-owned ones are honoured, the others are the hypervisor's own.
 */
#define ACRN_VM_FLAG_SECURE_WORLD (1ull << 0)
#define ACRN_VM_FLAG_LAPIC_PASSTHROUGH (1ull << 1)
#define ACRN_VM_FLAG_IO_POLLING (1ull << 2)
#define ACRN_VM_FLAG_HIDE_MTRR (1ull << 3)
#define ACRN_VM_FLAG_RT (1ull << 4)
#define ACRN_VM_FLAG_NESTED (1ull << 5)
#define ACRN_VM_FLAG_SECURITY_VM (1ull << 6)
#define ACRN_VM_FLAG_VCAT (1ull << 7)
#define ACRN_VM_FLAG_STATIC (1ull << 8)
#define ACRN_VM_FLAG_TEE (1ull << 9)
#define ACRN_VM_FLAG_REE (1ull << 10)
#define ACRN_VM_FLAG_PMU_PASSTHROUGH (1ull << 11)
#define ACRN_VM_FLAG_VHWP (1ull << 12)
#define ACRN_VM_FLAG_VTM (1ull << 13)
#define ACRN_VM_FLAG_STATELESS (1ull << 14)
#define ACRN_VM_FLAGS_DM_OWNED \
	(ACRN_VM_FLAG_SECURE_WORLD | ACRN_VM_FLAG_LAPIC_PASSTHROUGH | ACRN_VM_FLAG_IO_POLLING | \
	 ACRN_VM_FLAG_RT)

/*
 * CREATE_VM. vCPU n runs on the n-th set bit of cpu_affinity; 0 there means all CPUs that may be
 * used.
 */
struct acrn_vm_creation {
	/* out; ACRN_VMID_INVALID when creation failed inside although the call returned 0 */
	uint16_t vmid;
	uint16_t reserved0;
	uint16_t vcpu_num; /* out */
	uint16_t reserved1;
	uint8_t name[ACRN_VM_NAME_LEN];
	uint64_t flags;
	/* ioctl: page-aligned address of the caller's request page; not used in the hypercall */
	uint64_t ioreq_buf;
	uint64_t cpu_affinity;
};
_Static_assert(sizeof(struct acrn_vm_creation) == 48, "acrn_vm_creation");
_Static_assert(ACRN_AT(acrn_vm_creation, vmid, 0) && ACRN_AT(acrn_vm_creation, reserved0, 2) &&
	ACRN_AT(acrn_vm_creation, vcpu_num, 4) && ACRN_AT(acrn_vm_creation, reserved1, 6) &&
	ACRN_AT(acrn_vm_creation, name, 8) && ACRN_AT(acrn_vm_creation, flags, 24) &&
	ACRN_AT(acrn_vm_creation, ioreq_buf, 32) && ACRN_AT(acrn_vm_creation, cpu_affinity, 40),
	"acrn_vm_creation");

struct acrn_descriptor_ptr {
	uint16_t limit;
	uint64_t base;
	uint16_t reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct acrn_descriptor_ptr) == 16, "acrn_descriptor_ptr");
_Static_assert(ACRN_AT(acrn_descriptor_ptr, limit, 0) && ACRN_AT(acrn_descriptor_ptr, base, 2) &&
	ACRN_AT(acrn_descriptor_ptr, reserved, 10), "acrn_descriptor_ptr");

/* In this order, not the hardware's: rbx before rsp, as in the original. */
struct acrn_gp_regs {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};
_Static_assert(sizeof(struct acrn_gp_regs) == 128, "acrn_gp_regs");
_Static_assert(ACRN_AT(acrn_gp_regs, rax, 0) && ACRN_AT(acrn_gp_regs, rcx, 8) &&
	ACRN_AT(acrn_gp_regs, rdx, 16) && ACRN_AT(acrn_gp_regs, rbx, 24) &&
	ACRN_AT(acrn_gp_regs, rsp, 32) && ACRN_AT(acrn_gp_regs, rbp, 40) &&
	ACRN_AT(acrn_gp_regs, rsi, 48) && ACRN_AT(acrn_gp_regs, rdi, 56) &&
	ACRN_AT(acrn_gp_regs, r8, 64) && ACRN_AT(acrn_gp_regs, r9, 72) &&
	ACRN_AT(acrn_gp_regs, r10, 80) && ACRN_AT(acrn_gp_regs, r11, 88) &&
	ACRN_AT(acrn_gp_regs, r12, 96) && ACRN_AT(acrn_gp_regs, r13, 104) &&
	ACRN_AT(acrn_gp_regs, r14, 112) && ACRN_AT(acrn_gp_regs, r15, 120), "acrn_gp_regs");

struct acrn_regs {
	struct acrn_gp_regs gprs;
	struct acrn_descriptor_ptr gdt, idt;
	uint64_t rip, cs_base, cr0, cr4, cr3, efer, rflags;
	uint64_t reserved64[4];
	uint32_t cs_ar; /* access rights as in a VMCS (SDM 3C 25.4.1) */
	uint32_t cs_limit;
	uint32_t reserved32[3];
	uint16_t cs_sel, ss_sel, ds_sel, es_sel, fs_sel, gs_sel, ldt_sel, tr_sel;
	uint32_t reserved_end;
};
_Static_assert(sizeof(struct acrn_regs) == 288, "acrn_regs");
_Static_assert(ACRN_AT(acrn_regs, gprs, 0) && ACRN_AT(acrn_regs, gdt, 128) &&
	ACRN_AT(acrn_regs, idt, 144) && ACRN_AT(acrn_regs, rip, 160) &&
	ACRN_AT(acrn_regs, cs_base, 168) && ACRN_AT(acrn_regs, cr0, 176) &&
	ACRN_AT(acrn_regs, cr4, 184) && ACRN_AT(acrn_regs, cr3, 192) &&
	ACRN_AT(acrn_regs, efer, 200) && ACRN_AT(acrn_regs, rflags, 208) &&
	ACRN_AT(acrn_regs, reserved64, 216), "acrn_regs, first part");
_Static_assert(ACRN_AT(acrn_regs, cs_ar, 248) && ACRN_AT(acrn_regs, cs_limit, 252) &&
	ACRN_AT(acrn_regs, reserved32, 256) && ACRN_AT(acrn_regs, cs_sel, 268) &&
	ACRN_AT(acrn_regs, ss_sel, 270) && ACRN_AT(acrn_regs, ds_sel, 272) &&
	ACRN_AT(acrn_regs, es_sel, 274) && ACRN_AT(acrn_regs, fs_sel, 276) &&
	ACRN_AT(acrn_regs, gs_sel, 278) && ACRN_AT(acrn_regs, ldt_sel, 280) &&
	ACRN_AT(acrn_regs, tr_sel, 282) && ACRN_AT(acrn_regs, reserved_end, 284),
	"acrn_regs, second part");

struct acrn_vcpu_regs {
	uint16_t vcpu_id;
	uint16_t reserved[3];
	struct acrn_regs regs;
};
_Static_assert(sizeof(struct acrn_vcpu_regs) == 296, "acrn_vcpu_regs");
_Static_assert(ACRN_AT(acrn_vcpu_regs, vcpu_id, 0) && ACRN_AT(acrn_vcpu_regs, reserved, 2) &&
	ACRN_AT(acrn_vcpu_regs, regs, 8), "acrn_vcpu_regs");

/*
 * Access and memory type of guest memory (acrn_mem_region.prot, acrn_memmap.attr). No type bit
 * means UC.
 */
#define ACRN_MEM_READ 0x1u
#define ACRN_MEM_WRITE 0x2u
#define ACRN_MEM_EXEC 0x4u
#define ACRN_MEM_ACCESS_MASK 0x7u
#define ACRN_MEM_TYPE_WB 0x40u
#define ACRN_MEM_TYPE_WT 0x80u
#define ACRN_MEM_TYPE_UC 0x100u
#define ACRN_MEM_TYPE_WC 0x200u
#define ACRN_MEM_TYPE_WP 0x400u
#define ACRN_MEM_TYPE_MASK 0x7C0u

#define ACRN_MEM_REGION_ADD 0u
#define ACRN_MEM_REGION_DEL 2u
#define ACRN_MEM_REGION_MODIFY 3u
/*
 * Ours (ACRN_EXTENSION_FETCH): what is not mapped between gpa and gpa + size, now or later, is no device but memory
 * that is missing: touching it makes a request ACRN_IOREQ_FETCH. Up to ACRN_FETCH_RANGES of a VM, for its life.
 */
#define ACRN_MEM_REGION_FETCH 16u
#define ACRN_FETCH_RANGES 4u

/* One change of a VM's memory: whole 4-KiB pages, contiguous on both sides. */
struct acrn_mem_region {
	uint32_t type; /* ACRN_MEM_REGION_* */
	uint32_t prot;
	uint64_t gpa;
	uint64_t service_vm_gpa;
	uint64_t size; /* bytes */
};
_Static_assert(sizeof(struct acrn_mem_region) == 32, "acrn_mem_region");
_Static_assert(ACRN_AT(acrn_mem_region, type, 0) && ACRN_AT(acrn_mem_region, prot, 4) &&
	ACRN_AT(acrn_mem_region, gpa, 8) && ACRN_AT(acrn_mem_region, service_vm_gpa, 16) &&
	ACRN_AT(acrn_mem_region, size, 24), "acrn_mem_region");

struct acrn_wp_data {
	uint8_t set; /* 1 protect, 0 unprotect */
	uint8_t pad[7];
	uint64_t gpa; /* page aligned */
};
_Static_assert(sizeof(struct acrn_wp_data) == 16 && ACRN_AT(acrn_wp_data, set, 0) &&
	ACRN_AT(acrn_wp_data, pad, 1) && ACRN_AT(acrn_wp_data, gpa, 8), "acrn_wp_data");

struct acrn_msi {
	uint64_t addr; /* as a PCI device writes it: 0xFEE in bits 31:20 */
	uint64_t data; /* low 32 bits */
};
_Static_assert(sizeof(struct acrn_msi) == 16 && ACRN_AT(acrn_msi, addr, 0) &&
	ACRN_AT(acrn_msi, data, 8), "acrn_msi");

/* SET_IRQLINE takes one 64-bit value: the GSI in bits 31:0, the operation in bits 63:32. */
#define ACRN_IRQLINE_SET_HIGH 0u
#define ACRN_IRQLINE_SET_LOW 1u
#define ACRN_IRQLINE_RISING_PULSE 2u
#define ACRN_IRQLINE_FALLING_PULSE 3u
#define ACRN_IRQLINE(gsi, op) ((uint64_t)(uint32_t)(gsi) | ((uint64_t)(op) << 32))
