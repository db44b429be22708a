/* SPDX-License-Identifier: BSD-3-Clause */
/* The decoders in the headers of x86/: descriptors, APIC encodings, CPUID and XCR0 rules. */
#include "x86/apic.h"
#include "x86/cpuid.h"
#include "x86/cr.h"
#include "x86/exception.h"
#include "x86/segment.h"
#include "unit.h"

static void test_descriptor_is_unpacked(void **state)
{
	struct segment s = segment_from_descriptor(0x8, 0x00AF9B000000FFFFUL);

	(void)state;
	assert_int_equal(s.selector, 0x8);
	assert_int_equal(s.limit, 0xFFFFFFFF);
	assert_int_equal(s.base, 0);
	assert_int_equal(s.attr, SEG_P | SEG_S | SEG_TYPE_CODE_RX | SEG_L | SEG_G);
	assert_true(segment_is_usable(&s));
	assert_int_equal(segment_dpl(&s), 0);

	s = segment_from_descriptor(0x2B, 0x1240F35678901234UL);
	assert_int_equal(s.base, 0x12567890);
	assert_int_equal(s.limit, 0x01234);
	assert_int_equal(segment_dpl(&s), 3);
	s.attr |= SEG_UNUSABLE;
	assert_false(segment_is_usable(&s));
}

static void test_apic_timer_divisor(void **state)
{
	/* SDM 3A figure 10-10 */
	static const unsigned int low[] = {2, 4, 8, 16}, high[] = {32, 64, 128, 1};

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(apic_timer_divisor(i), low[i]);
		assert_int_equal(apic_timer_divisor(8 + i), high[i]);
	}
}

static void test_x2apic_logical_id(void **state)
{
	(void)state;
	assert_int_equal(x2apic_logical_id(0), 0x00000001);
	assert_int_equal(x2apic_logical_id(0x2F), 0x00028000);
	assert_int_equal(X2APIC_MSR(APIC_EOI), 0x80B);
	assert_int_equal(X2APIC_MSR(APIC_SELF_IPI), 0x83F);
}

static void test_family_and_model(void **state)
{
	(void)state;
	assert_int_equal(cpuid_family(0x000306C3), 6);
	assert_int_equal(cpuid_model(0x000306C3), 0x3C);
	assert_int_equal(cpuid_family(0x00800F11), 0x17);
	assert_int_equal(cpuid_model(0x00800F11), 0x01);
}

static void test_xcr0_rules(void **state)
{
	const uint64_t all = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_MPX | XCR0_AVX512 | XCR0_PKRU;

	(void)state;
	assert_true(xcr0_is_valid(XCR0_X87, all));
	assert_true(xcr0_is_valid(all, all));
	assert_false(xcr0_is_valid(XCR0_SSE, all));
	assert_false(xcr0_is_valid(0, all));
	assert_false(xcr0_is_valid(XCR0_X87 | XCR0_AVX, all));
	assert_false(xcr0_is_valid(XCR0_X87 | (1UL << 3), all));
	assert_false(xcr0_is_valid(XCR0_X87 | XCR0_SSE | XCR0_AVX512, all));
	assert_false(xcr0_is_valid(XCR0_X87 | XCR0_SSE | XCR0_AVX | (1UL << 6), all));
	assert_false(xcr0_is_valid(XCR0_X87 | XCR0_SSE, XCR0_X87));
	assert_false(xcr0_is_valid(XCR0_X87 | (1UL << 17), ~0UL));
}

static void test_exception_kinds(void **state)
{
	static const unsigned int with_code[] = {8, 10, 11, 12, 13, 14, 17, 21, 29, 30};
	unsigned int found = 0;

	(void)state;
	for (unsigned int v = 0; v < 256; v++)
		found += exception_has_error_code(v);
	assert_int_equal(found, sizeof(with_code) / sizeof(with_code[0]));
	for (unsigned int i = 0; i < found; i++)
		assert_true(exception_has_error_code(with_code[i]));
	assert_true(exception_is_contributory(EXC_GP));
	assert_true(exception_is_contributory(EXC_DE));
	assert_false(exception_is_contributory(EXC_PF));
	assert_false(exception_is_contributory(EXC_UD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptor_is_unpacked),
		cmocka_unit_test(test_apic_timer_divisor),
		cmocka_unit_test(test_x2apic_logical_id),
		cmocka_unit_test(test_family_and_model),
		cmocka_unit_test(test_xcr0_rules),
		cmocka_unit_test(test_exception_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
