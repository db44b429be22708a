/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registers of VT-d 11. A command bit is written together with the state bits as they are, and is done when the
 * status shows it.
 */
#include "iommu/vtd/vtd_unit.h"

#include "hw/cpu.h"
#include "hw/io.h"
#include "hw/paging.h"
#include "hw/tsc.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/panic.h"

enum {
	REG_CAPABILITIES = 0x08,
	REG_EXTENDED = 0x10,
	REG_COMMAND = 0x18,
	REG_STATUS = 0x1C,
	REG_ROOT_TABLE = 0x20,
	REG_FAULT_STATUS = 0x34,
	REG_FAULT_CONTROL = 0x38,
	REG_PROTECTED_MEMORY = 0x64,
	REG_QUEUE_HEAD = 0x80,
	REG_QUEUE_TAIL = 0x88,
	REG_QUEUE = 0x90,
	REG_IRQ_TABLE = 0xB8,
};

#define CMD_TRANSLATE BIT32(31)
#define CMD_SET_ROOT BIT32(30)
#define CMD_FLUSH_WRITES BIT32(27)
#define CMD_QUEUE BIT32(26)
#define CMD_REMAP_IRQS BIT32(25)
#define CMD_SET_IRQ_TABLE BIT32(24)
#define CMD_COMPATIBLE_IRQS BIT32(23)
#define STATES (CMD_TRANSLATE | CMD_QUEUE | CMD_REMAP_IRQS | CMD_COMPATIBLE_IRQS) /* the others are orders */
#define FAULT_OVERFLOW BIT32(0)
#define FAULT_QUEUE (7U << 4)
#define FAULT_RECORD BIT32(31) /* of the record's last word: it is one; written, it is no more */
#define FAULT_MASKED BIT32(31)
#define PROTECTED_ON BIT32(31)
#define PROTECTED_STATUS BIT32(0)
#define QUEUE_ENTRIES 256U
#define QUEUE_DESCRIPTORS_MAX 250U

static uint32_t read32(const struct vtd_unit *u, uint32_t reg)
{
	return mmio_read32(u->regs + reg);
}

static void write32(struct vtd_unit *u, uint32_t reg, uint32_t value)
{
	mmio_write32(u->regs + reg, value);
}

static uint64_t cap(const struct vtd_unit *u, unsigned int hi, unsigned int lo)
{
	return bits_get(u->capabilities, hi, lo);
}

static const char *why_unusable(const struct vtd_unit *u)
{
	if (u->capabilities == ~0UL)
		return "it has no registers there";
	if ((u->extended & BIT64(1)) == 0)
		return "it has no queue for invalidations";
	if ((cap(u, 12, 8) & BIT64(2)) == 0)
		return "it has no tables of four levels";
	if (bits_get(u->extended, 17, 8) * 16U + 16U > VTD_REGISTER_SIZE ||
	    cap(u, 33, 24) * 16U + (cap(u, 47, 40) + 1U) * 16U > VTD_REGISTER_SIZE)
		return "its registers take more than a page";
	return NULL;
}

int vtd_unit_init(struct vtd_unit *u, hpa_t base)
{
	const char *why;

	*u = (struct vtd_unit){ .base = base };
	spinlock_init(&u->lock);
	u->regs = paging_map_mmio(base, VTD_REGISTER_SIZE, PG_UC);
	u->capabilities = mmio_read64(u->regs + REG_CAPABILITIES);
	u->extended = mmio_read64(u->regs + REG_EXTENDED);
	why = why_unusable(u);
	if (why != NULL) {
		log_warn("iommu: the unit at 0x%lx cannot be used: %s", base, why);
		return -ENODEV;
	}
	u->is_coherent = (u->extended & BIT64(0)) != 0;
	u->can_drain = cap(u, 55, 54) == 3;
	u->queue = page_pool_alloc(&host_pool);
	u->done = page_pool_alloc(&host_pool);
	return u->queue == NULL || u->done == NULL ? -ENOMEM : 0;
}

unsigned int vtd_unit_max_leaf(const struct vtd_unit *u)
{
	if (cap(u, 35, 34) == 3)
		return 3;
	return cap(u, 34, 34) == 1 ? 2 : 1;
}

bool vtd_unit_caches_absent(const struct vtd_unit *u)
{
	return cap(u, 7, 7) == 1;
}

unsigned int vtd_unit_domains(const struct vtd_unit *u)
{
	return 1U << (4U + 2U * (cap(u, 2, 0) < 6 ? (unsigned int)cap(u, 2, 0) : 6U));
}

bool vtd_unit_has_irqs(const struct vtd_unit *u)
{
	return (u->extended & BIT64(3)) != 0;
}

static void await(struct vtd_unit *u, uint32_t reg, uint32_t mask, uint32_t value)
{
	uint64_t end = tsc_now_us() + IOMMU_PATIENCE_US;

	while ((read32(u, reg) & mask) != value) {
		if (tsc_now_us() > end)
			panic("the IOMMU at 0x%lx does not do what it is told: register 0x%x is 0x%x", u->base, reg,
			      read32(u, reg));
		cpu_relax();
	}
}

static void order(struct vtd_unit *u, uint32_t bit)
{
	u->states |= bit & STATES;
	write32(u, REG_COMMAND, u->states | bit);
	await(u, REG_STATUS, bit, bit == CMD_FLUSH_WRITES ? 0 : bit);
}

