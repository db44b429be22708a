/* SPDX-License-Identifier: BSD-3-Clause */
/* Who receives IPIs and MSIs: ids, logical destinations of three kinds, shorthands, modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "vdev/rig.h"
#include "x86/apic.h"
#include "x86/msr.h"

#define SELF (APIC_SHORTHAND_SELF << APIC_ICR_SHORTHAND_SHIFT)
#define ALL (APIC_SHORTHAND_ALL << APIC_ICR_SHORTHAND_SHIFT)
#define OTHERS (APIC_SHORTHAND_OTHERS << APIC_ICR_SHORTHAND_SHIFT)
#define DM(mode) (APIC_DM_##mode << APIC_ICR_MODE_SHIFT)

static struct rig rig;

/* A bit for each CPU that got vector, which is taken and acknowledged. */
static unsigned int receivers(int vector)
{
	unsigned int mask = 0;

	for (unsigned int i = 0; i < rig.bus.count; i++) {
		int taken = rig_take(&rig.cpu[i]);

		if (taken < 0)
			continue;
		assert_int_equal(taken, vector);
		vlapic_eoi(&rig.cpu[i].apic);
		mask |= 1U << i;
	}
	return mask;
}

static unsigned int send(unsigned int from, uint32_t low, uint32_t dest)
{
	struct rig_cpu *cpu = &rig.cpu[from];

	if (vlapic_is_x2apic(&cpu->apic)) {
		rig_wrmsr(cpu, X2APIC_MSR(APIC_ICR), (uint64_t)dest << 32 | low);
	} else {
		rig_write(cpu, APIC_ICR_HIGH, dest << 24);
		rig_write(cpu, APIC_ICR, low);
	}
	return receivers((int)(low & 0xFF));
}

static void physical_ids_and_broadcast(void **state)
{
	(void)state;
	rig_init(&rig, 4, 1, false);
	assert_int_equal(send(0, 0x41, 3), 1U << 2);
	assert_int_equal(send(0, 0x41, 1), 1U << 0);
	assert_int_equal(send(0, 0x41, 9), 0);
	assert_int_equal(send(0, 0x41, 0xFF), 0xF);
	assert_int_equal(rig_read(&rig.cpu[0], APIC_ICR_HIGH), 0xFF000000);
	assert_int_equal(rig_read(&rig.cpu[0], APIC_ICR), 0x41);
	rig_init(&rig, 4, 254, true);
	assert_int_equal(send(0, 0x41, 254), 1U << 0);
	assert_int_equal(send(0, 0x41, 255), 1U << 1); /* an id like any other */
	assert_int_equal(send(0, 0x41, 256), 1U << 2);
	assert_int_equal(send(0, 0x41, 258), 0);
	assert_int_equal(send(0, 0x41, ~0U), 0xF);
}

static void flat_and_cluster_logical(void **state)
{
	(void)state;
	rig_init(&rig, 4, 0, false);
	for (unsigned int i = 0; i < 4; i++)
		rig_write(&rig.cpu[i], APIC_LDR, 1U << (24 + i));
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x5), 0x5);
	assert_int_equal(send(3, 0x41 | APIC_ICR_LOGICAL, 0xFF), 0xF);
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x10), 0);
	for (unsigned int i = 0; i < 4; i++) {
		rig_write(&rig.cpu[i], APIC_DFR, APIC_DFR_CLUSTER);
		rig_write(&rig.cpu[i], APIC_LDR, (i / 2) << 28 | 1U << (24 + i % 2));
	}
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x03), 0x3);
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x12), 0x8);
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0xF1), 0x5);
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x23), 0);
}

static void x2apic_logical_is_derived(void **state)
{
	(void)state;
	rig_init(&rig, 4, 14, true); /* two in cluster 0, two in cluster 1 */
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x0000C000), 0x3);
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x0001FFFF), 0xC);
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, 0x00020001), 0);
	assert_int_equal(send(0, 0x41 | APIC_ICR_LOGICAL, ~0U), 0xF);
}

