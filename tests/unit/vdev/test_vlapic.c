/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual local APIC: reset state, registers of both modes, priorities, EOI, errors, local pins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/rig.h"
#include "x86/apic.h"
#include "x86/msr.h"

static struct rig rig;
static struct rig_cpu *const cpu = &rig.cpu[0];
static struct vlapic *const apic = &rig.cpu[0].apic;

static void comes_up_as_after_power_on(void **state)
{
	(void)state;
	rig_init(&rig, 2, 3, false);
	vlapic_reset(apic, true);
	assert_int_equal(rig_rdmsr(cpu, MSR_IA32_APIC_BASE), 0xFEE00900);
	assert_int_equal(rig_rdmsr(&rig.cpu[1], MSR_IA32_APIC_BASE), 0xFEE00800);
	assert_int_equal(rig_read(cpu, APIC_ID), 3U << 24);
	assert_int_equal(rig_read(cpu, APIC_VERSION), 0x00060015);
	assert_int_equal(rig_read(cpu, APIC_SVR), 0xFF);
	assert_int_equal(rig_read(cpu, APIC_DFR), 0xFFFFFFFF);
	assert_int_equal(rig_read(cpu, APIC_LDR), 0);
	assert_int_equal(rig_read(cpu, APIC_TPR), 0);
	assert_int_equal(rig_read(cpu, APIC_ESR), 0);
	assert_int_equal(rig_read(cpu, APIC_ICR), 0);
	for (uint32_t lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 16)
		assert_int_equal(rig_read(cpu, lvt), APIC_LVT_MASKED);
	assert_int_equal(rig_read(cpu, APIC_LVT_CMCI), APIC_LVT_MASKED);
	assert_int_equal(rig_read(cpu, APIC_TIMER_CURRENT), 0);
	assert_int_equal(vlapic_pending(apic), -1);
}

static void init_keeps_id_base_and_mode(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0x25, true);
	vlapic_accept(apic, 0x40, true);
	assert_int_equal(rig_take(cpu), 0x40);
	vlapic_accept(apic, 0x50, false);
	rig_wrmsr(cpu, X2APIC_MSR(APIC_TPR), 0x30);
	vlapic_reset(apic, false);
	assert_true(vlapic_is_x2apic(apic));
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_ID)), 0x25);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_LDR)), 0x20020);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_PPR)), 0);
	assert_int_equal(vlapic_pending(apic), -1);
	assert_int_equal(cpu->routings, 1);
	vlapic_eoi(apic);
	assert_int_equal(rig.eois, 0);
}

static void bus_refuses_ids_twice_and_too_many(void **state)
{
	static struct vlapic extra[APIC_BUS_MAX];
	struct vlapic *const v = extra;

	(void)state;
	rig_init(&rig, 2, 0, false);
	assert_int_equal(vlapic_init(v, &rig.bus, 1, apic->ops, cpu), -EEXIST);
	assert_int_equal(vlapic_init(v, &rig.bus, ~0U, apic->ops, cpu), -EEXIST);
	for (uint32_t i = 2; i < APIC_BUS_MAX; i++)
		assert_int_equal(vlapic_init(&extra[i], &rig.bus, i * 7, apic->ops, cpu), 0);
	assert_int_equal(vlapic_init(v, &rig.bus, 6000, apic->ops, cpu), -ENOSPC);
}

static void nests_by_priority_class(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	vlapic_accept(apic, 0x45, false);
	vlapic_accept(apic, 0x83, false);
	assert_int_equal(cpu->kicks, 2);
	assert_int_equal(rig_read(cpu, APIC_IRR + 0x20), 1U << 5);
	assert_int_equal(rig_read(cpu, APIC_IRR + 0x40), 1U << 3);
	assert_int_equal(rig_take(cpu), 0x83);
	assert_int_equal(rig_read(cpu, APIC_ISR + 0x40), 1U << 3);
	assert_int_equal(rig_read(cpu, APIC_PPR), 0x80);
	assert_int_equal(vlapic_pending(apic), -1);
	assert_int_equal(vlapic_waiting(apic), -1);
	vlapic_accept(apic, 0x8F, false); /* same class: waits */
	assert_int_equal(vlapic_pending(apic), -1);
	vlapic_accept(apic, 0x90, false);
	assert_int_equal(rig_take(cpu), 0x90);
	rig_write(cpu, APIC_EOI, 0);
	assert_int_equal(rig_read(cpu, APIC_PPR), 0x80);
	rig_write(cpu, APIC_EOI, 0);
	assert_int_equal(rig_take(cpu), 0x8F);
	rig_write(cpu, APIC_EOI, 0);
	assert_int_equal(rig_take(cpu), 0x45);
	rig_write(cpu, APIC_EOI, 0);
	assert_int_equal(rig_read(cpu, APIC_PPR), 0);
	assert_int_equal(vlapic_pending(apic), -1);
	assert_int_equal(vlapic_waiting(apic), -1);
	assert_int_equal(rig.eois, 0);
}

