/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why the CPU refused to enter: the checks on the guest-state area that a guest or its device model can
 * fail, in the manual's order (SDM 3C 27.3.1), with the name of what is wrong. The CPU says only that it
 * is something.
 */
#include "hw/cpu.h"
#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"
#include "x86/cr.h"
#include "x86/exception.h"

#define RFLAGS_RESERVED (~0x3F7FD7UL | (1UL << 3) | (1UL << 5) | (1UL << 15))
#define RIGHTS_RESERVED 0xFFFE0F00U
#define EFER_KNOWN (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

/* What several checks look at. */
struct guest {
	uint64_t cr0, cr4, efer, rflags;
	bool is_long, is_v8086;
	uint32_t rights[SEG_COUNT], limit[SEG_COUNT];
	uint64_t base[SEG_COUNT];
};

static struct guest read_guest(void)
{
	struct guest g = {
		.cr0 = vmcs_read(VMCS_GUEST_CR0),
		.cr4 = vmcs_read(VMCS_GUEST_CR4),
		.efer = vmcs_read(VMCS_GUEST_EFER),
		.rflags = vmcs_read(VMCS_GUEST_RFLAGS),
		.is_long = (vmcs_read(VMCS_ENTRY_CONTROLS) & VMX_ENTRY_IA32E) != 0,
	};

	g.is_v8086 = (g.rflags & RFLAGS_VM) != 0;
	for (unsigned int i = 0; i < SEG_COUNT; i++) {
		g.rights[i] = (uint32_t)vmcs_read(vmcs_of_segment(VMCS_GUEST_RIGHTS, i));
		g.limit[i] = (uint32_t)vmcs_read(vmcs_of_segment(VMCS_GUEST_LIMIT, i));
		g.base[i] = vmcs_read(vmcs_of_segment(VMCS_GUEST_BASE, i));
	}
	return g;
}

static bool is_canonical(uint64_t address)
{
	int64_t sign = (int64_t)address >> 47;

	return sign == 0 || sign == -1;
}

/* SDM 3C 27.3.1.1 */
static const char *check_control(const struct guest *g)
{
	if ((g->cr0 & CR0_PG) != 0 && (g->cr0 & CR0_PE) == 0)
		return "CR0 has PG without PE";
	if ((g->cr4 & ~vmx_features.cr4_fixed1) != 0 || (~g->cr4 & vmx_features.cr4_fixed0) != 0)
		return "CR4 has bits that the CPU does not allow";
	if (g->is_long && ((g->cr0 & CR0_PG) == 0 || (g->cr4 & CR4_PAE) == 0))
		return "EFER.LMA without CR0.PG and CR4.PAE";
	if (!g->is_long && (g->cr4 & CR4_PCIDE) != 0)
		return "CR4.PCIDE outside of long mode";
	if (vmcs_read(VMCS_GUEST_CR3) >> cpu_features.phys_bits != 0)
		return "CR3 is beyond the physical addresses";
	if (vmcs_read(VMCS_GUEST_DR7) >> 32 != 0)
		return "DR7 has upper bits";
	if ((g->efer & ~EFER_KNOWN) != 0)
		return "EFER has reserved bits";
	if (((g->efer & EFER_LMA) != 0) != g->is_long ||
	    ((g->cr0 & CR0_PG) != 0 && ((g->efer & EFER_LME) != 0) != g->is_long))
		return "EFER's LME and LMA contradict each other or CR0.PG";
	return NULL;
}

/* One usable segment: SDM 3C 27.3.1.2, the access rights. */
static const char *check_rights(const struct guest *g, unsigned int seg)
{
	static const char *const names[SEG_COUNT] = {
		"ES has bad access rights",   "CS has bad access rights",
		"SS has bad access rights",   "DS has bad access rights",
		"FS has bad access rights",   "GS has bad access rights",
		"LDTR has bad access rights", "TR has bad access rights",
	};
	uint32_t r = g->rights[seg], limit = g->limit[seg];
	bool is_system = seg == SEG_LDTR || seg == SEG_TR;

	if ((r & SEG_UNUSABLE) != 0)
		return seg == SEG_CS || seg == SEG_TR ? names[seg] : NULL;
	if ((r & RIGHTS_RESERVED) != 0 || (r & SEG_P) == 0 || ((r & SEG_S) == 0) != is_system)
		return names[seg];
	if (((r & SEG_G) != 0 && (limit & 0xFFFU) != 0xFFFU) ||
	    ((r & SEG_G) == 0 && limit > 0xFFFFFU))
		return names[seg];
	if (!is_system && (r & SEG_ACCESSED) == 0)
		return names[seg];
	if (seg == SEG_LDTR)
		return (r & SEG_TYPE) == SEG_TYPE_LDT ? NULL : names[seg];
	if (seg == SEG_TR)
		return (r & SEG_TYPE) == SEG_TYPE_TSS_BUSY ||
				       (!g->is_long && (r & SEG_TYPE) == SEG_TYPE_TSS16_BUSY) ?
			       NULL :
			       names[seg];
	if (seg != SEG_CS && (r & SEG_CODE) != 0 && (r & SEG_WRITABLE) == 0)
		return names[seg];
	return NULL;
}

