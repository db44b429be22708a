/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPU as local APIC: on a CPU with APIC-register virtualization and virtual-interrupt delivery a
 * vCPU's registers lie in the virtual-APIC page. EOI, TPR and reads take no exit, in x2APIC mode a vCPU's
 * interrupt to itself neither, and vectors are taken when the guest lets them in (SDM 3C chapter 30). The
 * vlapic stays the place where vectors arrive and where writes take effect; what is whose:
 *
 *   vlapic.irr  --vmx_apic_post-->  page IRR  --the CPU-->  page ISR
 *        ^------vmx_apic_pull----------'  (before the vCPU halts: who wakes it looks at the vlapic)
 *   other registers: vlapic --refresh--> page, after each write that was carried out
 *
 * With the APIC disabled, or in a mode that the CPU has not all of this for, the vCPU goes on as on a CPU
 * without.
 */
#include "hw/paging.h"
#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"

#define SVI_SHIFT 8 /* in the guest interrupt status; RVI is below it */

/* The registers that a guest reads from the page (SDM 3C 30.4.2, 30.5), but ISR, TMR, IRR, TPR and PPR. */
static const uint16_t mirrored[] = {
	APIC_ID,	   APIC_VERSION,      APIC_LDR,	      APIC_DFR,	     APIC_SVR,
	APIC_ESR,	   APIC_ICR,	      APIC_ICR_HIGH,  APIC_LVT_CMCI, APIC_LVT_TIMER,
	APIC_LVT_THERMAL,  APIC_LVT_PMC,      APIC_LVT_LINT0, APIC_LVT_LINT1, APIC_LVT_ERROR,
	APIC_TIMER_INIT,   APIC_TIMER_DIVIDE,
};

static inline uint32_t *reg(struct vmx_vcpu *x, unsigned int offset)
{
	return (uint32_t *)(void *)(x->virtual_apic + offset);
}

/* One 32-bit word of IRR, ISR or TMR: vectors 32 * word on. */
static inline uint32_t *map_word(struct vmx_vcpu *x, unsigned int map, unsigned int word)
{
	return reg(x, map + 16U * word);
}

static uint32_t word_of(const uint64_t *map, unsigned int word)
{
	return (uint32_t)(map[word / 2U] >> (32U * (word % 2U)));
}

static unsigned int highest(struct vmx_vcpu *x, unsigned int map)
{
	for (unsigned int word = 8; word-- > 0;)
		if (*map_word(x, map, word) != 0)
			return 32U * word + bits_highest(*map_word(x, map, word));
	return 0;
}

/* As the mode has it: in x2APIC mode ICR is one register of 64 bits, and DFR does not exist. */
static void refresh(struct vcpu *vcpu, unsigned int offset)
{
	struct io_access io = { .space = IO_MMIO, .addr = offset, .size = 4 };
	struct vmx_vcpu *x = vmx_of(vcpu);

	if (!vlapic_is_x2apic(&vcpu->vlapic)) {
		if (vlapic_mmio(&vcpu->vlapic, &io) == IO_DONE)
			*reg(x, offset) = (uint32_t)io.value;
	} else if (vlapic_msr_read(&vcpu->vlapic, X2APIC_MSR(offset), &io.value) == 0) {
		*reg(x, offset) = (uint32_t)io.value;
		*reg(x, offset + 4U) = (uint32_t)(io.value >> 32);
	}
}

static void refresh_all(struct vcpu *vcpu)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(mirrored); i++)
		refresh(vcpu, mirrored[i]);
}

/* A register that the guest tried to write. Of the others the page has the truth, or nobody. */
static void refresh_written(struct vcpu *vcpu, unsigned int offset)
{
	if (offset == APIC_SVR) /* masks LVT entries too */
		refresh_all(vcpu);
	for (unsigned int i = 0; i < ARRAY_SIZE(mirrored); i++)
		if (mirrored[i] == offset)
			refresh(vcpu, offset);
}

static void write_status(struct vmx_vcpu *x)
{
	vmcs_write(VMCS_GUEST_INTERRUPT_STATUS,
		   highest(x, APIC_IRR) | (highest(x, APIC_ISR) << SVI_SHIFT));
}

/* Level-triggered vectors: the I/O APICs must hear of their EOI. */
static void mark_level(struct vcpu *vcpu, unsigned int word, uint32_t vectors)
{
	struct vmx_vcpu *x = vmx_of(vcpu);
	uint32_t level = word_of(vcpu->vlapic.tmr, word);
	uint64_t old = x->eoi_exits[word / 2U];
	unsigned int shift = 32U * (word % 2U);

	*map_word(x, APIC_TMR, word) = level;
	x->eoi_exits[word / 2U] = (old & ~((uint64_t)vectors << shift)) |
				  ((uint64_t)(vectors & level) << shift);
	if (x->eoi_exits[word / 2U] != old)
		vmcs_write((enum vmcs_field)(VMCS_EOI_EXITS + 2U * (word / 2U)),
			   x->eoi_exits[word / 2U]);
}

