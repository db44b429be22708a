/* SPDX-License-Identifier: BSD-3-Clause */
/* The bits of entries, commands and events. What is not named is left 0: no ATS, no guest tables, no suppression. */
#include "iommu/amdvi/amdvi_format.h"

#include "lib/bits.h"
#include "x86/apic.h"

#define ENTRY_V BIT64(0)
#define ENTRY_TV BIT64(1)
#define ENTRY_LEVELS (4UL << 9)
#define ENTRY_IR BIT64(61)
#define ENTRY_IW BIT64(62)
/* of the third word */
#define ENTRY_IV BIT64(0)
#define ENTRY_IRQ_LENGTH (9UL << 1) /* AMDVI_IRQS as a power of two */
/* Fixed and arbitrated as they come; the others have bits of their own, which are 0: refused. */
#define ENTRY_IRQ_PASS (1UL << 60)
#define ENTRY_IRQ_REMAP (2UL << 60)

#define EVENT_INTERRUPT BIT64(51) /* emulators set it for all accesses that they refuse */

#define COMMAND(code) ((uint64_t)(code) << 60)
#define COMMAND_STORE BIT64(0)
#define PAGES_ALL 0x7FFFFFFFFFFFF000UL
#define PAGES_SIZE BIT64(0)
#define PAGES_DIRECTORIES BIT64(1)

struct amdvi_entry amdvi_entry_domain(hpa_t root, uint16_t domain, uint64_t irqs)
{
	return (struct amdvi_entry){ { ENTRY_V | ENTRY_TV | ENTRY_LEVELS | root | ENTRY_IR | ENTRY_IW, domain, irqs,
				       0 } };
}

uint64_t amdvi_entry_irqs(hpa_t table)
{
	return ENTRY_IV | (table == 0 ? 0 : table | ENTRY_IRQ_LENGTH | ENTRY_IRQ_REMAP);
}

uint64_t amdvi_entry_plain_irqs(void)
{
	return ENTRY_IV | ENTRY_IRQ_PASS;
}

struct amdvi_entry amdvi_entry_blocked(hpa_t root)
{
	return (struct amdvi_entry){ { ENTRY_V | ENTRY_TV | ENTRY_LEVELS | root, 0, ENTRY_IV, 0 } };
}

struct amdvi_command amdvi_completion_wait(hpa_t hpa, uint64_t data)
{
	return (struct amdvi_command){ { COMMAND(1) | hpa | COMMAND_STORE, data } };
}

struct amdvi_command amdvi_invalidate_device(uint16_t bdf)
{
	return (struct amdvi_command){ { COMMAND(2) | bdf, 0 } };
}

struct amdvi_command amdvi_invalidate_domain(uint16_t domain)
{
	return (struct amdvi_command){ { COMMAND(3) | (uint64_t)domain << 32,
					 PAGES_ALL | PAGES_SIZE | PAGES_DIRECTORIES } };
}

struct amdvi_command amdvi_invalidate_irqs(uint16_t bdf)
{
	return (struct amdvi_command){ { COMMAND(5) | bdf, 0 } };
}

struct amdvi_command amdvi_invalidate_all(void)
{
	return (struct amdvi_command){ { COMMAND(8), 0 } };
}

uint32_t amdvi_irq(const struct msi_route *route)
{
	return BIT32(0) | (uint32_t)route->mode << 2 | (route->is_logical ? BIT32(6) : 0) |
	       (route->apic_id & 0xFFU) << 8 | (uint32_t)route->vector << 16;
}

bool amdvi_event(const uint64_t event[2], struct iommu_fault *fault)
{
	static const char *const kinds[16] = {
		[1] = "its entry in the device table is bad",
		[2] = "it may not reach that",
		[3] = "the device table could not be read",
		[4] = "a page table could not be read",
		[5] = "the hypervisor's command is bad",
		[6] = "the hypervisor's commands could not be read",
		[7] = "it did not empty its own cache",
		[8] = "it asked for a kind of access that is not allowed",
	};
	unsigned int code = (unsigned int)(event[0] >> 60);

	if (code == 0)
		return false;
	*fault = (struct iommu_fault){ .bdf = (uint16_t)event[0], .address = event[1], .why = kinds[code] };
	if (fault->why == NULL)
		fault->why = "an event that is not known";
	fault->is_irq = code == 2 && (event[0] & EVENT_INTERRUPT) != 0 && fault->address >> 20 == MSI_ADDR_BASE >> 20;
	return true;
}
