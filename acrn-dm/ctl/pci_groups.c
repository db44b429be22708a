/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device is in the group of the highest place above it, or of its own slot, that does not keep those below apart: a
 * bridge without Access Control Services, a slot of several functions of which one has none (PCI Express 5.0 6.12).
 */
#include "ctl/pci_groups.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASS_BRIDGE		0x06
#define CFG_CLASS		0x08
#define CFG_HEADER		0x0e
#define EXT_FIRST		0x100
#define EXT_ACS			0x000d
#define ACS_CAPABILITY		4
#define ACS_NEEDED		0x1d	/* source validation, redirection of requests and completions, forwarding */
#define ACS_ENDPOINT		0x0c	/* what a function that is no port can have of them */

static unsigned int word(const uint8_t *cfg, unsigned int at, unsigned int size)
{
	unsigned int v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (unsigned int)cfg[at + i] << 8 * i;
	return v;
}

static bool read_acs(const uint8_t *cfg, size_t len, bool is_bridge)
{
	unsigned int at = EXT_FIRST, need = is_bridge ? ACS_NEEDED : ACS_ENDPOINT;

	for (unsigned int n = 0; n < 64 && at >= EXT_FIRST && at + 8 <= len; n++) {
		unsigned int head = word(cfg, at, 4);

		if ((head & 0xffff) == EXT_ACS)
			return (word(cfg, at + ACS_CAPABILITY, 2) & need) == need;
		at = head >> 20 & 0xffc;
	}
	return false;
}

static ssize_t read_file(int dir, const char *name, const char *file, void *buf, size_t size)
{
	char path[PATH_MAX];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", name, file);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size);
	if (len < 0)
		len = -errno;
	close(fd);
	return len;
}

static unsigned long number(int dir, const char *name, const char *file)
{
	char text[32] = "";
	ssize_t len = read_file(dir, name, file, text, sizeof(text) - 1);

	return len > 0 ? strtoul(text, NULL, 0) : 0;
}

static bool is_name(const char *text)
{
	static const char shape[] = "xxxx:xx:xx.d";

	if (strlen(text) != sizeof(shape) - 1)
		return false;
	for (unsigned int i = 0; shape[i]; i++) {
		bool is_digit = isxdigit((unsigned char)text[i]) && (shape[i] == 'x' || text[i] <= '7');

		if (shape[i] == 'x' || shape[i] == 'd' ? !is_digit : text[i] != shape[i])
			return false;
	}
	return true;
}

