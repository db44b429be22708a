/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * acrn.conf as people write it, rightly and wrongly. The wrong ones are one table: file, line,
 * column, sentence; the sentences are promises (people search for them), so a changed one fails
 * here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/scenario.h"

static struct scenario scenario;
static struct scenario_error error;

/* Parses a copy of exactly the text's length, so that the sanitizer sees a byte read too far. */
static bool parse(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len + (len == 0));
	bool ok;

	memcpy(copy, text, len);
	memset(&scenario, 0xa5, sizeof(scenario));
	memset(&error, 0xa5, sizeof(error));
	ok = scenario_parse(copy, len, &scenario, &error);
	free(copy);
	return ok;
}

static void a_minimal_file_gets_the_defaults(void **state)
{
	(void)state;
	assert_true(parse("[service-vm]\nkernel=vmlinuz"));
	assert_string_equal(scenario.service_vm.kernel, "vmlinuz");
	assert_string_equal(scenario.service_vm.initrd, "");
	assert_string_equal(scenario.service_vm.cmdline, "");
	assert_true(scenario.serial.enabled);
	assert_false(scenario.serial.is_mmio);
	assert_int_equal(scenario.serial.base, 0x3f8);
	assert_int_equal(scenario.serial.baud, 115200);
	assert_true(scenario.screen);
	assert_int_equal(scenario.loglevel, SCENARIO_LOG_INFO);
	assert_int_equal(scenario.num_vms, 0);
	assert_true(scenario_is_supported(&scenario, &error));
}

static void the_documented_file_is_read_whole(void **state)
{
	(void)state;
	assert_true(parse(
		"[hypervisor]\n"
		"console  = serial 0x2f8 57600, screen\n"
		"loglevel = debug\n"
		"\n"
		"[service-vm]\n"
		"kernel  = vmlinuz              # beside this file, or a path on the same volume\n"
		"initrd  = \\boot\\initrd.img\n"
		"cmdline = root=UUID=0-1 ro quiet x=a#b key=\"v\" a=b=c\n"
		"\n"
		"[vm control]\n"
		"kernel  = rt-vmlinuz\n"
		"memory  = 256M\n"
		"cpus    = 3\n"
		"lapic   = passthrough\n"
		"devices = 00:1f.6, 01:00.0\n"));
	assert_int_equal(scenario.serial.base, 0x2f8);
	assert_int_equal(scenario.serial.baud, 57600);
	assert_true(scenario.screen);
	assert_int_equal(scenario.loglevel, SCENARIO_LOG_DEBUG);
	assert_string_equal(scenario.service_vm.kernel, "vmlinuz");
	assert_int_equal(scenario.service_vm.kernel_at.line, 6);
	assert_int_equal(scenario.service_vm.kernel_at.column, 11);
	assert_int_equal(scenario.service_vm.initrd_at.line, 7);
	assert_string_equal(scenario.service_vm.initrd, "\\boot\\initrd.img");
	assert_string_equal(scenario.service_vm.cmdline,
			    "root=UUID=0-1 ro quiet x=a#b key=\"v\" a=b=c");
	assert_int_equal(scenario.num_vms, 1);
	assert_string_equal(scenario.vms[0].name, "control");
	assert_string_equal(scenario.vms[0].boot.kernel, "rt-vmlinuz");
	assert_int_equal(scenario.vms[0].memory, 256 << 20);
	assert_int_equal(scenario.vms[0].cpus, 8);
	assert_true(scenario.vms[0].lapic_passthrough);
	assert_int_equal(scenario.vms[0].num_devices, 2);
	assert_int_equal(scenario.vms[0].devices[0], 0x00fe);
	assert_int_equal(scenario.vms[0].devices[1], 0x0100);
}

static void a_vm_that_starts_with_the_machine_is_refused_until_built(void **state)
{
	(void)state;
	assert_true(parse("[service-vm]\nkernel = k\n\n[vm rt]\nkernel = k\nmemory = 1G\n"));
	assert_false(scenario_is_supported(&scenario, &error));
	assert_int_equal(error.at.line, 4);
	assert_int_equal(error.at.column, 1);
	assert_string_equal(error.text,
			    "[vm rt]: VMs that start with the machine are not built yet");
}

static void windows_line_ends_a_byte_order_mark_and_comments_are_fine(void **state)
{
	(void)state;
	assert_true(parse("\xef\xbb\xbf# a comment\r\n[service-vm] # another\r\n\tkernel = "
			  "k\r\n#cmdline = x\r\n"));
	assert_string_equal(scenario.service_vm.kernel, "k");
	assert_string_equal(scenario.service_vm.cmdline, "");
}

