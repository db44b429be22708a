/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RDMSR and WRMSR by allow-list: what is not in the table is #GP, for the Service VM too. MSRs that
 * the guest has to itself (its bases, SYSCALL and SYSENTER) are not intercepted at all: msr_policy_
 * apply opens them. Source: SDM 4, APM 2 appendix A.
 */
#include "hw/cpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "vcpu/backend.h"
#include "vm/exit.h"
#include "vm/msr_policy.h"
#include "x86/apic.h"
#include "x86/cr.h"
#include "x86/exception.h"
#include "x86/msr.h"

/* 0, or -EINVAL for #GP. */
typedef int (*msr_reader)(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
typedef int (*msr_writer)(struct vcpu *vcpu, uint32_t msr, uint64_t value);

struct msr_rule {
	uint32_t first, last;
	msr_reader read;
	msr_writer write;
};

#define MTRR_VARIABLE_COUNT 8U
#define MTRR_CAP_FIXED (1UL << 8)
#define MTRR_CAP_WC (1UL << 10)
#define MTRR_DEF_ENABLE (1UL << 11)
#define EFER_ALLOWED (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR)

static int read_zero(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)vcpu;
	(void)msr;
	*value = 0;
	return 0;
}

/* Locked, with nothing enabled: there is no VMX here, and nobody can change that. */
static int read_feature_control(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)vcpu;
	(void)msr;
	*value = FEATURE_CONTROL_LOCK;
	return 0;
}

/* Fast strings on; no branch trace store, no PEBS. */
static int read_misc_enable(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)vcpu;
	(void)msr;
	*value = MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS;
	return 0;
}

/* Accepts and forgets: registers that say how to save power or trace, with no effect in a VM. */
static int write_ignore(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)vcpu;
	(void)msr;
	(void)value;
	return 0;
}

static int read_apic(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	return vlapic_msr_read(&vcpu->vlapic, msr, value);
}

static int write_apic(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	return vlapic_msr_write(&vcpu->vlapic, msr, value);
}

static int read_tsc(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = rdtsc() + vcpu->tsc_offset;
	return 0;
}

static void move_tsc(struct vcpu *vcpu, uint64_t by)
{
	vcpu->tsc_offset += by;
	vcpu_backend->set_tsc_offset(vcpu);
	vlapic_tsc_moved(&vcpu->vlapic, (int64_t)by);
}

static int write_tsc(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t by = value - (rdtsc() + vcpu->tsc_offset);

	(void)msr;
	vcpu->tsc_adjust += by;
	move_tsc(vcpu, by);
	return 0;
}

static int read_tsc_adjust(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = vcpu->tsc_adjust;
	return 0;
}

static int write_tsc_adjust(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	move_tsc(vcpu, value - vcpu->tsc_adjust);
	vcpu->tsc_adjust = value;
	return 0;
}

static int read_efer(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = vcpu_backend->reg_get(vcpu, VREG_EFER);
	return 0;
}