static void shorthands(void **state)
{
	(void)state;
	for (int x2apic = 0; x2apic < 2; x2apic++) {
		rig_init(&rig, 4, 0, x2apic != 0);
		assert_int_equal(send(1, 0x41 | SELF, 3), 0x2);
		assert_int_equal(rig.cpu[1].kicks, 0); /* it is looking anyway */
		assert_int_equal(send(1, 0x41 | ALL, 3), 0xF);
		assert_int_equal(send(1, 0x41 | OTHERS, 3), 0xD);
		send(1, DM(NMI) | OTHERS, 0);
		assert_int_equal(rig.cpu[0].nmis + rig.cpu[2].nmis + rig.cpu[3].nmis, 3);
		assert_int_equal(rig.cpu[1].nmis, 0);
		send(1, DM(NMI) | SELF, 0);
		assert_int_equal(rig.cpu[1].nmis, 1);
		send(1, DM(INIT) | APIC_ICR_ASSERT | ALL, 0); /* not a valid pair */
		assert_int_equal(rig.cpu[0].inits, 0);
	}
	rig_wrmsr(&rig.cpu[2], X2APIC_MSR(APIC_SELF_IPI), 0x77);
	assert_int_equal(receivers(0x77), 0x4);
	rig_wrmsr(&rig.cpu[2], X2APIC_MSR(APIC_SELF_IPI), 0x07);
	rig_wrmsr(&rig.cpu[2], X2APIC_MSR(APIC_ESR), 0);
	assert_int_equal(rig_rdmsr(&rig.cpu[2], X2APIC_MSR(APIC_ESR)), 0x20);
}

static void starts_a_cpu_as_linux_does(void **state)
{
	(void)state;
	rig_init(&rig, 3, 0, false);
	rig_write(&rig.cpu[1], APIC_SVR, 0xFF); /* a CPU that waits is software disabled */
	send(0, DM(INIT) | APIC_ICR_LEVEL | APIC_ICR_ASSERT, 1);
	send(0, DM(INIT) | APIC_ICR_LEVEL, 1); /* de-assert: nothing */
	send(0, DM(STARTUP) | 0x9A, 1);
	assert_int_equal(rig.cpu[1].inits, 1);
	assert_int_equal(rig.cpu[1].sipis, 1);
	assert_int_equal(rig.cpu[1].sipi_vector, 0x9A);
	assert_int_equal(rig.cpu[0].inits + rig.cpu[2].inits + rig.cpu[2].sipis, 0);
	send(0, DM(INIT) | APIC_ICR_ASSERT | OTHERS, 0);
	send(0, DM(STARTUP) | 0x05 | OTHERS, 0);
	assert_int_equal(rig.cpu[2].inits, 1);
	assert_int_equal(rig.cpu[2].sipi_vector, 0x05);
	assert_int_equal(rig.cpu[0].inits, 0);
}

static void illegal_vectors_are_not_sent(void **state)
{
	(void)state;
	rig_init(&rig, 2, 0, false);
	assert_int_equal(send(0, 0x0F, 1), 0);
	assert_int_equal(send(0, DM(LOWEST) | 0x03, 1), 0);
	rig_write(&rig.cpu[0], APIC_ESR, 0);
	assert_int_equal(rig_read(&rig.cpu[0], APIC_ESR), 0x20);
	rig_write(&rig.cpu[1], APIC_ESR, 0);
	assert_int_equal(rig_read(&rig.cpu[1], APIC_ESR), 0);
}

static void lowest_priority_picks_one(void **state)
{
	(void)state;
	rig_init(&rig, 4, 0, false);
	for (unsigned int i = 0; i < 4; i++)
		rig_write(&rig.cpu[i], APIC_LDR, 1U << (24 + i));
	rig_write(&rig.cpu[0], APIC_TPR, 0x30);
	rig_write(&rig.cpu[1], APIC_SVR, 0xFF); /* takes no vectors */
	rig_write(&rig.cpu[2], APIC_TPR, 0x20);
	rig_write(&rig.cpu[3], APIC_TPR, 0x31);
	assert_int_equal(send(0, DM(LOWEST) | APIC_ICR_LOGICAL | 0x41, 0x0F), 0x4);
	assert_int_equal(send(0, DM(LOWEST) | APIC_ICR_LOGICAL | 0x41, 0x09), 0x1);
	assert_int_equal(send(0, DM(LOWEST) | APIC_ICR_LOGICAL | 0x41, 0x02), 0);
	assert_int_equal(send(0, DM(LOWEST) | 0x41, 3), 0x8);
	/* In service counts as well as TPR. */
	vlapic_accept(&rig.cpu[2].apic, 0x80, false);
	assert_int_equal(rig_take(&rig.cpu[2]), 0x80);
	assert_int_equal(send(0, DM(LOWEST) | APIC_ICR_LOGICAL | 0x41, 0x0F), 0x1);
}

