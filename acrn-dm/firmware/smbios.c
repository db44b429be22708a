/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Structures one behind the other: a header, fixed fields, then its strings, each ending in NUL, and one more NUL.
 * Fields name a string by its number from 1 on.
 */
#include "firmware/smbios.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "firmware/acpi.h"
#include "log.h"
#include "memory.h"
#include "vm.h"

enum {
	TYPE_BIOS = 0,
	TYPE_SYSTEM = 1,
	TYPE_CHASSIS = 3,
	TYPE_CPU = 4,
	TYPE_ARRAY = 16,
	TYPE_MODULE = 17,
	TYPE_MAPPING = 19,
	TYPE_BOOT = 32,
	TYPE_END = 127,
};
#define HANDLE(type, n)	((uint16_t)((type) << 8 | (n)))
#define NONE		0xfffe

struct writer {
	uint8_t *buf;
	size_t len, room;
	size_t start;		/* of the structure that is open */
	uint8_t strings;
	bool full;
};

static void bytes(struct writer *w, const void *data, size_t len)
{
	if (w->full || len > w->room - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->buf + w->len, data, len);
	w->len += len;
}

static void number(struct writer *w, uint64_t value, unsigned int size)
{
	uint8_t b[8];

	for (unsigned int i = 0; i < size; i++)
		b[i] = (uint8_t)(value >> 8 * i);
	bytes(w, b, size);
}

/* The fixed part has len bytes, header included. */
static void open_structure(struct writer *w, unsigned int type, unsigned int n, unsigned int len)
{
	w->start = w->len;
	w->strings = 0;
	number(w, type, 1);
	number(w, len, 1);
	number(w, HANDLE(type, n), 2);
}

static void string(struct writer *w, const char *text)
{
	bytes(w, text, strlen(text) + 1);
	w->strings++;
}

static void close_structure(struct writer *w)
{
	number(w, 0, w->strings ? 1 : 2);
}

static void bios(struct writer *w)
{
	open_structure(w, TYPE_BIOS, 0, 24);
	number(w, 1, 1);	/* vendor */
	number(w, 2, 1);	/* version */
	number(w, 0xe800, 2);
	number(w, 3, 1);	/* date */
	number(w, 0, 1);
	number(w, 1u << 3, 8);	/* characteristics are not given */
	number(w, 0x1c00, 2);	/* UEFI, a virtual machine, targeted content */
	number(w, 0xff, 1);
	number(w, 0xff, 1);
	number(w, 0xff, 1);
	number(w, 0xff, 1);
	string(w, "ACRN");
	string(w, "acrn-dm " DM_VERSION);
	string(w, "01/01/2026");
	close_structure(w);
}

/* The first three fields of a UUID are little endian here (7.2.1). */
static void uuid(struct writer *w, const uint8_t *u)
{
	const uint8_t swapped[8] = { u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6] };

	bytes(w, swapped, sizeof(swapped));
	bytes(w, u + 8, 8);
}

static void computer(struct writer *w, const struct smbios_machine *m)
{
	open_structure(w, TYPE_SYSTEM, 0, 27);
	number(w, 1, 1);	/* manufacturer */
	number(w, 2, 1);	/* product */
	number(w, 3, 1);	/* version */
	number(w, 4, 1);	/* serial number */
	uuid(w, m->uuid);
	number(w, 6, 1);	/* woken by the power switch */
	number(w, 0, 1);
	number(w, 5, 1);	/* family */
	string(w, "ACRN");
	string(w, "User VM");
	string(w, DM_VERSION);
	string(w, *m->name ? m->name : "-");
	string(w, "Virtual Machine");
	close_structure(w);
}

static void chassis(struct writer *w)
{
	open_structure(w, TYPE_CHASSIS, 0, 22);
	number(w, 1, 1);
	number(w, 1, 1);	/* other */
	number(w, 0, 3);
	number(w, 0x030303, 3);	/* states: safe */
	number(w, 2, 1);	/* security: unknown */
	number(w, 0, 4);
	number(w, 0, 4);
	number(w, 0, 1);
	string(w, "ACRN");
	close_structure(w);
}

static void processor(struct writer *w, unsigned int n)
{
	open_structure(w, TYPE_CPU, n, 42);
	number(w, 1, 1);	/* socket */
	number(w, 3, 1);	/* central processor */
	number(w, 1, 1);	/* family: other */
	number(w, 2, 1);
	number(w, 0, 8);	/* id: ask CPUID */
	number(w, 0, 1);
	number(w, 0, 1);
	number(w, 0, 6);	/* clock, speeds: unknown */
	number(w, 0x41, 1);	/* populated, enabled */
	number(w, 1, 1);	/* upgrade: other */
	number(w, 0xffff, 2);	/* no cache described */
	number(w, 0xffff, 2);
	number(w, 0xffff, 2);
	number(w, 0, 3);
	number(w, 1, 1);	/* cores */
	number(w, 1, 1);
	number(w, 1, 1);
	number(w, 0x04, 2);	/* 64 bits */
	number(w, 2, 2);
	string(w, "vCPU");
	string(w, "ACRN");
	close_structure(w);
}

