/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bridges that stock OVMF expects: host bridge 8086:29C0 with PCIEXBAR (3 Series Express Chipset datasheet, 5.1.16)
 * and ISA bridge 8086:2918 with PMBASE and ACPI_CNTL (ICH9 datasheet, 13.1.13). The firmware programs both before it
 * does anything else; the rest of their registers keeps what is written.
 */
#include "dev/q35.h"

#include <stdbool.h>
#include <string.h>

#include "bus/pci.h"
#include "dev/pm.h"
#include "firmware/fw_items.h"
#include "log.h"
#include "vm.h"

#define PCIEXBAR	0x60
#define PCIEXBAR_ENABLE	0x01u
#define PAM0		0x90
#define ESMRAMC		0x9e

#define PMBASE		0x40
#define ACPI_CNTL	0x44
#define ACPI_ENABLE	0x80u
#define PIRQ_A		0x60
#define PIRQ_E		0x68
#define PIRQ_OFF	0x80
#define RCBA		0xf0

static uint32_t dword(const struct pci_func *f, unsigned int off)
{
	uint32_t v;

	memcpy(&v, &f->cfg[off], sizeof(v));
	return v;
}

/* 256, 128 or 64 MiB, at a multiple of that. */
static void follow_pciexbar(const struct pci_func *f)
{
	uint32_t low = dword(f, PCIEXBAR);
	uint64_t size = 0x10000000ull >> (low >> 1 & 3);
	uint64_t base = ((uint64_t)dword(f, PCIEXBAR + 4) << 32 | low) & ~(size - 1);

	pci_ecam_move(base, low & PCIEXBAR_ENABLE && (low >> 1 & 3) != 3 ? size : 0);
}

static void hostbridge_written(struct pci_func *f, unsigned int off, unsigned int size)
{
	if (off < PCIEXBAR + 8 && off + size > PCIEXBAR)
		follow_pciexbar(f);
}

/*
 * A build of OVMF that wants system management mode looks for it here before it takes the ACPI tables, and would then
 * stop without a word.
 */
static bool hostbridge_read(struct pci_func *f, unsigned int off, unsigned int size, uint32_t *value)
{
	(void)f;
	(void)value;
	if (off == ESMRAMC && size == 1 && !fw_items_tables_taken()) {
		log_err("this build of the firmware needs system management mode, which VMs do not have here; "
			"OVMF_CODE_4M.fd does Secure Boot without it");
		vm_request(VM_FAILED);
	}
	return false;
}

static const struct pci_ops hostbridge_ops = {
	.cfg_read = hostbridge_read,
	.cfg_written = hostbridge_written,
};

void q35_hostbridge_init(struct pci_func *f)
{
	pci_set_ids(f, &(struct pci_ids){ .vendor = 0x8086, .device = 0x29c0, .class = 6 });
	pci_set_ops(f, &hostbridge_ops, NULL);
	f->wmask[PCIEXBAR] = 0x07;
	f->wmask[PCIEXBAR + 3] = 0xfc;
	f->wmask[PCIEXBAR + 4] = 0x0f;
	pci_cfg_writable(f, PAM0, 7);
	pci_ecam_move(0, 0);
}

void q35_hostbridge_reset(struct pci_func *f)
{
	follow_pciexbar(f);
}

static void follow_pmbase(const struct pci_func *f)
{
	pm_move_block((uint16_t)(dword(f, PMBASE) & 0xff80), f->cfg[ACPI_CNTL] & ACPI_ENABLE);
}

static void lpc_written(struct pci_func *f, unsigned int off, unsigned int size)
{
	if (off < ACPI_CNTL + 1 && off + size > PMBASE)
		follow_pmbase(f);
}

static const struct pci_ops lpc_ops = { .cfg_written = lpc_written };

void q35_lpc_init(struct pci_func *f)
{
	pci_set_ids(f, &(struct pci_ids){ .vendor = 0x8086, .device = 0x2918, .revision = 2, .class = 6,
					  .subclass = 1 });
	pci_set_ops(f, &lpc_ops, NULL);
	f->cfg[PMBASE] = 1;		/* in port space */
	f->wmask[PMBASE] = 0x80;
	f->wmask[PMBASE + 1] = 0xff;
	f->wmask[ACPI_CNTL] = 0x87;
	for (unsigned int i = 0; i < 4; i++)
		f->cfg[PIRQ_A + i] = f->cfg[PIRQ_E + i] = PIRQ_OFF;
	pci_cfg_writable(f, PIRQ_A, 4);
	pci_cfg_writable(f, PIRQ_E, 4);
	pci_cfg_writable(f, RCBA, 4);
}

void q35_lpc_reset(struct pci_func *f)
{
	follow_pmbase(f);
}