/* LME cannot change while paging is on; LMA is the CPU's (APM 2 3.1.7). */
static int write_efer(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t old = vcpu_backend->reg_get(vcpu, VREG_EFER);
	uint64_t cr0 = vcpu_backend->reg_get(vcpu, VREG_CR0);

	(void)msr;
	if ((value & ~EFER_ALLOWED) != 0 ||
	    ((cr0 & CR0_PG) != 0 && ((value ^ old) & EFER_LME) != 0))
		return -EINVAL;
	vcpu_backend->reg_set(vcpu, VREG_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
	return 0;
}

static int read_pat(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = vcpu_backend->reg_get(vcpu, VREG_PAT);
	return 0;
}

static int write_pat(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	const uint32_t valid = (1U << PAT_UC) | (1U << PAT_WC) | (1U << PAT_WT) | (1U << PAT_WP) |
			       (1U << PAT_WB) | (1U << PAT_UC_MINUS);

	(void)msr;
	for (unsigned int i = 0; i < 64; i += 8) {
		uint64_t type = (value >> i) & 0xFFU;

		if (type > PAT_UC_MINUS || ((valid >> type) & 1U) == 0)
			return -EINVAL;
	}
	vcpu_backend->reg_set(vcpu, VREG_PAT, value);
	return 0;
}

/* The Service VM sees the firmware's memory types, which hold for it; a User VM is all write-back. */
static int read_mtrr(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	if (vcpu_vm(vcpu)->id == SERVICE_VM_ID && cpu_features.mtrr) {
		return msr_read_safe(msr, value) ? 0 : -EINVAL;
	}
	*value = 0;
	if (msr == MSR_IA32_MTRR_CAP)
		*value = MTRR_CAP_FIXED | MTRR_CAP_WC | MTRR_VARIABLE_COUNT;
	else if (msr == MSR_IA32_MTRR_DEF_TYPE)
		*value = MTRR_DEF_ENABLE | PAT_WB;
	return 0;
}

static int write_tsc_aux(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (value >> 32 != 0)
		return -EINVAL;
	vcpu->tsc_aux = value;
	msr_write(msr, value);
	return 0;
}

static int read_tsc_aux(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = vcpu->tsc_aux;
	return 0;
}

/* Of the components that XSAVES alone saves no guest has one. */
static bool has_xsaves(struct vcpu *vcpu)
{
	return (cpuid_policy_find(&vcpu_vm(vcpu)->cpuid, CPUID_XSAVE, 1)->eax & CPUID_D1_EAX_XSAVES) != 0;
}

static int read_xss(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = 0;
	return has_xsaves(vcpu) ? 0 : -EINVAL;
}

static int write_xss(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)msr;
	return has_xsaves(vcpu) && value == 0 ? 0 : -EINVAL;
}

/* Facts about this machine that drivers of the Service VM ask for; elsewhere 0. */
static int read_hardware(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	*value = 0;
	if (vcpu_vm(vcpu)->id != SERVICE_VM_ID)
		return 0;
	return msr_read_safe(msr, value) ? 0 : -EINVAL;
}

/* Sorted by first; ranges do not overlap. A NULL reader or writer is #GP. */
static const struct msr_rule rules[] = {
	{ MSR_IA32_TSC, MSR_IA32_TSC, read_tsc, write_tsc },
	{ MSR_IA32_PLATFORM_ID, MSR_IA32_PLATFORM_ID, read_zero, NULL },
	{ MSR_IA32_APIC_BASE, MSR_IA32_APIC_BASE, read_apic, write_apic },
	{ MSR_IA32_FEATURE_CONTROL, MSR_IA32_FEATURE_CONTROL, read_feature_control, NULL },
	{ MSR_IA32_TSC_ADJUST, MSR_IA32_TSC_ADJUST, read_tsc_adjust, write_tsc_adjust },
	{ MSR_IA32_BIOS_SIGN_ID, MSR_IA32_BIOS_SIGN_ID, read_hardware, write_ignore },
	{ MSR_IA32_MTRR_CAP, MSR_IA32_MTRR_CAP, read_mtrr, NULL },
	{ MSR_IA32_MCG_CAP, MSR_IA32_MCG_STATUS, read_zero, write_ignore },
	{ MSR_IA32_PERF_STATUS, MSR_IA32_PERF_CTL, read_zero, write_ignore },
	{ MSR_IA32_MISC_ENABLE, MSR_IA32_MISC_ENABLE, read_misc_enable, write_ignore },
	{ MSR_IA32_DEBUGCTL, MSR_IA32_DEBUGCTL, read_zero, write_ignore },
	{ MSR_IA32_LASTBRANCHFROM, MSR_IA32_LASTINTTO, read_zero, NULL },
	{ MSR_IA32_MTRR_PHYSBASE0, MSR_IA32_MTRR_PHYSBASE0 + 2 * MTRR_VARIABLE_COUNT - 1,
	  read_mtrr, write_ignore },
	{ MSR_IA32_MTRR_FIX64K_00000, MSR_IA32_MTRR_FIX64K_00000, read_mtrr, write_ignore },
	{ MSR_IA32_MTRR_FIX16K_80000, MSR_IA32_MTRR_FIX16K_A0000, read_mtrr, write_ignore },
	{ MSR_IA32_MTRR_FIX4K_C0000, MSR_IA32_MTRR_FIX4K_F8000, read_mtrr, write_ignore },
	{ MSR_IA32_PAT, MSR_IA32_PAT, read_pat, write_pat },
	{ MSR_IA32_MTRR_DEF_TYPE, MSR_IA32_MTRR_DEF_TYPE, read_mtrr, write_ignore },
	{ MSR_IA32_TSC_DEADLINE, MSR_IA32_TSC_DEADLINE, read_apic, write_apic },
	{ X2APIC_MSR_FIRST, X2APIC_MSR_LAST, read_apic, write_apic },
	{ MSR_IA32_XSS, MSR_IA32_XSS, read_xss, write_xss },
	{ MSR_EFER, MSR_EFER, read_efer, write_efer },
	{ MSR_TSC_AUX, MSR_TSC_AUX, read_tsc_aux, write_tsc_aux },
	{ MSR_AMD_SYSCFG, MSR_AMD_SYSCFG, read_hardware, write_ignore },
	{ MSR_AMD_HWCR, MSR_AMD_HWCR, read_zero, write_ignore },
	{ MSR_AMD_TOP_MEM, MSR_AMD_TOP_MEM, read_hardware, NULL },
	{ MSR_AMD_TOP_MEM2, MSR_AMD_TOP_MEM2, read_hardware, NULL },
	{ MSR_AMD_NB_CFG, MSR_AMD_NB_CFG, read_hardware, write_ignore },
	{ MSR_AMD_INT_PENDING, MSR_AMD_INT_PENDING, read_zero, write_ignore },
	{ MSR_AMD_MMIO_CFG_BASE, MSR_AMD_MMIO_CFG_BASE, read_hardware, NULL },
	{ MSR_AMD_DE_CFG, MSR_AMD_DE_CFG, read_hardware, write_ignore },
};

