/* SPDX-License-Identifier: BSD-3-Clause */
/* SMBIOS 3.0 tables (DMTF DSP0134): what "dmidecode" of a guest shows. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SMBIOS_ANCHOR_SIZE	24u
/* Where they lie when no firmware puts them elsewhere: in the area that guests search, below the ACPI tables. */
#define SMBIOS_BASE		0xf0000u
#define SMBIOS_END		0xf2400u

struct smbios_machine {
	const char *name;	/* of the VM: the serial number */
	const uint8_t *uuid;	/* 16 bytes, as text order */
	unsigned int cpus;
	uint64_t low, high;	/* memory below and above 4 GiB */
};

/* Writes the structures to buf[room]; returns their length, 0 if they do not fit. */
size_t smbios_build(const struct smbios_machine *m, uint8_t *buf, size_t room);
/* The entry point for len bytes of structures at that address. */
void smbios_anchor(uint8_t anchor[SMBIOS_ANCHOR_SIZE], uint64_t address, size_t len);
/* Both in the VM's memory, for guests without firmware. Returns 0 or -errno (logged). */
int smbios_install(void);
/* What config and memory say; the result is good as long as config is. */
struct smbios_machine smbios_machine(void);
