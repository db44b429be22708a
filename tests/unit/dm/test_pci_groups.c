/* SPDX-License-Identifier: BSD-3-Clause */
/* Which devices go together, on a pretended sysfs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "ctl/pci_groups.h"

#define BRIDGE	0x060400
#define CARD	0x020000

static char root[] = "/tmp/acrn-sysfs-XXXXXX";
static struct pci_machine m;

static void make(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void make_text(const char *dir, const char *file, const char *text)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	make(path, text, strlen(text));
}

/* A folder under devices/, a link to it under bus/pci/devices, as in the kernel's. above: "" or "0000:00:1c.0/". */
static void add(const char *name, const char *above, unsigned int class, unsigned int acs)
{
	char dir[PATH_MAX], path[2 * PATH_MAX], text[16];
	uint8_t cfg[4096] = { 0x86, 0x80, 0x34, 0x12 };

	snprintf(dir, sizeof(dir), "%s/devices/pci0000:00/%s%s", root, above, name);
	assert_int_equal(mkdir(dir, 0755), 0);
	make_text(dir, "vendor", "0x8086\n");
	make_text(dir, "device", "0x1234\n");
	snprintf(text, sizeof(text), "0x%06x\n", class);
	make_text(dir, "class", text);
	cfg[0x0e] = class == BRIDGE ? 1 : 0;
	cfg[0x100] = 0x01;	/* something else before it */
	cfg[0x102] = 0x01;
	cfg[0x103] = 0x14;
	cfg[0x140] = acs ? 0x0d : 0;
	cfg[0x144] = (uint8_t)acs;
	snprintf(path, sizeof(path), "%s/config", dir);
	make(path, cfg, sizeof(cfg));
	snprintf(dir, sizeof(dir), "../../../devices/pci0000:00/%s%s", above, name);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", root, name);
	assert_int_equal(symlink(dir, path), 0);
}

static void of(const char *name, const char *file, const char *text)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/bus/pci/devices/%s", root, name);
	make_text(dir, file, text);
}

