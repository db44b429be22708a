/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes are asked for at start, since a register that is being sized moves the BARs of every virtual function, and
 * later some are in use. The rest is read when it is asked for: the Service VM numbers buses and moves BARs.
 */
#include "hw/pci_sriov.h"

#include "hw/pci.h"
#include "lib/bits.h"
#include "lib/log.h"

#define REG_HEADER 0x0EU
#define HEADER_MULTI 0x80U
#define EXT_FIRST 0x100U
#define EXT_MAX 48U
#define EXT_SRIOV 0x0010U
#define CONTROL 0x08U
#define CONTROL_ENABLE 1U
#define COUNT 0x10U
#define FIRST_OFFSET 0x14U
#define STRIDE 0x16U
#define DEVICE_ID 0x1AU
#define BAR0 0x24U
#define PF_MAX 32U
#define IS_64BIT(low) (((low) & 7U) == 4U)

static struct pf {
	uint16_t bdf;
	uint16_t cap;
	uint32_t mask[PCI_SRIOV_BARS];
} pfs[PF_MAX];
static unsigned int pf_count;

static uint16_t find_capability(uint16_t bdf)
{
	unsigned int at = EXT_FIRST;

	for (unsigned int n = 0; n < EXT_MAX && at >= EXT_FIRST; n++) {
		uint32_t head = pci_read(bdf, at, 4);

		if (head == 0 || head == 0xFFFFFFFFU)
			return 0;
		if ((head & 0xFFFFU) == EXT_SRIOV)
			return (uint16_t)at;
		at = head >> 20 & 0xFFCU;
	}
	return 0;
}

static void add(uint16_t bdf, uint16_t cap)
{
	struct pf *pf = &pfs[pf_count];

	if (pf_count == PF_MAX || (pci_read(bdf, cap + CONTROL, 2) & CONTROL_ENABLE) != 0) {
		log_warn("pci: virtual functions of %02x:%02x.%x cannot be given away: %s", PCI_BUS(bdf), PCI_DEV(bdf),
			 PCI_FN(bdf), pf_count == PF_MAX ? "too many like it" : "firmware left them on");
		return;
	}
	pf->bdf = bdf;
	pf->cap = cap;
	for (unsigned int i = 0; i < PCI_SRIOV_BARS; i++) {
		unsigned int reg = cap + BAR0 + 4U * i;
		uint32_t old = pci_read(bdf, reg, 4);

		pci_write(bdf, reg, 4, 0xFFFFFFFFU);
		pf->mask[i] = pci_read(bdf, reg, 4);
		pci_write(bdf, reg, 4, old);
	}
	pf_count++;
}

/* Functions of a device; the others only when the first says that there are more. */
static void scan(uint16_t first)
{
	unsigned int last = (pci_read(first, REG_HEADER, 1) & HEADER_MULTI) != 0 ? 7 : 0;

	for (unsigned int fn = 0; fn <= last; fn++) {
		uint16_t bdf = (uint16_t)(first + fn);
		uint16_t cap = pci_read(bdf, 0, 2) == 0xFFFFU ? 0 : find_capability(bdf);

		if (cap != 0)
			add(bdf, cap);
	}
}

void pci_sriov_init(void)
{
	for (unsigned int at = 0; at < 0x10000U; at += 8U)
		if (pci_read((uint16_t)at, 0, 2) != 0xFFFFU)
			scan((uint16_t)at);
}

/* Which of the function's virtual ones bdf is: false, none. */
static bool find_index(const struct pf *pf, uint16_t bdf, unsigned int *index)
{
	unsigned int first = pf->bdf + pci_read(pf->bdf, pf->cap + FIRST_OFFSET, 2);
	unsigned int stride = pci_read(pf->bdf, pf->cap + STRIDE, 2);
	unsigned int count = pci_read(pf->bdf, pf->cap + COUNT, 2);

	if ((pci_read(pf->bdf, pf->cap + CONTROL, 2) & CONTROL_ENABLE) == 0 || count == 0 || bdf < first)
		return false;
	*index = stride == 0 ? 0 : (bdf - first) / stride;
	return *index < count && first + *index * stride == bdf;
}

/* The index-th part of the range that the register begins. */
static void read_bar(const struct pf *pf, unsigned int i, unsigned int index, struct pci_vf *vf)
{
	uint32_t low = pci_read(pf->bdf, pf->cap + BAR0 + 4U * i, 4), kind = low & 0xFU;
	uint64_t at = low & ~0xFU, size = pf->mask[i] & ~0xFU;
	bool is_64bit = IS_64BIT(low) && i + 1U < PCI_SRIOV_BARS;

	if (is_64bit) {
		at |= (uint64_t)pci_read(pf->bdf, pf->cap + BAR0 + 4U * i + 4U, 4) << 32;
		size |= (uint64_t)pf->mask[i + 1U] << 32;
	} else {
		size |= ~0xFFFFFFFFUL;
	}
	at += index * (~size + 1U);
	vf->bar[i] = (uint32_t)at | kind;
	vf->mask[i] = pf->mask[i];
	if (!is_64bit)
		return;
	vf->bar[i + 1U] = (uint32_t)(at >> 32);
	vf->mask[i + 1U] = pf->mask[i + 1U];
}

static void describe(const struct pf *pf, unsigned int index, struct pci_vf *vf)
{
	*vf = (struct pci_vf){
		.pf = pf->bdf,
		.vendor = (uint16_t)pci_read(pf->bdf, 0, 2),
		.device = (uint16_t)pci_read(pf->bdf, pf->cap + DEVICE_ID, 2),
	};
	for (unsigned int i = 0; i < PCI_SRIOV_BARS; i++) {
		if (pf->mask[i] == 0)
			continue;
		read_bar(pf, i, index, vf);
		if (IS_64BIT(vf->bar[i]))
			i++;
	}
}

bool pci_vf_find(uint16_t bdf, struct pci_vf *vf)
{
	unsigned int index;

	for (unsigned int i = 0; i < pf_count; i++) {
		if (!find_index(&pfs[i], bdf, &index))
			continue;
		describe(&pfs[i], index, vf);
		return true;
	}
	return false;
}

bool pci_has_vfs(uint16_t bdf)
{
	uint16_t cap = pci_read(bdf, 0, 2) == 0xFFFFU ? 0 : find_capability(bdf);

	return cap != 0 && (pci_read(bdf, cap + CONTROL, 2) & CONTROL_ENABLE) != 0;
}