static void consoles_can_be_chosen_or_left_out(void **state)
{
	(void)state;
	assert_true(parse("[hypervisor]\nconsole = none\n[service-vm]\nkernel = k"));
	assert_false(scenario.serial.enabled);
	assert_false(scenario.screen);
	assert_true(
		parse("[hypervisor]\nconsole = serial mmio 0xfe032000\n[service-vm]\nkernel = k"));
	assert_true(scenario.serial.is_mmio);
	assert_int_equal(scenario.serial.base, 0xfe032000);
	assert_int_equal(scenario.serial.baud, 115200);
	assert_false(scenario.screen);
	assert_true(
		parse("[hypervisor]\nconsole = screen , serial 1016\n[service-vm]\nkernel = k"));
	assert_int_equal(scenario.serial.base, 0x3f8);
	assert_true(scenario.screen);
}

static void a_watchdog_is_seconds_and_none_by_default(void **state)
{
	(void)state;
	assert_true(parse("[service-vm]\nkernel = k"));
	assert_int_equal(scenario.watchdog, 0);
	assert_true(parse("[hypervisor]\nwatchdog = 300\n[service-vm]\nkernel = k"));
	assert_int_equal(scenario.watchdog, 300);
}

static void loglevels_have_names_and_numbers(void **state)
{
	(void)state;
	assert_true(parse("[hypervisor]\nloglevel = none\n[service-vm]\nkernel = k"));
	assert_int_equal(scenario.loglevel, SCENARIO_LOG_NONE);
	assert_true(parse("[hypervisor]\nloglevel = 5\n[service-vm]\nkernel = k"));
	assert_int_equal(scenario.loglevel, SCENARIO_LOG_DEBUG);
}

#define SVM "[service-vm]\nkernel = k\n"
#define HV "[hypervisor]\n"
#define VM SVM "[vm a]\n"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static const struct {
	const char *file;
	uint32_t line;
	uint32_t column;
	const char *text;
} wrong[] = {
	{"", 1, 1, "the file ends without a [service-vm] section"},
	{"[hypervisor]\nloglevel = 5\n", 3, 1, "the file ends without a [service-vm] section"},
	{"[service-vm]\ninitrd = i\n", 1, 1, "[service-vm] has no kernel"},
	{"\n[service-vm]\n[hypervisor]\n", 2, 1, "[service-vm] has no kernel"},
	{"[service-vm]\n  kernal = k\n", 2, 3, "unknown key \"kernal\" in [service-vm]"},
	{"[service-vm]\nkernel = \n", 2, 1, "the key \"kernel\" has no value"},
	{"[service-vm]\nkernel = # none\n", 2, 1, "the key \"kernel\" has no value"},
	{SVM "kernel = k\n", 3, 1, "the key \"kernel\" was given before in this section"},
	{SVM "[service-vm]\nkernel = k\n", 3, 2, "a second section \"service-vm\""},
	{HV HV SVM, 2, 2, "a second section \"hypervisor\""},
	{"kernel = k\n", 1, 1, "the key \"kernel\" stands before the first section"},
	{"[service-vm]\nkernel\n", 2, 1, "not a section and not a line `key = value`: \"kernel\""},
	{"[service-vm]\n = k\n", 2, 2, "no key before the = of \"= k\""},
	{"[service-vm\n", 1, 1, "the section header \"[service-vm\" does not end with ]"},
	{"[\n", 1, 1, "the section header \"[\" does not end with ]"},
	{"[]\n", 1, 1, "unknown section \"[]\": use [hypervisor], [service-vm] or [vm NAME]"},
	{"[servicevm]\n", 1, 2,
	 "unknown section \"servicevm\": use [hypervisor], [service-vm] or [vm NAME]"},
	{"[service-vm]\nkernel = " FIFTY FIFTY FIFTY FIFTY FIFTY "012345\n", 2, 10,
	 "the path \"" TEN TEN TEN TEN "01234567...\" is longer than 255 bytes"},
	{"[service-vm]\nkernel = a\x01z\n", 2, 11,
	 "a control character: the file must be plain text (ASCII or UTF-8)"},
	{"[service-vm]\nkernal\xc3\xa9 = k\n", 2, 1, "unknown key \"kernal??\" in [service-vm]"},
	{HV "watchdog = 1h\n", 2, 12,
	 "bad watchdog \"1h\": use seconds, at most 3600; 0 is none"},
	{HV "watchdog = 3601\n", 2, 12,
	 "bad watchdog \"3601\": use seconds, at most 3600; 0 is none"},
	{HV "loglevel = loud\n", 2, 12,
	 "bad loglevel \"loud\": use none, error, warn, notice, info, debug, or a number from 0 to "
	 "5"},
	{HV "loglevel = 6\n", 2, 12,
	 "bad loglevel \"6\": use none, error, warn, notice, info, debug, or a number from 0 to 5"},
	{HV "console = teletype\n", 2, 11,
	 "unknown console \"teletype\": use serial PORT [BAUD], serial mmio ADDRESS [BAUD], screen "
	 "or none"},
	{HV "console = screen,\n", 2, 18,
	 "unknown console: use serial PORT [BAUD], serial mmio ADDRESS [BAUD], screen or none"},
	{HV "console = screen, screen\n", 2, 19, "a second console \"screen\" of the same kind"},
	{HV "console = serial 1, serial 2\n", 2, 21,
	 "a second console \"serial 2\" of the same kind"},
	{HV "console = screen, none\n", 2, 19, "the console \"none\" cannot stand beside another"},
	{HV "console = serial\n", 2, 17, "bad port of the serial console"},
	{HV "console = serial com1\n", 2, 18, "bad port \"com1\" of the serial console"},
	{HV "console = serial 0xffff\n", 2, 18, "bad port \"0xffff\" of the serial console"},
	{HV "console = serial mmio here\n", 2, 23, "bad address \"here\" of the serial console"},
	{HV "console = serial 0x3f8 0\n", 2, 24, "bad baud rate \"0\" of the serial console"},
	{HV "console = serial 0x3f8 9600 8n1\n", 2, 29, "unexpected \"8n1\" behind the baud rate"},
	{SVM "[vm]\n", 3, 2, "the section \"vm\" needs a name: [vm NAME]"},
	{SVM "[vm a/b]\n", 3, 5,
	 "bad VM name \"a/b\": use letters, digits, dot, dash and underscore"},
	{SVM "[vm a b]\n", 3, 5,
	 "bad VM name \"a b\": use letters, digits, dot, dash and underscore"},
	{SVM "[vm sixteen-letters-]\n", 3, 5,
	 "the VM name \"sixteen-letters-\" is longer than 15 characters"},
	{VM "kernel = k\nmemory = 1M\n[vm a]\n", 6, 5, "a second VM named \"a\""},
	{VM "memory = 1M\n", 3, 1, "[vm ...] has no kernel"},
	{VM "kernel = k\n", 3, 1, "[vm ...] has no memory"},
	{VM "memory = lots\n", 4, 10, "bad size \"lots\": use a number with K, M or G, like 256M"},
	{VM "memory = 0\n", 4, 10, "bad size \"0\": use a number with K, M or G, like 256M"},
	{VM "memory = 1000\n", 4, 10, "the size \"1000\" is not a multiple of 1M"},
	{VM "cpus = 64\n", 4, 8, "bad list of CPUs \"64\": use numbers from 0 to 63, like 0,2-3"},
	{VM "lapic = real\n", 4, 9, "bad lapic \"real\": use virtual or passthrough"},
	{VM "devices = 00:1f.6, x\n", 4, 20,
	 "bad PCI device \"x\": use bus:device.function, like 00:1f.6"},
};

