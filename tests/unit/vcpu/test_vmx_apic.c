/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of a vector between the vlapic, which is the real one, and the CPU's virtual-APIC page, and the
 * change of hands with the APIC's mode.
 */
#include "unit.h"

#include <string.h>

#include "lib/errno.h"
#include "vcpu/vmx/vmcs_access.h"
#include "vcpu/vmx/vmx.h"
#include "x86/msr.h"

#define FIELDS 0x7000U

struct vmx_features vmx_features;

static uint64_t fields[FIELDS];
static uint32_t page[1024];
static struct vmx_vcpu arch;
static struct vcpu_group group;
static struct vcpu vcpu;
static struct apic_bus bus;
static unsigned int offers_withdrawn, acknowledged;

uint64_t vmcs_read(enum vmcs_field field)
{
	return fields[field];
}

void vmcs_write(enum vmcs_field field, uint64_t value)
{
	fields[field] = value;
}

void vmx_open(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
}

void vmx_close(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
}

static void offer(struct vcpu *v, int vector)
{
	assert_int_equal(vector, -1);
	v->offered = vector;
	offers_withdrawn++;
}

const struct vcpu_backend vmx_backend = { .offer = offer };

int gpa_space_map(struct gpa_space *space, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot)
{
	assert_ptr_equal(space, &group.space);
	assert_true(gpa == VLAPIC_DEFAULT_BASE && hpa == 0x77000 && size == 4096);
	assert_int_equal(prot & PG_EXEC, 0);
	return -ENOMEM;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void no_sipi(void *ctx, uint8_t vector)
{
	(void)ctx;
	(void)vector;
}

static void no_timer(void *ctx, uint64_t deadline)
{
	(void)ctx;
	(void)deadline;
}

static uint64_t no_tsc(void *ctx)
{
	(void)ctx;
	return 0;
}

static const struct vlapic_ops ops = { nothing, nothing, nothing, no_sipi, no_timer, no_tsc, NULL };

static void eoi(void *ctx, uint8_t vector)
{
	(void)ctx;
	acknowledged = vector;
}

static unsigned int shadows_ended;

uint32_t vmx_blocking(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	shadows_ended++;
	return 0;
}

hpa_t vmx_msr_bitmap(const struct vcpu_group *g, bool is_x2apic)
{
	assert_ptr_equal(g, &group);
	return is_x2apic ? 0x56000 : 0x55000;
}

static int fresh(void **state)
{
	(void)state;
	memset(fields, 0, sizeof(fields));
	memset(page, 0, sizeof(page));
	memset(&arch, 0, sizeof(arch));
	memset(&vcpu, 0, sizeof(vcpu));
	vmx_features.xapic = VMX_CPU2_XAPIC;
	vmx_features.x2apic = VMX_CPU2_X2APIC;
	vmx_features.cpu2 = VMX_CPU2_EPT;
	apic_bus_init(&bus, eoi, NULL);
	assert_int_equal(vlapic_init(&vcpu.vlapic, &bus, 3, &ops, &vcpu), 0);
	vlapic_set_virtual_wire(&vcpu.vlapic);
	group.apic_page_hpa = 0x77000;
	vcpu.group = &group;
	vcpu.arch = &arch;
	vcpu.offered = 0x41;
	vcpu.offer_made = 0x41;
	arch.virtual_apic = (uint8_t *)page;
	arch.due = VMX_DUE_MODE;
	offers_withdrawn = 0;
	acknowledged = 0;
	return 0;
}

static uint32_t map_bit(unsigned int map, uint8_t vector)
{
	return (page[(map + 16U * (vector / 32U)) / 4U] >> (vector % 32U)) & 1U;
}

static void the_cpu_takes_over_in_xapic_mode(void **state)
{
	(void)state;
	vmx_apic_prepare(&vcpu);
	assert_int_equal(arch.apic_controls, VMX_CPU2_XAPIC);
	assert_int_equal(fields[VMCS_CPU_CONTROLS2], VMX_CPU2_EPT | VMX_CPU2_XAPIC);
	assert_int_equal(fields[VMCS_APIC_ACCESS], 0x77000);
	assert_int_equal(page[APIC_ID / 4], 3U << 24);
	assert_int_equal(page[APIC_SVR / 4], 0x1FF);
	/* an offer made the other way is taken back: the vector goes by the page */
	assert_int_equal(offers_withdrawn, 1);
	assert_int_equal(vcpu.offer_made, -1);
}

static void without_the_feature_nothing_happens(void **state)
{
	(void)state;
	vmx_features.xapic = 0;
	vmx_apic_prepare(&vcpu);
	assert_int_equal(arch.apic_controls, 0);
	assert_false(vmx_apic_post(&vcpu));
	assert_int_equal(vcpu.offer_made, 0x41);
	assert_int_equal(vmx_group_start(&group), 0);
}

static void what_waits_is_posted(void **state)
{
	(void)state;
	vlapic_accept(&vcpu.vlapic, 0x31, false);
	vlapic_accept(&vcpu.vlapic, 0xE2, true);
	shadows_ended = 0;
	assert_true(vmx_apic_post(&vcpu));
	assert_int_equal(shadows_ended, 1); /* of STI before an instruction that we carried out */
	assert_int_equal(map_bit(APIC_IRR, 0x31), 1);
	assert_int_equal(map_bit(APIC_IRR, 0xE2), 1);
	assert_int_equal(map_bit(APIC_TMR, 0x31), 0);
	assert_int_equal(map_bit(APIC_TMR, 0xE2), 1);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 0xE2);
	assert_true(fields[VMCS_EOI_EXITS] == 0);
	assert_true(fields[VMCS_EOI_EXITS + 6] == 1UL << (0xE2 - 0xC0));
	/* and gone from the vlapic */
	assert_int_equal(vcpu.vlapic.irr_hint, 0);
	assert_int_equal(vlapic_waiting(&vcpu.vlapic), -1);
	/* the same vector as edge: no exit for its EOI any more */
	vlapic_accept(&vcpu.vlapic, 0xE2, false);
	assert_true(vmx_apic_post(&vcpu));
	assert_true(fields[VMCS_EOI_EXITS + 6] == 0);
	assert_int_equal(map_bit(APIC_TMR, 0xE2), 0);
}

