/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables as a guest walks them: pointers, lengths, checksums; and the AML encoding where it is easy to get
 * wrong.
 */
#include "unit.h"

#include <string.h>

#include "firmware/acpi.h"
#include "firmware/aml.h"
#include "memory.h"
#include "vm.h"

#define ROOM (ACPI_END - ACPI_BASE)
static uint8_t area[ROOM];

unsigned int vm_vcpu_count(void)
{
	return 1;
}

uint32_t vm_apic_id(unsigned int vcpu)
{
	return vcpu;
}

void vm_request(enum vm_request what)
{
	(void)what;
}

static uint64_t get(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static const uint8_t *at(uint64_t address)
{
	assert_in_range(address, ACPI_BASE, ACPI_END - 36);
	return area + (address - ACPI_BASE);
}

static const uint8_t *checked_table(uint64_t address, const char *signature)
{
	const uint8_t *t = at(address);
	uint32_t len = (uint32_t)get(t + 4, 4);

	assert_memory_equal(t, signature, 4);
	assert_in_range(len, 36, (uint64_t)(area + ROOM - t));
	assert_int_equal(acpi_checksum(t, len), 0);
	return t;
}

static struct acpi_machine machine(unsigned int cpus)
{
	struct acpi_machine m = { .cpu_count = cpus, .uart_count = 1, .intx_count = 32, .lpc_dev = 1,
				  .ecam_base = 0xe0000000, .ecam_size = 0x10000000 };

	for (unsigned int i = 0; i < cpus; i++)
		m.apic_id[i] = i * 20;
	m.uart[0].port = 0x3f8;
	m.uart[0].irq = 4;
	m.uart[0].number = 1;
	for (unsigned int i = 0; i < 32; i++)
		m.intx[i].dev = (uint8_t)i, m.intx[i].gsi = (uint8_t)(16 + i);
	return m;
}

static void every_table_is_found_and_sums_to_zero(void **state)
{
	static const char *const names[] = { "FACP", "APIC", "HPET", "MCFG" };

	(void)state;
	for (unsigned int cpus = 1; cpus <= 16; cpus++) {
		struct acpi_machine m = machine(cpus);
		const uint8_t *rsdt, *xsdt, *fadt;

		memset(area, 0xee, sizeof(area));
		assert_true(acpi_build(&m, ACPI_BASE, area, ROOM) > 0);
		assert_memory_equal(area, "RSD PTR ", 8);
		assert_int_equal(acpi_checksum(area, 20), 0);
		assert_int_equal(acpi_checksum(area, 36), 0);
		rsdt = checked_table(get(area + 16, 4), "RSDT");
		xsdt = checked_table(get(area + 24, 8), "XSDT");
		for (unsigned int i = 0; i < 4; i++) {
			checked_table(get(xsdt + 36 + 8 * i, 8), names[i]);
			assert_int_equal(get(rsdt + 36 + 4 * i, 4), get(xsdt + 36 + 8 * i, 8));
		}
		fadt = at(get(xsdt + 36, 8));
		checked_table(get(fadt + 140, 8), "DSDT");
		assert_memory_equal(at(get(fadt + 132, 8)), "FACS", 4);
		assert_int_equal(get(fadt + 40, 4), get(fadt + 140, 8));
	}
}

static void madt_names_every_cpu(void **state)
{
	struct acpi_machine m = machine(16);
	unsigned int lapics = 0, x2apics = 0;
	size_t len = acpi_build_madt(&m, area, ROOM);

	(void)state;
	for (size_t p = 44; p < len; p += area[p + 1]) {
		assert_true(area[p + 1] >= 2);
		lapics += area[p] == 0;
		x2apics += area[p] == 9;
	}
	assert_int_equal(lapics, 13);	/* ids 0..240 */
	assert_int_equal(x2apics, 3);	/* 260, 280, 300 */
}

static void too_little_room_is_said(void **state)
{
	struct acpi_machine m = machine(2);
	size_t whole = acpi_build(&m, ACPI_BASE, area, ROOM);

	(void)state;
	for (size_t room = 0; room < whole; room++)
		assert_int_equal(acpi_build(&m, ACPI_BASE, area, room), 0);
	assert_int_equal(acpi_build(&m, ACPI_BASE, area, whole), whole);
}

static void aml_values_have_their_encoding(void **state)
{
	struct aml a;
	size_t scope;

	(void)state;
	aml_init(&a, area, 64);
	aml_eisa_id(&a, "PNP0A03");
	assert_memory_equal(area, "\x0c\x41\xd0\x0a\x03", 5);	/* as ACPI 19.3.4 gives it */
	aml_init(&a, area, 64);
	aml_integer(&a, 1);
	aml_integer(&a, 0x80);
	aml_integer(&a, 0x1234);
	aml_integer(&a, 1ull << 32);
	assert_memory_equal(area, "\x01\x0a\x80\x0b\x34\x12\x0e\0\0\0\0\x01\0\0\0", 15);
	aml_init(&a, area, 64);
	scope = aml_open_scope(&a, "\\_SB");
	aml_close(&a, scope);
	assert_memory_equal(area, "\x10\x88\0\0\\_SB_", 9);
	assert_true(aml_ok(&a));
}

static void aml_overflow_is_remembered(void **state)
{
	struct aml a;

	(void)state;
	aml_init(&a, area, 8);
	aml_string(&a, "longer than eight");
	aml_integer(&a, 0);
	assert_false(aml_ok(&a));
	assert_true(a.len <= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_is_found_and_sums_to_zero),
		cmocka_unit_test(madt_names_every_cpu),
		cmocka_unit_test(too_little_room_is_said),
		cmocka_unit_test(aml_values_have_their_encoding),
		cmocka_unit_test(aml_overflow_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
