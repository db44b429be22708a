/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual I/O APIC against the 82093AA data sheet: edge, level, masks, remote IRR, EOI, mirror. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/rig.h"
#include "vdev/vioapic.h"
#include "x86/apic.h"

#define BASE 0xFEC00000UL
#define PINS 48U

static struct rig rig;
static struct vioapic ioapic;
static unsigned int changes, eois, eoi_pin;
static uint64_t changed_rte;
static bool lowers;

static void bus_eoi(void *ctx, uint8_t vector)
{
	vioapic_eoi(ctx, vector);
}

static int set_up(void **state)
{
	(void)state;
	rig_init(&rig, 2, 0, false);
	rig.bus.eoi = bus_eoi;
	rig.bus.ctx = &ioapic;
	vioapic_init(&ioapic, BASE, 2, PINS, &rig.bus);
	changes = eois = 0;
	lowers = false;
	return 0;
}

static uint64_t mmio(uint32_t offset, bool is_write, uint8_t size, uint64_t value)
{
	struct io_access io = { IO_MMIO, is_write, size, BASE + offset, value };

	assert_int_equal(vioapic_mmio(&ioapic, &io), IO_DONE);
	return io.value;
}

static void write_reg(uint8_t reg, uint32_t value)
{
	mmio(0x00, true, 4, reg);
	mmio(0x10, true, 4, value);
}

static uint32_t read_reg(uint8_t reg)
{
	mmio(0x00, true, 4, reg);
	return (uint32_t)mmio(0x10, false, 4, 0);
}

static void write_rte(unsigned int pin, uint64_t rte)
{
	write_reg((uint8_t)(0x11 + 2 * pin), (uint32_t)(rte >> 32));
	write_reg((uint8_t)(0x10 + 2 * pin), (uint32_t)rte);
}

static uint64_t read_rte(unsigned int pin)
{
	return read_reg((uint8_t)(0x10 + 2 * pin)) |
	       (uint64_t)read_reg((uint8_t)(0x11 + 2 * pin)) << 32;
}

static void pulse(unsigned int pin)
{
	assert_int_equal(vioapic_set_pin(&ioapic, pin, true), 0);
	assert_int_equal(vioapic_set_pin(&ioapic, pin, false), 0);
}

static int take(void)
{
	return rig_take(&rig.cpu[0]);
}

static void eoi(void)
{
	rig_write(&rig.cpu[0], APIC_EOI, 0);
}

static void registers_reset_and_stick(void **state)
{
	(void)state;
	assert_int_equal(read_reg(0), 2U << 24);
	assert_int_equal(read_reg(1), 0x11 | (PINS - 1) << 16);
	assert_int_equal(read_reg(2), 2U << 24);
	for (unsigned int pin = 0; pin < PINS; pin++)
		assert_int_equal(read_rte(pin), RTE_MASKED);
	write_reg(0, ~0U);
	assert_int_equal(read_reg(0), 0x0F000000);
	write_reg(1, 0);
	assert_int_equal(read_reg(1), 0x11 | (PINS - 1) << 16);
	write_rte(5, ~0UL);
	assert_int_equal(read_rte(5), 0xFF0000000001AFFF);
	assert_int_equal(read_reg(0x10 + 2 * PINS), 0);
	write_reg(0x10 + 2 * PINS, ~0U);
	write_reg(0xFF, ~0U);
	assert_int_equal(mmio(0x00, false, 4, 0), 0xFF);
	assert_int_equal(mmio(0x40, false, 4, 0), 0);
	vioapic_reset(&ioapic);
	assert_int_equal(read_rte(5), RTE_MASKED);
}

static void window_wants_dwords(void **state)
{
	(void)state;
	mmio(0x00, true, 1, 0x10 + 6);
	mmio(0x10, true, 1, 0x44);
	mmio(0x10, true, 2, 0x4444);
	assert_int_equal(read_rte(3), RTE_MASKED);
	assert_int_equal(mmio(0x00, false, 1, 0), 0x17);
	mmio(0x00, true, 4, 0x01);
	assert_int_equal(mmio(0x10, false, 1, 0), 0x11);
	assert_int_equal(mmio(0x10, false, 8, 0), 0x2F0011);
	assert_int_equal(vioapic_set_pin(&ioapic, PINS, true), -EINVAL);
}