static void what_was_not_taken_comes_back(void **state)
{
	(void)state;
	vlapic_accept(&vcpu.vlapic, 0x55, false);
	assert_true(vmx_apic_post(&vcpu));
	/* the CPU serves 61H and has priority 70H */
	page[(APIC_ISR + 16 * 3) / 4] = 1U << 1;
	page[APIC_TPR / 4] = 0x70;
	vmx_apic_pull(&vcpu);
	assert_int_equal(map_bit(APIC_IRR, 0x55), 0);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 0x61U << 8);
	assert_int_equal(vcpu.vlapic.isrv, 0x61);
	assert_int_equal(vcpu.vlapic.ppr, 0x70);
	assert_int_equal(vlapic_pending(&vcpu.vlapic), -1);
	page[APIC_TPR / 4] = 0;
	page[(APIC_ISR + 16 * 3) / 4] = 0;
	vmx_apic_pull(&vcpu);
	assert_int_equal(vlapic_pending(&vcpu.vlapic), 0x55);
	/* and goes in again */
	assert_true(vmx_apic_post(&vcpu));
	assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 0x55);
}

static void write_base(uint64_t mode)
{
	assert_int_equal(vlapic_msr_write(&vcpu.vlapic, MSR_IA32_APIC_BASE,
					  VLAPIC_DEFAULT_BASE | mode | APIC_BASE_BSP),
			 0);
	arch.due = VMX_DUE_MODE;
}