/* The last part of what a link points to; "" when there is none. */
static void link_target(int dir, const char *name, const char *file, char *to, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s", name, file);
	len = readlinkat(dir, path, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = 0;
	snprintf(to, size, "%.*s", (int)size - 1, strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

/* Where the link points: ../../../devices/pci0000:00/0000:00:1c.0/0000:03:00.0 names the bridges on the way. */
static void read_path(int dir, struct pci_dev_info *d)
{
	char target[PATH_MAX], *save = NULL;
	ssize_t len = readlinkat(dir, d->name, target, sizeof(target) - 1);

	target[len < 0 ? 0 : len] = 0;
	for (char *part = strtok_r(target, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		if (is_name(part) && strcmp(part, d->name) != 0 && d->depth < PCI_DEPTH_MAX)
			snprintf(d->path[d->depth++], PCI_NAME_MAX, "%s", part);
	}
}

static void read_device(int dir, const char *name, struct pci_dev_info *d)
{
	uint8_t cfg[4096] = { 0 };
	char path[PATH_MAX];
	ssize_t len;

	memset(d, 0, sizeof(*d));
	memcpy(d->name, name, strlen(name));	/* is_name() knows how long it is */
	d->vendor = (uint16_t)number(dir, name, "vendor");
	d->device = (uint16_t)number(dir, name, "device");
	d->class = (uint32_t)number(dir, name, "class");
	len = read_file(dir, name, "config", cfg, sizeof(cfg));
	/* not the identity, which a virtual function does not have */
	d->is_away = len >= 12 && word(cfg, CFG_CLASS, 4) == 0xffffffff;
	d->is_bridge = d->class >> 16 == CLASS_BRIDGE || (!d->is_away && (cfg[CFG_HEADER] & 0x7f) != 0);
	d->has_acs = len > 0 && read_acs(cfg, (size_t)len, d->is_bridge);
	snprintf(path, sizeof(path), "%s/reset", name);
	d->can_reset = faccessat(dir, path, F_OK, 0) == 0;
	link_target(dir, name, "driver", d->driver, sizeof(d->driver));
	read_path(dir, d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pci_dev_info *)a)->name, ((const struct pci_dev_info *)b)->name);
}

/* Up to the dot. */
static bool same_slot(const char *a, const char *b)
{
	return strncmp(a, b, PCI_NAME_MAX - 5) == 0;
}

static const struct pci_dev_info *by_exact_name(const struct pci_machine *m, const char *name)
{
	for (unsigned int i = 0; i < m->count; i++) {
		if (strcmp(m->dev[i].name, name) == 0)
			return &m->dev[i];
	}
	return NULL;
}

/* The first function of a slot that does not keep its functions apart; NULL: it does, or there is only one. */
static const struct pci_dev_info *open_slot(const struct pci_machine *m, const char *name)
{
	const struct pci_dev_info *first = NULL;
	unsigned int functions = 0;
	bool is_open = false;

	for (unsigned int i = 0; i < m->count; i++) {
		if (!same_slot(m->dev[i].name, name))
			continue;
		functions++;
		is_open |= !m->dev[i].has_acs;
		if (!first)
			first = &m->dev[i];
	}
	return functions > 1 && is_open ? first : NULL;
}

static void set_group(struct pci_dev_info *d, const char *name, enum pci_bond bond)
{
	memmove(d->group, name, sizeof(d->group));
	d->bond = bond;
}

/* From the root down; the first place that is open decides. */
static void find_group(const struct pci_machine *m, struct pci_dev_info *d)
{
	const struct pci_dev_info *open;

	for (unsigned int i = 0; i < d->depth; i++) {
		const struct pci_dev_info *bridge = by_exact_name(m, d->path[i]);

		open = open_slot(m, d->path[i]);
		if (open)
			return set_group(d, open->name, PCI_BRIDGE);
		if (!bridge || !bridge->has_acs)
			return set_group(d, d->path[i], PCI_BRIDGE);
	}
	open = open_slot(m, d->name);
	set_group(d, open ? open->name : d->name, open ? PCI_SLOT : PCI_ALONE);
}

int pci_machine_read(const char *sysfs, struct pci_machine *m)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	m->count = 0;
	snprintf(path, sizeof(path), "%s/bus/pci/devices", sysfs);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((e = readdir(dir)) != NULL && m->count < PCI_DEVICES_MAX) {
		if (is_name(e->d_name) && strncmp(e->d_name, "0000:", 5) == 0)
			read_device(dirfd(dir), e->d_name, &m->dev[m->count++]);
	}
	closedir(dir);
	qsort(m->dev, m->count, sizeof(m->dev[0]), by_name);
	for (unsigned int i = 0; i < m->count; i++)
		find_group(m, &m->dev[i]);
	return 0;
}

const struct pci_dev_info *pci_machine_find(const struct pci_machine *m, const char *text)
{
	unsigned int bus, dev, fn;
	char name[PCI_NAME_MAX];
	int end = 0;

	if (strncmp(text, "0000:", 5) == 0)
		text += 5;
	if (sscanf(text, "%2x%*[:/.]%2x%*[:/.]%1x%n", &bus, &dev, &fn, &end) != 3 || text[end] || dev > 31 || fn > 7)
		return NULL;
	snprintf(name, sizeof(name), "0000:%02x:%02x.%x", bus & 0xff, dev, fn);
	return by_exact_name(m, name);
}

bool pci_same_group(const struct pci_dev_info *a, const struct pci_dev_info *b)
{
	return !a->is_bridge && !b->is_bridge && strcmp(a->group, b->group) == 0;
}

const char *pci_bond_reason(enum pci_bond bond)
{
	switch (bond) {
	case PCI_SLOT:
		return "functions of one device can reach each other inside it";
	case PCI_BRIDGE:
		return "the bridge above them may carry requests between them, past the IOMMU";
	case PCI_ALONE:
		break;
	}
	return "they are one device";
}