static void task_priority_holds_back(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	rig_write(cpu, APIC_TPR, 0x47);
	assert_int_equal(rig_read(cpu, APIC_PPR), 0x47);
	assert_int_equal(vlapic_cr8_get(apic), 4);
	vlapic_accept(apic, 0x4F, false);
	assert_int_equal(vlapic_pending(apic), -1);
	assert_int_equal(vlapic_waiting(apic), 0x4F);
	vlapic_cr8_set(apic, 4);
	assert_int_equal(rig_read(cpu, APIC_TPR), 0x47);
	vlapic_cr8_set(apic, 3);
	assert_int_equal(rig_read(cpu, APIC_TPR), 0x30);
	assert_int_equal(rig_take(cpu), 0x4F);
	assert_int_equal(rig_read(cpu, APIC_PPR), 0x40);
	rig_write(cpu, APIC_TPR, 0x5A);
	assert_int_equal(rig_read(cpu, APIC_PPR), 0x5A);
}

static void same_vector_pends_once_while_in_service(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	vlapic_accept(apic, 0x60, false);
	vlapic_accept(apic, 0x60, false);
	assert_int_equal(cpu->kicks, 1);
	assert_int_equal(rig_take(cpu), 0x60);
	vlapic_accept(apic, 0x60, false);
	assert_int_equal(cpu->kicks, 2);
	assert_int_equal(vlapic_pending(apic), -1);
	vlapic_eoi(apic);
	assert_int_equal(rig_take(cpu), 0x60);
	vlapic_eoi(apic);
	assert_int_equal(rig_take(cpu), -1);
}

static void level_vectors_broadcast_their_eoi(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, true);
	vlapic_accept(apic, 0xB1, true);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_TMR) + 5), 1U << 17);
	assert_int_equal(rig_take(cpu), 0xB1);
	rig_wrmsr(cpu, X2APIC_MSR(APIC_EOI), 0);
	assert_int_equal(rig.eois, 1);
	assert_int_equal(rig.eoi_vector, 0xB1);
	vlapic_accept(apic, 0xB1, false); /* now as edge: TMR follows the last acceptance */
	assert_int_equal(rig_take(cpu), 0xB1);
	rig_wrmsr(cpu, X2APIC_MSR(APIC_EOI), 0);
	assert_int_equal(rig.eois, 1);
	rig_wrmsr(cpu, X2APIC_MSR(APIC_EOI), 0); /* nothing in service: no effect */
}

static void software_disable_drops_and_masks(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	rig_write(cpu, APIC_LVT_LINT0, APIC_DM_EXTINT << 8);
	rig_write(cpu, APIC_LVT_LINT1, APIC_DM_NMI << 8);
	assert_true(vlapic_accepts_pic(apic));
	vlapic_accept(apic, 0x33, false);
	rig_write(cpu, APIC_SVR, 0xFF);
	assert_int_equal(rig_read(cpu, APIC_LVT_LINT1), APIC_LVT_MASKED | APIC_DM_NMI << 8);
	assert_false(vlapic_accepts_pic(apic));
	rig_write(cpu, APIC_LVT_LINT1, APIC_DM_NMI << 8); /* cannot be unmasked now */
	assert_int_equal(rig_read(cpu, APIC_LVT_LINT1), APIC_LVT_MASKED | APIC_DM_NMI << 8);
	vlapic_accept(apic, 0x44, false);
	assert_int_equal(rig_take(cpu), 0x33); /* what was accepted before is held and delivered */
	assert_int_equal(rig_take(cpu), -1);
	vlapic_eoi(apic);
	assert_int_equal(rig_take(cpu), -1);
}

