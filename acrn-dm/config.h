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

struct config_slot {
	unsigned int bus, dev, fn;
	const char *driver;
	const char *opts;	/* behind "driver,"; "" if none */
};

struct config_uart {
	bool used;
	uint16_t port;
	uint8_t irq;
	const char *backend;
};

struct dm_config {
	const char *vm_name;
	uint64_t memory;		/* bytes */
	const char *kernel;
	const char *initrd;
	const char *bootargs;		/* never NULL */
	const char *elf;
	const char *ovmf;
	uint64_t cpu_apicids[64];	/* of --cpu_affinity */
	unsigned int cpu_apicid_count;	/* 0: not given */
	bool rtvm;			/* the VM shares its CPUs with nobody */
	bool lapic_pt;			/* refused with rtvm, ignored without */
	bool debugexit;
	bool virtio_msi;		/* virtio offers single MSI only */
	bool windows;			/* subsystem vendor of virtio devices is 0x108E */
	const char *cmd_monitor;	/* socket path, NULL: off */
	const char *logger;		/* --logger_setting, NULL: default */
	struct config_uart uart[CONFIG_UARTS];
	struct config_slot slot[CONFIG_SLOTS_MAX];
	unsigned int slot_count;
};

extern struct dm_config config;
