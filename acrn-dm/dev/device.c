/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The devices of this VM, in the order they were made. The list of classes is the linker section that
 * DM_DEVICE() fills: its bounds are symbols that the linker makes.
 */
#include "dev/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/pci.h"
#include "log.h"

extern const struct dm_device_class *const __start_dm_devices[];
extern const struct dm_device_class *const __stop_dm_devices[];

static struct dm_device *devices;	/* the last made comes first */

const struct dm_device_class *device_class_find(const char *name)
{
	for (const struct dm_device_class *const *c = __start_dm_devices; c < __stop_dm_devices; c++) {
		if ((*c)->kind == DM_PCI && strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

int device_create(const struct dm_device_class *class, struct pci_func *pci, const char *opts)
{
	struct dm_device *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->class = class;
	d->pci = pci;
	err = class->init(d, opts);
	if (err) {
		log_err("the device %s cannot be made: %s", class->name, strerror(-err));
		free(d);
		return err;
	}
	d->next = devices;
	devices = d;
	return 0;
}

/* The platform class with the smallest order above *last (ties by place in the section). */
static const struct dm_device_class *next_platform(int *last_order, const struct dm_device_class *const **last)
{
	const struct dm_device_class *const *best = NULL;

	for (const struct dm_device_class *const *c = __start_dm_devices; c < __stop_dm_devices; c++) {
		if ((*c)->kind != DM_PLATFORM || (*c)->order < *last_order ||
		    ((*c)->order == *last_order && *last && c <= *last))
			continue;
		if (!best || (*c)->order < (*best)->order)
			best = c;
	}
	if (!best)
		return NULL;
	*last_order = (*best)->order;
	*last = best;
	return *best;
}

int device_create_platform(void)
{
	const struct dm_device_class *const *last = NULL;
	const struct dm_device_class *class;
	int order = 0, err;

	while ((class = next_platform(&order, &last)) != NULL) {
		err = device_create(class, NULL, "");
		if (err)
			return err;
	}
	return 0;
}

static void reset_from(struct dm_device *d)
{
	if (!d)
		return;
	reset_from(d->next);	/* first made, first reset */
	if (d->pci)
		pci_func_reset(d->pci);
	if (d->class->reset)
		d->class->reset(d);
}

void device_reset_all(void)
{
	reset_from(devices);
}

void device_destroy_all(void)
{
	while (devices) {
		struct dm_device *d = devices;

		devices = d->next;
		if (d->pci)
			pci_func_reset(d->pci);		/* its BARs go while it can still hear of it */
		if (d->class->destroy)
			d->class->destroy(d);
		pci_func_destroy(d->pci);
		free(d);
	}
}

struct dm_device *device_find(const char *class_name)
{
	struct dm_device *found = NULL;

	for (struct dm_device *d = devices; d; d = d->next) {
		if (strcmp(d->class->name, class_name) == 0)
			found = d;
	}
	return found;
}

struct dm_device *device_of(const struct pci_func *f)
{
	struct dm_device *d = devices;

	while (d && (!d->pci || d->pci != f))
		d = d->next;
	return d;
}

/* A help of several lines is laid out under its first. */
static void print_help(const struct dm_device_class *class)
{
	fprintf(stderr, "  %-16s ", class->name);
	for (const char *p = class->help ? class->help : ""; *p; p++) {
		fputc(*p, stderr);
		if (*p == '\n')
			fprintf(stderr, "%19s", "");
	}
	fputc('\n', stderr);
}

void device_print_help(void)
{
	for (const struct dm_device_class *const *c = __start_dm_devices; c < __stop_dm_devices; c++) {
		if ((*c)->kind == DM_PCI && (*c)->help)
			print_help(*c);
	}
}

bool device_print_one(const char *name)
{
	const struct dm_device_class *class = device_class_find(name);

	if (class)
		print_help(class);
	return class != NULL;
}