static const char *check_code_and_stack(const struct guest *g)
{
	uint32_t cs = g->rights[SEG_CS], ss = g->rights[SEG_SS];
	bool is_real = (g->cr0 & CR0_PE) == 0;

	if ((cs & SEG_CODE) == 0 && (cs & SEG_TYPE) != SEG_TYPE_DATA_RW)
		return "CS is neither code nor writable data";
	if (g->is_long && (cs & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB))
		return "CS is 64-bit and 32-bit at once";
	if ((ss & SEG_UNUSABLE) == 0 && (ss & SEG_TYPE & ~SEG_EXPAND_DOWN) != SEG_TYPE_DATA_RW)
		return "SS is not writable data";
	if (is_real && (ss & (3U << SEG_DPL_SHIFT)) != 0)
		return "SS has a privilege level in real mode";
	return NULL;
}

static const char *check_virtual_8086(const struct guest *g)
{
	for (unsigned int i = 0; i <= SEG_GS; i++)
		if (g->rights[i] != 0xF3U || g->limit[i] != 0xFFFFU)
			return "a segment is not as virtual-8086 mode wants it";
	return NULL;
}

static const char *check_segments(const struct guest *g)
{
	for (unsigned int i = g->is_v8086 ? SEG_LDTR : 0; i < SEG_COUNT; i++) {
		const char *why = check_rights(g, i);

		if (why != NULL)
			return why;
	}
	if (!is_canonical(g->base[SEG_FS]) || !is_canonical(g->base[SEG_GS]) ||
	    !is_canonical(g->base[SEG_TR]))
		return "the base of FS, GS or TR is not canonical";
	if ((g->base[SEG_CS] | g->base[SEG_SS] | g->base[SEG_DS] | g->base[SEG_ES]) >> 32 != 0)
		return "the base of CS, SS, DS or ES is beyond 4 GiB";
	return g->is_v8086 ? check_virtual_8086(g) : check_code_and_stack(g);
}

/* SDM 3C 27.3.1.3, 27.3.1.4 */
static const char *check_tables_and_flags(const struct guest *g)
{
	uint64_t rip = vmcs_read(VMCS_GUEST_RIP);
	bool is_64 = g->is_long && (g->rights[SEG_CS] & SEG_L) != 0;

	if (!is_canonical(vmcs_read(VMCS_GUEST_GDTR_BASE)) ||
	    !is_canonical(vmcs_read(VMCS_GUEST_IDTR_BASE)))
		return "the base of GDTR or IDTR is not canonical";
	if (vmcs_read(VMCS_GUEST_GDTR_LIMIT) > 0xFFFFU || vmcs_read(VMCS_GUEST_IDTR_LIMIT) > 0xFFFFU)
		return "the limit of GDTR or IDTR is beyond 64 KiB";
	if (is_64 ? !is_canonical(rip) : rip >> 32 != 0)
		return "RIP is out of range";
	if ((g->rflags & RFLAGS_RESERVED) != 0 || (g->rflags & RFLAGS_FIXED1) == 0)
		return "RFLAGS has reserved bits";
	if (g->is_v8086 && (g->is_long || (g->cr0 & CR0_PE) == 0))
		return "RFLAGS.VM outside of 32-bit protected mode";
	return NULL;
}

const char *vmx_explain(struct vcpu *vcpu)
{
	struct guest g;
	const char *why;

	vmx_open(vcpu);
	g = read_guest();
	why = check_control(&g);
	if (why == NULL)
		why = check_segments(&g);
	if (why == NULL)
		why = check_tables_and_flags(&g);
	vmx_close(vcpu);
	return why != NULL ? why : "a part of it that the hypervisor keeps";
}