/* On a CPU that virtualizes xAPIC mode alone. */
static void x2apic_mode_gives_it_back(void **state)
{
	(void)state;
	vmx_features.x2apic = 0;
	vmx_apic_prepare(&vcpu);
	vlapic_accept(&vcpu.vlapic, 0x55, false);
	assert_true(vmx_apic_post(&vcpu));
	write_base(APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	assert_false(vmx_apic_post(&vcpu));
	assert_int_equal(fields[VMCS_CPU_CONTROLS2], VMX_CPU2_EPT);
	assert_true(fields[VMCS_MSR_BITMAP] == 0x55000);
	assert_int_equal(vlapic_waiting(&vcpu.vlapic), 0x55);
}

/* What waits, what is served and the priority go along. */
static void the_cpu_stays_the_apic_in_x2apic_mode(void **state)
{
	(void)state;
	vmx_apic_prepare(&vcpu);
	assert_true(fields[VMCS_MSR_BITMAP] == 0x55000);
	vlapic_accept(&vcpu.vlapic, 0x55, false);
	assert_true(vmx_apic_post(&vcpu));
	page[(APIC_ISR + 16 * 3) / 4] = 1U << 1;
	page[APIC_TPR / 4] = 0x35;
	write_base(APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	assert_true(vmx_apic_post(&vcpu));
	assert_int_equal(arch.apic_controls, VMX_CPU2_X2APIC);
	assert_int_equal(fields[VMCS_CPU_CONTROLS2], VMX_CPU2_EPT | VMX_CPU2_X2APIC);
	assert_true(fields[VMCS_MSR_BITMAP] == 0x56000);
	assert_int_equal(map_bit(APIC_IRR, 0x55), 1);
	assert_int_equal(map_bit(APIC_ISR, 0x61), 1);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 0x6155);
	assert_int_equal(page[APIC_TPR / 4], 0x35);
	/* the registers look as they do in that mode */
	assert_int_equal(page[APIC_ID / 4], 3);
	assert_int_equal(page[APIC_LDR / 4], 1U << 3);
	assert_int_equal(vlapic_msr_write(&vcpu.vlapic, X2APIC_MSR(APIC_ICR), 0x0000000500004041UL), 0);
	arch.apic_written = APIC_ICR;
	arch.due = VMX_DUE_REGISTER;
	vmx_apic_prepare(&vcpu);
	assert_int_equal(page[APIC_ICR / 4], 0x4041);
	assert_int_equal(page[APIC_ICR / 4 + 1], 5);
}

static void a_disabled_apic_forgets(void **state)
{
	(void)state;
	vmx_apic_prepare(&vcpu);
	vlapic_accept(&vcpu.vlapic, 0x55, false);
	assert_true(vmx_apic_post(&vcpu));
	page[(APIC_ISR + 16 * 3) / 4] = 1U << 1;
	write_base(0);
	assert_false(vmx_apic_post(&vcpu));
	assert_int_equal(fields[VMCS_CPU_CONTROLS2], VMX_CPU2_EPT);
	assert_int_equal(vcpu.vlapic.isrv, 0);
	write_base(APIC_BASE_ENABLE);
	assert_true(vmx_apic_post(&vcpu));
	assert_int_equal(map_bit(APIC_IRR, 0x55), 0);
	assert_int_equal(map_bit(APIC_ISR, 0x61), 0);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPT_STATUS], 0);
}

/* Of ISR, which the page has, the vlapic's copy is an old one. */
static void a_write_to_what_the_page_has_changes_nothing(void **state)
{
	(void)state;
	vmx_apic_prepare(&vcpu);
	page[APIC_ISR / 4] = 1U << 31;
	arch.apic_written = APIC_ISR;
	arch.due = VMX_DUE_REGISTER;
	vmx_apic_prepare(&vcpu);
	assert_int_equal(map_bit(APIC_ISR, 31), 1);
}

static void a_written_register_is_mirrored(void **state)
{
	(void)state;
	vmx_apic_prepare(&vcpu);
	vcpu.vlapic.lvt[VLAPIC_LVT_ERROR] = 0xFE;
	arch.apic_written = APIC_LVT_ERROR;
	arch.due = VMX_DUE_REGISTER;
	vmx_apic_prepare(&vcpu);
	assert_int_equal(page[APIC_LVT_ERROR / 4], 0xFE);
	/* SVR takes the LVT with it */
	vcpu.vlapic.lvt[VLAPIC_LVT_LINT0] = APIC_LVT_MASKED;
	arch.apic_written = APIC_SVR;
	arch.due = VMX_DUE_REGISTER;
	vmx_apic_prepare(&vcpu);
	assert_int_equal(page[APIC_LVT_LINT0 / 4], APIC_LVT_MASKED);
}

static void the_io_apics_hear_of_an_eoi(void **state)
{
	(void)state;
	vlapic_eoi_seen(&vcpu.vlapic, 0xE2);
	assert_int_equal(acknowledged, 0xE2);
	assert_int_equal(vmx_group_start(&group), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_cpu_takes_over_in_xapic_mode, fresh),
		cmocka_unit_test_setup(without_the_feature_nothing_happens, fresh),
		cmocka_unit_test_setup(what_waits_is_posted, fresh),
		cmocka_unit_test_setup(what_was_not_taken_comes_back, fresh),
		cmocka_unit_test_setup(x2apic_mode_gives_it_back, fresh),
		cmocka_unit_test_setup(the_cpu_stays_the_apic_in_x2apic_mode, fresh),
		cmocka_unit_test_setup(a_disabled_apic_forgets, fresh),
		cmocka_unit_test_setup(a_written_register_is_mirrored, fresh),
		cmocka_unit_test_setup(a_write_to_what_the_page_has_changes_nothing, fresh),
		cmocka_unit_test_setup(the_io_apics_hear_of_an_eoi, fresh),
	};

	return cmocka_run_group_tests_name("vmx_apic", tests, NULL, NULL);
}
