/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual machine: composed of a guest-physical space, buses, interrupt controllers and vCPUs. How
 * it was composed (vm_service.c, vm_user.c) decides everything; no step of an exit asks what kind
 * of VM it serves.
 *
 *   POWERED_OFF ─create─► CREATED ─start─► RUNNING ─pause─► PAUSED ─reset─► CREATED
 *                                                             └─destroy─► POWERED_OFF
 */
#pragma once

#include <acrn/dev.h>
#include <acrn/ioreq.h>
#include <acrn/vm.h>

#include "hw/ioapic.h"
#include "iommu/iommu.h"
#include "vcpu/vcpu.h"
#include "vdev/vioapic.h"
#include "vdev/vpci.h"
#include "vdev/vpic.h"
#include "vdev/vuart.h"
#include "vm/cpuid_policy.h"
#include "vm/rings.h"

#define VM_MAX 17U /* the Service VM and sixteen others */
#define VM_MAX_VCPUS 64U
#define SERVICE_VM_ID 0U
#define VM_MAX_DEVICES 8U /* of the machine's, for one VM */

struct passthru_dev;

struct vm_lent_range {
	gpa_t gpa;
	uint64_t size; /* 0: none; written last */
};

struct vm {
	/*
	 * Outermost of all locks; held while the VM's state changes. Taken with vm_lock(), which
	 * answers other CPUs' calls while it waits, so smp_call is allowed under it.
	 */
	struct spinlock lock;
	uint16_t id; /* also relative to the Service VM, whose id is 0 */
	uint32_t state; /* ACRN_VM_* */
	bool is_claimed; /* being made: neither free nor there */
	uint64_t flags; /* ACRN_VM_FLAG_* */
	char name[ACRN_VM_NAME_LEN];

	struct vcpu_group group;
	unsigned int vcpu_count;
	struct vcpu *vcpu[VM_MAX_VCPUS];
	uint64_t pcpus; /* bit n: physical CPU n runs one of its vCPUs */
	struct cpuid_policy cpuid;

	struct io_bus io;
	/* Who gets an access that no device on the bus takes; vcpu->io holds it. */
	enum exit_result (*forward)(struct vcpu *vcpu);
	/* A guest-physical access that neither the tables nor the bus answer: true, memory, mapped now or missing. */
	bool (*map_on_demand)(struct vm *vm, gpa_t gpa);
	/* The guest shut down (triple fault), or cannot go on. */
	void (*fatal)(struct vcpu *vcpu, const char *why);
	bool may_hypercall;

	struct apic_bus apics;
	struct vioapic ioapic[MAX_IOAPICS];
	uint32_t ioapic_gsi[MAX_IOAPICS]; /* first GSI of each */
	unsigned int ioapic_count;
	struct vpic pic;
	struct vuart uart;
	struct vpci pci;

	/* What it has of the machine's devices (vm/passthru.h); changes only while no vCPU runs. */
	unsigned int device_count, mmio_count;
	struct passthru_dev *device[VM_MAX_DEVICES];
	struct acrn_mmiores mmio[VM_MAX_DEVICES];
	uint32_t pci_address; /* last written to 0xCF8, while it has any */
	uint64_t pciexbar; /* shared: of a Q35, as the guest wrote it */
	bool is_q35;
	struct iommu_domain dma; /* what its devices reach; id 0: it has none of its own */

	bool has_protected_pages; /* WRITE_PROTECT_PAGE was used */
	struct vm_lent_range lent[ACRN_FETCH_RANGES]; /* vm_memory_lend() */
	struct rings rings;
	hpa_t ioreq_hpa; /* of the request page, 0: not set */
	struct vcpu *waiter; /* shared: the Service VM's vCPU in NOTIFY_AND_WAIT for this VM */
};

static inline struct vm *vcpu_vm(struct vcpu *vcpu)
{
	return vcpu->owner;
}

/* The VM with that id when it is not powered off, else NULL. The Service VM's is 0. */
struct vm *vm_get(uint16_t id);
struct vm *vm_service(void);

void vm_lock(struct vm *vm);
void vm_unlock(struct vm *vm);

/*
 * Takes a free VM (name NULL: the Service VM's place) and gives it nested tables, bitmaps, CPUID
 * policy and one vCPU for each CPU of pcpus, ascending, with that CPU's APIC id. The VM comes back
 * locked, state CREATED. -ENOSPC no free VM, -EEXIST the name is taken, -ENOMEM, -EINVAL a CPU that is not there,
 * -EBUSY one that another VM has for itself or, with ACRN_VM_FLAG_RT, that anybody has: such a VM shares no CPU.
 */
int vm_create(const char *name, uint64_t flags, uint64_t pcpus, struct vm **out);

/*
 * State changes, on a locked VM. -EPERM in a wrong state (acrn.h says which), nothing done. vm_start()
 * also lets a VM go on that was paused while it ran.
 */
int vm_start(struct vm *vm);
int vm_pause(struct vm *vm);
int vm_reset(struct vm *vm);
int vm_destroy(struct vm *vm);

/* Takes a vCPU of a running VM off its CPU for good; the CPU is as if it had never had one. Under the VM's lock. */
void vm_retire_vcpu(struct vcpu *vcpu);

/* A vCPU starts at the INIT/SIPI vector, or as its registers say; from its own CPU. */
void vm_vcpu_sipi(struct vcpu *vcpu, uint8_t vector);

/* Drives the line of a GSI into 8259 and I/O APIC. -EINVAL when there is no such GSI. */
int vm_set_gsi(struct vm *vm, uint32_t gsi, bool asserted);

/* True when hpa is RAM that guests may own: the only memory a copy may touch. */
bool vm_is_guest_ram(hpa_t hpa);
bool vm_overlaps_guest_ram(hpa_t hpa, uint64_t size);
void vm_add_guest_ram(hpa_t base, uint64_t size);

/* Wakes the vCPU that waits in NOTIFY_AND_WAIT for this VM; false when none does. */
bool vm_wake_waiter(struct vm *vm);

/* Callbacks for struct gpa_space. */
void *vm_to_virt(hpa_t hpa);
void vm_guest_copy(void *dst, const void *src, size_t size);
