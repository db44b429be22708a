/* SPDX-License-Identifier: BSD-3-Clause */
/* The fixed tables: MADT, FADT, FACS, HPET, MCFG (ACPI 6.3, chapter 5). */
#include <string.h>

#include "dev/hpet.h"
#include "dev/pm.h"
#include "dev/ports.h"
#include "firmware/acpi.h"

#define LAPIC_BASE	0xfee00000u

uint8_t acpi_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

void acpi_fill_header(void *table, const char *signature, uint8_t revision, uint32_t length)
{
	struct acpi_header *h = table;

	memset(h, 0, sizeof(*h));
	memcpy(h->signature, signature, 4);
	h->length = length;
	h->revision = revision;
	memcpy(h->oem_id, "ACRN  ", 6);
	memcpy(h->oem_table_id, "ACRN-DM ", 8);
	h->oem_revision = 1;
	memcpy(h->creator_id, "ACDM", 4);
	h->creator_revision = 1;
	h->checksum = acpi_checksum(table, length);
}

static void put(uint8_t *p, uint64_t v, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* Processor n with a local APIC: 8-bit id, or an x2APIC entry where it does not fit. */
static uint8_t *madt_cpu(uint8_t *p, unsigned int n, uint32_t id)
{
	if (id < 255) {
		memcpy(p, (uint8_t[8]){ 0, 8, (uint8_t)n, (uint8_t)id, 1, 0, 0, 0 }, 8);
		return p + 8;
	}
	memcpy(p, (uint8_t[4]){ 9, 16, 0, 0 }, 4);
	put(p + 4, id, 4);
	put(p + 8, 1, 4);
	put(p + 12, n, 4);
	return p + 16;
}

size_t acpi_build_madt(const struct acpi_machine *m, uint8_t *buf, size_t room)
{
	/*
	 * I/O APIC 0 from GSI 0; IRQ 0 is on pin 2, edge; the SCI is level, active high; LINT1 is NMI
	 * everywhere.
	 */
	static const uint8_t rest[] = {
		1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
		2, 10, 0, 0, 2, 0, 0, 0, 0x05, 0,
		2, 10, 0, PM_SCI, PM_SCI, 0, 0, 0, 0x0d, 0,
		4, 6, 0xff, 5, 0, 1,
	};
	uint8_t *p = buf + 44;

	if (room < 44 + 16 * m->cpu_count + sizeof(rest))
		return 0;
	memset(buf, 0, 44);
	put(buf + 36, LAPIC_BASE, 4);
	put(buf + 40, 1, 4);	/* there are 8259s */
	for (unsigned int i = 0; i < m->cpu_count; i++)
		p = madt_cpu(p, i, m->apic_id[i]);
	memcpy(p, rest, sizeof(rest));
	p += sizeof(rest);
	acpi_fill_header(buf, "APIC", 3, (uint32_t)(p - buf));
	return (size_t)(p - buf);
}

/* A generic address in port space. */
static void put_gas(uint8_t *p, uint8_t bits, uint8_t access, uint64_t port)
{
	p[0] = 1;
	p[1] = bits;
	p[2] = 0;
	p[3] = access;
	put(p + 4, port, 8);
}

size_t acpi_build_fadt(const struct acpi_machine *m, uint32_t facs, uint32_t dsdt, uint8_t *buf, size_t room)
{
	if (room < 268)
		return 0;
	memset(buf, 0, 268);
	put(buf + 36, facs, 4);
	put(buf + 40, dsdt, 4);
	put(buf + 46, PM_SCI, 2);
	put(buf + 48, PM_SMI_PORT, 4);
	buf[52] = PM_SMI_ACPI_ENABLE;
	buf[53] = PM_SMI_ACPI_DISABLE;
	put(buf + 56, m->pm_event, 4);
	put(buf + 64, m->pm_control, 4);
	put(buf + 76, m->pm_timer, 4);
	buf[88] = 4;			/* lengths of PM1a event and control */
	buf[89] = 2;
	buf[91] = m->pm_timer ? 4 : 0;
	put(buf + 96, 0xffff, 2);	/* no C2, no C3 */
	put(buf + 98, 0xffff, 2);
	buf[108] = 0x32;		/* century */
	put(buf + 109, 1u << 0 | 1u << 2 | 1u << 4, 2);	/* ISA devices; no VGA, no ASPM; bit 1 clear: no 8042 */
	/* WBINVD, C1, sleep button as control method (none), reset register, headless; the timer has 24 bits */
	put(buf + 112, 1u << 0 | 1u << 2 | 1u << 5 | 1u << 10 | 1u << 12, 4);
	put_gas(buf + 116, 8, 1, RESET_PORT);
	buf[128] = RESET_VALUE;
	buf[131] = 1;			/* revision 5.1 */
	put(buf + 132, facs, 8);
	put(buf + 140, dsdt, 8);
	put_gas(buf + 148, 32, 2, m->pm_event);
	put_gas(buf + 172, 16, 2, m->pm_control);
	if (m->pm_timer)
		put_gas(buf + 208, 32, 3, m->pm_timer);
	acpi_fill_header(buf, "FACP", 5, 268);
	return 268;
}

size_t acpi_build_facs(uint8_t *buf, size_t room)
{
	if (room < 64)
		return 0;
	memset(buf, 0, 64);
	memcpy(buf, "FACS", 4);
	put(buf + 4, 64, 4);
	buf[32] = 2;
	return 64;
}

size_t acpi_build_hpet(uint8_t *buf, size_t room)
{
	if (room < 56)
		return 0;
	memset(buf, 0, 56);
	put(buf + 36, HPET_BLOCK_ID, 4);
	put(buf + 44, HPET_BASE, 8);
	acpi_fill_header(buf, "HPET", 1, 56);
	return 56;
}

size_t acpi_build_mcfg(const struct acpi_machine *m, uint8_t *buf, size_t room)
{
	if (room < 60)
		return 0;
	memset(buf, 0, 60);
	put(buf + 44, m->ecam_base, 8);
	buf[55] = (uint8_t)((m->ecam_size >> 20) - 1);	/* the last bus */
	acpi_fill_header(buf, "MCFG", 1, 60);
	return 60;
}