static int setup(void **state)
{
	char path[2 * PATH_MAX];

	(void)state;
	strcpy(strrchr(root, '-'), "-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (const char *const *d = (const char *const[]){ "bus", "bus/pci", "bus/pci/devices", "devices",
							   "devices/pci0000:00", NULL }; *d; d++) {
		snprintf(path, sizeof(path), "%s/%s", root, *d);
		if (mkdir(path, 0755) != 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static const struct pci_dev_info *get(const char *name)
{
	const struct pci_dev_info *d = pci_machine_find(&m, name);

	assert_non_null(d);
	return d;
}

static void look(void)
{
	assert_int_equal(pci_machine_read(root, &m), 0);
}

static void what_is_told_of_a_device(void **state)
{
	(void)state;
	add("0000:00:08.0", "", CARD, 0);
	of("0000:00:08.0", "reset", "");
	add("0000:00:02.0", "", 0x030000, 0);
	look();
	assert_int_equal(m.count, 2);
	assert_string_equal(m.dev[0].name, "0000:00:02.0");
	assert_int_equal(get("00:08.0")->vendor, 0x8086);
	assert_int_equal(get("0/8/0")->device, 0x1234);
	assert_int_equal(get("0000:00:08.0")->class, CARD);
	assert_true(get("0:8.0")->can_reset);
	assert_false(get("0:2.0")->can_reset);
	assert_false(get("0:8.0")->is_bridge);
	assert_false(get("0:8.0")->is_away);
	assert_string_equal(get("0:8.0")->driver, "");
	assert_null(pci_machine_find(&m, "00:09.0"));
	assert_null(pci_machine_find(&m, "00:08.0x"));
	assert_null(pci_machine_find(&m, "e1000e"));
	assert_null(pci_machine_find(&m, "00:08"));
}

static void devices_of_the_root_bus_are_alone(void **state)
{
	(void)state;
	add("0000:00:02.0", "", CARD, 0);
	add("0000:00:03.0", "", CARD, 0);
	look();
	assert_int_equal(get("0:2.0")->bond, PCI_ALONE);
	assert_false(pci_same_group(get("0:2.0"), get("0:3.0")));
}

static void functions_of_a_slot_go_together(void **state)
{
	(void)state;
	add("0000:00:1f.2", "", CARD, 0);
	add("0000:00:1f.3", "", CARD, 0);
	add("0000:00:1e.0", "", CARD, 0);
	look();
	assert_true(pci_same_group(get("0:1f.2"), get("0:1f.3")));
	assert_int_equal(get("0:1f.3")->bond, PCI_SLOT);
	assert_false(pci_same_group(get("0:1e.0"), get("0:1f.3")));
}

static void functions_with_acs_do_not(void **state)
{
	(void)state;
	add("0000:00:05.0", "", CARD, 0x0c);
	add("0000:00:05.1", "", CARD, 0x0c);
	add("0000:00:06.0", "", CARD, 0x0c);
	add("0000:00:06.1", "", CARD, 0x04);
	look();
	assert_false(pci_same_group(get("0:5.0"), get("0:5.1")));
	assert_true(pci_same_group(get("0:6.0"), get("0:6.1")));
}

static void a_port_with_acs_keeps_apart(void **state)
{
	(void)state;
	add("0000:00:1c.0", "", BRIDGE, 0x1d);
	add("0000:01:00.0", "0000:00:1c.0/", CARD, 0);
	add("0000:00:1d.0", "", BRIDGE, 0x1d);
	add("0000:02:00.0", "0000:00:1d.0/", CARD, 0);
	look();
	assert_false(pci_same_group(get("1:0.0"), get("2:0.0")));
	assert_int_equal(get("1:0.0")->bond, PCI_ALONE);
	assert_int_equal(get("1:0.0")->depth, 1);
	assert_false(pci_same_group(get("1:0.0"), get("0:1c.0")));
}

static void a_bridge_without_acs_binds_all_below(void **state)
{
	(void)state;
	add("0000:00:1c.0", "", BRIDGE, 0x1d);
	add("0000:01:00.0", "0000:00:1c.0/", BRIDGE, 0x0d);
	add("0000:02:00.0", "0000:00:1c.0/0000:01:00.0/", CARD, 0);
	add("0000:02:01.0", "0000:00:1c.0/0000:01:00.0/", BRIDGE, 0x1d);
	add("0000:03:00.0", "0000:00:1c.0/0000:01:00.0/0000:02:01.0/", CARD, 0);
	look();
	assert_true(pci_same_group(get("2:0.0"), get("3:0.0")));
	assert_string_equal(get("3:0.0")->group, "0000:01:00.0");
	assert_int_equal(get("3:0.0")->bond, PCI_BRIDGE);
}

static void ports_of_one_slot_bind_what_is_below(void **state)
{
	(void)state;
	add("0000:00:1c.0", "", BRIDGE, 0x1d);
	add("0000:00:1c.1", "", BRIDGE, 0);
	add("0000:01:00.0", "0000:00:1c.0/", CARD, 0);
	add("0000:02:00.0", "0000:00:1c.1/", CARD, 0);
	look();
	assert_true(pci_same_group(get("1:0.0"), get("2:0.0")));
}

static void one_that_a_vm_has_does_not_answer(void **state)
{
	static const uint8_t ones[64] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff };
	char path[PATH_MAX];

	(void)state;
	add("0000:00:08.0", "", CARD, 0);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:00:08.0/config", root);
	make(path, ones, sizeof(ones));
	look();
	assert_true(get("0:8.0")->is_away);
	assert_false(get("0:8.0")->is_bridge);
}

static void no_pci_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(pci_machine_read("/nonexistent", &m), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_told_of_a_device),
		TEST(devices_of_the_root_bus_are_alone),
		TEST(functions_of_a_slot_go_together),
		TEST(functions_with_acs_do_not),
		TEST(a_port_with_acs_keeps_apart),
		TEST(a_bridge_without_acs_binds_all_below),
		TEST(ports_of_one_slot_bind_what_is_below),
		TEST(one_that_a_vm_has_does_not_answer),
		TEST(no_pci_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