static void local_pins_follow_their_entries(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	vlapic_lint(apic, 0);
	vlapic_lint(apic, 1);
	assert_int_equal(cpu->kicks + cpu->nmis, 0);
	vlapic_set_virtual_wire(apic);
	assert_true(vlapic_accepts_pic(apic));
	vlapic_lint(apic, 0);
	assert_int_equal(cpu->kicks, 1);
	vlapic_lint(apic, 1);
	assert_int_equal(cpu->nmis, 1);
	rig_write(cpu, APIC_LVT_LINT0, 0x31);
	assert_false(vlapic_accepts_pic(apic));
	vlapic_lint(apic, 0);
	assert_int_equal(rig_take(cpu), 0x31);
	rig_write(cpu, APIC_LVT_PMC, APIC_DM_NMI << 8);
	vlapic_deliver_local(apic, VLAPIC_LVT_PMC);
	assert_int_equal(cpu->nmis, 2);
	rig_write(cpu, APIC_LVT_THERMAL, 0xFA);
	vlapic_deliver_local(apic, VLAPIC_LVT_THERMAL);
	assert_int_equal(rig_take(cpu), 0xFA);
	rig_wrmsr(cpu, MSR_IA32_APIC_BASE, VLAPIC_DEFAULT_BASE);
	assert_true(vlapic_accepts_pic(apic));
	vlapic_lint(apic, 1);
	assert_int_equal(cpu->nmis, 3);
}

static void errors_gather_until_esr_is_written(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	rig_write(cpu, APIC_LVT_ERROR, 0xFE);
	rig_write(cpu, 0x040, 1);
	assert_int_equal(rig_read(cpu, APIC_ESR), 0);
	assert_int_equal(rig_take(cpu), 0xFE);
	vlapic_accept(apic, 0x0F, false);
	rig_write(cpu, APIC_ICR, 0x4000C | APIC_ICR_ASSERT);
	rig_write(cpu, APIC_ESR, 0);
	assert_int_equal(rig_read(cpu, APIC_ESR), 0xE0);
	rig_write(cpu, APIC_ESR, 0);
	assert_int_equal(rig_read(cpu, APIC_ESR), 0);
	rig_write(cpu, APIC_LVT_ERROR, 0x05); /* an illegal vector here ends quietly */
	vlapic_accept(apic, 0x0F, false);
	assert_int_equal(rig_read(cpu, 0x3F0), 0);
	assert_int_equal(rig_read(cpu, 0xFF0), 0);
	rig_write(cpu, APIC_ESR, 0);
	assert_int_equal(rig_read(cpu, APIC_ESR), 0xC0);
}

static void page_takes_other_sizes_calmly(void **state)
{
	struct io_access io = { .space = IO_MMIO, .size = 1, .addr = VLAPIC_DEFAULT_BASE + 0x32 };

	(void)state;
	rig_init(&rig, 1, 0, false);
	assert_int_equal(vlapic_mmio(apic, &io), IO_DONE);
	assert_int_equal(io.value, 0x06);
	io.addr = VLAPIC_DEFAULT_BASE + 0x34;
	io.value = 5;
	assert_int_equal(vlapic_mmio(apic, &io), IO_DONE);
	assert_int_equal(io.value, 0);
	io.addr = VLAPIC_DEFAULT_BASE + APIC_VERSION;
	io.size = 8;
	assert_int_equal(vlapic_mmio(apic, &io), IO_DONE);
	io.is_write = true;
	io.size = 1;
	io.addr = VLAPIC_DEFAULT_BASE + APIC_TPR;
	io.value = 0x80;
	assert_int_equal(vlapic_mmio(apic, &io), IO_DONE);
	assert_int_equal(rig_read(cpu, APIC_TPR), 0);
	rig_write(cpu, APIC_ID, 7U << 24); /* read-only */
	rig_write(cpu, APIC_VERSION, 0);
	assert_int_equal(rig_read(cpu, APIC_ID), 0);
	assert_int_equal(rig_read(cpu, APIC_VERSION), 0x60015);
}