static void edge_delivers_on_the_rise_only(void **state)
{
	(void)state;
	write_rte(4, 0x34);
	vioapic_set_pin(&ioapic, 4, true);
	assert_int_equal(take(), 0x34);
	vioapic_set_pin(&ioapic, 4, true);
	eoi();
	assert_int_equal(take(), -1);
	vioapic_set_pin(&ioapic, 4, false);
	assert_int_equal(take(), -1);
	pulse(4);
	assert_int_equal(take(), 0x34);
	assert_int_equal(read_rte(4), 0x34); /* no remote IRR */
}

static void wires_assert_by_polarity(void **state)
{
	(void)state;
	vioapic_wire(&ioapic);
	write_rte(20, RTE_LEVEL | RTE_ACTIVE_LOW | 0x61);
	assert_int_equal(take(), -1); /* nobody drives it: high */
	vioapic_set_pin(&ioapic, 20, true);
	assert_int_equal(take(), -1);
	vioapic_set_pin(&ioapic, 20, false);
	assert_int_equal(take(), 0x61);
	vioapic_set_pin(&ioapic, 20, true);
	eoi();
	assert_int_equal(take(), -1);
	vioapic_assert_pin(&ioapic, 20, true);
	assert_int_equal(take(), 0x61);
	vioapic_assert_pin(&ioapic, 20, false);
	eoi();
	assert_int_equal(take(), -1);
	write_rte(4, 0x34); /* ISA: an edge, active high */
	vioapic_set_pin(&ioapic, 4, true);
	assert_int_equal(take(), 0x34);
	vioapic_set_pin(&ioapic, 4, false);
	assert_int_equal(take(), -1);
}

static void a_reset_leaves_wires_as_they_are(void **state)
{
	(void)state;
	vioapic_wire(&ioapic);
	vioapic_set_pin(&ioapic, 20, false);
	vioapic_reset(&ioapic);
	write_rte(20, RTE_LEVEL | RTE_ACTIVE_LOW | 0x61);
	assert_int_equal(take(), 0x61);
	vioapic_reset(&ioapic);
	write_rte(21, RTE_LEVEL | RTE_ACTIVE_LOW | 0x62);
	assert_int_equal(take(), -1);
}

static void masked_edges_are_lost(void **state)
{
	(void)state;
	write_rte(4, RTE_MASKED | 0x34);
	vioapic_set_pin(&ioapic, 4, true);
	write_rte(4, 0x34);
	assert_int_equal(take(), -1);
	vioapic_set_pin(&ioapic, 4, false);
	vioapic_set_pin(&ioapic, 4, true);
	assert_int_equal(take(), 0x34);
}

static void level_repeats_until_the_line_falls(void **state)
{
	(void)state;
	write_rte(20, RTE_LEVEL | RTE_ACTIVE_LOW | 0x61);
	vioapic_set_pin(&ioapic, 20, true);
	assert_int_equal(read_rte(20), RTE_LEVEL | RTE_ACTIVE_LOW | RTE_REMOTE_IRR | 0x61);
	vioapic_set_pin(&ioapic, 20, true); /* once until the EOI */
	assert_int_equal(take(), 0x61);
	assert_int_equal(take(), -1);
	eoi();
	assert_int_equal(take(), 0x61); /* still asserted */
	vioapic_set_pin(&ioapic, 20, false);
	assert_int_equal(read_rte(20) & RTE_REMOTE_IRR, RTE_REMOTE_IRR);
	eoi();
	assert_int_equal(take(), -1);
	assert_int_equal(read_rte(20) & RTE_REMOTE_IRR, 0);
	vioapic_set_pin(&ioapic, 20, true);
	assert_int_equal(take(), 0x61);
}