static void memory(struct writer *w, const struct smbios_machine *m)
{
	uint64_t total = m->low + m->high;

	open_structure(w, TYPE_ARRAY, 0, 23);
	number(w, 1, 1);		/* location, use: system memory, no correction */
	number(w, 3, 1);
	number(w, 3, 1);
	number(w, 0x80000000u, 4);	/* see the long field */
	number(w, NONE, 2);
	number(w, 1, 2);
	number(w, total, 8);
	close_structure(w);

	open_structure(w, TYPE_MODULE, 0, 40);
	number(w, HANDLE(TYPE_ARRAY, 0), 2);
	number(w, NONE, 2);
	number(w, 0xffff, 2);		/* widths: unknown */
	number(w, 0xffff, 2);
	number(w, 0x7fff, 2);		/* the long field below, in MiB */
	number(w, 9, 1);		/* DIMM */
	number(w, 0, 1);
	number(w, 1, 1);
	number(w, 0, 1);
	number(w, 7, 1);		/* RAM */
	number(w, 2, 2);
	number(w, 0, 2);
	number(w, 2, 1);
	number(w, 0, 4);
	number(w, total >> 20, 4);
	number(w, 0, 8);		/* speed, voltages: unknown */
	string(w, "RAM");
	string(w, "ACRN");
	close_structure(w);
}

static void mapping(struct writer *w, unsigned int n, uint64_t from, uint64_t size)
{
	open_structure(w, TYPE_MAPPING, n, 31);
	number(w, from >> 10, 4);	/* in KiB, both ends included */
	number(w, ((from + size) >> 10) - 1, 4);
	number(w, HANDLE(TYPE_ARRAY, 0), 2);
	number(w, 1, 1);
	number(w, 0, 8);
	number(w, 0, 8);
	close_structure(w);
}

size_t smbios_build(const struct smbios_machine *m, uint8_t *buf, size_t room)
{
	struct writer w = { .buf = buf, .room = room };

	bios(&w);
	computer(&w, m);
	chassis(&w);
	for (unsigned int i = 0; i < m->cpus; i++)
		processor(&w, i);
	memory(&w, m);
	mapping(&w, 0, 0, m->low);
	if (m->high)
		mapping(&w, 1, MEM_HIGH_BASE, m->high);
	open_structure(&w, TYPE_BOOT, 0, 11);
	number(&w, 0, 7);
	close_structure(&w);
	open_structure(&w, TYPE_END, 0, 4);
	close_structure(&w);
	return w.full ? 0 : w.len;
}

void smbios_anchor(uint8_t a[SMBIOS_ANCHOR_SIZE], uint64_t address, size_t len)
{
	memset(a, 0, SMBIOS_ANCHOR_SIZE);
	memcpy(a, "_SM3_", 5);
	a[6] = SMBIOS_ANCHOR_SIZE;
	a[7] = 3;			/* version 3.0.0 */
	a[10] = 1;
	for (unsigned int i = 0; i < 4; i++)
		a[12 + i] = (uint8_t)(len >> 8 * i);
	for (unsigned int i = 0; i < 8; i++)
		a[16 + i] = (uint8_t)(address >> 8 * i);
	a[5] = acpi_checksum(a, SMBIOS_ANCHOR_SIZE);
}

struct smbios_machine smbios_machine(void)
{
	return (struct smbios_machine){
		.name = config.vm_name,
		.uuid = config.uuid,
		.cpus = vm_vcpu_count(),
		.low = mem_lowmem(),
		.high = mem_highmem(),
	};
}

int smbios_install(void)
{
	struct smbios_machine m = smbios_machine();
	const size_t first = 32;	/* behind the anchor */
	uint8_t *area = mem_ptr(SMBIOS_BASE, SMBIOS_END - SMBIOS_BASE);
	size_t len = area ? smbios_build(&m, area + first, SMBIOS_END - SMBIOS_BASE - first) : 0;

	if (!len) {
		log_err("the SMBIOS tables do not fit below the ACPI tables");
		return -ENOSPC;
	}
	smbios_anchor(area, SMBIOS_BASE + first, len);
	return 0;
}