/* Never exit: VMLOAD and VMSAVE, or the VMCS, keep them apart between vCPUs. */
static const uint32_t own[] = {
	MSR_FS_BASE,	   MSR_GS_BASE,		 MSR_KERNEL_GS_BASE,
	MSR_STAR,	   MSR_LSTAR,		 MSR_CSTAR,
	MSR_SFMASK,	   MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP,
	MSR_IA32_SYSENTER_EIP,
};

void msr_policy_apply(struct vcpu_group *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		vcpu_backend->intercept(group, INTERCEPT_MSR_READ, own[i], 1, false);
		vcpu_backend->intercept(group, INTERCEPT_MSR_WRITE, own[i], 1, false);
	}
}

static const struct msr_rule *find(uint32_t msr)
{
	size_t lo = 0, hi = ARRAY_SIZE(rules);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (msr < rules[mid].first)
			hi = mid;
		else if (msr > rules[mid].last)
			lo = mid + 1;
		else
			return &rules[mid];
	}
	return NULL;
}

static int access_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const struct msr_rule *rule = find(msr);

	if (rule == NULL)
		return -EINVAL;
	if (vcpu->exit.msr.is_write)
		return rule->write != NULL ? rule->write(vcpu, msr, *value) : -EINVAL;
	return rule->read != NULL ? rule->read(vcpu, msr, value) : -EINVAL;
}

enum exit_result exit_msr(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->gpr[REG_RCX];
	uint64_t value = (vcpu->gpr[REG_RDX] << 32) | (uint32_t)vcpu->gpr[REG_RAX];

	if (access_msr(vcpu, msr, &value) != 0) {
		log_debug("vm%u: %s of MSR %x refused", vcpu_vm(vcpu)->id,
			  vcpu->exit.msr.is_write ? "write" : "read", msr);
		return exit_fault_code(vcpu, EXC_GP, 0);
	}
	if (!vcpu->exit.msr.is_write) {
		vcpu->gpr[REG_RAX] = (uint32_t)value;
		vcpu->gpr[REG_RDX] = value >> 32;
	}
	return EXIT_HANDLED;
}
