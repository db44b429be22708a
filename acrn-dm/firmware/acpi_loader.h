/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How UEFI firmware gets our ACPI tables: a blob whose pointers are offsets, and a script that says where they are, so
 * that the firmware puts the blob anywhere and relocates it (QEMU's hw/acpi/bios-linker-loader, files
 * etc/table-loader, etc/acpi/tables and etc/acpi/rsdp).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ACPI_LOADER_TABLES	"etc/acpi/tables"
#define ACPI_LOADER_RSDP	"etc/acpi/rsdp"
#define ACPI_LOADER_SCRIPT	"etc/table-loader"
#define ACPI_LOADER_COMMAND	128u
#define ACPI_LOADER_MAX		(40u * ACPI_LOADER_COMMAND)
#define ACPI_RSDP_SIZE		36u

/*
 * tables[size]: what acpi_build() made for address 0, its RSDP first. Zeroes the checksums that the script will make,
 * copies the RSDP out and writes the script. Returns the length of the script, 0 if the tables are not as expected.
 */
size_t acpi_loader_script(uint8_t *tables, size_t size, uint8_t rsdp[ACPI_RSDP_SIZE], uint8_t script[ACPI_LOADER_MAX]);