static void page_keeps_writable_bits_only(void **state)
{
	(void)state;
	rig_init(&rig, 1, 0, false);
	rig_write(cpu, APIC_LDR, ~0U);
	assert_int_equal(rig_read(cpu, APIC_LDR), 0xFF000000);
	rig_write(cpu, APIC_DFR, 0);
	assert_int_equal(rig_read(cpu, APIC_DFR), 0x0FFFFFFF);
	assert_int_equal(cpu->routings, 2);
	rig_write(cpu, APIC_LVT_TIMER, ~0U & ~APIC_TIMER_DEADLINE);
	assert_int_equal(rig_read(cpu, APIC_LVT_TIMER), 0x300FF);
	rig_write(cpu, APIC_LVT_LINT0, ~0U);
	assert_int_equal(rig_read(cpu, APIC_LVT_LINT0), 0x1A7FF);
	rig_write(cpu, APIC_LVT_PMC, ~0U);
	assert_int_equal(rig_read(cpu, APIC_LVT_PMC), 0x107FF);
	rig_write(cpu, APIC_LVT_ERROR, ~0U);
	assert_int_equal(rig_read(cpu, APIC_LVT_ERROR), 0x100FF);
	rig_write(cpu, APIC_TIMER_DIVIDE, ~0U);
	assert_int_equal(rig_read(cpu, APIC_TIMER_DIVIDE), 0xB);
	rig_write(cpu, APIC_SVR, ~0U);
	assert_int_equal(rig_read(cpu, APIC_SVR), 0x3FF);
}

static void mode_changes_obey_the_state_diagram(void **state)
{
	const uint64_t off = VLAPIC_DEFAULT_BASE | APIC_BASE_BSP, moved = 0xFEE01800;
	const uint64_t xapic = off | APIC_BASE_ENABLE, x2apic = xapic | APIC_BASE_X2APIC;
	const uint64_t bad = off | APIC_BASE_X2APIC;

	(void)state;
	rig_init(&rig, 1, 0x12, false);
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, bad), -EINVAL);
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, moved), -EINVAL);
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, xapic | 1), -EINVAL);
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, xapic | 0x200), -EINVAL);
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, xapic | 1UL << 52), -EINVAL);
	rig_write(cpu, APIC_ICR_HIGH, 0x55U << 24);
	rig_wrmsr(cpu, MSR_IA32_APIC_BASE, x2apic);
	assert_int_equal(cpu->routings, 1);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_LDR)), 0x10004);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_ICR)), 0);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_ID)), 0x12);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_SVR)), 0x1FF);
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, xapic), -EINVAL);
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, bad), -EINVAL);
	rig_wrmsr(cpu, MSR_IA32_APIC_BASE, off);
	assert_false(vlapic_is_enabled(apic));
	assert_int_equal(vlapic_msr_write(apic, MSR_IA32_APIC_BASE, x2apic), -EINVAL);
	assert_int_equal(vlapic_msr_write(apic, X2APIC_MSR(APIC_TPR), 0), -EINVAL);
	rig_wrmsr(cpu, MSR_IA32_APIC_BASE, xapic);
	assert_int_equal(rig_read(cpu, APIC_SVR), 0xFF);
	assert_int_equal(rig_read(cpu, APIC_LDR), 0);
	rig_wrmsr(cpu, MSR_IA32_APIC_BASE, xapic & ~APIC_BASE_BSP);
	assert_int_equal(rig_rdmsr(cpu, MSR_IA32_APIC_BASE), xapic); /* the flag is read-only */
}

static void page_and_msrs_exclude_each_other(void **state)
{
	struct io_access io = { .space = IO_MMIO, .size = 4, .addr = VLAPIC_DEFAULT_BASE + 0x20 };
	uint64_t value;

	(void)state;
	rig_init(&rig, 1, 0, false);
	assert_int_equal(vlapic_msr_read(apic, X2APIC_MSR(APIC_ID), &value), -EINVAL);
	rig_init(&rig, 1, 0, true);
	assert_int_equal(vlapic_mmio(apic, &io), IO_FORWARD);
	rig_wrmsr(cpu, MSR_IA32_APIC_BASE, VLAPIC_DEFAULT_BASE);
	assert_int_equal(vlapic_mmio(apic, &io), IO_FORWARD);
}

