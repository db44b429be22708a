/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VMX instructions. VMREAD and VMWRITE work on the current VMCS of this CPU (vmx_open) and can
 * only fail by a mistake of ours, which ends in a dump.
 */
#pragma once

#include "lib/panic.h"
#include "lib/types.h"
#include "vcpu/vmx/vmcs.h"

static inline uint64_t vmcs_read(enum vmcs_field field)
{
	uint64_t value;

	asm volatile("vmread %1, %0\n\tja 1f\n\tud2\n1:" : "=r"(value) : "r"((uint64_t)field) : "cc", "memory");
	return value;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	asm volatile("vmwrite %1, %0\n\tja 1f\n\tud2\n1:" ::"r"((uint64_t)field), "rm"(value)
		     : "cc", "memory");
}

/* False: no success (SDM 3C 31.2). */
static inline bool vmx_on(hpa_t region)
{
	bool ok;

	asm volatile("vmxon %1" : "=@cca"(ok) : "m"(region) : "memory");
	return ok;
}

static inline void vmx_off(void)
{
	asm volatile("vmxoff" ::: "cc", "memory");
}

static inline void vmcs_clear(hpa_t vmcs)
{
	bool ok;

	asm volatile("vmclear %1" : "=@cca"(ok) : "m"(vmcs) : "memory");
	ASSERT(ok);
}

static inline void vmcs_load(hpa_t vmcs)
{
	bool ok;

	asm volatile("vmptrld %1" : "=@cca"(ok) : "m"(vmcs) : "memory");
	ASSERT(ok);
}

struct vmx_invalidation {
	uint64_t context; /* EPT pointer, or VPID */
	uint64_t address;
};

static inline void vmx_invept(uint64_t type, uint64_t ept_pointer)
{
	struct vmx_invalidation d = { .context = ept_pointer };
	bool ok;

	asm volatile("invept %1, %2" : "=@cca"(ok) : "m"(d), "r"(type) : "memory");
	ASSERT(ok);
}

static inline void vmx_invvpid(uint64_t type, uint64_t vpid)
{
	struct vmx_invalidation d = { .context = vpid };
	bool ok;

	asm volatile("invvpid %1, %2" : "=@cca"(ok) : "m"(d), "r"(type) : "memory");
	ASSERT(ok);
}

/* An NMI that ended a guest's turn was not delivered: take it, and let IRET open NMIs again. */
static inline void vmx_take_nmi(void)
{
	asm volatile("int $2" ::: "memory");
}
