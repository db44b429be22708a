/* SPDX-License-Identifier: BSD-3-Clause */
/* The bits of entries, descriptors and fault records. Whatever is not named is left 0. */
#include "iommu/vtd/vtd_format.h"

#include "lib/bits.h"
#include "x86/apic.h"

#define PRESENT BIT64(0)
#define CONTEXT_4_LEVELS 2UL
#define CONTEXT_DOMAIN_SHIFT 8

#define IRQ_LOGICAL BIT64(2)
#define IRQ_LEVEL BIT64(4)
#define IRQ_MODE_SHIFT 5
#define IRQ_VECTOR_SHIFT 16
#define IRQ_DEST_SHIFT 40
#define IRQ_CHECK_ID (1UL << 18) /* all 16 bits of it */
#define MSG_REMAPPED BIT64(4)
#define MSG_INDEX_SHIFT 5
#define MSG_INDEX_TOP BIT64(2)
#define MSG_INDEX_BITS 0x7FFFU

#define FAULT_IRQ_FIRST 0x20U
#define FAULT_IRQ_LAST 0x26U
#define FAULT_IRQ_SHIFT 48

#define QUEUE_GLOBAL (1UL << 4)
#define QUEUE_DOMAIN (2UL << 4)
#define QUEUE_DRAIN (3UL << 6) /* writes and reads */
#define QUEUE_WAIT_STATUS BIT64(5)
#define QUEUE_WAIT_FENCE BIT64(6)

struct vtd_words vtd_root_entry(hpa_t context_table)
{
	return (struct vtd_words){ context_table | PRESENT, 0 };
}

struct vtd_words vtd_context_entry(hpa_t table, uint16_t domain)
{
	return (struct vtd_words){ table | PRESENT, (uint64_t)domain << CONTEXT_DOMAIN_SHIFT | CONTEXT_4_LEVELS };
}

struct vtd_words vtd_irq_entry(const struct msi_route *route, uint16_t bdf)
{
	return (struct vtd_words){ PRESENT | (uint64_t)route->mode << IRQ_MODE_SHIFT |
					   (route->is_logical ? IRQ_LOGICAL : 0) | (route->is_level ? IRQ_LEVEL : 0) |
					   (uint64_t)route->vector << IRQ_VECTOR_SHIFT |
					   (uint64_t)route->apic_id << IRQ_DEST_SHIFT,
				   IRQ_CHECK_ID | bdf };
}

struct msi_msg vtd_irq_message(unsigned int index)
{
	return (struct msi_msg){ .address = MSI_ADDR_BASE | MSG_REMAPPED |
					    (uint64_t)(index & MSG_INDEX_BITS) << MSG_INDEX_SHIFT |
					    (index > MSG_INDEX_BITS ? MSG_INDEX_TOP : 0) };
}

bool vtd_irq_index(const struct msi_msg *msg, unsigned int *index)
{
	*index = (unsigned int)(msg->address >> MSG_INDEX_SHIFT) & MSG_INDEX_BITS;
	if ((msg->address & MSG_INDEX_TOP) != 0)
		*index |= MSG_INDEX_BITS + 1U;
	return msg->data == 0 && msg->address == vtd_irq_message(*index).address;
}

struct vtd_words vtd_invalidate_contexts(void)
{
	return (struct vtd_words){ 1UL | QUEUE_GLOBAL, 0 };
}

struct vtd_words vtd_invalidate_domain(uint16_t domain, bool drain)
{
	return (struct vtd_words){ 2UL | QUEUE_DOMAIN | (drain ? QUEUE_DRAIN : 0) | (uint64_t)domain << 16, 0 };
}

struct vtd_words vtd_invalidate_addresses(bool drain)
{
	return (struct vtd_words){ 2UL | QUEUE_GLOBAL | (drain ? QUEUE_DRAIN : 0), 0 };
}

struct vtd_words vtd_invalidate_irqs(void)
{
	return (struct vtd_words){ 4UL, 0 };
}

struct vtd_words vtd_wait(hpa_t hpa, uint32_t data)
{
	return (struct vtd_words){ 5UL | QUEUE_WAIT_STATUS | QUEUE_WAIT_FENCE | (uint64_t)data << 32, hpa };
}

struct iommu_fault vtd_fault(uint64_t low, uint64_t high)
{
	static const char *const reasons[] = {
		[0x1] = "its bus has no entry",
		[0x2] = "it has no entry: it is blocked",
		[0x4] = "it may not reach addresses so high",
		[0x5] = "it may not write that",
		[0x6] = "it may not read that",
		[0xD] = "it asked for a kind of access that is not allowed",
		[0x20] = "it sent an interrupt with bits that must be 0",
		[0x21] = "it sent an interrupt beyond the table",
		[0x22] = "it sent an interrupt that was not given to anybody",
		[0x25] = "it sent an interrupt of the old format",
		[0x26] = "it sent an interrupt that is another's",
	};
	unsigned int reason = (unsigned int)(high >> 32) & 0xFFU;
	struct iommu_fault fault = { .bdf = (uint16_t)high, .address = low & ~0xFFFUL, .why = NULL };

	if (reason < sizeof(reasons) / sizeof(reasons[0]))
		fault.why = reasons[reason];
	if (reason >= FAULT_IRQ_FIRST && reason <= FAULT_IRQ_LAST) {
		fault.is_irq = true;
		fault.address = low >> FAULT_IRQ_SHIFT;
	}
	if (fault.why == NULL)
		fault.why = "an entry of the hypervisor's is bad";
	return fault;
}