static void mask_while_asserted_holds_back(void **state)
{
	(void)state;
	write_rte(20, RTE_LEVEL | 0x61);
	vioapic_set_pin(&ioapic, 20, true);
	assert_int_equal(take(), 0x61);
	write_rte(20, RTE_LEVEL | RTE_MASKED | 0x61);
	assert_int_equal(read_rte(20) & RTE_REMOTE_IRR, RTE_REMOTE_IRR);
	eoi();
	assert_int_equal(read_rte(20) & RTE_REMOTE_IRR, 0);
	assert_int_equal(take(), -1);
	write_rte(20, RTE_LEVEL | 0x61);
	assert_int_equal(take(), 0x61);
	write_rte(20, RTE_LEVEL | RTE_MASKED | 0x61);
	vioapic_set_pin(&ioapic, 20, false);
	eoi();
	write_rte(20, RTE_LEVEL | 0x61);
	assert_int_equal(take(), -1);
}

static void unmask_during_service_does_not_repeat(void **state)
{
	(void)state;
	write_rte(20, RTE_LEVEL | 0x61);
	vioapic_set_pin(&ioapic, 20, true);
	assert_int_equal(take(), 0x61);
	write_rte(20, RTE_LEVEL | RTE_MASKED | 0x61);
	write_rte(20, RTE_LEVEL | 0x61);
	assert_int_equal(take(), -1);
	assert_int_equal(vlapic_waiting(&rig.cpu[0].apic), -1);
}

static void edge_and_back_clears_remote_irr(void **state)
{
	(void)state;
	ioapic.pin_eoi = NULL;
	write_rte(20, RTE_LEVEL | 0x61);
	vioapic_set_pin(&ioapic, 20, true);
	assert_int_equal(take(), 0x61);
	write_rte(20, RTE_MASKED | 0x61);	      /* as Linux acknowledges without */
	write_rte(20, RTE_LEVEL | RTE_MASKED | 0x61); /* an EOI register */
	assert_int_equal(read_rte(20), RTE_LEVEL | RTE_MASKED | 0x61);
	write_rte(20, RTE_LEVEL | 0x61);
	eoi();
	assert_int_equal(take(), 0x61);
}

static void pins_share_a_vector(void **state)
{
	(void)state;
	write_rte(20, RTE_LEVEL | 0x61);
	write_rte(47, RTE_LEVEL | 0x61);
	write_rte(21, RTE_LEVEL | 0x62);
	vioapic_set_pin(&ioapic, 20, true);
	vioapic_set_pin(&ioapic, 47, true);
	vioapic_set_pin(&ioapic, 21, true);
	assert_int_equal(take(), 0x62);
	eoi();
	assert_int_equal(take(), 0x62);
	vioapic_set_pin(&ioapic, 21, false);
	eoi();
	assert_int_equal(read_rte(20) & RTE_REMOTE_IRR, RTE_REMOTE_IRR);
	assert_int_equal(take(), 0x61);
	vioapic_set_pin(&ioapic, 47, false);
	eoi();
	assert_int_equal(read_rte(47) & RTE_REMOTE_IRR, 0);
	assert_int_equal(take(), 0x61); /* for pin 20 */
}

static void nobody_there_leaves_it_pending(void **state)
{
	(void)state;
	write_rte(20, RTE_LEVEL | 0x61 | 7UL << RTE_DEST_SHIFT);
	vioapic_set_pin(&ioapic, 20, true);
	assert_int_equal(read_rte(20) & RTE_REMOTE_IRR, 0);
	write_rte(20, RTE_LEVEL | 0x61 | 1UL << RTE_DEST_SHIFT);
	assert_int_equal(rig_take(&rig.cpu[1]), 0x61);
}

