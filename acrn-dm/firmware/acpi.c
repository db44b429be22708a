/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *   RSDP → RSDT, XSDT → FADT (→ FACS, DSDT), MADT, HPET, MCFG
 *
 * The tables are laid out one behind the other, 64 bytes aligned; what points to another table is written
 * after it.
 */
#include "firmware/acpi.h"

#include <errno.h>
#include <string.h>

#include "bus/pci.h"
#include "config.h"
#include "dev/pm.h"
#include "log.h"
#include "memory.h"
#include "vm.h"

#define RSDP_SIZE	36
#define TABLES		4
#define Q35_MEM32_END	0xfc000000u	/* where the firmware's own range for BARs ends */

struct area {
	uint8_t *buf;
	size_t room, used;
	uint32_t base;
	bool full;
};

/* Where the next table begins, and how much room it has. */
static uint8_t *next(const struct area *a, size_t *room)
{
	*room = a->full ? 0 : a->room - a->used;
	return a->buf + a->used;
}

/* A table of len bytes was written at next(). Returns its guest address. */
static uint32_t keep(struct area *a, size_t len)
{
	uint32_t at = a->base + (uint32_t)a->used;
	size_t step = (len + 63) & ~(size_t)63;

	if (a->full || len == 0 || step > a->room - a->used) {
		a->full = true;
		return 0;
	}
	a->used += step;
	return at;
}

static void put(uint8_t *p, uint64_t v, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* RSDT (size 4) or XSDT (size 8). */
static uint32_t root_table(struct area *a, const char *signature, const uint32_t tables[TABLES], unsigned int size)
{
	uint32_t length = (uint32_t)(sizeof(struct acpi_header) + TABLES * size);
	size_t room;
	uint8_t *p = next(a, &room);

	if (room < length)
		return keep(a, 0);
	for (unsigned int i = 0; i < TABLES; i++)
		put(p + sizeof(struct acpi_header) + i * size, tables[i], size);
	acpi_fill_header(p, signature, 1, length);
	return keep(a, length);
}

static void rsdp(uint8_t *p, uint32_t rsdt, uint32_t xsdt)
{
	memset(p, 0, RSDP_SIZE);
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "ACRN  ", 6);
	p[15] = 2;
	put(p + 16, rsdt, 4);
	put(p + 20, RSDP_SIZE, 4);
	put(p + 24, xsdt, 8);
	p[8] = acpi_checksum(p, 20);
	p[32] = acpi_checksum(p, RSDP_SIZE);
}

size_t acpi_build(const struct acpi_machine *m, uint32_t base, uint8_t *buf, size_t room)
{
	struct area a = { .buf = buf, .room = room, .base = base, .full = room < 64 };
	uint32_t facs, dsdt, tables[TABLES], rsdt, xsdt;
	size_t left;
	uint8_t *p;

	keep(&a, RSDP_SIZE);
	p = next(&a, &left);
	facs = keep(&a, acpi_build_facs(p, left));
	p = next(&a, &left);
	dsdt = keep(&a, acpi_build_dsdt(m, p, left));
	p = next(&a, &left);
	tables[0] = keep(&a, acpi_build_fadt(m, facs, dsdt, p, left));
	p = next(&a, &left);
	tables[1] = keep(&a, acpi_build_madt(m, p, left));
	p = next(&a, &left);
	tables[2] = keep(&a, acpi_build_hpet(p, left));
	p = next(&a, &left);
	tables[3] = keep(&a, acpi_build_mcfg(m, p, left));
	rsdt = root_table(&a, "RSDT", tables, 4);
	xsdt = root_table(&a, "XSDT", tables, 8);
	if (a.full)
		return 0;
	rsdp(buf, rsdt, xsdt);
	return a.used;
}

static void add_window(struct acpi_machine *m, uint64_t first, uint64_t end)
{
	if (first >= end)
		return;
	m->window[m->window_count].first = first;
	m->window[m->window_count++].last = end - 1;
}

/* The firmware chose where large BARs are: the last window holds them, in whole GiB. */
static void widen_high_window(struct acpi_machine *m, const struct pci_func *f)
{
	const uint64_t gib = 1ull << 30;

	for (int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *b = &f->bar[i];
		uint64_t first = b->addr & ~(gib - 1), last = (b->addr + b->size - 1) | (gib - 1);
		unsigned int w = m->window_count - 1;

		if (b->type != PCI_BAR_MEM64 || b->addr < MEM_HIGH_BASE || last < first)
			continue;
		if (m->window[w].first < MEM_HIGH_BASE) {
			add_window(m, first, last + 1);
			continue;
		}
		if (first < m->window[w].first)
			m->window[w].first = first;
		if (last > m->window[w].last)
			m->window[w].last = last;
	}
}

/* Machine acrn: as bus/pci_bar.c gives addresses. q35: what the firmware leaves between memory and the APICs. */
static void describe_map(struct acpi_machine *m)
{
	m->ecam_base = pci_ecam_base();
	m->ecam_size = pci_ecam_size();
	if (config.machine != MACHINE_Q35) {
		m->pm_event = PM_EVENT_PORT;
		m->pm_control = PM_CONTROL_PORT;
		add_window(m, PCI_MEM32_BASE, PCI_MEM32_END);
		add_window(m, PCI_MEM64_BASE, PCI_MEM64_END);
		return;
	}
	m->pm_event = pm_block() ? pm_block() : PM_BLOCK_USUAL;
	m->pm_control = m->pm_event + PM_BLOCK_CONTROL;
	m->pm_timer = m->pm_event + PM_BLOCK_TIMER;
	if (!m->ecam_size) {	/* not yet placed: the tables are made once more then */
		m->ecam_base = PCI_ECAM_BASE;
		m->ecam_size = PCI_ECAM_SIZE;
	}
	add_window(m, PCI_MEM32_BASE, m->ecam_base);
	add_window(m, m->ecam_base + m->ecam_size, Q35_MEM32_END);
}

static void add_function(struct pci_func *f, void *arg)
{
	struct acpi_machine *m = arg;

	if (strcmp(f->name, "lpc") == 0)
		m->lpc_dev = f->dev;
	if (config.machine == MACHINE_Q35)
		widen_high_window(m, f);
	if (f->gsi < 0 || m->intx_count == 32)
		return;
	m->intx[m->intx_count].dev = f->dev;
	m->intx[m->intx_count].pin = f->fn;
	m->intx[m->intx_count].gsi = (uint8_t)f->gsi;
	m->intx_count++;
}

void acpi_describe(struct acpi_machine *m)
{
	memset(m, 0, sizeof(*m));
	m->cpu_count = vm_vcpu_count();
	for (unsigned int i = 0; i < m->cpu_count; i++)
		m->apic_id[i] = vm_apic_id(i);
	for (unsigned int i = 0; i < CONFIG_UARTS; i++) {
		if (!config.uart[i].used)
			continue;
		m->uart[m->uart_count].port = config.uart[i].port;
		m->uart[m->uart_count].irq = config.uart[i].irq;
		m->uart[m->uart_count++].number = (uint8_t)(i + 1);
	}
	describe_map(m);
	pci_for_each(add_function, m);
}

int acpi_install(void)
{
	uint8_t *area = mem_ptr(ACPI_BASE, ACPI_END - ACPI_BASE);
	struct acpi_machine m;

	acpi_describe(&m);
	if (!area || acpi_build(&m, ACPI_BASE, area, ACPI_END - ACPI_BASE) == 0) {
		log_err("the ACPI tables do not fit below 1 MiB");
		return -ENOSPC;
	}
	return 0;
}