static void disabled_apics_receive_nothing(void **state)
{
	(void)state;
	rig_init(&rig, 2, 0, false);
	rig_wrmsr(&rig.cpu[1], MSR_IA32_APIC_BASE, VLAPIC_DEFAULT_BASE);
	send(0, DM(NMI) | OTHERS, 0);
	send(0, DM(NMI), 1);
	send(0, DM(NMI), 0xFF);
	assert_int_equal(rig.cpu[1].nmis, 0);
	assert_int_equal(rig.cpu[0].nmis, 1);
}

static void messages_count_their_receivers(void **state)
{
	struct apic_message msg = { .dest = APIC_BROADCAST, .mode = APIC_FIXED, .vector = 0x41 };

	(void)state;
	rig_init(&rig, 3, 0, false);
	assert_int_equal(apic_bus_deliver(&rig.bus, &msg), 3);
	msg.dest = 0xFF;
	assert_int_equal(apic_bus_deliver(&rig.bus, &msg), 3);
	msg.dest = 2;
	assert_int_equal(apic_bus_deliver(&rig.bus, &msg), 1);
	msg.dest = 7;
	assert_int_equal(apic_bus_deliver(&rig.bus, &msg), 0);
	msg = (struct apic_message){ .dest = 0, .mode = APIC_EXTINT };
	assert_int_equal(apic_bus_deliver(&rig.bus, &msg), 0);
	msg.mode = APIC_SMI;
	assert_int_equal(apic_bus_deliver(&rig.bus, &msg), 0);
}

static void msi_as_devices_write_it(void **state)
{
	(void)state;
	rig_init(&rig, 4, 0, false);
	for (unsigned int i = 0; i < 4; i++)
		rig_write(&rig.cpu[i], APIC_LDR, 1U << (24 + i));
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE02000, 0x51), 0);
	assert_int_equal(receivers(0x51), 0x4);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE03004, 0x51), 0);
	assert_int_equal(receivers(0x51), 0x3);
	/* With the redirection hint: one of them. */
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE0300C, 0x51), 0);
	assert_int_equal(receivers(0x51), 0x1);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEEFF000, 0x51), 0);
	assert_int_equal(receivers(0x51), 0xF);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE01000, 0x400), 0);
	assert_int_equal(rig.cpu[1].nmis, 1);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE01000, 0xC051), 0); /* level, assert */
	assert_int_equal(receivers(0x51), 0x2);
	assert_int_equal(rig.eois, 1);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE01000, 0x8051), 0); /* de-assert */
	assert_int_equal(receivers(0x51), 0);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFED01000, 0x51), -EINVAL);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0x1FEE01000, 0x51), -EINVAL);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE01000, 0x351), -EINVAL);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE01000, 0x651), -EINVAL);
	assert_int_equal(receivers(0x51), 0);
}

static void eight_bit_broadcast_reaches_x2apic_mode(void **state)
{
	(void)state;
	rig_init(&rig, 3, 0, true);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEEFF000, 0x51), 0);
	assert_int_equal(receivers(0x51), 0x7);
	assert_int_equal(apic_bus_deliver_msi(&rig.bus, 0xFEE06004, 0x51), 0); /* cluster 0 */
	assert_int_equal(receivers(0x51), 0x6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(physical_ids_and_broadcast),
		cmocka_unit_test(flat_and_cluster_logical),
		cmocka_unit_test(x2apic_logical_is_derived),
		cmocka_unit_test(shorthands),
		cmocka_unit_test(starts_a_cpu_as_linux_does),
		cmocka_unit_test(illegal_vectors_are_not_sent),
		cmocka_unit_test(lowest_priority_picks_one),
		cmocka_unit_test(disabled_apics_receive_nothing),
		cmocka_unit_test(messages_count_their_receivers),
		cmocka_unit_test(msi_as_devices_write_it),
		cmocka_unit_test(eight_bit_broadcast_reaches_x2apic_mode),
	};

	return cmocka_run_group_tests_name("apic_bus", tests, NULL, NULL);
}
