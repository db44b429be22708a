/* SPDX-License-Identifier: BSD-3-Clause */
/* The registers are those of AMD I/O Virtualization 3.4; rings begin empty at 0 whenever their base is written. */
#include "iommu/amdvi/amdvi_unit.h"

#include "hw/io.h"
#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/tsc.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/util.h"

enum {
	REG_DEVICE_TABLE = 0x00,
	REG_COMMAND_BASE = 0x08,
	REG_EVENT_BASE = 0x10,
	REG_CONTROL = 0x18,
	REG_EXCLUSION = 0x20,
	REG_FEATURES = 0x30,
	REG_COMMAND_HEAD = 0x2000,
	REG_COMMAND_TAIL = 0x2008,
	REG_EVENT_HEAD = 0x2010,
	REG_EVENT_TAIL = 0x2018,
	REG_STATUS = 0x2020,
};

#define CONTROL_ON BIT64(0)
#define CONTROL_EVENTS BIT64(2)
#define CONTROL_COHERENT BIT64(10)
#define CONTROL_COMMANDS BIT64(12)
#define STATUS_EVENT_OVERFLOW BIT64(0)
#define STATUS_EVENT_INTERRUPT BIT64(1)
#define FEATURE_FORGET_ALL BIT64(6)
#define FEATURE_COUNTERS BIT64(9)
#define RING_ENTRIES 256U
#define RING_BYTES (RING_ENTRIES * 16U)
#define RING_LENGTH (8UL << 56)
#define TABLE_LENGTH (AMDVI_DEVICES * sizeof(struct amdvi_entry) / PAGE_SIZE - 1UL)

static uint64_t reg_read(const struct amdvi_unit *u, uint32_t reg)
{
	return mmio_read64(u->regs + reg);
}

static void reg_write(struct amdvi_unit *u, uint32_t reg, uint64_t value)
{
	mmio_write64(u->regs + reg, value);
}

int amdvi_unit_init(struct amdvi_unit *u, hpa_t base, uint16_t bdf)
{
	uint64_t features;

	*u = (struct amdvi_unit){ .bdf = bdf };
	spinlock_init(&u->lock);
	u->regs = paging_map_mmio(base, AMDVI_REGISTER_SIZE, PG_UC);
	features = reg_read(u, REG_FEATURES);
	if (features == ~0UL) {
		log_warn("iommu: no registers at 0x%lx, where the IVRS says %02x:%02x.%u has them", base, PCI_BUS(bdf),
			 PCI_DEV(bdf), PCI_FN(bdf));
		return -ENODEV;
	}
	u->can_forget_all = (features & FEATURE_FORGET_ALL) != 0;
	u->has_counters = (features & FEATURE_COUNTERS) != 0;
	u->commands = page_pool_alloc(&host_pool);
	u->events = page_pool_alloc(&host_pool);
	u->done = page_pool_alloc(&host_pool);
	return u->commands == NULL || u->events == NULL || u->done == NULL ? -ENOMEM : 0;
}

void amdvi_unit_start(struct amdvi_unit *u, hpa_t device_table)
{
	uint64_t control = reg_read(u, REG_CONTROL);

	control &= ~(CONTROL_ON | CONTROL_EVENTS | CONTROL_COMMANDS);
	reg_write(u, REG_CONTROL, control); /* firmware may have used it */
	reg_write(u, REG_EXCLUSION, 0);
	reg_write(u, REG_STATUS, STATUS_EVENT_OVERFLOW | STATUS_EVENT_INTERRUPT);
	reg_write(u, REG_DEVICE_TABLE, device_table | TABLE_LENGTH);
	reg_write(u, REG_COMMAND_BASE, virt_to_phys(u->commands) | RING_LENGTH);
	reg_write(u, REG_EVENT_BASE, virt_to_phys(u->events) | RING_LENGTH);
	reg_write(u, REG_COMMAND_HEAD, 0);
	reg_write(u, REG_COMMAND_TAIL, 0);
	reg_write(u, REG_EVENT_HEAD, 0);
	reg_write(u, REG_EVENT_TAIL, 0);
	u->tail = 0;
	u->event_head = 0;
	reg_write(u, REG_CONTROL, control | CONTROL_ON | CONTROL_EVENTS | CONTROL_COMMANDS | CONTROL_COHERENT);
}

static void put(struct amdvi_unit *u, const struct amdvi_command *command)
{
	u->commands[u->tail / 16U] = *command;
	u->tail = (u->tail + 16U) % RING_BYTES;
}

/* Fewer commands than the ring holds: it is empty between calls. */
static void do_some(struct amdvi_unit *u, const struct amdvi_command *commands, unsigned int count)
{
	uint64_t end = tsc_now_us() + IOMMU_PATIENCE_US, want = ++u->waits;
	struct amdvi_command wait = amdvi_completion_wait(virt_to_phys((const void *)u->done), want);

	for (unsigned int i = 0; i < count; i++)
		put(u, &commands[i]);
	put(u, &wait);
	atomic_fence();
	reg_write(u, REG_COMMAND_TAIL, u->tail);
	while (atomic_load(u->done) != want) {
		if (tsc_now_us() > end)
			panic("IOMMU %02x:%02x.%u does not do its commands: head 0x%lx, tail 0x%x, status 0x%lx",
			      PCI_BUS(u->bdf), PCI_DEV(u->bdf), PCI_FN(u->bdf), reg_read(u, REG_COMMAND_HEAD), u->tail,
			      reg_read(u, REG_STATUS));
		cpu_relax();
	}
}

void amdvi_unit_do(struct amdvi_unit *u, const struct amdvi_command *commands, unsigned int count)
{
	spinlock_lock(&u->lock);
	while (count != 0) {
		unsigned int some = MIN(count, RING_ENTRIES - 2U);

		do_some(u, commands, some);
		commands += some;
		count -= some;
	}
	spinlock_unlock(&u->lock);
}

/* It stops writing when its ring is full; it is empty again when we come here. */
static void restart_events(struct amdvi_unit *u)
{
	uint64_t control = reg_read(u, REG_CONTROL);

	if ((reg_read(u, REG_STATUS) & STATUS_EVENT_OVERFLOW) == 0)
		return;
	reg_write(u, REG_CONTROL, control & ~CONTROL_EVENTS);
	reg_write(u, REG_STATUS, STATUS_EVENT_OVERFLOW);
	reg_write(u, REG_CONTROL, control);
}

bool amdvi_unit_next_event(struct amdvi_unit *u, struct iommu_fault *fault)
{
	uint32_t tail = (uint32_t)reg_read(u, REG_EVENT_TAIL) % RING_BYTES;
	uint64_t *event = u->events[u->event_head / 16U];

	if (tail == u->event_head) {
		restart_events(u);
		return false;
	}
	if (!amdvi_event(event, fault))
		return false; /* the tail came before the words: next time */
	event[0] = 0;
	event[1] = 0;
	u->event_head = (u->event_head + 16U) % RING_BYTES;
	reg_write(u, REG_EVENT_HEAD, u->event_head);
	return true;
}
