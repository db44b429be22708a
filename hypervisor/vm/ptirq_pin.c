/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pin's message is that of an MSI (VT-d 5.1.5.1, 82093AA 3.2.4): bits 19:4 of the address are bits 63:48 of the RTE,
 * bit 2 is bit 11, bits 10:0 of the data are bits 10:0. An entry that moves gets the new one of the IOMMU's before the
 * old one is given up, so that nothing is lost in between.
 */
#include "vm/ptirq_pin.h"

#include "hw/ioapic.h"
#include "iommu/iommu.h"
#include "lib/log.h"
#include "vdev/vioapic.h"

#define RTE_PLAIN (RTE_ACTIVE_LOW | RTE_LEVEL | RTE_MASKED)
#define RTE_LOW_BITS 0x7FFUL
#define RTE_HIGH_SHIFT 48
#define MSI_ADDRESS_SHIFT 4
#define MSI_ADDRESS_BITS 0xFFFFUL

static struct pin {
	bool has_entry, has_old;
	struct msi_route route;
	struct msi_msg message, old;
} pins[MAX_IOAPICS][VIOAPIC_MAX_PINS];

static bool same(const struct msi_route *a, const struct msi_route *b)
{
	return a->apic_id == b->apic_id && a->vector == b->vector && a->mode == b->mode &&
	       a->is_logical == b->is_logical && a->is_level == b->is_level;
}

static struct msi_route route_of(uint64_t rte)
{
	return (struct msi_route){
		.apic_id = (uint32_t)(rte >> RTE_DEST_SHIFT),
		.vector = (uint8_t)(rte & RTE_VECTOR),
		.mode = (uint8_t)(rte >> RTE_DELIVERY_SHIFT & 7U),
		.is_logical = (rte & RTE_LOGICAL) != 0,
		.is_level = (rte & RTE_LEVEL) != 0,
	};
}

static void keep_old(struct pin *p)
{
	if (!p->has_entry)
		return;
	p->has_entry = false;
	p->has_old = true;
	p->old = p->message;
}

bool ptirq_pin_route(unsigned int chip, unsigned int pin, uint64_t rte)
{
	struct pin *p = &pins[chip][pin];
	struct msi_route route = route_of(rte);
	uint16_t bdf;
	int err;

	if (iommu_ioapic_bdf(ioapic_id(chip), &bdf) != 0 || (p->has_entry && same(&route, &p->route)))
		return true;
	keep_old(p);
	err = iommu_map_irq(bdf, &route, &p->message);
	p->has_entry = err == 0;
	p->route = route;
	if (err != 0 && (rte & RTE_MASKED) == 0)
		log_warn("ioapic %u: pin %u stays masked, the IOMMU has no entry for it: error %d", ioapic_id(chip),
			 pin, -err);
	return err == 0;
}

static uint64_t in_entrys_words(const struct pin *p, uint64_t rte)
{
	uint64_t address = p->message.address;

	if (!p->has_entry)
		return RTE_MASKED;
	rte &= RTE_PLAIN;
	rte |= (address >> MSI_ADDRESS_SHIFT & MSI_ADDRESS_BITS) << RTE_HIGH_SHIFT;
	rte |= (address & MSI_ADDR_LOGICAL) != 0 ? RTE_LOGICAL : 0;
	/* An EOI finds the pin by its vector; a message whose data is nobody's index may have any. */
	return rte | (p->message.data == 0 && p->route.is_level ? p->route.vector : p->message.data & RTE_LOW_BITS);
}

void ptirq_pin_write(unsigned int chip, unsigned int pin, uint64_t rte)
{
	struct pin *p = &pins[chip][pin];
	uint16_t bdf;

	if (iommu_ioapic_bdf(ioapic_id(chip), &bdf) != 0) {
		ioapic_rte_write(chip, pin, rte);
		return;
	}
	ioapic_rte_write(chip, pin, in_entrys_words(p, rte));
	if (p->has_old)
		iommu_unmap_irq(bdf, &p->old);
	p->has_old = false;
}
