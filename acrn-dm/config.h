/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the command line asks for, as plain data: filled in by opts.c before anything is started, read only
 * after.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_NAME_MAX		15
#define CONFIG_SLOTS_MAX	256
#define CONFIG_UARTS		5
#define CONFIG_MMIO_MAX		2

/* What the board looks like: the original's, or the one that stock OVMF knows. */
enum config_machine { MACHINE_ACRN, MACHINE_Q35 };

struct config_slot {
	unsigned int bus, dev, fn;
	bool boot;		/* "b," before the options: the firmware tries it first */
	const char *driver;
	const char *opts;	/* behind "driver,"; "" if none */
};

struct config_uart {
	bool used;
	uint16_t port;
	uint8_t irq;
	const char *backend;
};

struct config_mmio {
	uint64_t base, size;		/* of this machine; pages */
};

struct dm_config {
	const char *vm_name;
	uint64_t memory;		/* bytes */
	bool hugetlb;			/* of huge pages that were set aside */
	const char *kernel;
	const char *initrd;
	const char *bootargs;		/* never NULL */
	const char *elf;
	enum config_machine machine;
	const char *machine_name;	/* of --machine, NULL: not given */
	const char *ovmf_code;		/* UEFI firmware: code or a single image; NULL: none */
	const char *ovmf_vars;		/* NULL: a single image */
	bool ovmf_write;		/* changed variables go back to the file */
	char *ovmf_text;		/* what the two point into */
	uint8_t uuid[16];		/* of --uuid, or made from the name */
	uint64_t cpu_apicids[64];	/* of --cpu_affinity */
	unsigned int cpu_apicid_count;	/* 0: not given */
	bool rtvm;			/* the VM shares its CPUs with nobody */
	bool lapic_pt;			/* refused with rtvm, ignored without */
	bool debugexit;
	uint64_t virtio_poll_ns;	/* queues are looked at that often, without notifications; 0: off */
	bool virtio_msi;		/* virtio offers single MSI only */
	bool windows;			/* subsystem vendor of virtio devices is 0x108E */
	const char *api_socket;		/* path, NULL: off */
	const char *cmd_monitor;	/* socket path, NULL: off */
	const char *logger;		/* --logger_setting, NULL: default */
	struct config_uart uart[CONFIG_UARTS];
	struct config_slot slot[CONFIG_SLOTS_MAX];
	unsigned int slot_count;
	struct config_mmio mmio[CONFIG_MMIO_MAX];
	unsigned int mmio_count;
	char *file_text;		/* of --config: values point into it */
};

extern struct dm_config config;

/* Is there an -s with that driver? */
bool config_has_driver(const char *name);