static void every_wrong_line_is_named_with_its_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (parse(wrong[i].file))
			fail_msg("accepted: %s", wrong[i].file);
		assert_string_equal(error.text, wrong[i].text);
		if (error.at.line != wrong[i].line || error.at.column != wrong[i].column)
			fail_msg("%s: at %u:%u, not %u:%u", wrong[i].text, error.at.line,
				 error.at.column, wrong[i].line, wrong[i].column);
	}
}

static void a_file_of_utf_16_is_refused(void **state)
{
	static const char text[] = "[\0s\0e\0r\0";

	(void)state;
	assert_false(scenario_parse(text, sizeof(text), &scenario, &error));
	assert_int_equal(error.at.line, 1);
	assert_int_equal(error.at.column, 2);
}

static void a_command_line_of_2047_bytes_is_the_longest(void **state)
{
	static char file[4096];
	size_t start = strlen(SVM "cmdline = ");

	(void)state;
	memcpy(file, SVM "cmdline = ", start);
	memset(file + start, 'x', 2047);
	assert_true(scenario_parse(file, start + 2047, &scenario, &error));
	assert_int_equal(strlen(scenario.service_vm.cmdline), 2047);
	file[start + 2047] = 'x';
	assert_false(scenario_parse(file, start + 2048, &scenario, &error));
	assert_int_equal(error.at.line, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minimal_file_gets_the_defaults),
		cmocka_unit_test(the_documented_file_is_read_whole),
		cmocka_unit_test(a_vm_that_starts_with_the_machine_is_refused_until_built),
		cmocka_unit_test(windows_line_ends_a_byte_order_mark_and_comments_are_fine),
		cmocka_unit_test(consoles_can_be_chosen_or_left_out),
		cmocka_unit_test(a_watchdog_is_seconds_and_none_by_default),
		cmocka_unit_test(loglevels_have_names_and_numbers),
		cmocka_unit_test(every_wrong_line_is_named_with_its_place),
		cmocka_unit_test(a_file_of_utf_16_is_refused),
		cmocka_unit_test(a_command_line_of_2047_bytes_is_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