static void every_destination_and_mode(void **state)
{
	(void)state;
	rig_write(&rig.cpu[0], APIC_LDR, 1U << 24);
	rig_write(&rig.cpu[1], APIC_LDR, 2U << 24);
	write_rte(3, RTE_LOGICAL | 0x41 | 3UL << RTE_DEST_SHIFT);
	pulse(3);
	assert_int_equal(take(), 0x41);
	assert_int_equal(rig_take(&rig.cpu[1]), 0x41);
	write_rte(3, RTE_LOGICAL | 1UL << RTE_DELIVERY_SHIFT | 0x51 | 3UL << RTE_DEST_SHIFT);
	rig_write(&rig.cpu[0], APIC_TPR, 0x50);
	pulse(3);
	assert_int_equal(rig_take(&rig.cpu[1]), 0x51);
	assert_int_equal(vlapic_waiting(&rig.cpu[0].apic), -1);
	write_rte(3, 0xFFUL << RTE_DEST_SHIFT | 0x71);
	pulse(3);
	assert_int_equal(take(), 0x71);
	assert_int_equal(rig_take(&rig.cpu[1]), 0x71);
	write_rte(3, RTE_LEVEL | 4UL << RTE_DELIVERY_SHIFT); /* NMI is edge all the same */
	vioapic_set_pin(&ioapic, 3, true);
	assert_int_equal(rig.cpu[0].nmis, 1);
	assert_int_equal(read_rte(3) & RTE_REMOTE_IRR, 0);
	vioapic_set_pin(&ioapic, 3, true);
	assert_int_equal(rig.cpu[0].nmis, 1);
	write_rte(3, 3UL << RTE_DELIVERY_SHIFT | 0x81);
	vioapic_set_pin(&ioapic, 3, false);
	pulse(3);
	assert_int_equal(vlapic_waiting(&rig.cpu[0].apic), -1);
}

static void note_change(void *ctx, unsigned int pin, uint64_t rte)
{
	(void)ctx;
	(void)pin;
	changes++;
	changed_rte = rte;
}

static void note_eoi(void *ctx, unsigned int pin)
{
	eois++;
	eoi_pin = pin;
	if (lowers)
		vioapic_lower(ctx, pin);
}

static void tells_the_hardware_mirror(void **state)
{
	(void)state;
	ioapic.rte_changed = note_change;
	ioapic.pin_eoi = note_eoi;
	ioapic.ctx = &ioapic;
	write_rte(30, RTE_LEVEL | 0x61);
	assert_int_equal(changes, 2);
	assert_int_equal(changed_rte, RTE_LEVEL | 0x61);
	lowers = true;
	vioapic_set_pin(&ioapic, 30, true);
	assert_int_equal(take(), 0x61);
	eoi();
	assert_int_equal(eois, 1);
	assert_int_equal(eoi_pin, 30);
	assert_int_equal(take(), -1); /* lowered: the hardware asserts anew */
	vioapic_set_pin(&ioapic, 30, true);
	assert_int_equal(take(), 0x61);
	write_rte(30, RTE_MASKED | 0x61);
	assert_int_equal(eois, 2);
	eoi();
	assert_int_equal(eois, 2);
	write_rte(30, RTE_LEVEL | 0x61);
	vioapic_set_pin(&ioapic, 30, true);
	vioapic_reset(&ioapic);
	assert_int_equal(eois, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers_reset_and_stick, set_up),
		cmocka_unit_test_setup(window_wants_dwords, set_up),
		cmocka_unit_test_setup(edge_delivers_on_the_rise_only, set_up),
		cmocka_unit_test_setup(wires_assert_by_polarity, set_up),
		cmocka_unit_test_setup(a_reset_leaves_wires_as_they_are, set_up),
		cmocka_unit_test_setup(masked_edges_are_lost, set_up),
		cmocka_unit_test_setup(level_repeats_until_the_line_falls, set_up),
		cmocka_unit_test_setup(mask_while_asserted_holds_back, set_up),
		cmocka_unit_test_setup(unmask_during_service_does_not_repeat, set_up),
		cmocka_unit_test_setup(edge_and_back_clears_remote_irr, set_up),
		cmocka_unit_test_setup(pins_share_a_vector, set_up),
		cmocka_unit_test_setup(nobody_there_leaves_it_pending, set_up),
		cmocka_unit_test_setup(every_destination_and_mode, set_up),
		cmocka_unit_test_setup(tells_the_hardware_mirror, set_up),
	};

	return cmocka_run_group_tests_name("vioapic", tests, NULL, NULL);
}
