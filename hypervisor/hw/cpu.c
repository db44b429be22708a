/* SPDX-License-Identifier: BSD-3-Clause */
/* What the processor has, and the control registers that the hypervisor runs with. */
#include "hw/cpu.h"
#include "hw/exception.h"
#include "lib/string.h"
#include "mm/pgtable.h"
#include "x86/cr.h"
#include "x86/msr.h"

struct cpu_features cpu_features;

static enum cpu_vendor vendor_of(const struct cpuid_regs *r)
{
	uint32_t name[3] = {r->ebx, r->edx, r->ecx};

	if (memcmp(name, "GenuineIntel", sizeof(name)) == 0)
		return CPU_VENDOR_INTEL;
	if (memcmp(name, "AuthenticAMD", sizeof(name)) == 0 ||
	    memcmp(name, "HygonGenuine", sizeof(name)) == 0)
		return CPU_VENDOR_AMD;
	return CPU_VENDOR_UNKNOWN;
}

static void probe_standard(struct cpu_features *f)
{
	struct cpuid_regs r = cpuid(CPUID_BASE, 0);

	f->max_leaf = r.eax;
	f->vendor = vendor_of(&r);

	r = cpuid(CPUID_FEATURES, 0);
	f->family = cpuid_family(r.eax);
	f->model = cpuid_model(r.eax);
	f->stepping = r.eax & 0xFU;
	f->pge = (r.edx & CPUID_1_EDX_PGE) != 0;
	f->pat = (r.edx & CPUID_1_EDX_PAT) != 0;
	f->mtrr = (r.edx & CPUID_1_EDX_MTRR) != 0;
	f->x2apic = (r.ecx & CPUID_1_ECX_X2APIC) != 0;
	f->tsc_deadline = (r.ecx & CPUID_1_ECX_TSC_DEADLINE) != 0;
	f->xsave = (r.ecx & CPUID_1_ECX_XSAVE) != 0;
	f->vmx = (r.ecx & CPUID_1_ECX_VMX) != 0;
	f->hypervisor = (r.ecx & CPUID_1_ECX_HYPERVISOR) != 0;

	if (f->max_leaf >= CPUID_EXT_FEATURES) {
		r = cpuid(CPUID_EXT_FEATURES, 0);
		f->smep = (r.ebx & CPUID_7_EBX_SMEP) != 0;
		f->smap = (r.ebx & CPUID_7_EBX_SMAP) != 0;
		f->umip = (r.ecx & CPUID_7_ECX_UMIP) != 0;
	}
	if (f->xsave && f->max_leaf >= CPUID_XSAVE)
		f->xsaves = (cpuid(CPUID_XSAVE, 1).eax & CPUID_D1_EAX_XSAVES) != 0;
}

static void probe_extended(struct cpu_features *f)
{
	struct cpuid_regs r = cpuid(CPUID_EXT_BASE, 0);

	f->max_ext_leaf = r.eax;
	r = cpuid(CPUID_EXT_AMD, 0);
	f->svm = (r.ecx & CPUID_EXT1_ECX_SVM) != 0;
	f->nx = (r.edx & CPUID_EXT1_EDX_NX) != 0;
	f->page1g = (r.edx & CPUID_EXT1_EDX_PAGE1GB) != 0;
	f->rdtscp = (r.edx & CPUID_EXT1_EDX_RDTSCP) != 0;
	if (f->max_ext_leaf >= CPUID_APM)
		f->invariant_tsc = (cpuid(CPUID_APM, 0).edx & CPUID_APM_EDX_INVARIANT_TSC) != 0;

	f->phys_bits = 36;
	f->virt_bits = 48;
	if (f->max_ext_leaf >= CPUID_ADDR_SIZE) {
		r = cpuid(CPUID_ADDR_SIZE, 0);
		f->phys_bits = r.eax & 0xFFU;
		f->virt_bits = (r.eax >> 8) & 0xFFU;
	}
	for (unsigned int i = 0; i < 3 && f->max_ext_leaf >= CPUID_BRAND + 2; i++) {
		r = cpuid(CPUID_BRAND + i, 0);
		memcpy(&f->brand[16 * i], &r, sizeof(r));
	}
}

void cpu_probe(void)
{
	probe_standard(&cpu_features);
	probe_extended(&cpu_features);
}

void cpu_set_controls(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t cr4 = CR4_PAE | CR4_DE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr0_write(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_ET | CR0_MP);
	cr4 |= f->pge ? CR4_PGE : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4 |= f->umip ? CR4_UMIP : 0;
	cr4_write(cr4);
	/* Firmware may leave AC set, which would hold SMAP open. */
	guest_access_end();
	msr_write(MSR_EFER, EFER_LME | EFER_LMA | (f->nx ? EFER_NXE : 0));
	if (f->pat)
		msr_write(MSR_IA32_PAT, PGTABLE_PAT);
}

bool msr_read_safe(uint32_t msr, uint64_t *value)
{
	uint32_t lo = 0, hi = 0, ok = 0;

	asm volatile("1:\trdmsr\n\tmovl $1, %2\n2:\n\t" EXCEPTION_FIXUP("1b", "2b")
		     : "+a"(lo), "+d"(hi), "+r"(ok)
		     : "c"(msr));
	*value = ok != 0 ? ((uint64_t)hi << 32) | lo : 0;
	return ok != 0;
}

bool msr_write_safe(uint32_t msr, uint64_t value)
{
	uint32_t ok = 0;

	asm volatile("1:\twrmsr\n\tmovl $1, %0\n2:\n\t" EXCEPTION_FIXUP("1b", "2b")
		     : "+r"(ok)
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
	return ok != 0;
}
