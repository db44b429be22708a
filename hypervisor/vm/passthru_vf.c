/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration space of the hardware, as a function of its own would have it: a virtual function's lacks identity and
 * BARs, which are put in here, so that nobody else has to know.
 */
#include "hw/pci.h"
#include "lib/bits.h"
#include "vm/passthru.h"

#define REG_BAR0 0x10U
#define REG_BAR_END 0x28U

static bool is_bar(uint16_t reg)
{
	return reg >= REG_BAR0 && reg < REG_BAR_END;
}

static uint32_t read_dword(const struct passthru_dev *dev, uint16_t reg)
{
	unsigned int i = (reg - REG_BAR0) / 4U;

	if (!is_bar(reg))
		return dev->vf.vendor | (uint32_t)dev->vf.device << 16;
	return (dev->vf_sizing & BIT32(i)) != 0 ? dev->vf.mask[i] : dev->vf.bar[i];
}

uint32_t passthru_hw_read(void *ctx, uint16_t reg, uint8_t size)
{
	const struct passthru_dev *dev = ctx;

	if (!dev->is_vf || (reg >= 4U && !is_bar(reg)))
		return pci_read(dev->phys, reg, size);
	return read_dword(dev, reg & ~3U) >> (reg & 3U) * 8U & (uint32_t)bytes_mask(size);
}

void passthru_hw_write(void *ctx, uint16_t reg, uint8_t size, uint32_t value)
{
	struct passthru_dev *dev = ctx;
	uint32_t bit;

	if (!dev->is_vf || !is_bar(reg)) {
		pci_write(dev->phys, reg, size, value);
		return;
	}
	bit = BIT32((reg - REG_BAR0) / 4U);
	dev->vf_sizing = value == 0xFFFFFFFFU ? dev->vf_sizing | bit : dev->vf_sizing & ~bit;
}
