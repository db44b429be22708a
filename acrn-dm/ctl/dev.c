/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrnctl dev: taking a device of this machine from its driver and giving it back. While it is taken its
 * driver_override says pci-stub, so that no driver finds it, whether that module is there or not. Everything is looked
 * at before anything is changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/pci_groups.h"

#define SYSFS	"/sys"
#define STUB	"pci-stub"

static struct pci_machine machine;

static int read_machine(void)
{
	int err = pci_machine_read(SYSFS, &machine);

	return err ? ctl_complain(SYSFS "/bus/pci", strerror(-err)) : 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int write_of(const struct pci_dev_info *d, const char *file, const char *text)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), SYSFS "/bus/pci/devices/%s/%s", d->name, file);
	err = write_file(path, text);
	return err ? ctl_complain(path, strerror(-err)) : 0;
}

/* Whatever driver is right for it now; that none is, is no error. */
static void probe(const struct pci_dev_info *d)
{
	(void)write_file(SYSFS "/bus/pci/drivers_probe", d->name);
}

static bool is_taken(const struct pci_dev_info *d)
{
	char path[PATH_MAX], text[32] = "";
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), SYSFS "/bus/pci/devices/%s/driver_override", d->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	return len > 0 && strncmp(text, STUB, strlen(STUB)) == 0;
}

static bool is_named(const struct pci_dev_info *d, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (pci_machine_find(&machine, argv[i]) == d)
			return true;
	}
	return false;
}

/* All that must go with d goes, or is gone already. */
static int check_group(const struct pci_dev_info *d, int argc, char **argv)
{
	for (unsigned int i = 0; i < machine.count; i++) {
		const struct pci_dev_info *other = &machine.dev[i];

		if (other == d || !pci_same_group(d, other) || is_named(other, argc, argv) || is_taken(other))
			continue;
		fprintf(stderr, "acrnctl: %s goes only together with %s (%s), because %s\n", d->name, other->name,
			other->driver[0] ? other->driver : "no driver", pci_bond_reason(d->bond));
		return 1;
	}
	return 0;
}

static int check_assign(const char *text, int argc, char **argv)
{
	const struct pci_dev_info *d = pci_machine_find(&machine, text);

	if (!d)
		return ctl_complain(text, "there is no such device (bus:device.function, as lspci says)");
	if (d->is_bridge)
		return ctl_complain(text, "it is a bridge, which no VM can have");
	if (d->is_away)
		return ctl_complain(text, "a VM has it");
	return check_group(d, argc, argv);
}

static int take(const struct pci_dev_info *d)
{
	if (write_of(d, "driver_override", STUB) != 0)
		return 1;
	if (d->driver[0] && strcmp(d->driver, STUB) != 0 && write_of(d, "driver/unbind", d->name) != 0) {
		(void)write_of(d, "driver_override", "\n");
		return 1;
	}
	probe(d);
	printf("%s: taken from %s%s\n", d->name, d->driver[0] ? d->driver : "no driver",
	       d->can_reset ? "" : "; it cannot be reset, so acrn-dm wants no_reset");
	return 0;
}

static int assign(int argc, char **argv)
{
	int status = read_machine();

	for (int i = 0; i < argc && status == 0; i++)
		status = check_assign(argv[i], argc, argv);
	for (int i = 0; i < argc && status == 0; i++)
		status = take(pci_machine_find(&machine, argv[i]));
	return status;
}

static int check_return(const char *text)
{
	const struct pci_dev_info *d = pci_machine_find(&machine, text);

	if (!d)
		return ctl_complain(text, "there is no such device (bus:device.function, as lspci says)");
	if (d->is_away)
		return ctl_complain(text, "a VM has it; stop that first");
	return is_taken(d) ? 0 : ctl_complain(text, "it was not taken");
}

static int give_back(const struct pci_dev_info *d)
{
	if (strcmp(d->driver, STUB) == 0 && write_of(d, "driver/unbind", d->name) != 0)
		return 1;
	if (write_of(d, "driver_override", "\n") != 0)
		return 1;
	probe(d);
	printf("%s: given back\n", d->name);
	return 0;
}

static int return_all(int argc, char **argv)
{
	int status = read_machine();

	for (int i = 0; i < argc && status == 0; i++)
		status = check_return(argv[i]);
	for (int i = 0; i < argc && status == 0; i++)
		status = give_back(pci_machine_find(&machine, argv[i]));
	return status;
}

static int list_all(int argc, char **argv)
{
	(void)argv;
	if (argc != 0)
		return ctl_complain("dev list", "takes no word") + 1;
	if (read_machine() != 0)
		return 1;
	printf("%-12s  %-9s  %-6s  %-12s  %-5s  %s\n", "DEVICE", "ID", "CLASS", "GROUP", "RESET", "DRIVER");
	for (unsigned int i = 0; i < machine.count; i++) {
		const struct pci_dev_info *d = &machine.dev[i];

		if (d->is_bridge)
			continue;
		printf("%-12s  %04x:%04x  %06x  %-12s  %-5s  %s\n", d->name, d->vendor, d->device, d->class, d->group,
		       d->can_reset ? "yes" : "no", d->is_away ? "(a VM has it)" : is_taken(d) ? "(taken)" :
		       d->driver[0] ? d->driver : "-");
	}
	return 0;
}

static int run(int argc, char **argv)
{
	if (strcmp(argv[0], "list") == 0)
		return list_all(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[0], "assign") == 0)
		return assign(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[0], "return") == 0)
		return return_all(argc - 1, argv + 1);
	return ctl_complain(argv[0], "dev list, dev assign DEVICE... and dev return DEVICE... are known") + 1;
}

static const struct ctl_command dev = {
	.name = "dev",
	.words = "WORDS",
	.help = "devices: list; assign DEVICE... for VMs; return DEVICE...",
	.manual = ".B dev list\nshows the PCI devices of this machine that a VM could have, and the group of each.\n"
		  ".B dev assign\ntakes devices, named as\n.BR lspci (8)\nnames them, from their drivers, so that\n"
		  ".BR \"acrn\\-dm \\-s N,passthru\" \"\"\ncan give them to a VM, and\n.B dev return\n"
		  "gives them back. Devices of one group go together, since something between them (their slot, a\n"
		  "bridge without Access Control Services) may carry requests that no IOMMU sees; else the command\n"
		  "refuses, and says which device is missing and why.",
	.least = 1,
	.most = 1 + PCI_DEVICES_MAX,
	.run = run,
};
CTL_COMMANDS(&dev);