static void x2apic_faults_where_the_manual_says(void **state)
{
	static const uint32_t readable[] = {
		0x802, 0x803, 0x808, 0x80A, 0x80D, 0x80F, 0x828, 0x82F, 0x830, 0x832, 0x833,
		0x834, 0x835, 0x836, 0x837, 0x838, 0x839, 0x83E,
	};
	static const uint32_t writable[] = {
		0x808, 0x80B, 0x80F, 0x828, 0x82F, 0x830, 0x832, 0x833, 0x834,
		0x835, 0x836, 0x837, 0x838, 0x83E, 0x83F,
	};

	(void)state;
	rig_init(&rig, 1, 0, true);
	for (uint32_t msr = 0x800; msr <= 0x8FF; msr++) {
		bool may_read = msr >= 0x810 && msr <= 0x827, may_write = false;
		uint64_t value;

		for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
			may_read |= readable[i] == msr;
		for (size_t i = 0; i < ARRAY_SIZE(writable); i++)
			may_write |= writable[i] == msr;
		assert_int_equal(vlapic_msr_read(apic, msr, &value), may_read ? 0 : -EINVAL);
		assert_int_equal(vlapic_msr_write(apic, msr, 0), may_write ? 0 : -EINVAL);
		if (msr != X2APIC_MSR(APIC_ICR))
			assert_int_equal(vlapic_msr_write(apic, msr, 1UL << 32), -EINVAL);
	}
}

static void x2apic_reserved_bits_fault(void **state)
{
	static const struct {
		uint32_t offset;
		uint64_t bad;
	} cases[] = {
		{ APIC_TPR, 0x100 },	   { APIC_EOI, 1 },	       { APIC_SVR, 0x1000 },
		{ APIC_ESR, 1 },	   { APIC_LVT_TIMER, 0x100 },  { APIC_LVT_TIMER, 0x80000 },
		{ APIC_LVT_PMC, 0x2000 },  { APIC_LVT_ERROR, 0x100 },  { APIC_LVT_LINT0, 0x20000 },
		{ APIC_SELF_IPI, 0x100 },  { APIC_TIMER_DIVIDE, 4 },   { APIC_ICR, 0x2000 },
		{ APIC_ICR, 0x10000 },	   { APIC_ICR, 0x20000 },      { APIC_ICR, 0x100000 },
		{ APIC_ICR, 0x80000000 },  { APIC_LVT_CMCI, 0x20000 }, { APIC_LVT_THERMAL, 0x8000 },
	};

	(void)state;
	rig_init(&rig, 1, 0, true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(vlapic_msr_write(apic, X2APIC_MSR(cases[i].offset), cases[i].bad),
				 -EINVAL);
	/* Status bits may be written back as they were read. */
	rig_wrmsr(cpu, X2APIC_MSR(APIC_LVT_LINT0), 0x1F7FF);
	assert_int_equal(rig_rdmsr(cpu, X2APIC_MSR(APIC_LVT_LINT0)), 0x1A7FF);
	assert_int_equal(vlapic_msr_write(apic, 0x10, 0), -EINVAL);
	assert_int_equal(vlapic_msr_read(apic, 0x10, &(uint64_t){ 0 }), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_up_as_after_power_on),
		cmocka_unit_test(init_keeps_id_base_and_mode),
		cmocka_unit_test(bus_refuses_ids_twice_and_too_many),
		cmocka_unit_test(nests_by_priority_class),
		cmocka_unit_test(task_priority_holds_back),
		cmocka_unit_test(same_vector_pends_once_while_in_service),
		cmocka_unit_test(level_vectors_broadcast_their_eoi),
		cmocka_unit_test(software_disable_drops_and_masks),
		cmocka_unit_test(local_pins_follow_their_entries),
		cmocka_unit_test(errors_gather_until_esr_is_written),
		cmocka_unit_test(page_takes_other_sizes_calmly),
		cmocka_unit_test(page_keeps_writable_bits_only),
		cmocka_unit_test(mode_changes_obey_the_state_diagram),
		cmocka_unit_test(page_and_msrs_exclude_each_other),
		cmocka_unit_test(x2apic_faults_where_the_manual_says),
		cmocka_unit_test(x2apic_reserved_bits_fault),
	};

	return cmocka_run_group_tests_name("vlapic", tests, NULL, NULL);
}