static void stop(struct vtd_unit *u, uint32_t bit)
{
	if ((u->states & bit) == 0)
		return;
	u->states &= ~bit;
	write32(u, REG_COMMAND, u->states);
	await(u, REG_STATUS, bit, 0);
}

static void start_queue(struct vtd_unit *u)
{
	stop(u, CMD_QUEUE); /* firmware's */
	mmio_write64(u->regs + REG_QUEUE_TAIL, 0);
	mmio_write64(u->regs + REG_QUEUE, virt_to_phys(u->queue));
	u->tail = 0;
	order(u, CMD_QUEUE);
}

static void start_irqs(struct vtd_unit *u, const struct vtd_irq_table *irqs)
{
	const struct vtd_words forget = vtd_invalidate_irqs();

	stop(u, CMD_REMAP_IRQS);
	mmio_write64(u->regs + REG_IRQ_TABLE, irqs->base | (irqs->log2 - 1U));
	order(u, CMD_SET_IRQ_TABLE);
	vtd_unit_do(u, &forget, 1);
	/* No wait: QEMU lets such interrupts pass, whatever it is told, and never shows the state. */
	u->states &= ~CMD_COMPATIBLE_IRQS;
	u->states |= irqs->lets_old_format_pass ? CMD_COMPATIBLE_IRQS : 0;
	write32(u, REG_COMMAND, u->states);
	order(u, CMD_REMAP_IRQS);
}

void vtd_unit_start(struct vtd_unit *u, hpa_t root_table, const struct vtd_irq_table *irqs)
{
	const struct vtd_words forget[] = { vtd_invalidate_contexts(), vtd_invalidate_addresses(u->can_drain) };

	u->states = read32(u, REG_STATUS) & STATES; /* as firmware left it */
	write32(u, REG_FAULT_CONTROL, FAULT_MASKED);
	start_queue(u);
	if (cap(u, 4, 4) == 1)
		order(u, CMD_FLUSH_WRITES);
	mmio_write64(u->regs + REG_ROOT_TABLE, root_table);
	order(u, CMD_SET_ROOT);
	vtd_unit_do(u, forget, 2);
	order(u, CMD_TRANSLATE);
	if (irqs != NULL)
		start_irqs(u, irqs);
	/* What firmware kept from devices in a way of its own; translation now does it. */
	if (cap(u, 6, 5) != 0 && (read32(u, REG_PROTECTED_MEMORY) & PROTECTED_ON) != 0) {
		write32(u, REG_PROTECTED_MEMORY, 0);
		await(u, REG_PROTECTED_MEMORY, PROTECTED_STATUS, 0);
	}
}

static void put(struct vtd_unit *u, const struct vtd_words *what)
{
	u->queue[u->tail] = *what;
	u->tail = (u->tail + 1U) % QUEUE_ENTRIES;
}

void vtd_unit_do(struct vtd_unit *u, const struct vtd_words *what, unsigned int count)
{
	uint64_t end = tsc_now_us() + IOMMU_PATIENCE_US;
	struct vtd_words wait;

	ASSERT(count < QUEUE_DESCRIPTORS_MAX);
	spinlock_lock(&u->lock);
	wait = vtd_wait(virt_to_phys((const void *)u->done), ++u->waits);
	for (unsigned int i = 0; i < count; i++)
		put(u, &what[i]);
	put(u, &wait);
	if (!u->is_coherent)
		cpu_write_back_caches();
	atomic_fence();
	mmio_write64(u->regs + REG_QUEUE_TAIL, (uint64_t)u->tail << 4);
	while (atomic_load(u->done) != u->waits) {
		if (tsc_now_us() > end || (read32(u, REG_FAULT_STATUS) & FAULT_QUEUE) != 0)
			panic("the IOMMU at 0x%lx does not invalidate: head 0x%lx, tail 0x%x, faults 0x%x", u->base,
			      mmio_read64(u->regs + REG_QUEUE_HEAD), u->tail << 4, read32(u, REG_FAULT_STATUS));
		cpu_relax();
	}
	spinlock_unlock(&u->lock);
}

static bool take_record(struct vtd_unit *u, unsigned int record, struct iommu_fault *fault)
{
	volatile uint8_t *at = u->regs + cap(u, 33, 24) * 16U + record * 16U;

	if ((mmio_read32(at + 12) & FAULT_RECORD) == 0)
		return false;
	*fault = vtd_fault(mmio_read64(at), mmio_read64(at + 8));
	mmio_write32(at + 12, FAULT_RECORD);
	return true;
}

/* Records are a ring that the unit fills; those that are none any more are skipped. */
bool vtd_unit_next_fault(struct vtd_unit *u, struct iommu_fault *fault)
{
	unsigned int records = (unsigned int)cap(u, 47, 40) + 1U;

	if ((read32(u, REG_FAULT_STATUS) & (FAULT_OVERFLOW | BIT32(1))) == 0)
		return false;
	for (unsigned int i = 0; i < records; i++) {
		unsigned int record = (u->next_record + i) % records;

		if (take_record(u, record, fault)) {
			u->next_record = (record + 1U) % records;
			return true;
		}
	}
	write32(u, REG_FAULT_STATUS, FAULT_OVERFLOW);
	return false;
}
