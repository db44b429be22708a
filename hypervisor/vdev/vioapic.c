/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual 82093AA. Level pins follow one rule, deliver_level(): asserted, unmasked and no remote
 * IRR means deliver and set it; every change of one of the three asks again. An edge that finds its
 * pin masked is lost, as the data sheet says. A guest that makes a pin edge-triggered clears its
 * remote IRR: with version 0x11 there is no EOI register, and Linux relies on that.
 */
#include "vdev/vioapic.h"

#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "x86/apic.h"

#define VERSION 0x11U
#define ID_MASK 0x0F000000U
#define RTE_READ_ONLY (RTE_STATUS | RTE_REMOTE_IRR)
#define RTE_WRITABLE (0xFF0000000001FFFFUL & ~RTE_READ_ONLY)
#define MODE_RESERVED 3U
#define PCI_PINS 16U /* and up; those below are ISA's, which are active high */

/* Delivery modes but fixed and lowest priority are edge whatever the entry says (82093AA 3.2.4). */
static bool is_level(uint64_t rte)
{
	uint64_t mode = rte >> RTE_DELIVERY_SHIFT & 7U;

	return (rte & RTE_LEVEL) != 0 && (mode == APIC_FIXED || mode == APIC_LOWEST);
}

void vioapic_init(struct vioapic *v, uint64_t base, uint32_t id, unsigned int pins,
		  struct apic_bus *bus)
{
	*v = (struct vioapic){
		.base = base,
		.pins = MIN(pins, VIOAPIC_MAX_PINS),
		.id = id << 24 & ID_MASK,
		.bus = bus,
	};
	spinlock_init(&v->lock);
	for (unsigned int i = 0; i < v->pins; i++)
		v->rte[i] = RTE_MASKED;
}

/* Sends the pin's message; false when no CPU took it. */
static bool deliver(struct vioapic *v, unsigned int pin)
{
	uint64_t rte = v->rte[pin];
	bool is_logical = (rte & RTE_LOGICAL) != 0;
	struct apic_message msg = {
		.dest = apic_dest_widen((uint8_t)(rte >> RTE_DEST_SHIFT), is_logical),
		.dest_logical = is_logical,
		.mode = (enum apic_delivery)(rte >> RTE_DELIVERY_SHIFT & 7U),
		.vector = (uint8_t)(rte & RTE_VECTOR),
		.is_level = is_level(rte),
	};

	if (msg.mode == MODE_RESERVED || msg.mode == APIC_STARTUP)
		return false;
	return apic_bus_deliver(v->bus, &msg) != 0;
}

/* The level at which the pin asserts. */
static bool asserting_level(const struct vioapic *v, unsigned int pin)
{
	return !v->has_wires || (v->rte[pin] & RTE_ACTIVE_LOW) == 0;
}

static bool is_asserted(const struct vioapic *v, unsigned int pin)
{
	return bitmap_test(v->asserted, pin) == asserting_level(v, pin);
}

static void deliver_level(struct vioapic *v, unsigned int pin)
{
	if (!is_level(v->rte[pin]) || (v->rte[pin] & (RTE_MASKED | RTE_REMOTE_IRR)) != 0 ||
	    !is_asserted(v, pin))
		return;
	/*
	 * Remote IRR first: the receiver may acknowledge before deliver() returns. Its EOI waits
	 * for our lock, but must find the pin among those that await one.
	 */
	v->rte[pin] |= RTE_REMOTE_IRR;
	bitmap_set(v->awaiting, pin);
	if (!deliver(v, pin)) {
		v->rte[pin] &= ~RTE_REMOTE_IRR;
		bitmap_clear(v->awaiting, pin);
	}
}

static void remote_irr_falls(struct vioapic *v, unsigned int pin)
{
	v->rte[pin] &= ~RTE_REMOTE_IRR;
	bitmap_clear(v->awaiting, pin);
	if (v->pin_eoi != NULL)
		v->pin_eoi(v->ctx, pin);
}

void vioapic_reset(struct vioapic *v)
{
	spinlock_lock(&v->lock);
	v->select = 0;
	for (unsigned int i = 0; i < v->pins; i++) {
		if ((v->rte[i] & RTE_REMOTE_IRR) != 0)
			remote_irr_falls(v, i);
		if (!v->has_wires)
			bitmap_clear(v->asserted, i);
		v->rte[i] = RTE_MASKED;
		if (v->rte_changed != NULL)
			v->rte_changed(v->ctx, i, v->rte[i]);
	}
	spinlock_unlock(&v->lock);
}

static void write_rte(struct vioapic *v, unsigned int pin, uint64_t rte)
{
	v->rte[pin] = (rte & RTE_WRITABLE) | (v->rte[pin] & RTE_READ_ONLY);
	if ((v->rte[pin] & RTE_REMOTE_IRR) != 0 && !is_level(v->rte[pin]))
		remote_irr_falls(v, pin);
	if (v->rte_changed != NULL)
		v->rte_changed(v->ctx, pin, v->rte[pin]);
	deliver_level(v, pin);
}

