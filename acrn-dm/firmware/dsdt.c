/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DSDT: the PCI root with its windows and interrupt routing, the legacy devices below the ISA bridge, the
 * CPUs, and the S5 sleep type. What is not in it does not exist for the guest.
 */
#include <stdio.h>
#include <string.h>

#include "bus/pci.h"
#include "dev/hpet.h"
#include "dev/pm.h"
#include "firmware/acpi.h"
#include "firmware/aml.h"

static void named_integer(struct aml *a, const char *name, uint64_t value)
{
	aml_name(a, name);
	aml_integer(a, value);
}

static void named_eisa(struct aml *a, const char *name, const char *id)
{
	aml_name(a, name);
	aml_eisa_id(a, id);
}

static void sleep_types(struct aml *a)
{
	size_t package;

	aml_name(a, "\\_S5");
	package = aml_open_package(a, 2);
	aml_integer(a, PM_SLP_TYP_S5);
	aml_integer(a, 0);
	aml_close(a, package);
}

static void cpus(struct aml *a, const struct acpi_machine *m)
{
	for (unsigned int i = 0; i < m->cpu_count; i++) {
		char name[8];
		size_t device;

		snprintf(name, sizeof(name), "CP%02X", i & 0xff);
		device = aml_open_device(a, name);
		aml_name(a, "_HID");
		aml_string(a, "ACPI0007");
		named_integer(a, "_UID", i);
		aml_close(a, device);
	}
}

static void pci_windows(struct aml *a, const struct acpi_machine *m)
{
	struct aml_crs crs = aml_open_crs(a);

	aml_crs_bus_window(a, 0, 0);
	aml_crs_io(a, 0xcf8, 8);
	aml_crs_io_window(a, 0x0000, 0x0cf7);
	aml_crs_io_window(a, 0x0d00, PCI_IO_END - 1);
	for (unsigned int i = 0; i < m->window_count; i++) {
		if (m->window[i].last >> 32)
			aml_crs_memory64_window(a, m->window[i].first, m->window[i].last);
		else
			aml_crs_memory32_window(a, (uint32_t)m->window[i].first, (uint32_t)m->window[i].last);
	}
	aml_close_crs(a, &crs);
}

/* The pins that are used; level and active low are what a _PRT means. */
static void pci_routing(struct aml *a, const struct acpi_machine *m)
{
	size_t table, row;

	aml_name(a, "_PRT");
	table = aml_open_package(a, (uint8_t)m->intx_count);
	for (unsigned int i = 0; i < m->intx_count; i++) {
		row = aml_open_package(a, 4);
		aml_integer(a, (uint64_t)m->intx[i].dev << 16 | 0xffff);
		aml_integer(a, m->intx[i].pin);
		aml_integer(a, 0);
		aml_integer(a, m->intx[i].gsi);
		aml_close(a, row);
	}
	aml_close(a, table);
}

static const struct legacy_device {
	const char *name, *id;
	uint16_t port;
	uint8_t ports;
	int irq;	/* -1: none */
} legacy_devices[] = {
	{ "PIC", "PNP0000", 0x20, 2, -1 },
	{ "TIMR", "PNP0100", 0x40, 4, 0 },
	{ "RTC", "PNP0B00", 0x70, 2, 8 },
};

static void legacy_device(struct aml *a, const struct legacy_device *d)
{
	size_t device = aml_open_device(a, d->name);
	struct aml_crs crs;

	named_eisa(a, "_HID", d->id);
	crs = aml_open_crs(a);
	aml_crs_io(a, d->port, d->ports);
	if (d->irq >= 0)
		aml_crs_irq(a, (uint8_t)d->irq);
	aml_close_crs(a, &crs);
	aml_close(a, device);
}

static void serial_port(struct aml *a, const struct acpi_machine *m, unsigned int i)
{
	char name[8];
	struct aml_crs crs;
	size_t device;

	snprintf(name, sizeof(name), "COM%u", m->uart[i].number & 7u);
	device = aml_open_device(a, name);
	named_eisa(a, "_HID", "PNP0501");
	named_integer(a, "_UID", m->uart[i].number);
	crs = aml_open_crs(a);
	aml_crs_io(a, m->uart[i].port, 8);
	aml_crs_irq(a, m->uart[i].irq);
	aml_close_crs(a, &crs);
	aml_close(a, device);
}

/* What no driver claims but must not be given away. */
static void reserved(struct aml *a, const struct acpi_machine *m)
{
	size_t device = aml_open_device(a, "SIO");
	struct aml_crs crs;

	named_eisa(a, "_HID", "PNP0C02");
	crs = aml_open_crs(a);
	aml_crs_io(a, 0x61, 1);
	aml_crs_io(a, 0x80, 1);
	aml_crs_io(a, 0x84, 1);
	aml_crs_io(a, PM_SMI_PORT, 1);
	aml_crs_io(a, m->pm_event, m->pm_timer ? PM_BLOCK_SIZE : 6);
	aml_crs_memory32(a, (uint32_t)m->ecam_base, (uint32_t)m->ecam_size);
	aml_close_crs(a, &crs);
	aml_close(a, device);
}

static void hpet(struct aml *a)
{
	size_t device = aml_open_device(a, "HPET");
	struct aml_crs crs;

	named_eisa(a, "_HID", "PNP0103");
	crs = aml_open_crs(a);
	aml_crs_memory32(a, (uint32_t)HPET_BASE, 0x400);
	aml_close_crs(a, &crs);
	aml_close(a, device);
}

static void isa_bridge(struct aml *a, const struct acpi_machine *m)
{
	size_t device = aml_open_device(a, "ISA");

	named_integer(a, "_ADR", (uint64_t)m->lpc_dev << 16);
	for (unsigned int i = 0; i < sizeof(legacy_devices) / sizeof(legacy_devices[0]); i++)
		legacy_device(a, &legacy_devices[i]);
	for (unsigned int i = 0; i < m->uart_count; i++)
		serial_port(a, m, i);
	reserved(a, m);
	aml_close(a, device);
}

static void pci_root(struct aml *a, const struct acpi_machine *m)
{
	size_t device = aml_open_device(a, "PCI0");

	named_eisa(a, "_HID", "PNP0A03");
	named_integer(a, "_UID", 0);
	named_integer(a, "_BBN", 0);
	pci_windows(a, m);
	pci_routing(a, m);
	isa_bridge(a, m);
	aml_close(a, device);
}

size_t acpi_build_dsdt(const struct acpi_machine *m, uint8_t *buf, size_t room)
{
	struct acpi_header zero = { .length = 0 };
	struct aml a;
	size_t scope;

	aml_init(&a, buf, room);
	aml_bytes(&a, &zero, sizeof(zero));
	sleep_types(&a);
	scope = aml_open_scope(&a, "\\_SB");
	cpus(&a, m);
	pci_root(&a, m);
	hpet(&a);
	aml_close(&a, scope);
	if (!aml_ok(&a))
		return 0;
	acpi_fill_header(buf, "DSDT", 2, (uint32_t)a.len);
	return a.len;
}