/* irr_hint is cleared first: what a sender adds after that is found at the next entry. */
static void post(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	(void)atomic_swap(&vcpu->vlapic.irr_hint, 0U);
	for (unsigned int word = 0; word < 8U; word++) {
		uint32_t vectors = word_of(vcpu->vlapic.irr, word);

		if (vectors == 0)
			continue;
		(void)atomic_fetch_and(&vcpu->vlapic.irr[word / 2U],
				       ~((uint64_t)vectors << (32U * (word % 2U))));
		*map_word(x, APIC_IRR, word) |= vectors;
		mark_level(vcpu, word, vectors);
	}
	write_status(x);
	/* HLT is carried out by us, most often behind STI: what woke the guest comes before its next instruction. */
	(void)vmx_blocking(vcpu);
}

void vmx_apic_pull(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	for (unsigned int word = 0; word < 8U; word++) {
		uint32_t vectors = *map_word(x, APIC_IRR, word);

		if (vectors == 0)
			continue;
		*map_word(x, APIC_IRR, word) = 0;
		(void)atomic_fetch_or(&vcpu->vlapic.irr[word / 2U],
				      (uint64_t)vectors << (32U * (word % 2U)));
		atomic_store(&vcpu->vlapic.irr_hint, 1U);
	}
	for (unsigned int i = 0; i < 4U; i++)
		vcpu->vlapic.isr[i] = *map_word(x, APIC_ISR, 2U * i) |
				      (uint64_t)*map_word(x, APIC_ISR, 2U * i + 1U) << 32;
	vlapic_restore(&vcpu->vlapic, (uint8_t)*reg(x, APIC_TPR));
	write_status(x);
}

/* The other way round: the CPU takes over what the vlapic has in service. */
static void push(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	for (unsigned int word = 0; word < 8U; word++) {
		*map_word(x, APIC_ISR, word) = word_of(vcpu->vlapic.isr, word);
		*map_word(x, APIC_IRR, word) = 0;
		mark_level(vcpu, word, word_of(vcpu->vlapic.isr, word));
	}
	*reg(x, APIC_TPR) = vcpu->vlapic.tpr;
	refresh_all(vcpu);
	write_status(x);
}

static uint32_t wanted_controls(const struct vlapic *v)
{
	if (!vlapic_is_enabled(v))
		return 0;
	return vlapic_is_x2apic(v) ? vmx_features.x2apic : vmx_features.xapic;
}

/* The guest changed the mode of its APIC, or the vCPU was reset. The VMCS is current. */
static void follow(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);
	uint32_t old = x->apic_controls, controls = wanted_controls(&vcpu->vlapic);

	x->due &= ~(uint32_t)VMX_DUE_MODE;
	if (controls == old)
		return;
	/* One that was disabled has forgotten all (SDM 3A 11.4.3), and the vlapic has done so. */
	if (old != 0 && vlapic_is_enabled(&vcpu->vlapic))
		vmx_apic_pull(vcpu);
	if (controls != 0) {
		vmx_backend.offer(vcpu, -1);
		vcpu->offer_made = -1;
		push(vcpu);
	}
	if (controls == VMX_CPU2_XAPIC)
		vmcs_write(VMCS_APIC_ACCESS, vcpu->group->apic_page_hpa);
	atomic_store(&x->apic_controls, controls);
	vmcs_write(VMCS_MSR_BITMAP, vmx_msr_bitmap(vcpu->group, controls == VMX_CPU2_X2APIC));
	vmcs_write(VMCS_CPU_CONTROLS2, vmx_features.cpu2 | controls);
	vmcs_write(VMCS_PIN_CONTROLS, vmx_features.pin | (controls != 0 ? vmx_features.posted : 0U));
}

void vmx_apic_prepare(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	if ((x->due & VMX_DUE_MODE) != 0)
		follow(vcpu);
	if ((x->due & VMX_DUE_REGISTER) != 0 && x->apic_controls != 0)
		refresh_written(vcpu, x->apic_written);
}

bool vmx_apic_post(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vmx_of(vcpu);

	vmx_open(vcpu);
	if ((x->due & VMX_DUE_MODE) != 0)
		follow(vcpu);
	if (x->apic_controls != 0)
		post(vcpu);
	vmx_close(vcpu);
	return x->apic_controls != 0;
}

int vmx_group_start(struct vcpu_group *group)
{
	if (vmx_features.xapic == 0)
		return 0;
	return gpa_space_map(&group->space, VLAPIC_DEFAULT_BASE, group->apic_page_hpa, PAGE_SIZE,
			     PG_READ | PG_WRITE);
}