static void write_window(struct vioapic *v, uint32_t value)
{
	unsigned int reg = v->select, pin = (reg - IOAPIC_REG_RTE) / 2U;

	if (reg == IOAPIC_REG_ID)
		v->id = value & ID_MASK;
	else if (reg >= IOAPIC_REG_RTE && pin < v->pins)
		write_rte(v, pin, reg % 2U == 0 ? (v->rte[pin] & ~0xFFFFFFFFUL) | value
						: (v->rte[pin] & 0xFFFFFFFFUL) |
							  (uint64_t)value << 32);
}

static uint32_t read_window(const struct vioapic *v)
{
	unsigned int reg = v->select, pin = (reg - IOAPIC_REG_RTE) / 2U;

	if (reg == IOAPIC_REG_ID || reg == IOAPIC_REG_ARB)
		return v->id;
	if (reg == IOAPIC_REG_VERSION)
		return VERSION | (v->pins - 1U) << 16;
	if (reg >= IOAPIC_REG_RTE && pin < v->pins)
		return (uint32_t)(v->rte[pin] >> (reg % 2U * 32U));
	return 0;
}

static void write_mmio(struct vioapic *v, uint32_t offset, const struct io_access *io)
{
	if (offset == IOAPIC_REGSEL)
		v->select = (uint8_t)io->value;
	else if (offset == IOAPIC_WINDOW && io->size >= 4U)
		write_window(v, (uint32_t)io->value);
}

static uint64_t read_mmio(const struct vioapic *v, uint32_t offset, unsigned int size)
{
	uint32_t value = 0;

	if (offset == IOAPIC_REGSEL)
		value = v->select;
	else if (offset == IOAPIC_WINDOW)
		value = read_window(v);
	return value & bytes_mask(size);
}

enum io_result vioapic_mmio(void *dev, struct io_access *io)
{
	struct vioapic *v = dev;
	uint32_t offset = (uint32_t)(io->addr - v->base);

	spinlock_lock(&v->lock);
	if (io->is_write)
		write_mmio(v, offset, io);
	else
		io->value = read_mmio(v, offset, io->size);
	spinlock_unlock(&v->lock);
	return IO_DONE;
}

static void set_level(struct vioapic *v, unsigned int pin, bool level)
{
	if (level)
		bitmap_set(v->asserted, pin);
	else
		bitmap_clear(v->asserted, pin);
}

static void change_pin(struct vioapic *v, unsigned int pin, bool level)
{
	bool rises = !is_asserted(v, pin) && level == asserting_level(v, pin);

	set_level(v, pin, level);
	if (rises && !is_level(v->rte[pin]) && (v->rte[pin] & RTE_MASKED) == 0)
		(void)deliver(v, pin);
	deliver_level(v, pin);
}

int vioapic_set_pin(struct vioapic *v, unsigned int pin, bool asserted)
{
	if (pin >= v->pins)
		return -EINVAL;
	spinlock_lock(&v->lock);
	change_pin(v, pin, asserted);
	spinlock_unlock(&v->lock);
	return 0;
}

int vioapic_assert_pin(struct vioapic *v, unsigned int pin, bool asserted)
{
	if (pin >= v->pins)
		return -EINVAL;
	spinlock_lock(&v->lock);
	change_pin(v, pin, asserted == asserting_level(v, pin));
	spinlock_unlock(&v->lock);
	return 0;
}

void vioapic_wire(struct vioapic *v)
{
	v->has_wires = true;
	for (unsigned int i = PCI_PINS; i < v->pins; i++)
		bitmap_set(v->asserted, i);
}

void vioapic_lower(struct vioapic *v, unsigned int pin)
{
	set_level(v, pin, !asserting_level(v, pin));
}

static void eoi_word(struct vioapic *v, unsigned int word, uint8_t vector)
{
	uint64_t pins = v->awaiting[word];

	for (; pins != 0; pins &= pins - 1U) {
		unsigned int pin = word * 64U + bits_lowest(pins);

		if ((v->rte[pin] & RTE_VECTOR) != vector)
			continue;
		remote_irr_falls(v, pin);
		deliver_level(v, pin);
	}
}

void vioapic_eoi(struct vioapic *v, uint8_t vector)
{
	/*
	 * Most I/O APICs of a VM await nothing. This look needs no lock: what the EOI is for was
	 * sent after awaiting was set, and our vCPU has taken and finished it since.
	 */
	if (atomic_load(&v->awaiting[0]) == 0 && atomic_load(&v->awaiting[1]) == 0)
		return;
	spinlock_lock(&v->lock);
	eoi_word(v, 0, vector);
	eoi_word(v, 1, vector);
	spinlock_unlock(&v->lock);
}
