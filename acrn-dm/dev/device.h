/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices announce themselves: DM_DEVICE() puts a description in a linker section, and the core finds it by
 * name (-s) or starts it with the machine (platform devices). A new device is one new file and one word in the
 * Makefile.
 *
 *	static const struct dm_device_class rnd = {
 *		.name = "virtio-rnd", .kind = DM_PCI, .help = "[,kernel=on]  entropy for the guest",
 *		.init = rnd_init, .destroy = rnd_destroy, .reset = rnd_reset,
 *	};
 *	DM_DEVICE(rnd);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pci_func;

enum dm_device_kind {
	DM_PLATFORM,	/* always there, made in the order of .order, before all PCI functions */
	DM_PCI,		/* made by -s slot,name[,options] */
};

struct dm_device;

struct dm_device_class {
	const char *name;
	const char *help;	/* options and purpose, one line, for -h; NULL hides it there */
	enum dm_device_kind kind;
	int order;
	/*
	 * Makes the device. opts: the text behind "name," of -s, or "" ; never NULL. For a PCI device d->pci
	 * is a fresh function. Returns 0, or -errno after a log_err() line that names the wrong value; then
	 * destroy is not called.
	 */
	int (*init)(struct dm_device *d, const char *opts);
	/* Frees everything; no callback may run after it. The VM is paused. d->pci goes away behind it. */
	void (*destroy)(struct dm_device *d);
	/* Back to the state after init(), keeping back ends open. The VM is paused. May be NULL. */
	void (*reset)(struct dm_device *d);
	/*
	 * Optional, on the loop thread while the VM runs: another medium ("path[,options]"). Returns 0 or
	 * -errno.
	 */
	int (*rescan)(struct dm_device *d, const char *medium);
	/* Optional, the same way: the medium is to have that size; 0: the size that it got meanwhile. */
	int (*resize)(struct dm_device *d, uint64_t bytes);
	/* Optional, the same way: the guest is to give up that much of its memory, and may have the rest again. */
	int (*balloon)(struct dm_device *d, uint64_t bytes);
	/* Optional, the same way: calls add for each figure it keeps. */
	void (*statistics)(struct dm_device *d, void (*add)(void *to, const char *name, uint64_t value), void *to);
};

struct dm_device {
	const struct dm_device_class *class;
	struct pci_func *pci;	/* NULL for platform devices */
	void *state;		/* of the device */
	struct dm_device *next;
};

#define DM_DEVICE(var)                                                                             \
	static const struct dm_device_class *const dm_device_##var                                 \
		__attribute__((used, section("dm_devices"), aligned(sizeof(void *)))) = &(var)

/* The class with that name, or NULL. */
const struct dm_device_class *device_class_find(const char *name);
/* Makes a device; pci may be NULL. Returns 0 or -errno (logged). */
int device_create(const struct dm_device_class *class, struct pci_func *pci, const char *opts);
/* Makes all platform devices, by order. */
int device_create_platform(void);
/* In the order they were made, and in reverse. */
void device_reset_all(void);
void device_destroy_all(void);
/* The device behind a PCI function, or NULL. */
struct dm_device *device_of(const struct pci_func *f);
/* The first device of a class, or NULL. */
struct dm_device *device_find(const char *class_name);
/* Prints name and help of each PCI class; of one, false if there is none of that name. */
void device_print_help(void);
bool device_print_one(const char *name);
